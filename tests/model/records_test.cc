#include "controlplane/model/records.h"

#include <gmock/gmock.h>

#include <set>
#include <string>

namespace ec::model {
namespace {

constexpr ClusterStatus kClusterStatuses[] = {
    ClusterStatus::kCreating,     ClusterStatus::kAvailable,    ClusterStatus::kModifying,
    ClusterStatus::kRebooting,    ClusterStatus::kRecovering,   ClusterStatus::kDeleting,
    ClusterStatus::kFailed,       ClusterStatus::kCreateFailed, ClusterStatus::kIncompatibleNetwork,
    ClusterStatus::kSnapshotting, ClusterStatus::kRestoreFailed};
constexpr MemberStatus kMemberStatuses[] = {MemberStatus::kCreating,  MemberStatus::kAvailable,
                                            MemberStatus::kRebooting, MemberStatus::kRecovering,
                                            MemberStatus::kDeleting,  MemberStatus::kFailed};

// The names are in the database: a status that is renamed is a database that cannot be read.
TEST(Statuses, HaveNamesOfTheirOwnThatAreReadBack) {
  std::set<std::string_view> names;
  for (const ClusterStatus status : kClusterStatuses) {
    EXPECT_TRUE(names.insert(NameOf(status)).second);
    EXPECT_EQ(ParseClusterStatus(NameOf(status)), status);
  }
  names.clear();
  for (const MemberStatus status : kMemberStatuses) {
    EXPECT_TRUE(names.insert(NameOf(status)).second);
    EXPECT_EQ(ParseMemberStatus(NameOf(status)), status);
  }
  EXPECT_EQ(NameOf(ClusterStatus::kCreateFailed), "create-failed");
  EXPECT_EQ(NameOf(ClusterStatus::kIncompatibleNetwork), "incompatible-network");
  EXPECT_EQ(NameOf(ClusterStatus::kRestoreFailed), "restore-failed");
  EXPECT_EQ(NameOf(MemberStatus::kRecovering), "recovering");
}

TEST(Statuses, AreReadFromNothingElse) {
  for (const std::string name : {"", "Available", "restored", "gone"}) {
    EXPECT_EQ(ParseClusterStatus(name), std::nullopt) << name;
    EXPECT_EQ(ParseMemberStatus(name), std::nullopt) << name;
  }
}

TEST(Pending, IsEmptyWithoutANumberAndAVersion) {
  EXPECT_TRUE(Pending{}.empty());
  EXPECT_FALSE(Pending{.nodes = 3}.empty());
  EXPECT_FALSE(Pending{.version = "7.1.0"}.empty());
}

TEST(Edit, IsEmptyUntilItChangesSomething) {
  EXPECT_TRUE(Edit{.revision = 7}.empty());
  const auto with = [](auto change) {
    Edit edit;
    change(edit);
    return edit.empty();
  };
  EXPECT_FALSE(with([](Edit& e) { e.installation = Installation{}; }));
  EXPECT_FALSE(with([](Edit& e) { e.zones["a"]; }));
  EXPECT_FALSE(with([](Edit& e) { e.hosts["a"]; }));
  EXPECT_FALSE(with([](Edit& e) { e.clusters["a"] = std::nullopt; }));
  EXPECT_FALSE(with([](Edit& e) { e.members[1] = std::nullopt; }));
  EXPECT_FALSE(with([](Edit& e) { e.events.push_back({}); }));
  EXPECT_FALSE(with([](Edit& e) { e.events_dropped_below = 1; }));
}

}  // namespace
}  // namespace ec::model
