// Two clusters to be modified, and the words of the tests about it.
#pragma once

#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/model/windows.h"
#include "tests/support/control_plane.h"
#include "tests/support/matchers.h"
#include "tests/support/refusals.h"

namespace ec::core {

// A Redis "red" of an older version, and a Memcached "mem" of three nodes in zone a; available.
class ModifyClusterTest : public ::testing::Test {
 protected:
  ModifyClusterTest() {
    plane.AddHosts(3, 3);
    CreateCluster redis = ec::testing::Redis("red");
    redis.engine_version = "6.2";
    redis.maintenance_window = "sun:05:00-sun:06:00";
    redis.snapshot_window = "09:00-10:00";
    EXPECT_THAT(plane.Ask(redis), ec::testing::IsOk());
    CreateCluster memcached = ec::testing::Memcached("mem", 3);
    memcached.engine_version = "1.5.16";
    memcached.maintenance_window = "sun:05:00-sun:06:00";
    memcached.zone = "us-east-1a";
    EXPECT_THAT(plane.Ask(memcached), ec::testing::IsOk());
    plane.Settle();
    EXPECT_EQ(plane.cluster("red").status, model::ClusterStatus::kAvailable);
    EXPECT_EQ(plane.cluster("mem").status, model::ClusterStatus::kAvailable);
    plane.ForgetEvents();
  }

  static ModifyCluster Change(const std::string& id,
                              const std::function<void(ModifyCluster&)>& change) {
    ModifyCluster request;
    request.id = id;
    change(request);
    return request;
  }
  // The request is carried out at once.
  static ModifyCluster Now(const std::string& id,
                           const std::function<void(ModifyCluster&)>& change) {
    ModifyCluster request = Change(id, change);
    request.apply_immediately = true;
    return request;
  }
  static ModifyCluster Resize(int nodes, std::vector<std::string> zones = {}) {
    return Change("mem", [&](ModifyCluster& r) {
      r.nodes = nodes;
      r.new_zones = std::move(zones);
    });
  }
  static ModifyCluster Shrink(int nodes, std::vector<std::string> remove) {
    return Change("mem", [&](ModifyCluster& r) {
      r.nodes = nodes;
      r.remove = std::move(remove);
    });
  }

  void ExpectRefused(const ModifyCluster& request, Fault fault,
                     const ::testing::Matcher<const std::string&>& message) {
    ec::testing::ExpectRefused(plane, request, fault, message);
  }
  const model::Pending& pending() const { return plane.cluster("mem").pending; }
  // To the next opening of the clusters' maintenance window.
  void OpenWindow() {
    const WallTime due = model::NextOpening(
        *model::ParseMaintenanceWindow(plane.cluster("mem").maintenance_window), plane.now.wall);
    plane.Pass(due - plane.now.wall);
    plane.Settle();
  }

  ec::testing::ControlPlane plane;
};

}  // namespace ec::core
