// AddTagsToResource and RemoveTagsFromResource.
#include "controlplane/core/tags.h"

#include <gmock/gmock.h>

#include <string>

#include "tests/support/control_plane.h"
#include "tests/support/matchers.h"
#include "tests/support/refusals.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using ::testing::HasSubstr;

using TagMap = std::map<std::string, std::string>;

class TagsTest : public ::testing::Test {
 protected:
  TagsTest() {
    plane.AddHosts(1);
    CreateCluster request = Redis("red");
    request.tags = {{"owner", "me"}, {"stage", "test"}};
    EXPECT_THAT(plane.Ask(request), IsOk());
    plane.Settle();
  }
  void ExpectRefused(const Command& command, Fault fault,
                     const ::testing::Matcher<const std::string&>& message) {
    ec::testing::ExpectRefused(plane, command, fault, message);
  }
  const TagMap& tags() const { return plane.cluster("red").tags; }

  ControlPlane plane;
  const std::string arn = ClusterArn("red");
};

TEST_F(TagsTest, AreAddedAndReplaceThoseOfTheSameKey) {
  ASSERT_THAT(plane.Ask(AddTags{ClusterArn("RED"), {{"owner", "you"}, {"Owner", ""}}}), IsOk());
  EXPECT_EQ(tags(), (TagMap{{"owner", "you"}, {"stage", "test"}, {"Owner", ""}}));
}

TEST_F(TagsTest, ChangeNothingElse) {
  const model::Cluster before = plane.cluster("red");
  ASSERT_THAT(plane.Ask(AddTags{arn, {{"a", "b"}}}), IsOk());
  model::Cluster expected = before;
  expected.tags["a"] = "b";
  expected.revision = plane.records().revision;
  EXPECT_EQ(plane.cluster("red"), expected);
  EXPECT_TRUE(plane.decision.edit.events.empty());
  EXPECT_TRUE(plane.decision.edit.members.empty());
}

TEST_F(TagsTest, AreTakenAwayByKey) {
  ASSERT_THAT(plane.Ask(RemoveTags{arn, {"owner"}}), IsOk());
  EXPECT_EQ(tags(), (TagMap{{"stage", "test"}}));
  ASSERT_THAT(plane.Ask(RemoveTags{arn, {"stage", "stage"}}), IsOk());  // named twice, gone once
  EXPECT_EQ(tags(), TagMap());
}

TEST_F(TagsTest, AreRefusedWithTheNameOfWhatIsWrong) {
  constexpr Fault kValue = Fault::kInvalidParameterValue;
  ExpectRefused(AddTags{arn, {}}, kValue, HasSubstr("Tags"));
  ExpectRefused(AddTags{arn, {{"good", ""}, {"", "x"}}}, kValue, HasSubstr("Tags"));
  ExpectRefused(AddTags{arn, {{std::string(129, 'k'), ""}}}, kValue, HasSubstr("128"));
  ExpectRefused(AddTags{arn, {{"k", std::string(257, 'v')}}}, kValue, HasSubstr("256"));
  ExpectRefused(AddTags{arn, {{"aws:x", ""}}}, kValue, HasSubstr("aws:"));
  ExpectRefused(RemoveTags{arn, {}}, kValue, HasSubstr("TagKeys"));
  ExpectRefused(RemoveTags{arn, {"owner", "nobody"}}, Fault::kTagNotFound, HasSubstr("'nobody'"));
}

TEST_F(TagsTest, AreAtMostFifty) {
  AddTags many{arn, {}};
  for (int i = 0; i < 48; ++i) many.tags.emplace_back("k" + std::to_string(i), "");
  ASSERT_THAT(plane.Ask(many), IsOk());
  ExpectRefused(AddTags{arn, {{"one-more", ""}}}, Fault::kTagQuotaExceeded, HasSubstr("50"));
  EXPECT_THAT(plane.Ask(AddTags{arn, {{"owner", "replaced"}}}), IsOk());
}

// An unknown ARN is the NotFound fault of its kind, a malformed one InvalidARN.
TEST_F(TagsTest, BelongToWhatAnArnNames) {
  for (const bool add : {true, false}) {
    const auto with = [&](const std::string& name) -> Command {
      if (add) return AddTags{name, {{"k", "v"}}};
      return RemoveTags{name, {"owner"}};
    };
    ExpectRefused(with("red"), Fault::kInvalidArn, HasSubstr("'red'"));
    ExpectRefused(with("arn:aws:rds:us-east-1:000000000000:cluster:red"), Fault::kInvalidArn,
                  HasSubstr("is not valid"));
    ExpectRefused(with("arn:aws:elasticache:us-east-1:000000000000:snapshot:red"),
                  Fault::kSnapshotNotFound, HasSubstr("red"));
    ExpectRefused(with("arn:aws:elasticache:us-east-1:000000000000:user:red"), Fault::kUserNotFound,
                  HasSubstr("red"));
    ExpectRefused(with("arn:aws:elasticache:us-east-1:000000000000:reserved-instance:red"),
                  Fault::kInvalidArn, HasSubstr("reserved-instance"));
    ExpectRefused(with(ClusterArn("Absent")), Fault::kCacheClusterNotFound,
                  "CacheCluster not found: absent");
    ExpectRefused(with("arn:aws:elasticache:eu-west-1:000000000000:cluster:red"),
                  Fault::kCacheClusterNotFound, HasSubstr("red"));
    ExpectRefused(with("arn:aws:elasticache:us-east-1:111111111111:cluster:red"),
                  Fault::kCacheClusterNotFound, HasSubstr("red"));
  }
}

TEST_F(TagsTest, NeedAnAvailableClusterAndSaySoWithAwsCode) {
  const std::string text = "Cluster not in available state to perform tagging operations.";
  ASSERT_THAT(plane.Ask(RebootCluster{"red", {"0001"}}), IsOk());
  ExpectRefused(AddTags{arn, {{"k", "v"}}}, Fault::kInvalidReplicationGroupState, text);
  ExpectRefused(RemoveTags{arn, {"owner"}}, Fault::kInvalidReplicationGroupState, text);
}

// Inputs of one step see those before them.
TEST_F(TagsTest, AreAddedToWhatTheSameStepHasMadeOfACluster) {
  const std::vector<Status> verdicts =
      plane.Step({Command(AddTags{arn, {{"a", "1"}}}), Command(RemoveTags{arn, {"a"}}),
                  Command(Redis("new")), Command(AddTags{ClusterArn("new"), {{"a", "1"}}}),
                  Command(Reset{}), Command(AddTags{arn, {{"b", "2"}}})});
  EXPECT_THAT(verdicts[0], IsOk());
  EXPECT_THAT(verdicts[1], IsOk());
  EXPECT_THAT(verdicts[3], Fails(Fault::kInvalidReplicationGroupState, HasSubstr("tagging")));
  EXPECT_THAT(verdicts[5], Fails(Fault::kCacheClusterNotFound, HasSubstr("red")));
}

TEST_F(TagsTest, AreFoundByArnForAListing) {
  EXPECT_EQ(FindTagged(plane.records(), arn)->id, "red");
  EXPECT_THAT(FindTagged(plane.records(), "red"), Fails(Fault::kInvalidArn, HasSubstr("red")));
}

}  // namespace
}  // namespace ec::core
