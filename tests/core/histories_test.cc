// Random histories: what must hold after every step, whatever was asked and whatever failed.
#include <gmock/gmock.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "controlplane/core/plans.h"
#include "controlplane/model/names.h"
#include "tests/sim/random.h"
#include "tests/support/control_plane.h"
#include "tests/support/indexes.h"
#include "tests/support/matchers.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using model::ClusterStatus;

// Draws requests in which any member may be left out, good or bad.
class Asker {
 public:
  explicit Asker(uint64_t seed) : dice_(seed) {}

  Command Next() {
    switch (dice_.Between(1, 9)) {
      case 1:
      case 2:
      case 3:
        return Create();
      case 4:
      case 5:
        return Modify();
      case 6:
        return DeleteCluster{Id(), Maybe(5, {"last"})};
      case 7:
        return RebootCluster{Id(), Some({"0001", "0002", "0003", "0009", ""})};
      case 8:
        return AddTags{Arn(), SomeTags()};
      default:
        return RemoveTags{Arn(), Some({"k1", "k2", "none"})};
    }
  }

 private:
  using Words = std::vector<std::string>;

  const std::string& Of(const Words& words) {
    return words[static_cast<size_t>(dice_.Between(0, static_cast<int64_t>(words.size()) - 1))];
  }
  std::optional<std::string> Maybe(int percent, const Words& words) {
    if (!dice_.Chance(percent)) return std::nullopt;
    return Of(words);
  }
  std::optional<int> MaybeNumber(int percent, int min, int max) {
    if (!dice_.Chance(percent)) return std::nullopt;
    return static_cast<int>(dice_.Between(min, max));
  }
  std::optional<bool> MaybeFlag(int percent) {
    if (!dice_.Chance(percent)) return std::nullopt;
    return dice_.Chance(50);
  }
  Words Some(const Words& words) {
    Words some;
    for (int64_t i = dice_.Between(0, 3); i > 0; --i) some.push_back(Of(words));
    return some;
  }
  std::string Id() {
    return Of({"c-1", "c-2", "c-3", "C-4", "c-5", "c-6", "c-7", "c-8", "bad_id", ""});
  }
  std::string Arn() { return dice_.Chance(90) ? ClusterArn(Id()) : "arn:aws:nothing"; }
  Tags SomeTags() {
    Tags tags;
    for (const std::string& key : Some({"k1", "k2", "aws:x", ""})) tags.emplace_back(key, Id());
    return tags;
  }

  Command Create() {
    const Words zones = {"us-east-1a", "us-east-1b", "us-east-1z"};
    const Words windows = {"sun:05:00-sun:06:00", "mon:23:30-tue:00:30", "sunday"};
    CreateCluster r;
    r.id = Id();
    r.engine = Maybe(98, {"redis", "memcached", "memcached", "redis", "valkey", "mysql"});
    r.node_type = Maybe(98, {"cache.t3.micro", "cache.t3.micro", "cache.m5.large", "cache.t1.micro",
                             "cache.r6gd.xlarge", "cache.none"});
    r.nodes = MaybeNumber(60, -1, 6);
    r.az_mode = Maybe(20, {"single-az", "cross-az", "cross-az", "many-az"});
    r.zone = Maybe(10, zones);
    if (dice_.Chance(10)) r.zones = Some(zones);
    r.engine_version = Maybe(20, {"6.2", "7.1", "1.6.22", "1.5.16", "4.0.13"});
    r.parameter_group = Maybe(5, {"default.redis7", "default.memcached1.6", "mine"});
    r.subnet_group = Maybe(5, {"default", "mine"});
    if (dice_.Chance(5)) r.security_groups = Some({"sg-1", "sg-2", "sg-2", "sg-3"});
    if (dice_.Chance(2)) r.cache_security_groups = {"default"};
    if (dice_.Chance(10)) r.tags = SomeTags();
    r.replication_group_id = Maybe(2, {"group"});
    r.snapshot_name = Maybe(2, {"backup"});
    r.maintenance_window = Maybe(20, windows);
    r.snapshot_window = Maybe(10, {"05:00-06:00", "12:00-13:00", "noon"});
    r.port = MaybeNumber(10, -1, 70000);
    r.notification_topic = Maybe(5, {"arn:aws:sns:us-east-1:0:t", "topic"});
    r.snapshot_retention = MaybeNumber(10, -1, 37);
    r.transit_encryption = MaybeFlag(5);
    r.network_type = Maybe(3, {"ipv4", "ipv6"});
    return r;
  }

  Command Modify() {
    ModifyCluster r;
    r.id = Id();
    r.nodes = MaybeNumber(60, 0, 7);
    if (dice_.Chance(50)) r.remove = Some({"0001", "0002", "0003", "0004", "0009"});
    if (dice_.Chance(30)) r.new_zones = Some({"us-east-1a", "us-east-1b", "us-east-1z"});
    r.az_mode = Maybe(10, {"single-az", "cross-az", "many-az"});
    r.apply_immediately = dice_.Chance(50);
    r.maintenance_window = Maybe(10, {"sun:05:00-sun:06:00", "wed:10:00-wed:11:00", "x"});
    r.snapshot_window = Maybe(5, {"05:00-06:00", "12:00-13:00"});
    r.engine_version = Maybe(20, {"6.2", "7.0", "7.1", "1.6.12", "1.6.22", "4.0.13"});
    r.parameter_group = Maybe(20, {"default.redis7", "default.memcached1.6", "mine"});
    r.notification_topic = Maybe(5, {"arn:aws:sns:us-east-1:0:t", "topic"});
    r.notification_status = Maybe(5, {"active", "inactive", "on"});
    r.snapshot_retention = MaybeNumber(10, -1, 37);
    r.node_type = Maybe(5, {"cache.t3.micro", "cache.m5.large"});
    r.auto_minor_version_upgrade = MaybeFlag(10);
    if (dice_.Chance(5)) r.security_groups = Some({"sg-1", "sg-2", "sg-2", "sg-3"});
    return r;
  }

  sim::Random dice_;
};

// Rows that refer to each other, and addresses that are there once.
std::string Contradiction(const model::Records& records) {
  std::map<model::ClusterId, std::set<MemberId>> members;
  std::set<Ip4> addresses;
  std::set<std::string> nodes;
  for (const auto& [id, member] : records.members) {
    members[member.cluster].insert(id);
    if (!addresses.insert(member.address.ip).second) return "an address is there twice";
    if (member.node_id.empty()) continue;
    if (!nodes.insert(member.cluster + "/" + member.node_id).second) return "two nodes, one id";
  }
  for (const auto& [id, cluster] : records.clusters) {
    if (members[id] != cluster.members) return id + " does not know its members";
    members.erase(id);
    if (!cluster.configuration) continue;
    const Ip4 ip = cluster.configuration->address.ip;
    if (!addresses.insert(ip).second) return "an address is there twice";
  }
  std::erase_if(members, [](const auto& entry) { return entry.second.empty(); });
  return members.empty() ? "" : "a member has no cluster";
}

// The plans that the hosts had at some of the revisions so far.
class PlanHistory {
 public:
  // Whether an update since any of those leads to the plan of now; then remembers that.
  std::string Check(const ControlPlane& plane, sim::Random& dice) {
    for (const auto& [id, host] : plane.state.records.hosts) {
      HostPlan whole;
      Merge(PlanSince(plane.state, id, 0), &whole);
      std::erase_if(plans_[id], [&](const HostPlan& plan) {
        // What a host has said that it has, it never asks from before.
        const auto sighting = plane.state.sightings.find(id);
        return plan.revision < plane.state.gone_since ||
               (sighting != plane.state.sightings.end() &&
                plan.revision < sighting->second.plan_revision);
      });
      for (const HostPlan& old : plans_[id]) {
        HostPlan merged = old;
        if (!Merge(PlanSince(plane.state, id, old.revision), &merged) || merged != whole) {
          return id + "'s plan since " + std::to_string(old.revision) + " is another";
        }
      }
      if (dice.Chance(30)) plans_[id].push_back(whole);
    }
    return {};
  }

 private:
  std::map<HostId, std::vector<HostPlan>> plans_;
};

// Between two starts of one node's recovery something must have ended the first.
std::string RecoveryToldTwice(const model::Records& records) {
  std::set<std::string> under_way;
  for (const auto& [serial, event] : records.events) {
    const std::string node =
        event.source_id + "/" + event.message.substr(event.message.find_last_of(' ') + 1);
    if (event.message == "Cache cluster deleted") {
      std::erase_if(under_way, [&](const std::string& other) {
        return other.starts_with(event.source_id + "/");
      });
    } else if (event.message.starts_with("Started recovery")) {
      if (!under_way.insert(node).second) return node + " twice";
    } else if (event.message.starts_with("Finished recovery")) {
      if (under_way.erase(node) == 0) return node + " ended without a start";
    } else if (event.message.ends_with(" shutdown") || event.message.ends_with(" restarted")) {
      const size_t at = std::string("Cache node ").size();
      under_way.erase(event.source_id + "/" + event.message.substr(at, 4));
    }
  }
  return {};
}

class History {
 public:
  explicit History(uint64_t seed) : dice_(seed), asker_(seed + 1000) {
    plane_.AddHosts(3, 2);
    plane_.AddSecurityGroup("sg-1");
    plane_.AddSecurityGroup("sg-2");
    plane_.settings.region_nodes_max = 20;
  }

  // A sentence about the first thing that is wrong.
  std::string Run(int steps) {
    for (int step = 0; step < steps; ++step) {
      if (std::string wrong = Step(); !wrong.empty()) {
        return wrong + " in step " + std::to_string(step);
      }
    }
    return Heal();
  }

 private:
  std::string Step() {
    if (dice_.Chance(50)) {
      const Status verdict = plane_.Ask(asker_.Next());
      if (!verdict.ok() && !plane_.decision.edit.empty()) return "a refusal changed something";
    } else if (dice_.Chance(60)) {
      FakeHost& host = SomeHost();
      if (!host.silent) plane_.Report(host);
    } else {
      Harm();
    }
    return Check();
  }

  std::string Check() {
    if (std::string wrong = WrongIndex(plane_.state); !wrong.empty()) return "index " + wrong;
    if (std::string wrong = Contradiction(plane_.records()); !wrong.empty()) return wrong;
    if (std::string wrong = RecoveryToldTwice(plane_.records()); !wrong.empty()) return wrong;
    return plans_.Check(plane_, dice_);
  }

  // After a silence, with the same start of its agent or a new one.
  void Return(FakeHost& host) {
    const bool known = plane_.state.sightings.contains(host.hello.host);
    if (!known || dice_.Chance(50)) plane_.Register(host);
  }

  FakeHost& SomeHost() { return plane_.host("host-" + std::to_string(dice_.Between(0, 2))); }

  void Harm() {
    FakeHost& host = SomeHost();
    switch (dice_.Between(1, 9)) {
      case 1:
        host.silent = !host.silent;
        if (!host.silent) Return(host);
        return;
      case 2:
        if (!host.silent) plane_.Register(host);
        return;
      case 3:
        plane_.Restart();
        return;
      case 4:
        host.first_phase = dice_.Chance(60)   ? MemberPhase::kServing
                           : dice_.Chance(50) ? MemberPhase::kStarting
                                              : MemberPhase::kFailed;
        return;
      case 5:
        host.taken.insert(Ip4{0x7f0a0000u + static_cast<uint32_t>(dice_.Between(0, 100))});
        return;
      case 6:
        for (auto& [id, member] : host.members) {
          if (dice_.Chance(30)) member.phase = MemberPhase::kServing;
        }
        return;
      case 7:
        plane_.Pass(std::chrono::seconds(dice_.Between(1, dice_.Chance(80) ? 10 : 300'000)));
        return;
      default:
        if (host.members.empty()) return;
        auto engine = host.members.begin();
        std::advance(engine, dice_.Between(0, static_cast<int64_t>(host.members.size()) - 1));
        host.Crash(engine->first);
        engine->second.resumed = dice_.Chance(20);
        engine->second.phase = dice_.Chance(50) ? MemberPhase::kDown : MemberPhase::kServing;
    }
  }

  // Once nothing fails any more everything ends.
  std::string Heal() {
    for (auto& [id, host] : plane_.hosts()) {
      if (host.silent) Return(host);
      host.silent = false;
      host.first_phase = MemberPhase::kServing;
      host.taken.clear();
      for (auto& [member, report] : host.members) report.phase = MemberPhase::kServing;
    }
    plane_.Settle();
    plane_.Pass(plane_.settings.operation_max);
    plane_.Settle();
    if (std::string wrong = Check(); !wrong.empty()) return wrong + " after healing";
    for (const auto& [id, cluster] : plane_.records().clusters) {
      const bool ended = cluster.status == ClusterStatus::kAvailable ||
                         cluster.status == ClusterStatus::kCreateFailed ||
                         cluster.status == ClusterStatus::kIncompatibleNetwork;
      if (!ended) return id + " is " + std::string(NameOf(cluster.status)) + " for ever";
    }
    return {};
  }

  sim::Random dice_;
  Asker asker_;
  ControlPlane plane_;
  PlanHistory plans_;
};

TEST(Histories, KeepRecordsIndexesPlansAndEventsInOrderAndEnd) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    ASSERT_EQ(History(seed).Run(200), "") << "seed " << seed;
  }
}

// The same requests again and again on an installation that stands still.
TEST(Refusals, NeverChangeAnything) {
  ControlPlane plane;
  plane.AddHosts(2, 2);
  Asker asker(7);
  int refused = 0;
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Command command = asker.Next();
    const Decision decision = Decide(plane.state, plane.settings, plane.now, {{Input(command)}});
    if (!decision.verdicts.front().ok()) {
      ++refused;
      ASSERT_TRUE(decision.edit.empty()) << decision.verdicts.front().message();
      ASSERT_NE(decision.verdicts.front().message(), "");
    } else {
      ++accepted;
      if (plane.records().clusters.size() < 6) plane.Ask(command).ok();
      plane.Settle();
    }
  }
  EXPECT_GT(refused, 10'000);  // the corpus is a bad one
  EXPECT_GT(accepted, 200);    // but not only
}

}  // namespace
}  // namespace ec::core
