// What `ecctl group` asks for, prints, and waits for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/fake_service.h"

namespace ec::cli {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string Text(const google::protobuf::Message& message) { return message.ShortDebugString(); }

// A service that has no events, and keeps the requests that it was sent.
class Groups : public testing::Test {
 protected:
  Groups() {
    service_.events = [](const auto&, auto*) { return grpc::Status::OK; };
    service_.create_group = [this](const auto& request, auto* response) {
      created_ = request;
      *response->mutable_replication_group() = MakeGroup("orders", "creating");
      return grpc::Status::OK;
    };
    service_.describe_groups = DescribingGroups({MakeGroup("orders", "available", 3)});
  }

  // The group goes through these at each look; the last one stays.
  void Walk(std::vector<v1::ReplicationGroup> steps) {
    service_.describe_groups = [this, steps](const auto&, auto* response) {
      *response->add_replication_groups() = steps[std::min(looks_, steps.size() - 1)];
      ++looks_;
      return grpc::Status::OK;
    };
  }

  FakeService service_;
  v1::CreateReplicationGroupRequest created_;
  size_t looks_ = 0;
};

TEST_F(Groups, AreCreatedWithAReplicaAndFailover) {
  const Ended ended = service_.Ecctl({"group", "create", "orders"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(Text(created_),
            "replication_group_id: \"orders\" replication_group_description: \"orders\" "
            "automatic_failover_enabled: true multi_az_enabled: true num_cache_clusters: 2 "
            "cache_node_type: \"cache.t3.micro\" engine: \"redis\"");
  EXPECT_THAT(ended.out, HasSubstr("orders  creating"));
}

TEST_F(Groups, AreEncryptedIfAskedFor) {
  EXPECT_EQ(service_.Ecctl({"group", "create", "orders", "--transit-encryption"}).exit, 0);
  EXPECT_TRUE(created_.transit_encryption_enabled());
  EXPECT_EQ(service_.Ecctl({"group", "create", "orders"}).exit, 0);
  EXPECT_FALSE(created_.has_transit_encryption_enabled());
}

TEST_F(Groups, HaveDefaultsThatTheirMembersAllow) {
  const auto create = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"group", "create", "orders"});
    EXPECT_EQ(service_.Ecctl(words).exit, 0);
    return std::vector<int>{created_.num_cache_clusters(), created_.automatic_failover_enabled(),
                            created_.multi_az_enabled()};
  };
  EXPECT_THAT(create({"--zones", "a,b,c"}), ElementsAre(3, 1, 1));
  EXPECT_THAT(create({"--zones", "a,a"}), ElementsAre(2, 1, 0));
  EXPECT_THAT(create({"--replicas", "0"}), ElementsAre(1, 0, 0));
  EXPECT_THAT(create({"--replicas", "2", "--no-automatic-failover"}), ElementsAre(3, 0, 0));
  EXPECT_THAT(create({"--replicas", "2", "--no-multi-az"}), ElementsAre(3, 1, 0));
  EXPECT_THAT(create({"--replicas", "0", "--multi-az"}), ElementsAre(1, 0, 1));
}

TEST_F(Groups, AroundAClusterTakeItsSettings) {
  EXPECT_EQ(service_.Ecctl({"group", "create", "orders", "--primary", "demo"}).exit, 0);
  EXPECT_EQ(Text(created_),
            "replication_group_id: \"orders\" replication_group_description: \"orders\" "
            "primary_cluster_id: \"demo\"");
  const Ended both =
      service_.Ecctl({"group", "create", "orders", "--primary", "demo", "--replicas", "1"});
  EXPECT_EQ(both.exit, 2);
  EXPECT_THAT(both.err, HasSubstr("exclude each other"));
}

TEST_F(Groups, PassEveryOptionOn) {
  const Ended ended = service_.Ecctl({"group",
                                      "create",
                                      "orders",
                                      "--replicas",
                                      "1",
                                      "--zones",
                                      "a,b",
                                      "--description",
                                      "d",
                                      "--engine",
                                      "valkey",
                                      "--engine-version",
                                      "7.2",
                                      "--node-type",
                                      "cache.m5.large",
                                      "--port",
                                      "7000",
                                      "--subnet-group",
                                      "sg",
                                      "--parameter-group",
                                      "pg",
                                      "--security-groups",
                                      "sg-1,sg-2",
                                      "--maintenance-window",
                                      "sun:05:00-sun:06:00",
                                      "--snapshot-retention",
                                      "7",
                                      "--snapshot-window",
                                      "02:00-03:00",
                                      "--notification-topic",
                                      "arn:t",
                                      "--tag",
                                      "a=b",
                                      "--no-auto-minor-version-upgrade"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(
      Text(created_),
      "replication_group_id: \"orders\" replication_group_description: \"d\" "
      "automatic_failover_enabled: true multi_az_enabled: true num_cache_clusters: 2 "
      "preferred_cache_cluster_azs: \"a\" preferred_cache_cluster_azs: \"b\" "
      "cache_node_type: \"cache.m5.large\" engine: \"valkey\" engine_version: \"7.2\" "
      "cache_parameter_group_name: \"pg\" cache_subnet_group_name: \"sg\" "
      "security_group_ids: \"sg-1\" security_group_ids: \"sg-2\" tags { key: \"a\" value: \"b\" } "
      "preferred_maintenance_window: \"sun:05:00-sun:06:00\" port: 7000 "
      "notification_topic_arn: \"arn:t\" auto_minor_version_upgrade: false "
      "snapshot_retention_limit: 7 snapshot_window: \"02:00-03:00\"");
}

TEST_F(Groups, AreListedWithTheirEndpoints) {
  const Ended ended = service_.Ecctl({"group", "list"});
  EXPECT_EQ(ended.out,
            "GROUP   STATUS     ENGINE  NODE-TYPE       MEMBERS  PRIMARY     PRIMARY-ENDPOINT  "
            "READER-ENDPOINT  FAILOVER  MULTI-AZ  AGE\n"
            "orders  available  redis   cache.t3.micro  3        orders-001  127.0.0.1:6001    "
            "127.0.0.1:6002   enabled   enabled   -\n");
  service_.describe_groups = DescribingGroups({});
  EXPECT_THAT(service_.Ecctl({"group", "list"}).err, HasSubstr("There are no replication groups."));
}

TEST_F(Groups, AreShownWithTheirTopology) {
  v1::ReplicationGroup group = MakeGroup("orders", "available", 3);
  SetPrimary(&group, "orders-002");
  v1::NodeGroupMember* third = group.mutable_node_groups(0)->mutable_node_group_members(2);
  third->set_in_sync(false);
  third->set_lag_bytes(4711);
  third->set_trouble("its link is down");
  group.set_epoch(4);
  group.set_last_failover_lost_bytes(120);
  group.set_last_failover_lost_ms(3);
  group.mutable_pending_modified_values()->set_primary_cluster_id("orders-001");
  service_.describe_groups = DescribingGroups({group});
  service_.events = [](const auto&, auto* response) {
    *response->add_events() = MakeEvent(1, "somebody-else", "not ours");
    *response->add_events() = MakeEvent(2, "orders", "the group's");
    *response->add_events() = MakeEvent(3, "orders-003", "a member's");
    return grpc::Status::OK;
  };
  const Ended ended = service_.Ecctl({"group", "show", "orders"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("127.0.0.1:6001        primary  --> orders-002\n"
                                   "127.0.0.1:6002        reader   --> orders-001\n"
                                   "\n"
                                   "ZONE        MEMBER      ROLE     STATUS     ENDPOINT        "
                                   "IN-SYNC  LAG     HOST        "
                                   "PID  TROUBLE\n"
                                   "us-east-1b  orders-002  primary  available  127.0.0.1:6102  -  "
                                   "      -       us-east-1b  "
                                   "101\n"
                                   "us-east-1a  orders-001  replica  available  127.0.0.1:6101  "
                                   "yes      0 B     us-east-1a  "
                                   "100\n"
                                   "us-east-1c  orders-003  replica  available  127.0.0.1:6103  no "
                                   "      4711 B  us-east-1c  "
                                   "102  its link is down\n"));
  for (const char* part :
       {"Epoch                   4\n", "Last failover           lost 120 B, the writes of 3 ms\n",
        "Pending primary         orders-001\n", "the group's\n", "a member's\n"}) {
    EXPECT_THAT(ended.out, HasSubstr(part));
  }
  EXPECT_THAT(ended.out, Not(HasSubstr("not ours")));
  const Ended as_json = service_.Ecctl({"group", "show", "orders", "-o", "json"});
  EXPECT_EQ(json::parse(as_json.out)["replication_groups"][0]["epoch"], "4");
}

TEST_F(Groups, ReadFromThePrimaryForWantOfReplicas) {
  v1::ReplicationGroup group = MakeGroup("orders", "available", 2);
  group.mutable_node_groups(0)->mutable_node_group_members(1)->set_in_sync(false);
  service_.describe_groups = DescribingGroups({group});
  EXPECT_THAT(service_.Ecctl({"group", "show", "orders"}).out,
              HasSubstr("reader   --> orders-001\n"));
}

TEST_F(Groups, WaitForTheirCreationWithTheEventsOfTheirMembers) {
  Walk({MakeGroup("orders", "creating"), MakeGroup("orders", "available")});
  service_.events = [this](const auto&, auto* response) {
    if (created_.has_replication_group_id()) {
      *response->add_events() = MakeEvent(8, "orders-002", "a replica is there");
      *response->add_events() = MakeEvent(9, "stranger", "not ours");
    }
    return grpc::Status::OK;
  };
  const Ended ended = service_.Ecctl({"group", "create", "orders", "--wait"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(ended.err,
            "2023-11-14T22:13:28.000Z  orders-002    a replica is there\n"
            "orders is creating\n"
            "orders is available\n");
  EXPECT_THAT(ended.out, HasSubstr("orders  available"));
}

TEST_F(Groups, SayWhyTheirCreationHasFailed) {
  Walk({MakeGroup("orders", "creating"), MakeGroup("orders", "create-failed")});
  const Ended ended = service_.Ecctl({"group", "create", "orders", "--wait"});
  EXPECT_EQ(ended.exit, 1);
  EXPECT_THAT(ended.err, HasSubstr("creation of orders failed: the group is create-failed"));
}

TEST_F(Groups, AreModifiedAtOnceUnlessToldOtherwise) {
  v1::ModifyReplicationGroupRequest seen;
  service_.modify_group = [&](const auto& request, auto* response) {
    seen = request;
    *response->mutable_replication_group() = MakeGroup("orders", "modifying");
    return grpc::Status::OK;
  };
  EXPECT_EQ(service_
                .Ecctl({"group", "modify", "orders", "--no-multi-az", "--primary", "orders-002",
                        "--snapshot-retention", "3"})
                .exit,
            0);
  EXPECT_EQ(Text(seen),
            "replication_group_id: \"orders\" primary_cluster_id: \"orders-002\" "
            "multi_az_enabled: false apply_immediately: true snapshot_retention_limit: 3");
  EXPECT_EQ(
      service_
          .Ecctl({"group", "modify", "orders", "--automatic-failover", "--no-apply-immediately"})
          .exit,
      0);
  EXPECT_EQ(Text(seen),
            "replication_group_id: \"orders\" automatic_failover_enabled: true "
            "apply_immediately: false");
}

TEST_F(Groups, AreGivenMoreReplicas) {
  v1::IncreaseReplicaCountRequest seen;
  service_.increase = [&](const auto& request, auto* response) {
    seen = request;
    *response->mutable_replication_group() = MakeGroup("orders", "modifying", 4);
    return grpc::Status::OK;
  };
  EXPECT_EQ(service_.Ecctl({"group", "add-replica", "orders"}).exit, 0);
  EXPECT_EQ(Text(seen),
            "replication_group_id: \"orders\" new_replica_count: 3 apply_immediately: true");
  EXPECT_EQ(service_.Ecctl({"group", "add-replica", "orders", "--zones", "x,y"}).exit, 0);
  EXPECT_EQ(Text(seen),
            "replication_group_id: \"orders\" replica_configuration { node_group_id: \"0001\" "
            "new_replica_count: 4 preferred_availability_zones: \"us-east-1a\" "
            "preferred_availability_zones: \"us-east-1b\" "
            "preferred_availability_zones: \"us-east-1c\" preferred_availability_zones: \"x\" "
            "preferred_availability_zones: \"y\" } apply_immediately: true");
}

TEST_F(Groups, AreRelievedOfReplicas) {
  v1::DecreaseReplicaCountRequest seen;
  service_.decrease = [&](const auto& request, auto* response) {
    seen = request;
    *response->mutable_replication_group() = MakeGroup("orders", "modifying", 3);
    return grpc::Status::OK;
  };
  EXPECT_EQ(service_.Ecctl({"group", "remove-replica", "orders"}).exit, 0);
  EXPECT_EQ(Text(seen),
            "replication_group_id: \"orders\" new_replica_count: 1 apply_immediately: true");
  EXPECT_EQ(service_.Ecctl({"group", "remove-replica", "orders", "orders-003"}).exit, 0);
  EXPECT_EQ(Text(seen),
            "replication_group_id: \"orders\" replicas_to_remove: \"orders-003\" "
            "apply_immediately: true");
  EXPECT_EQ(
      service_.Ecctl({"group", "remove-replica", "orders", "orders-003", "--count", "1"}).exit, 2);
}

TEST_F(Groups, FailoverWaitsForTheFormerPrimaryAsAReplica) {
  const v1::ReplicationGroup before = MakeGroup("orders", "available");
  v1::ReplicationGroup taken_over = before;
  SetPrimary(&taken_over, "orders-002");
  taken_over.mutable_node_groups(0)->mutable_node_group_members(0)->set_in_sync(false);
  v1::ReplicationGroup after = before;
  SetPrimary(&after, "orders-002");
  Walk({before, before, taken_over, after});
  v1::TestFailoverRequest seen;
  service_.failover = [&](const auto& request, auto* response) {
    seen = request;
    *response->mutable_replication_group() = before;
    return grpc::Status::OK;
  };
  const Ended ended = service_.Ecctl({"group", "failover", "orders", "--wait"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(Text(seen), "replication_group_id: \"orders\" node_group_id: \"0001\"");
  EXPECT_EQ(looks_, 4u);
  EXPECT_THAT(ended.out, HasSubstr("orders-002"));
}

TEST_F(Groups, SwitchoverSaysWhenItWasGivenUp) {
  const v1::ReplicationGroup before = MakeGroup("orders", "available");
  v1::ReplicationGroup after = before;
  SetPrimary(&after, "orders-002");
  v1::SwitchoverReplicationGroupRequest seen;
  service_.switchover = [&](const auto& request, auto* response) {
    seen = request;
    *response->mutable_replication_group() = MakeGroup("orders", "modifying");
    return grpc::Status::OK;
  };
  Walk({before, MakeGroup("orders", "modifying"), after});
  EXPECT_EQ(service_.Ecctl({"group", "switchover", "orders", "--to", "orders-002", "--wait"}).exit,
            0);
  EXPECT_EQ(Text(seen), "replication_group_id: \"orders\" cache_cluster_id: \"orders-002\"");
  looks_ = 0;
  Walk({before, MakeGroup("orders", "modifying"), before});
  const Ended failed = service_.Ecctl({"group", "switchover", "orders", "--wait"});
  EXPECT_EQ(failed.exit, 1);
  EXPECT_THAT(failed.err, HasSubstr("switch-over of orders failed: it was given up"));
  EXPECT_FALSE(seen.has_cache_cluster_id());
}

TEST_F(Groups, AreDeletedOnceThatIsConfirmed) {
  v1::DeleteReplicationGroupRequest seen;
  service_.remove_group = [&](const auto& request, auto* response) {
    seen = request;
    *response->mutable_replication_group() = MakeGroup("orders", "deleting");
    return grpc::Status::OK;
  };
  EXPECT_EQ(service_.Ecctl({"group", "delete", "orders"}, "y\n").exit, 2);
  EXPECT_FALSE(seen.has_replication_group_id());
  service_.describe_groups = DescribingGroups({});
  const Ended ended =
      service_.Ecctl({"group", "delete", "orders", "--retain-primary", "--yes", "--wait"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(Text(seen), "replication_group_id: \"orders\" retain_primary_cluster: true");
  EXPECT_EQ(ended.out, "Replication group orders has been deleted.\n");
}

TEST_F(Groups, HaveTagsUnderTheirBareId) {
  service_.describe = Describing({});
  std::string arn;
  service_.list_tags = [&](const auto& request, auto*) {
    arn = request.resource_name();
    return grpc::Status::OK;
  };
  EXPECT_EQ(service_.Ecctl({"tag", "list", "orders"}).exit, 0);
  EXPECT_EQ(arn, "arn:aws:elasticache:us-east-1:000000000000:replicationgroup:orders");
}

}  // namespace
}  // namespace ec::cli
