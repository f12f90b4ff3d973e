// What named stories on the simulator have in common: three hosts in three zones, and the words to
// tell them by.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/sim/checkers.h"
#include "tests/sim/world.h"

namespace ec::sim {

class Story : public ::testing::Test {
 protected:
  Story() : world_(1, {}, 3, 3), checker_(world_) {
    world_.RunFor(std::chrono::seconds(1));
    world_.checker = [this] { return checker_.Check(); };
  }
  void TearDown() override { EXPECT_EQ(world_.violation(), ""); }

  void Create(const std::string& id, const std::string& engine, int nodes = 1,
              bool cross_zone = false) {
    core::CreateCluster request;
    request.id = id;
    request.engine = engine;
    request.node_type = "cache.t3.micro";
    request.nodes = nodes;
    if (cross_zone) request.az_mode = "cross-az";
    checker_.promises[id] = {"cache.t3.micro", *ParseEngine(engine), {}, false};
    ASSERT_TRUE(world_.Call(request)->ok());
  }
  bool Becomes(const std::string& id, model::ClusterStatus status,
               Duration limit = std::chrono::seconds(30)) {
    return world_.RunUntil(
        [&] {
          const auto found = world_.records().clusters.find(id);
          return found != world_.records().clusters.end() && found->second.status == status;
        },
        limit);
  }
  bool Settles() {
    return world_.RunUntil([this] { return checker_.Unsettled().empty(); },
                           std::chrono::seconds(60));
  }
  std::vector<std::string> Events(const std::string& id) {
    std::vector<std::string> messages;
    for (const auto& [serial, event] : world_.records().events) {
      if (event.source_id == id) messages.push_back(event.message);
    }
    return messages;
  }
  MemberId MemberOf(const std::string& id, const std::string& node = "0001") {
    for (const MemberId member : world_.records().clusters.at(id).members) {
      if (world_.records().members.at(member).node_id == node) return member;
    }
    return 0;
  }
  HostId HostOf(MemberId member) { return world_.records().members.at(member).host; }

  World world_;
  Checker checker_;
};

}  // namespace ec::sim
