#include "controlplane/core/draft.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "controlplane/model/names.h"

namespace ec::core {
namespace {

// The step's version of a row, else the durable one, else nullptr.
template <typename Key, typename Row>
const Row* Find(const std::map<Key, std::optional<Row>>& changes, const std::map<Key, Row>& rows,
                const Key& key) {
  if (const auto change = changes.find(key); change != changes.end()) {
    return change->second ? &*change->second : nullptr;
  }
  const auto row = rows.find(key);
  return row == rows.end() ? nullptr : &row->second;
}

template <typename Key, typename Row>
std::vector<Key> Ids(const std::map<Key, std::optional<Row>>& changes,
                     const std::map<Key, Row>& rows) {
  std::set<Key> ids;
  for (const auto& [id, row] : rows) ids.insert(id);
  for (const auto& [id, change] : changes) {
    if (change) {
      ids.insert(id);
    } else {
      ids.erase(id);
    }
  }
  return {ids.begin(), ids.end()};
}

template <typename Key, typename Row>
Row& ToEdit(std::map<Key, std::optional<Row>>& changes, const std::map<Key, Row>& rows,
            const Key& key) {
  if (const auto change = changes.find(key); change != changes.end()) {
    EC_CHECK(change->second.has_value());
    return *change->second;
  }
  const auto row = rows.find(key);
  EC_CHECK(row != rows.end());
  return *changes.emplace(key, row->second).first->second;
}

// Takes the rows out that are as they were; a row that never was and is to be dropped as well.
template <typename Key, typename Row>
void DropUnchanged(std::map<Key, std::optional<Row>>& changes, const std::map<Key, Row>& rows,
                   const std::set<Key>& but_not) {
  std::erase_if(changes, [&](const auto& change) {
    if (but_not.contains(change.first)) return false;
    const auto row = rows.find(change.first);
    if (row == rows.end()) return !change.second.has_value();
    return change.second == row->second;
  });
}

// AWS keeps the first four addresses, and the last one, of every subnet to itself.
constexpr uint32_t kReservedAddresses = 4;

}  // namespace

Draft::Draft(const model::State& state, Now now) : state_(state), now_(now) {
  edit_.revision = state.records.revision + 1;
}

const model::Cluster* Draft::FindCluster(const model::ClusterId& id) const {
  return Find(edit_.clusters, state_.records.clusters, id);
}

const model::Member* Draft::FindMember(MemberId id) const {
  return Find(edit_.members, state_.records.members, id);
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
  return Ids(edit_.clusters, state_.records.clusters);
}

std::vector<model::GroupId> Draft::Groups() const {
  return Ids(edit_.groups, state_.records.groups);
}

const model::Zone* Draft::FindZone(const std::string& name) const {
  if (const auto put = edit_.zones.find(name); put != edit_.zones.end()) return &put->second;
  const auto row = state_.records.zones.find(name);
  return row == state_.records.zones.end() ? nullptr : &row->second;
}

const model::Group* Draft::FindGroup(const model::GroupId& id) const {
  return Find(edit_.groups, state_.records.groups, id);
}

const model::Installation& Draft::installation() const {
  return edit_.installation ? *edit_.installation : state_.records.installation;
}

model::Cluster& Draft::EditCluster(const model::ClusterId& id) {
  return ToEdit(edit_.clusters, state_.records.clusters, id);
}

model::Member& Draft::EditMember(MemberId id) {
  return ToEdit(edit_.members, state_.records.members, id);
}

model::Group& Draft::EditGroup(const model::GroupId& id) {
  return ToEdit(edit_.groups, state_.records.groups, id);
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

bool Draft::AddressInUse(Ip4 ip) const {
  return state_.addresses.contains(ip) || addresses_.contains(ip);
}

std::optional<Ip4> Draft::FindAddress(const std::string& zone_name,
                                      const std::set<Ip4>& but_not) const {
  const model::Zone* zone = FindZone(zone_name);
  EC_CHECK(zone != nullptr);
  const uint32_t size = zone->subnet.Last().bits - zone->subnet.First().bits;
  if (size <= kReservedAddresses) return std::nullopt;
  const uint32_t usable = size - kReservedAddresses;
  for (uint32_t tried = 0; tried < usable; ++tried) {
    const uint32_t offset = (zone->next_offset + tried) % usable;
    const Ip4 ip{zone->subnet.First().bits + kReservedAddresses + offset};
    if (!AddressInUse(ip) && !but_not.contains(ip)) return ip;
  }
  return std::nullopt;
}

void Draft::UseAddress(const std::string& zone_name, Ip4 ip) {
  EC_CHECK(!AddressInUse(ip));
  addresses_.insert(ip);
  model::Zone zone = *FindZone(zone_name);
  zone.next_offset = ip.bits - zone.subnet.First().bits - kReservedAddresses + 1;
  PutZone(std::move(zone));
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
  DropUnchanged(edit_.clusters, state_.records.clusters, {});
  DropUnchanged(edit_.members, state_.records.members, touched_);
  DropUnchanged(edit_.groups, state_.records.groups, touched_groups_);
  for (auto& [id, group] : edit_.groups) {
    if (group) group->revision = edit_.revision;
  }
  for (auto& [id, cluster] : edit_.clusters) {
    if (cluster) cluster->revision = edit_.revision;
  }
  for (auto& [id, member] : edit_.members) {
    if (member) member->revision = edit_.revision;
  }
  return std::move(edit_);
}

}  // namespace ec::core
