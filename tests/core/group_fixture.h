// A replication group "g" on hosts of three zones, and the words of the tests about groups.
#pragma once

#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/support/control_plane.h"
#include "tests/support/indexes.h"
#include "tests/support/matchers.h"
#include "tests/support/refusals.h"

namespace ec::core {

class GroupTest : public ::testing::Test {
 protected:
  GroupTest() { plane.AddHosts(3, 3); }
  ~GroupTest() override { EXPECT_EQ(ec::testing::WrongIndex(plane.state), ""); }

  // Makes "g", led by "g-001", and waits for it.
  void Make(int clusters, bool automatic_failover, bool multi_az = false) {
    CreateGroup request = ec::testing::RedisGroup("g", clusters);
    request.automatic_failover = automatic_failover;
    request.multi_az = multi_az;
    request.maintenance_window = "sun:05:00-sun:06:00";
    request.snapshot_window = "09:00-10:00";
    ASSERT_THAT(plane.Ask(request), ec::testing::IsOk());
    plane.Settle();
    ASSERT_EQ(group().status, model::GroupStatus::kAvailable);
    plane.ForgetEvents();
  }
  // A standalone master beside it; available.
  void MakeMaster(const std::string& id, const std::function<void(CreateCluster&)>& change = {}) {
    CreateCluster request = ec::testing::Redis(id);
    if (change) change(request);
    ASSERT_THAT(plane.Ask(request), ec::testing::IsOk());
    plane.Settle();
    plane.ForgetEvents();
  }
  static ModifyGroup Change(const std::function<void(ModifyGroup&)>& change) {
    ModifyGroup request;
    request.id = "g";
    change(request);
    return request;
  }

  // --- looking ---
  const model::Group& group(const std::string& id = "g") const { return plane.group(id); }
  const model::Member& node(const std::string& cluster) const {
    return plane.node(cluster, "0001");
  }
  std::string leader() const { return plane.records().members.at(group().leader).cluster; }
  model::ClusterStatus StatusOf(const std::string& id) const { return plane.cluster(id).status; }
  const MemberSpec& SpecOf(const std::string& cluster) {
    return HostOf(cluster).plan.members.at(node(cluster).id);
  }
  std::vector<std::string> ZonesOf(const std::vector<std::string>& clusters) const {
    std::vector<std::string> zones;
    for (const std::string& id : clusters) zones.push_back(node(id).zone);
    return zones;
  }

  // --- what happens to engines and hosts ---
  ec::testing::FakeHost& HostOf(const std::string& cluster) { return plane.HostOf(node(cluster)); }
  MemberReport& Engine(const std::string& cluster) {
    return HostOf(cluster).members.at(node(cluster).id);
  }
  void Report(const std::string& cluster) { plane.Report(HostOf(cluster)); }
  // No leader proves it any more; or again.
  void SetProved(const std::string& cluster, bool proved) {
    for (auto& [id, host] : plane.hosts()) {
      proved ? host.unproved.erase(node(cluster).address)
             : host.unproved.insert(node(cluster).address).second;
    }
  }
  void SetOffset(const std::string& cluster, int64_t offset) {
    HostOf(cluster).offsets[node(cluster).id] = offset;
  }
  // The engine dies, and its host says so.
  void Kill(const std::string& cluster) {
    HostOf(cluster).Kill(node(cluster).id);
    Report(cluster);
  }
  // And it cannot be started again.
  void KillForGood(const std::string& cluster) {
    HostOf(cluster).kept_down.insert(node(cluster).id);
    Kill(cluster);
  }
  void Silence(const std::string& cluster) {
    HostOf(cluster).silent = true;
    plane.Pass(plane.settings.host_silence_max);
  }

  void ExpectRefused(const Command& command, Fault fault,
                     const ::testing::Matcher<const std::string&>& message) {
    ec::testing::ExpectRefused(plane, command, fault, message);
  }

  ec::testing::ControlPlane plane;
};

}  // namespace ec::core
