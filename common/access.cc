#include "common/access.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace ec {
namespace {

uint32_t MaskOf(int prefix) { return prefix == 0 ? 0 : ~uint32_t{0} << (32 - prefix); }

constexpr uint32_t kKept = 0xffffu;  // of an address, wherever its VPC lives

}  // namespace

std::optional<Ip4> VpcBlocks::InSlice(Ip4 address) const {
  if (!block.Contains(address)) return std::nullopt;
  return Ip4{slice.network.bits | (address.bits & kKept)};
}

std::optional<Ip4> VpcBlocks::InBlock(Ip4 address) const {
  const Ip4 there{(block.network.bits & ~kKept) | (address.bits & kKept)};
  if (!slice.Contains(address) || !block.Contains(there)) return std::nullopt;
  return there;
}

Sources::Sources(const Network& network) : instances_(network.instances) {
  for (size_t i = 0; i < instances_.size(); ++i) {
    by_source_.emplace(instances_[i].source.bits, i);
    if (instances_[i].network) by_network_.push_back(i);
  }
  std::ranges::stable_sort(by_network_, std::greater(),
                           [this](size_t i) { return instances_[i].network->prefix; });
}

const Instance* Sources::Find(Ip4 source) const {
  const auto found = by_source_.find(source.bits);
  if (found != by_source_.end()) return &instances_[found->second];
  for (const size_t i : by_network_) {
    if (instances_[i].network->Contains(source)) return &instances_[i];
  }
  return nullptr;
}

Gate::Gate(const Network& network, std::shared_ptr<const Sources> sources, Door door)
    : sources_(std::move(sources)), door_(std::move(door)) {
  for (const std::string& id : door_.groups) {
    const auto group = network.groups.find(id);
    // A group of another VPC can stand in no rule's place.
    if (group == network.groups.end() || group->second.vpc != door_.vpc) continue;
    for (const IngressRule& rule : group->second.ingress) Add(group->second, rule);
  }
}

void Gate::Add(const SecurityGroup& group, const IngressRule& rule) {
  const size_t order = rules_++;
  if (door_.port < rule.from_port || door_.port > rule.to_port) return;
  Admission admission{order, group.id, rule.id};
  // The first one stays: it is the one that is named.
  if (rule.block) {
    blocks_[rule.block->prefix].emplace(rule.block->network.bits, std::move(admission));
  } else if (!rule.group.empty()) {
    groups_.emplace(rule.group, std::move(admission));
  }
}

const Gate::Admission* Gate::ByBlock(Ip4 address) const {
  const Admission* first = nullptr;
  for (const auto& [prefix, networks] : blocks_) {
    const auto found = networks.find(address.bits & MaskOf(prefix));
    if (found == networks.end()) continue;
    if (first == nullptr || found->second.order < first->order) first = &found->second;
  }
  return first;
}

const Gate::Admission* Gate::ByGroup(const std::vector<std::string>& groups) const {
  const Admission* first = nullptr;
  for (const std::string& group : groups) {
    const auto found = groups_.find(group);
    if (found == groups_.end()) continue;
    if (first == nullptr || found->second.order < first->order) first = &found->second;
  }
  return first;
}

Judgement Gate::Judge(Ip4 source) const {
  using Cause = Judgement::Cause;
  if (std::ranges::find(door_.peers, source) != door_.peers.end()) return {.cause = Cause::kPeer};
  const Instance* const instance = sources_->Find(source);
  if (instance == nullptr) return {.cause = Cause::kNoInstance};
  if (instance->vpc != door_.vpc) return {.cause = Cause::kOtherVpc, .instance = instance->id};
  const Admission* first = ByBlock(instance->address);
  const Admission* const by_group = ByGroup(instance->groups);
  if (first == nullptr || (by_group != nullptr && by_group->order < first->order)) first = by_group;
  if (first == nullptr) return {.cause = Cause::kNoRule, .instance = instance->id};
  return {.cause = Cause::kAdmitted,
          .instance = instance->id,
          .group = first->group,
          .rule = first->rule};
}

VpcSources Gate::SourcesInVpc() const {
  VpcSources sources;
  for (const Ip4 peer : door_.peers) sources.admitted.push_back({peer, 32});
  for (const Instance& instance : sources_->all()) {
    if (instance.vpc != door_.vpc) continue;
    std::vector<Cidr>& list =
        Judge(instance.source).admitted() ? sources.admitted : sources.refused;
    list.push_back({instance.source, 32});
    if (instance.network) list.push_back(*instance.network);
  }
  return sources;
}

}  // namespace ec
