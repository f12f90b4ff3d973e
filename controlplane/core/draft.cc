#include "controlplane/core/draft.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "controlplane/core/draft_rows.h"
#include "controlplane/model/names.h"

namespace ec::core {

Draft::Draft(const model::State& state, Now now)
    : state_(state),
      machine_(now),
      now_{now.instant, model::TimeOn(state.records.installation.clock, now.wall)} {
  edit_.revision = state.records.revision + 1;
}

const model::Cluster* Draft::FindCluster(const model::ClusterId& id) const {
  return rows::Find(edit_.clusters, state_.records.clusters, id);
}

const model::Member* Draft::FindMember(MemberId id) const {
  return rows::Find(edit_.members, state_.records.members, id);
}

const model::Host* Draft::FindHost(const HostId& id) const {
  if (const auto put = edit_.hosts.find(id); put != edit_.hosts.end()) return &put->second;
  const auto row = state_.records.hosts.find(id);
  return row == state_.records.hosts.end() ? nullptr : &row->second;
}

std::vector<const model::Host*> Draft::Hosts() const {
  std::map<HostId, const model::Host*> hosts;
  for (const auto& [id, host] : state_.records.hosts) hosts[id] = &host;
  for (const auto& [id, host] : edit_.hosts) hosts[id] = &host;
  std::vector<const model::Host*> list;
  for (const auto& [id, host] : hosts) list.push_back(host);
  return list;
}

std::vector<model::ClusterId> Draft::Clusters() const {
  return rows::Ids(edit_.clusters, state_.records.clusters);
}

std::vector<model::GroupId> Draft::Groups() const {
  return rows::Ids(edit_.groups, state_.records.groups);
}

const model::Zone* Draft::FindZone(const std::string& name) const {
  if (const auto put = edit_.zones.find(name); put != edit_.zones.end()) return &put->second;
  const auto row = state_.records.zones.find(name);
  return row == state_.records.zones.end() ? nullptr : &row->second;
}

std::vector<const model::Zone*> Draft::Zones() const {
  std::map<std::string, const model::Zone*> zones;
  for (const auto& [name, zone] : state_.records.zones) zones[name] = &zone;
  for (const auto& [name, zone] : edit_.zones) zones[name] = &zone;
  std::vector<const model::Zone*> list;
  for (const auto& [name, zone] : zones) list.push_back(zone);
  return list;
}

const model::Group* Draft::FindGroup(const model::GroupId& id) const {
  return rows::Find(edit_.groups, state_.records.groups, id);
}

const model::Installation& Draft::installation() const {
  return edit_.installation ? *edit_.installation : state_.records.installation;
}

model::Cluster& Draft::EditCluster(const model::ClusterId& id) {
  return rows::ToEdit(edit_.clusters, state_.records.clusters, id);
}

model::Member& Draft::EditMember(MemberId id) {
  return rows::ToEdit(edit_.members, state_.records.members, id);
}

model::Group& Draft::EditGroup(const model::GroupId& id) {
  return rows::ToEdit(edit_.groups, state_.records.groups, id);
}

void Draft::TouchGroupEndpoints(const model::GroupId& id) {
  EditGroup(id);
  touched_groups_.insert(id);
}

void Draft::TouchGroup(const model::GroupId& id) {
  touched_groups_.insert(id);
  const std::set<model::ClusterId> clusters = EditGroup(id).members;
  for (const model::ClusterId& cluster : clusters) {
    const std::set<MemberId> members = FindCluster(cluster)->members;
    for (const MemberId member : members) TouchMember(member);
  }
}

void Draft::RaiseEpoch(const model::GroupId& id) {
  model::Group& group = EditGroup(id);
  group.epoch = std::max(group.epoch + 1, revision());
}

void Draft::PutGroup(model::Group group) {
  const model::GroupId id = group.id;
  edit_.groups[id] = std::move(group);
}

void Draft::DropGroup(const model::GroupId& id) {
  EC_CHECK(FindGroup(id)->members.empty());
  edit_.groups[id] = std::nullopt;
}

void Draft::EnterGroup(const model::ClusterId& cluster, const model::GroupId& group) {
  EditCluster(cluster).group = group;
  EditGroup(group).members.insert(cluster);
  TouchGroup(group);
}

void Draft::LeaveGroup(const model::ClusterId& id) {
  const model::GroupId group = FindCluster(id)->group;
  if (group.empty()) return;
  TouchGroup(group);
  EditCluster(id).group.clear();
  EditGroup(group).members.erase(id);
}

void Draft::PutCluster(model::Cluster cluster) {
  const model::ClusterId id = cluster.id;
  edit_.clusters[id] = std::move(cluster);
}

void Draft::PutMember(model::Member member) {
  ++load_delta_[member.host];
  EditCluster(member.cluster).members.insert(member.id);
  const MemberId id = member.id;
  edit_.members[id] = std::move(member);
}

void Draft::PutHost(model::Host host) { edit_.hosts[host.id] = std::move(host); }
void Draft::PutZone(model::Zone zone) { edit_.zones[zone.name] = std::move(zone); }
void Draft::PutInstallation(model::Installation installation) {
  edit_.installation = std::move(installation);
}

void Draft::DropCluster(const model::ClusterId& id) {
  const model::Cluster* cluster = FindCluster(id);
  EC_CHECK(cluster != nullptr);
  LeaveGroup(id);
  const auto members = cluster->members;
  for (const MemberId member : members) DropMember(member);
  edit_.clusters[id] = std::nullopt;
}

void Draft::DropMember(MemberId id) {
  const model::Member* member = FindMember(id);
  EC_CHECK(member != nullptr);
  --load_delta_[member->host];
  EditCluster(member->cluster).members.erase(id);
  edit_.members[id] = std::nullopt;
}

void Draft::AddEvent(std::string_view source_type, const std::string& id, std::string message) {
  model::Installation next = installation();
  edit_.events.push_back(
      {next.next_event++, now_.wall, std::string(source_type), id, std::move(message)});
  PutInstallation(std::move(next));
}

void Draft::AddClusterEvent(const model::ClusterId& id, std::string message) {
  AddEvent(model::kClusterSourceType, id, std::move(message));
}

void Draft::AddGroupEvent(const model::GroupId& id, std::string message) {
  AddEvent(model::kGroupSourceType, id, std::move(message));
}

void Draft::AddFaultEvent(const std::string& id, std::string message) {
  AddEvent(model::kFaultSourceType, id, std::move(message));
}

std::vector<const model::WireFault*> Draft::Faults() const {
  return rows::Rows(edit_.faults, state_.records.faults);
}

void Draft::Put(model::WireFault row) {
  const uint64_t number = row.number;
  edit_.faults[number] = std::move(row);
}

void Draft::DropFault(uint64_t number) { edit_.faults[number] = std::nullopt; }

void Draft::Ask(const HostId& host, MemberId member, int64_t at_least, uint64_t epoch) {
  const bool is_asked = std::ranges::any_of(questions_, [&](const Question& one) {
    return one.question.member == member && one.question.at_least == at_least && one.epoch == epoch;
  });
  if (is_asked) return;  // by this step, which looks at a group more than once
  // The machine's time since boot, which no control plane has had before.
  const auto since_boot = now_.instant.time_since_epoch().count();
  const uint64_t number = static_cast<uint64_t>(since_boot) + questions_.size();
  questions_.push_back({host, {number, member, at_least}, epoch});
}

void Draft::DropEventsBelow(uint64_t serial) {
  edit_.events_dropped_below = std::max(edit_.events_dropped_below, serial);
  std::erase_if(edit_.events, [&](const model::Event& event) { return event.serial < serial; });
}

uint64_t Draft::NewId() {
  model::Installation next = installation();
  const uint64_t id = next.next_id++;
  PutInstallation(std::move(next));
  return id;
}

void Draft::Replace(Draft&& copy) {
  EC_CHECK(&copy.state_ == &state_ && copy.edit_.revision == edit_.revision);
  edit_ = std::move(copy.edit_);
  touched_ = std::move(copy.touched_);
  touched_groups_ = std::move(copy.touched_groups_);
  questions_ = std::move(copy.questions_);
  addresses_ = std::move(copy.addresses_);
  load_delta_ = std::move(copy.load_delta_);
}

size_t Draft::LoadOf(const HostId& host) const {
  long load = 0;
  if (const auto index = state_.hosts.find(host); index != state_.hosts.end()) {
    load = static_cast<long>(index->second.members.size());
  }
  if (const auto delta = load_delta_.find(host); delta != load_delta_.end()) {
    load += delta->second;
  }
  EC_CHECK(load >= 0);
  return static_cast<size_t>(load);
}

size_t Draft::MemberCount() const {
  long count = static_cast<long>(state_.records.members.size());
  for (const auto& [host, delta] : load_delta_) count += delta;
  EC_CHECK(count >= 0);
  return static_cast<size_t>(count);
}

void Draft::TouchMember(MemberId id) {
  EditMember(id);
  touched_.insert(id);
}

model::Edit Draft::Take() {
  FinishBackups();
  rows::DropUnchanged(edit_.clusters, state_.records.clusters, {});
  rows::DropUnchanged(edit_.members, state_.records.members, touched_);
  rows::DropUnchanged(edit_.groups, state_.records.groups, touched_groups_);
  rows::DropUnchanged(edit_.faults, state_.records.faults, {});
  rows::DropUnchanged(edit_.snapshots, state_.records.snapshots, {});
  rows::Stamp(edit_.snapshots, edit_.revision);
  rows::Stamp(edit_.groups, edit_.revision);
  rows::Stamp(edit_.clusters, edit_.revision);
  rows::Stamp(edit_.members, edit_.revision);
  FinishNetwork();
  FinishUsers();
  FinishOutsidePorts();
  return std::move(edit_);
}

}  // namespace ec::core
