#include "tests/sim/checkers.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace ec::sim {

using model::ClusterStatus;
using model::MemberStatus;

std::string Checker::Check() {
  if (std::string broken = CheckProcesses(); !broken.empty()) return broken;
  if (std::string broken = CheckChange(); !broken.empty()) return broken;
  if (std::string broken = access_.Check(); !broken.empty()) return broken;
  // After the records: what has been seen under a leader says who may be the next one.
  return groups_.CheckEngines();
}

std::string Checker::CheckChange() {
  const model::Records& records = world_.records();
  if (records.revision == revision_) return {};
  if (records.revision < revision_) return "the revision went back";
  revision_ = records.revision;
  for (auto check : {&Checker::CheckRecords, &Checker::CheckEvents, &Checker::CheckDiscovery}) {
    if (std::string broken = (this->*check)(); !broken.empty()) return broken;
  }
  if (std::string broken = groups_.CheckRecords(); !broken.empty()) return broken;
  return CheckPromises();
}

// I6: at most one engine per member. (A second one in the same directory is the world's to catch.)
std::string Checker::CheckProcesses() const {
  std::vector<MemberId> alive;
  for (const auto& [id, host] : world_.hosts()) {
    for (const auto& [member, directory] : host.disk) {
      if (directory.process) alive.push_back(member);
    }
  }
  std::ranges::sort(alive);
  const auto twice = std::ranges::adjacent_find(alive);
  return twice == alive.end() ? "" : fmt::format("two engines run for m{}", *twice);
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

// A recovery that has been told of is not told of again before it has ended.
std::string Checker::CheckRecovery(const model::Event& event) {
  const auto tells = [&](std::string_view what) {
    return event.message.find(what) != std::string::npos;
  };
  if (tells("Started recovery for cache nodes") || tells("Recovering cache nodes")) {
    const std::string node = event.message.substr(event.message.size() - 4);
    if (under_way_[event.source_id].insert(node).second) return {};
    return fmt::format("the recovery of {}'s node {} is told twice", event.source_id, node);
  }
  if (tells("Cache cluster deleted")) under_way_.erase(event.source_id);
  const bool ends = tells("Finished recovery") || tells("Added cache node") || tells(" shutdown") ||
                    tells(" restarted") || tells("Removed cache nodes");
  if (ends) {
    std::erase_if(under_way_[event.source_id],
                  [&](const std::string& node) { return tells(node); });
  }
  return {};
}

// I11: each event once, in order, without a gap.
std::string Checker::CheckEvents() {
  const model::Records& records = world_.records();
  for (auto it = records.events.upper_bound(last_event_); it != records.events.end(); ++it) {
    if (it->first != last_event_ + 1) return fmt::format("event {} is missing", last_event_ + 1);
    last_event_ = it->first;
    if (std::string broken = CheckRecovery(it->second); !broken.empty()) return broken;
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

std::string Checker::Unsettled() const {
  if (!world_.control_plane_runs()) return "the control plane is down";
  const model::Records& records = world_.records();
  std::set<MemberId> leaderless;  // of groups where nobody may be promoted by itself
  for (const auto& [id, group] : records.groups) {
    if (std::string missing = groups_.Unsettled(group); !missing.empty()) return missing;
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
  return access_.Unsettled();
}

}  // namespace ec::sim
