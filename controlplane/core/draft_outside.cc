// The ports of address mode `ports`: every endpoint has one while it is there, whoever made it.
#include <algorithm>
#include <set>

#include "controlplane/core/draft.h"
#include "controlplane/core/draft_rows.h"

namespace ec::core {
namespace {

using Faces = std::vector<std::pair<EndpointId, Address>>;

void AddFaces(const model::Member& member, Faces* faces) {
  faces->emplace_back(member.id, member.address);
}

void AddFaces(const model::Cluster& cluster, Faces* faces) {
  if (!cluster.configuration) return;
  faces->emplace_back(cluster.configuration->id, cluster.configuration->address);
}

void AddFaces(const model::Group& group, Faces* faces) {
  for (const model::GroupEndpoint* endpoint : {&group.primary, &group.reader}) {
    if (endpoint->id != 0) faces->emplace_back(endpoint->id, endpoint->address);
  }
}

template <typename Row>
Faces FacesOf(const Row* row) {
  Faces faces;
  if (row != nullptr) AddFaces(*row, &faces);
  return faces;
}

// The endpoints' ports as they will be, while they are given out.
class Ports {
 public:
  Ports(const model::OutsidePorts& range, const model::Records& records, model::Edit* edit)
      : range_(range), records_(records), edit_(edit) {
    for (const auto& [id, port] : records.outside_ports) {
      if (!edit->outside_ports.contains(id)) taken_.insert(port);
    }
    for (const auto& [id, port] : edit->outside_ports) {
      if (port) taken_.insert(*port);
    }
  }

  template <typename Key, typename Row>
  void Follow(const std::map<Key, std::optional<Row>>& changes, const std::map<Key, Row>& rows) {
    for (const auto& [key, change] : changes) {
      const auto old = rows.find(key);
      const Faces before = FacesOf(old == rows.end() ? nullptr : &old->second);
      const Faces after = FacesOf(change ? &*change : nullptr);
      for (const auto& [id, address] : before) {
        const bool stays = std::ranges::any_of(after, [&](const auto& f) { return f.first == id; });
        if (!stays) Release(id);
      }
      for (const auto& [id, address] : after) Give(id, address.port);
    }
  }

  // The port that clients ask for where it is free, unless that is only an engine's usual one.
  void Give(EndpointId id, uint16_t asked) {
    if (rows::Find(edit_->outside_ports, records_.outside_ports, id) != nullptr) return;
    const bool usual = asked == 6379 || asked == 11211;
    if (!usual && taken_.insert(asked).second) {
      edit_->outside_ports[id] = asked;
      return;
    }
    for (int port = range_.first; port <= range_.last; ++port) {
      if (!taken_.insert(static_cast<uint16_t>(port)).second) continue;
      edit_->outside_ports[id] = static_cast<uint16_t>(port);
      return;
    }
    // None is left: this one is served on loopback alone.
  }

 private:
  void Release(EndpointId id) {
    const uint16_t* const port = rows::Find(edit_->outside_ports, records_.outside_ports, id);
    if (port == nullptr) return;
    taken_.erase(*port);
    edit_->outside_ports[id] = std::nullopt;
  }

  const model::OutsidePorts& range_;
  const model::Records& records_;
  model::Edit* const edit_;
  std::set<uint16_t> taken_;
};

}  // namespace

void Draft::ServeOutside(const std::optional<model::OutsidePorts>& outside) {
  if (installation().outside == outside) return;
  model::Installation changed = installation();
  changed.outside = outside;
  PutInstallation(std::move(changed));
  for (const auto& [id, port] : state_.records.outside_ports) {
    edit_.outside_ports[id] = std::nullopt;
  }
  if (!outside) return;
  Ports ports(*outside, state_.records, &edit_);
  const auto give_all = [&](const auto& rows) {
    for (const auto& [key, row] : rows) {
      for (const auto& [id, address] : FacesOf(&row)) ports.Give(id, address.port);
    }
  };
  give_all(state_.records.members);
  give_all(state_.records.clusters);
  give_all(state_.records.groups);
}

void Draft::FinishOutsidePorts() {
  if (const auto& outside = installation().outside) {
    Ports ports(*outside, state_.records, &edit_);
    ports.Follow(edit_.members, state_.records.members);
    ports.Follow(edit_.clusters, state_.records.clusters);
    ports.Follow(edit_.groups, state_.records.groups);
  }
  rows::DropUnchanged(edit_.outside_ports, state_.records.outside_ports, {});
}

}  // namespace ec::core
