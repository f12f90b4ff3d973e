#include "tests/sim/checkers.h"

#include <fmt/format.h>

#include <algorithm>

namespace ec::sim {

using model::ClusterStatus;
using model::MemberStatus;

std::string Checker::Check() {
  if (std::string broken = CheckProcesses(); !broken.empty()) return broken;
  const model::Records& records = world_.records();
  if (records.revision == revision_) return {};
  if (records.revision < revision_) return "the revision went back";
  revision_ = records.revision;
  for (auto check : {&Checker::CheckRecords, &Checker::CheckEvents, &Checker::CheckDiscovery,
                     &Checker::CheckGroups}) {
    if (std::string broken = (this->*check)(); !broken.empty()) return broken;
  }
  return CheckPromises();
}

// I6: at most one engine per member. (A second one in the same directory is the world's to catch.)
std::string Checker::CheckProcesses() const {
  std::set<MemberId> alive;
  for (const auto& [id, host] : world_.hosts()) {
    for (const auto& [member, directory] : host.disk) {
      if (directory.process && !alive.insert(member).second) {
        return fmt::format("two engines run for m{}", member);
      }
    }
  }
  return {};
}

// I9, I20, I21, I27: what a database would call its constraints.
std::string Checker::CheckRecords() {
  const model::Records& records = world_.records();
  std::set<Ip4> addresses;
  std::set<std::pair<std::string, std::string>> node_ids;
  std::map<model::ClusterId, std::set<MemberId>> of_cluster;
  std::set<MemberId> present;
  for (const auto& [id, member] : records.members) {
    present.insert(id);
    if (dropped_.contains(id)) return fmt::format("m{} has come back", id);
    if (!records.clusters.contains(member.cluster)) return fmt::format("m{} has no cluster", id);
    if (!records.hosts.contains(member.host)) return fmt::format("m{} has no host", id);
    if (!addresses.insert(member.address.ip).second) {
      return fmt::format("two things have the address {}", ToString(member.address.ip));
    }
    if (!member.node_id.empty() && !node_ids.emplace(member.cluster, member.node_id).second) {
      return fmt::format("{} has two nodes {}", member.cluster, member.node_id);
    }
    if (generations_[id] > member.generation) return fmt::format("m{}'s generation fell", id);
    generations_[id] = member.generation;
    of_cluster[member.cluster].insert(id);
  }
  for (const MemberId id : members_) {
    if (!present.contains(id)) dropped_.insert(id);
  }
  members_ = present;
  for (const auto& [id, cluster] : records.clusters) {
    if (of_cluster[id] != cluster.members) return id + " does not know its members";
    if (SpeaksRedis(cluster.engine) && cluster.node_count != 1) return id + " has too many nodes";
    if (cluster.configuration && !addresses.insert(cluster.configuration->address.ip).second) {
      return fmt::format("two things have the address {}",
                         ToString(cluster.configuration->address.ip));
    }
    const bool available = cluster.status == ClusterStatus::kAvailable;
    for (const MemberId member : cluster.members) {
      const MemberStatus status = records.members.at(member).status;
      if (available && status != MemberStatus::kAvailable) {
        return fmt::format("{} is available, its m{} is {}", id, member, NameOf(status));
      }
    }
  }
  if (records.members.size() > static_cast<size_t>(world_.settings().region_nodes_max)) {
    return "the quota of nodes is exceeded";
  }
  return {};
}

// I8: what was accepted is there; what was deleted does not come back. And the node type is fixed.
std::string Checker::CheckPromises() const {
  const model::Records& records = world_.records();
  for (const auto& [id, promise] : promises) {
    const auto found = records.clusters.find(id);
    if (promise.deleted) {
      if (found != records.clusters.end() && found->second.status != ClusterStatus::kDeleting) {
        return id + " was deleted and has come back";
      }
      continue;
    }
    if (found == records.clusters.end()) return id + " was created and is gone";
    if (found->second.node_type != promise.node_type) return id + " has another node type";
    if (found->second.engine != promise.engine) return id + " has another engine";
    if (found->second.tags != promise.tags) return id + " has other tags";
  }
  for (const auto& [id, cluster] : records.clusters) {
    if (id.starts_with("g-")) continue;  // made by a group
    if (!promises.contains(id)) return id + " was never asked for";
  }
  return {};
}

// I11: each event once, in order, without a gap.
std::string Checker::CheckEvents() {
  const model::Records& records = world_.records();
  for (auto it = records.events.upper_bound(last_event_); it != records.events.end(); ++it) {
    if (it->first != last_event_ + 1) return fmt::format("event {} is missing", last_event_ + 1);
    last_event_ = it->first;
  }
  if (records.installation.next_event != last_event_ + 1) return "the event counter is wrong";
  return {};
}

// A version of `config get cluster` means one list of nodes, for ever; and it only rises.
std::string Checker::CheckDiscovery() {
  const model::Records& records = world_.records();
  for (const auto& [id, cluster] : records.clusters) {
    const std::string name = id + "@" + ToString(cluster.created);
    std::string nodes;
    for (const MemberId member_id : cluster.members) {
      const model::Member& member = records.members.at(member_id);
      if (member.listed) nodes += ToString(member.address) + " ";
      if (member.listed && cluster.status == ClusterStatus::kCreating &&
          member.status != MemberStatus::kAvailable && member.status != MemberStatus::kRecovering) {
        return fmt::format("{} lists m{}, which is not there yet", id, member_id);
      }
    }
    if (cluster.discovery_version < discovery_versions_[name]) return id + "'s discovery fell";
    discovery_versions_[name] = cluster.discovery_version;
    const auto [known, is_new] =
        discoveries_.emplace(std::pair(name, cluster.discovery_version), nodes);
    // Nobody is left to answer for a cluster whose nodes are all being removed.
    const bool answers = cluster.status != ClusterStatus::kDeleting &&
                         cluster.status != ClusterStatus::kCreateFailed &&
                         cluster.status != ClusterStatus::kIncompatibleNetwork;
    if (answers && !is_new && known->second != nodes) {
      return fmt::format("{}'s discovery version {} means two lists", id,
                         cluster.discovery_version);
    }
  }
  return {};
}

// I1, I2: an epoch has one leader, and never falls; who leads changes only with it.
std::string Checker::CheckGroups() {
  const model::Records& records = world_.records();
  std::map<model::GroupId, model::Group> present;
  for (const auto& [id, group] : records.groups) {
    const std::string name = id + "@" + ToString(group.created);
    const auto [known, is_new] = leaders_.emplace(std::pair(name, group.epoch), group.leader);
    if (!is_new && known->second != group.leader) {
      return fmt::format("epoch {} of {} has two leaders", group.epoch, id);
    }
    const auto before = groups_.find(id);
    if (before != groups_.end() && before->second.created == group.created) {
      if (group.epoch < before->second.epoch) return id + "'s epoch fell";
      if (group.leader != before->second.leader) {
        std::string broken = CheckChangeOfLeader(before->second, group);
        if (!broken.empty()) return broken;
      }
    }
    present.emplace(id, group);
  }
  groups_ = std::move(present);
  in_sync_.clear();
  for (const auto& [id, member] : records.members) in_sync_[id] = member.in_sync;
  return {};
}

// I4: nothing is lost by a planned change. I13: only one that has proved to be in sync takes over.
// P10: the one before has ended or follows.
std::string Checker::CheckChangeOfLeader(const model::Group& before,
                                         const model::Group& after) const {
  if (before.status == model::GroupStatus::kCreating) return {};  // a replaced member
  const Engine* old = world_.EngineOf(before.leader);
  const Engine* now = world_.EngineOf(after.leader);
  if (old != nullptr && !old->follows) {
    return fmt::format("{} has another leader while m{} still leads", after.id, before.leader);
  }
  const bool planned = before.step == model::SwitchStep::kDemoting;
  if (!planned && !in_sync_.at(after.leader)) {
    return fmt::format("m{} leads {} without having been in sync", after.leader, after.id);
  }
  if (!planned || now == nullptr) return {};
  const auto told = world_.acknowledged.find(after.id);
  if (told == world_.acknowledged.end()) return {};
  const std::set<uint64_t> held(now->writes.begin(), now->writes.end());
  const std::set<uint64_t> had(old == nullptr ? now->writes.begin() : old->writes.begin(),
                               old == nullptr ? now->writes.end() : old->writes.end());
  for (const uint64_t write : told->second) {
    if (had.contains(write) && !held.contains(write)) {
      return fmt::format("{} lost write {} by a planned change", after.id, write);
    }
  }
  return {};
}

std::string Checker::UnsettledGroup(const model::Group& group) const {
  if (group.status == model::GroupStatus::kCreateFailed) return {};
  if (group.status != model::GroupStatus::kAvailable) {
    // Nobody may be promoted by itself there: it waits for its operator.
    if (!group.trouble.empty() && !group.automatic_failover) return {};
    // So does a single node whose engine cannot be started.
    const auto leader = world_.records().members.find(group.leader);
    const bool failed =
        leader != world_.records().members.end() && leader->second.status == MemberStatus::kFailed;
    if (!group.trouble.empty() && failed && group.members.size() == 1) return {};
    return fmt::format("{} is {} ({})", group.id, NameOf(group.status), group.trouble);
  }
  const Engine* behind = world_.EngineBehind(group);
  if (behind == nullptr) return group.id + "'s primary endpoint leads nowhere";
  if (behind != world_.EngineOf(group.leader)) return group.id + "'s endpoint leads elsewhere";
  if (behind->follows) return group.id + "'s leader follows";
  if (world_.clock().instant < behind->paused_until) return group.id + "'s writes are paused";
  for (const model::ClusterId& cluster : group.members) {
    for (const MemberId id : world_.records().clusters.at(cluster).members) {
      if (id == group.leader) continue;
      const model::Member& member = world_.records().members.at(id);
      const Engine* engine = world_.EngineOf(id);
      if (member.status == MemberStatus::kFailed) continue;
      if (!member.in_sync) return fmt::format("m{} is not in sync", id);
      if (engine == nullptr || engine->synced_with != behind->stream()) {
        return fmt::format("m{} does not follow m{}", id, group.leader);
      }
    }
  }
  const auto& endpoints = world_.hosts().at(group.reader.host).endpoints;
  if (!endpoints.contains(group.reader.id)) return group.id + "'s reader endpoint is closed";
  return {};
}

std::string Checker::Unsettled() const {
  if (!world_.control_plane_runs()) return "the control plane is down";
  const model::Records& records = world_.records();
  std::set<MemberId> leaderless;  // of groups where nobody may be promoted by itself
  for (const auto& [id, group] : records.groups) {
    if (std::string missing = UnsettledGroup(group); !missing.empty()) return missing;
    if (group.trouble.empty()) continue;
    for (const model::ClusterId& cluster : group.members) {
      leaderless.merge(std::set<MemberId>(records.clusters.at(cluster).members));
    }
  }
  for (const auto& [id, cluster] : records.clusters) {
    const bool waits = std::ranges::any_of(
        cluster.members, [&](MemberId member) { return leaderless.contains(member); });
    if (waits) continue;
    switch (cluster.status) {
      case ClusterStatus::kAvailable:
      case ClusterStatus::kCreateFailed:
      case ClusterStatus::kIncompatibleNetwork:
      case ClusterStatus::kFailed:
        break;
      default:
        return fmt::format("{} is {}", id, NameOf(cluster.status));
    }
    if (cluster.configuration) {
      const auto& endpoints = world_.hosts().at(cluster.configuration->host).endpoints;
      if (!endpoints.contains(cluster.configuration->id)) {
        return id + "'s configuration endpoint is closed";
      }
    }
  }
  std::map<HostId, std::set<MemberId>> expected;
  for (const auto& [id, member] : records.members) {
    expected[member.host].insert(id);
    const Engine* engine = world_.EngineOf(id);
    if (member.status == MemberStatus::kFailed || leaderless.contains(id)) continue;
    if (member.status != MemberStatus::kAvailable) return fmt::format("m{} is not available", id);
    if (engine == nullptr) return fmt::format("m{} has no engine", id);
    if (engine->generation != member.generation) return fmt::format("m{} is an old one", id);
    if (engine->stopped) return fmt::format("m{} hangs", id);
    const auto endpoint = world_.hosts().at(member.host).endpoints.find(id);
    if (endpoint == world_.hosts().at(member.host).endpoints.end() ||
        endpoint->second.listen != member.address) {
      return fmt::format("m{}'s endpoint is closed", id);
    }
    if (endpoint->second.discovery && endpoint->second.discovery->version !=
                                          records.clusters.at(member.cluster).discovery_version) {
      return fmt::format("m{} answers with an old list", id);
    }
  }
  for (const auto& [id, host] : world_.hosts()) {  // P8: processes = plan
    for (const auto& [member, directory] : host.disk) {
      if (!expected[id].contains(member)) return fmt::format("{} still has m{}", id, member);
    }
  }
  return {};
}

}  // namespace ec::sim
