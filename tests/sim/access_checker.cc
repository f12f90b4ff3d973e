#include "tests/sim/access_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace ec::sim {
namespace {

using model::Records;

// What an instance's connections come from: the VPC's slice of loopback, with the last 16 bits.
Ip4 SourceOf(const Records& records, const model::InstanceRow& instance) {
  if (instance.id == "i-localhost") return {0x7f000001};
  const model::Vpc& vpc = records.vpcs.at(instance.vpc);
  return {(vpc.slice.network.bits & 0xffff0000u) | (instance.address.bits & 0xffffu)};
}

bool Matches(const model::SecurityGroupRule& rule, const model::InstanceRow& instance,
             uint16_t port) {
  if (rule.protocol != "tcp" && rule.protocol != "-1") return false;
  if (rule.from_port >= 0 && port < rule.from_port) return false;
  if (rule.to_port >= 0 && port > rule.to_port) return false;
  if (rule.block) return rule.block->Contains(instance.address);
  return std::ranges::find(instance.groups, rule.group) != instance.groups.end();
}

// As the rules are written: of the same VPC, and one rule of one of the cluster's groups.
bool IsAdmitted(const Records& records, const model::Cluster& cluster,
                const model::InstanceRow& instance) {
  if (cluster.vpc != instance.vpc) return false;
  return std::ranges::any_of(cluster.security_groups, [&](const std::string& id) {
    const auto group = records.security_groups.find(id);
    return group != records.security_groups.end() &&
           std::ranges::any_of(group->second.ingress, [&](const model::SecurityGroupRule& rule) {
             return Matches(rule, instance, cluster.port);
           });
  });
}

bool HostAdmits(const SimHost& host, const std::shared_ptr<const Sources>& sources,
                const EndpointSpec& spec, Ip4 source) {
  const Network none;
  return Gate(host.network ? *host.network : none, sources, spec.door).Judge(source).admitted();
}

std::shared_ptr<const Sources> SourcesOf(const SimHost& host) {
  return std::make_shared<const Sources>(host.network ? *host.network : Network());
}

}  // namespace

void AccessChecker::LearnOwners() {
  const Records& records = world_.records();
  if (records.revision == revision_) return;
  revision_ = records.revision;
  for (const auto& [id, member] : records.members) {
    owners_.emplace(id, records.clusters.at(member.cluster).vpc);
  }
  for (const auto& [id, cluster] : records.clusters) {
    if (cluster.configuration) owners_.emplace(cluster.configuration->id, cluster.vpc);
  }
  for (const auto& [id, group] : records.groups) {
    if (group.members.empty()) continue;
    const model::VpcId& vpc = records.clusters.at(*group.members.begin()).vpc;
    owners_.emplace(group.primary.id, vpc);
    owners_.emplace(group.reader.id, vpc);
  }
}

std::string AccessChecker::Check() {
  const bool records_changed = world_.records().revision != revision_;
  LearnOwners();
  for (const auto& [id, host] : world_.hosts()) {
    uint64_t& checked = conformed_[id];
    if (!records_changed && checked == host.conforms) continue;
    checked = host.conforms;
    if (std::string broken = CheckHost(host); !broken.empty()) return broken;
  }
  return {};
}

std::string AccessChecker::CheckHost(const SimHost& host) const {
  const Records& records = world_.records();
  const auto sources = SourcesOf(host);
  for (const auto& [id, spec] : host.endpoints) {
    const auto owner = owners_.find(id);
    if (owner == owners_.end()) return fmt::format("{} serves an unknown endpoint {}", host.id, id);
    for (const auto& [name, instance] : records.instances) {
      if (instance.vpc == owner->second) continue;
      if (!HostAdmits(host, sources, spec, SourceOf(records, instance))) continue;
      return fmt::format("{} of {} gets to endpoint {} of {} on {}", name, instance.vpc, id,
                         owner->second, host.id);
    }
  }
  return {};
}

std::string AccessChecker::Unsettled() const {
  const Records& records = world_.records();
  for (const auto& [id, host] : world_.hosts()) {
    const auto sources = SourcesOf(host);
    for (const auto& [endpoint, spec] : host.endpoints) {
      const auto member = records.members.find(endpoint);
      if (member == records.members.end()) continue;
      const model::Cluster& cluster = records.clusters.at(member->second.cluster);
      for (const auto& [name, instance] : records.instances) {
        const bool is = HostAdmits(host, sources, spec, SourceOf(records, instance));
        if (is == IsAdmitted(records, cluster, instance)) continue;
        return fmt::format("{} {} {} to {}", id, is ? "admits" : "does not admit", name,
                           cluster.id);
      }
    }
  }
  return {};
}

}  // namespace ec::sim
