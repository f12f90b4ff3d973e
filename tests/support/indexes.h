// The indexes of a state follow from its records: these are those that a fresh start would make.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "controlplane/model/state.h"

namespace ec::testing {

namespace internal {

using Placed = std::map<HostId, std::tuple<std::set<std::pair<uint64_t, MemberId>>,
                                           std::set<std::pair<uint64_t, model::ClusterId>>,
                                           std::set<MemberId>, std::set<MemberId>>>;

inline Placed PlacedOf(const model::State& state) {
  Placed placed;
  for (const auto& [id, host] : state.hosts) {
    if (host.members.empty() && host.configurations.empty() && host.deleting.empty()) continue;
    placed.emplace(id, std::tuple{host.members, host.configurations, host.deleting, host.active});
  }
  return placed;
}

inline std::set<model::ClusterId> WorkingOf(const model::State& state) {
  std::set<model::ClusterId> ids;
  for (const auto& [id, since] : state.phase_since) ids.insert(id);
  return ids;
}

inline std::set<std::tuple<HostId, uint64_t, model::GroupId>> ServedGroupsOf(
    const model::State& state) {
  std::set<std::tuple<HostId, uint64_t, model::GroupId>> served;
  for (const auto& [id, host] : state.hosts) {
    for (const auto& [revision, group] : host.groups) served.emplace(id, revision, group);
  }
  return served;
}

inline std::set<model::GroupId> GroupsUnderWayOf(const model::State& state) {
  std::set<model::GroupId> ids;
  for (const auto& [id, since] : state.group_since) ids.insert(id);
  return ids;
}

}  // namespace internal

// The name of the first index that is not as a fresh Begin(records) makes it; empty: all are.
inline std::string WrongIndex(const model::State& state) {
  const model::State fresh = model::Begin(model::Records(state.records), Instant());
  if (internal::PlacedOf(state) != internal::PlacedOf(fresh)) return "hosts";
  if (state.addresses != fresh.addresses) return "addresses";
  if (state.configurations != fresh.configurations) return "configurations";
  if (state.windows != fresh.windows) return "windows";
  if (internal::WorkingOf(state) != internal::WorkingOf(fresh)) return "phase_since";
  std::set<std::pair<Instant, model::ClusterId>> operations;
  for (const auto& [id, since] : state.phase_since) operations.emplace(since, id);
  if (state.operations != operations) return "operations";
  if (internal::ServedGroupsOf(state) != internal::ServedGroupsOf(fresh)) return "groups of hosts";
  if (state.group_endpoints != fresh.group_endpoints) return "group_endpoints";
  if (state.group_windows != fresh.group_windows) return "group_windows";
  if (internal::GroupsUnderWayOf(state) != internal::GroupsUnderWayOf(fresh)) return "group_since";
  if (state.backups != fresh.backups) return "backups";
  if (state.expiries != fresh.expiries) return "expiries";
  std::set<model::SnapshotName> at_work;
  std::set<model::SnapshotName> fresh_at_work;
  for (const auto& [name, since] : state.work_since) at_work.insert(name);
  for (const auto& [name, since] : fresh.work_since) fresh_at_work.insert(name);
  if (at_work != fresh_at_work) return "work_since";
  std::set<std::pair<Instant, model::GroupId>> group_operations;
  for (const auto& [id, since] : state.group_since) group_operations.emplace(since, id);
  if (state.group_operations != group_operations) return "group_operations";
  return {};
}

}  // namespace ec::testing
