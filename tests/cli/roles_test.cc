// `ecctl cluster promote` and `demote`, and clusters that are created into a group.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/fake_service.h"

namespace ec::cli {
namespace {

using testing::HasSubstr;

std::string Text(const google::protobuf::Message& message) { return message.ShortDebugString(); }

v1::CacheCluster InGroup(const std::string& id, const std::string& status,
                         const std::string& group) {
  v1::CacheCluster cluster = MakeCluster(id, status);
  if (!group.empty()) cluster.set_replication_group_id(group);
  return cluster;
}

// A service whose group and cluster go through these at each look at the cluster.
class Roles : public testing::Test {
 protected:
  struct Step {
    std::string group_status;
    std::string cluster_status;
    std::string group_of_cluster;
  };

  Roles() {
    service_.events = [](const auto&, auto*) { return grpc::Status::OK; };
    service_.promote = [this](const auto& request, auto* response) {
      promoted_ = request;
      *response->mutable_cache_cluster() = InGroup("orders-003", "modifying", "orders");
      return grpc::Status::OK;
    };
    service_.demote = [this](const auto& request, auto* response) {
      demoted_ = request;
      *response->mutable_cache_cluster() = InGroup("staging", "modifying", "orders");
      return grpc::Status::OK;
    };
    service_.describe_groups = [this](const auto&, auto* response) {
      *response->add_replication_groups() = MakeGroup("orders", Now().group_status, 3);
      return grpc::Status::OK;
    };
    service_.describe = [this](const auto& request, auto* response) {
      *response->add_cache_clusters() =
          InGroup(request.cache_cluster_id(), Now().cluster_status, Now().group_of_cluster);
      ++looks_;
      return grpc::Status::OK;
    };
  }

  const Step& Now() const { return steps_[std::min(looks_, steps_.size() - 1)]; }

  FakeService service_;
  std::vector<Step> steps_ = {{"available", "available", "orders"}};
  size_t looks_ = 0;
  v1::PromoteCacheClusterRequest promoted_;
  v1::DemoteCacheClusterRequest demoted_;
};

TEST_F(Roles, PromotionEndsWhenTheClusterIsItsOwn) {
  steps_ = {{"available", "available", "orders"},
            {"modifying", "modifying", "orders"},
            {"available", "modifying", ""},
            {"available", "available", ""}};
  const Ended ended = service_.Ecctl({"cluster", "promote", "orders-003", "--wait"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(Text(promoted_), "cache_cluster_id: \"orders-003\"");
  EXPECT_EQ(looks_, 4u);
  EXPECT_THAT(ended.out, HasSubstr("orders-003  available"));
}

TEST_F(Roles, PromotionSaysWhenItWasGivenUp) {
  steps_ = {{"available", "available", "orders"},
            {"modifying", "modifying", "orders"},
            {"available", "available", "orders"}};
  const Ended ended = service_.Ecctl({"cluster", "promote", "orders-003", "--force", "--wait"});
  EXPECT_EQ(ended.exit, 1);
  EXPECT_TRUE(promoted_.force());
  EXPECT_THAT(ended.err, HasSubstr("promotion of orders-003 failed: it was given up"));
}

TEST_F(Roles, DemotionNeedsThatTheDataIsGivenUp) {
  const Ended refused = service_.Ecctl({"cluster", "demote", "staging", "--group", "orders"});
  EXPECT_EQ(refused.exit, 2);
  EXPECT_FALSE(demoted_.has_cache_cluster_id());
  EXPECT_EQ(
      service_.Ecctl({"cluster", "demote", "staging", "--group", "orders", "--accept-data-loss"})
          .exit,
      0);
  EXPECT_EQ(Text(demoted_),
            "cache_cluster_id: \"staging\" replication_group_id: \"orders\" "
            "accept_data_loss: true");
}

TEST_F(Roles, DemotionCanFormAGroup) {
  EXPECT_EQ(service_.Ecctl({"cluster", "demote", "staging", "--primary", "demo", "--yes"}).exit, 2);
  EXPECT_EQ(service_.Ecctl({"cluster", "demote", "staging", "--yes"}).exit, 2);
  EXPECT_EQ(
      service_.Ecctl({"cluster", "demote", "staging", "--primary", "demo", "--group", "g"}).exit,
      2);
  EXPECT_FALSE(demoted_.has_cache_cluster_id());
  EXPECT_EQ(service_
                .Ecctl({"cluster", "demote", "staging", "--primary", "demo", "--new-group",
                        "orders", "--yes"})
                .exit,
            0);
  EXPECT_EQ(Text(demoted_),
            "cache_cluster_id: \"staging\" primary_cluster_id: \"demo\" "
            "new_replication_group_id: \"orders\" accept_data_loss: true");
}

TEST_F(Roles, DemotionEndsWhenTheClusterHasJoined) {
  steps_ = {{"modifying", "modifying", "orders"},
            {"available", "modifying", "orders"},
            {"available", "available", "orders"}};
  const Ended ended =
      service_.Ecctl({"cluster", "demote", "staging", "--group", "Orders", "--yes", "--wait"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(looks_, 3u);
  looks_ = 0;
  steps_ = {{"modifying", "modifying", "orders"}, {"available", "available", ""}};
  const Ended undone =
      service_.Ecctl({"cluster", "demote", "staging", "--group", "orders", "--yes", "--wait"});
  EXPECT_EQ(undone.exit, 1);
  EXPECT_THAT(undone.err, HasSubstr("demotion of staging failed: it was given up"));
}

TEST_F(Roles, AClusterCreatedIntoAGroupTakesEverythingOverFromIt) {
  v1::CreateCacheClusterRequest seen;
  service_.create = [&](const auto& request, auto* response) {
    seen = request;
    *response->mutable_cache_cluster() = InGroup("reports", "creating", "orders");
    return grpc::Status::OK;
  };
  EXPECT_EQ(
      service_.Ecctl({"cluster", "create", "reports", "--group", "orders", "--zone", "z"}).exit, 0);
  EXPECT_EQ(Text(seen),
            "cache_cluster_id: \"reports\" replication_group_id: \"orders\" "
            "preferred_availability_zone: \"z\"");
}

}  // namespace
}  // namespace ec::cli
