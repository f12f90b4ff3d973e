#include "common/status.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace ec {
namespace {

TEST(Status, IsOkUnlessAFaultIsNamed) {
  EXPECT_TRUE(Status().ok());
  EXPECT_EQ(Status().message(), "");
  const Status status(Fault::kInvalidArn, "no such thing");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.fault(), Fault::kInvalidArn);
  EXPECT_EQ(status.message(), "no such thing");
  EXPECT_EQ(status, Status(Fault::kInvalidArn, "no such thing"));
  EXPECT_NE(status, Status(Fault::kInvalidArn, "another"));
}

TEST(Result, IsAValueOrTheReasonWhyThereIsNone) {
  Result<std::string> value("hello");
  EXPECT_TRUE(value.ok());
  EXPECT_TRUE(value.status().ok());
  EXPECT_EQ(*value, "hello");
  EXPECT_EQ(value->size(), 5u);
  const Result<std::string> none(Status(Fault::kTagNotFound, "gone"));
  EXPECT_FALSE(none.ok());
  EXPECT_EQ(none.status(), Status(Fault::kTagNotFound, "gone"));
}

TEST(Result, CarriesWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  const std::unique_ptr<int> taken = std::move(*result);
  EXPECT_EQ(*taken, 7);
}

TEST(ResultDeathTest, StopsWhoeverTakesAValueThatIsNotThere) {
  const Result<int> none(Status(Fault::kTagNotFound, "gone"));
  EXPECT_DEATH((void)*none, "broken invariant");
  EXPECT_DEATH((void)Result<int>(Status()), "broken invariant");
}

Status ThroughOf(const Status& inner, bool* reached) {
  EC_RETURN_IF_ERROR(inner);
  *reached = true;
  return {};
}

TEST(ReturnIfError, LeavesWithTheErrorAndGoesOnWithoutOne) {
  bool reached = false;
  EXPECT_EQ(ThroughOf({Fault::kInternal, "x"}, &reached), Status(Fault::kInternal, "x"));
  EXPECT_FALSE(reached);
  EXPECT_TRUE(ThroughOf({}, &reached).ok());
  EXPECT_TRUE(reached);
}

}  // namespace
}  // namespace ec
