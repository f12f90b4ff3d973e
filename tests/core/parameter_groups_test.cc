// Cache parameter groups: what may be said, and what engines are told of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/core/plans.h"
#include "tests/support/control_plane.h"
#include "tests/support/refusals.h"

namespace ec::core {
namespace {

using testing::ControlPlane;

using Values = std::vector<std::pair<std::string, std::string>>;

class ParameterGroups : public ::testing::Test {
 protected:
  ParameterGroups() {
    plane_.AddHosts(3, 3);
    EXPECT_TRUE(plane_.Ask(CreateParameterGroup{"Mine", "redis7", "mine", {}}).ok());
  }
  Status Set(const Values& values) { return plane_.Ask(ModifyParameterGroup{"mine", values}); }

  // What the engine of the Redis is to be told.
  std::string Told(const std::string& cluster, const std::string& name) {
    plane_.Settle();
    const model::Member& node = plane_.node(cluster, "0001");
    const MemberSpec& spec = plane_.HostOf(node).plan.members.at(node.id);
    return spec.parameters.at(name);
  }
  void CreateRedis(const std::string& id, const std::string& group) {
    CreateCluster request = testing::Redis(id);
    request.engine_version = "7.1";
    request.parameter_group = group;
    ASSERT_TRUE(plane_.Ask(request).ok());
    plane_.Settle();
  }

  ControlPlane plane_;
};

TEST_F(ParameterGroups, AreKeptInLowerCaseOnceEach) {
  EXPECT_TRUE(plane_.records().parameter_groups.contains("mine"));
  EXPECT_EQ(plane_.Ask(CreateParameterGroup{"MINE", "redis7", "x", {}}).fault(),
            Fault::kCacheParameterGroupAlreadyExists);
  for (const char* name : {"", "1st", "two--hyphens", "end-", "default.mine", "default.redis7"}) {
    EXPECT_EQ(plane_.Ask(CreateParameterGroup{name, "redis7", "x", {}}).fault(),
              Fault::kInvalidParameterValue)
        << name;
  }
  EXPECT_EQ(plane_.Ask(CreateParameterGroup{"a", "redis99", "x", {}}).fault(),
            Fault::kInvalidParameterValue);
}

TEST_F(ParameterGroups, TakeValuesOfTheirParametersTypesOnly) {
  for (const auto& [name, value] : Values{{"maxmemory-policy", "allkeys-lfu"},
                                          {"timeout", "0"},
                                          {"timeout", "20"},
                                          {"notify-keyspace-events", "Ex"},
                                          {"notify-keyspace-events", ""},
                                          {"reserved-memory-percent", "50"},
                                          {"slowlog-log-slower-than", "-1"}}) {
    EXPECT_TRUE(Set({{name, value}}).ok()) << name << " " << value;
  }
  for (const auto& [name, value] : Values{{"maxmemory-policy", "all"},
                                          {"maxmemory-policy", "allkeys-lfu\nsave 1 1"},
                                          {"timeout", "19"},
                                          {"timeout", "-1"},
                                          {"timeout", "ten"},
                                          {"timeout", ""},
                                          {"timeout", "99999999999999999999"},
                                          {"notify-keyspace-events", "Q"},
                                          {"cluster-enabled", "yes"},
                                          {"no-such-parameter", "1"},
                                          {"maxmemory", "1"}}) {
    EXPECT_EQ(Set({{name, value}}).fault(), Fault::kInvalidParameterValue) << name << " " << value;
  }
  EXPECT_EQ(Set({}).fault(), Fault::kInvalidParameterValue);
  EXPECT_EQ(Set(Values(21, {"timeout", "20"})).fault(), Fault::kInvalidParameterValue);
}

TEST_F(ParameterGroups, ARefusedChangeChangesNothing) {
  EXPECT_FALSE(Set({{"timeout", "20"}, {"timeout", "19"}}).ok());
  EXPECT_TRUE(plane_.records().parameter_groups.at("mine").values.empty());
}

TEST_F(ParameterGroups, ReachTheEnginesOfTheirClustersAndNoOthers) {
  CreateRedis("tuned", "Mine");
  CreateRedis("other", "default.redis7");
  ASSERT_TRUE(Set({{"maxmemory-policy", "allkeys-lfu"}}).ok());
  EXPECT_EQ(Told("tuned", "maxmemory-policy"), "allkeys-lfu");
  EXPECT_EQ(Told("other", "maxmemory-policy"), "volatile-lru");
  ASSERT_TRUE(plane_.Ask(ResetParameterGroup{"mine", true, {}}).ok());
  EXPECT_EQ(Told("tuned", "maxmemory-policy"), "volatile-lru");
}

TEST_F(ParameterGroups, AClusterTakesAnotherGroupOfItsFamily) {
  CreateRedis("tuned", "default.redis7");
  ASSERT_TRUE(Set({{"maxmemory-policy", "allkeys-lfu"}}).ok());
  ModifyCluster change;
  change.id = "tuned";
  change.parameter_group = "Mine";
  ASSERT_TRUE(plane_.Ask(change).ok());
  EXPECT_EQ(plane_.cluster("tuned").parameter_group, "mine");
  EXPECT_EQ(Told("tuned", "maxmemory-policy"), "allkeys-lfu");
  ASSERT_TRUE(plane_.Ask(CreateParameterGroup{"old", "redis5.0", "old", {}}).ok());
  change.parameter_group = "old";
  EXPECT_EQ(plane_.Ask(change).fault(), Fault::kInvalidParameterCombination);
  change.parameter_group = "none";
  EXPECT_EQ(plane_.Ask(change).fault(), Fault::kCacheParameterGroupNotFound);
}

TEST_F(ParameterGroups, WhatNeedsARebootIsKnownUntilThen) {
  ASSERT_TRUE(plane_.Ask(CreateParameterGroup{"big", "memcached1.6", "big", {}}).ok());
  CreateCluster request = testing::Memcached("pages");
  request.engine_version = "1.6.12";
  request.parameter_group = "big";
  ASSERT_TRUE(plane_.Ask(request).ok());
  plane_.Settle();
  const auto waits = [&] {
    return plane_.records().parameter_groups.at("big").reboot_since >
           plane_.node("pages", "0001").parameters_revision;
  };
  EXPECT_FALSE(waits());
  ASSERT_TRUE(plane_.Ask(ModifyParameterGroup{"big", {{"max_item_size", "2097152"}}}).ok());
  plane_.Settle();
  EXPECT_TRUE(waits());
  ASSERT_TRUE(plane_.Ask(RebootCluster{"pages", {"0001"}}).ok());
  plane_.Settle();
  EXPECT_FALSE(waits());
}

TEST_F(ParameterGroups, AreDeletedWhenNobodyUsesThem) {
  CreateRedis("tuned", "mine");
  EXPECT_EQ(plane_.Ask(DeleteParameterGroup{"mine"}).fault(), Fault::kInvalidParameterGroupState);
  EXPECT_EQ(plane_.Ask(DeleteParameterGroup{"default.redis7"}).fault(),
            Fault::kInvalidParameterValue);
  EXPECT_EQ(plane_.Ask(DeleteParameterGroup{"none"}).fault(), Fault::kCacheParameterGroupNotFound);
  ASSERT_TRUE(plane_.Ask(CreateParameterGroup{"unused", "redis7", "x", {}}).ok());
  EXPECT_TRUE(plane_.Ask(DeleteParameterGroup{"unused"}).ok());
  EXPECT_FALSE(plane_.records().parameter_groups.contains("unused"));
}

}  // namespace
}  // namespace ec::core
