#include "controlplane/model/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ec::model {
namespace {

using std::chrono::milliseconds;

void AddMember(const Records& records, MemberId id, FaultTarget* target) {
  const Member& member = records.members.at(id);
  if (member.status == MemberStatus::kDeleting) return;
  target->parts.push_back({member.host, member.id, member.id});
}

void AddMembers(const Records& records, const Cluster& cluster, FaultTarget* target) {
  for (const MemberId id : cluster.members) AddMember(records, id, target);
}

std::optional<FaultTarget> InGroup(const Records& records, const Group& group,
                                   const std::string& part) {
  FaultTarget target;
  target.group = group.id;
  if (part.empty() || part == "primary") {
    // A group that is going may have lost its leader before its other members.
    const bool leads = !part.empty() && records.members.contains(group.leader);
    const MemberId leader = leads ? group.leader : 0;
    target.parts.push_back({group.primary.host, group.primary.id, leader});
  }
  if (part.empty() || part == "reader") {
    target.parts.push_back({group.reader.host, group.reader.id, 0});
  }
  if (target.parts.empty()) return std::nullopt;
  if (!part.empty()) return target;
  for (const ClusterId& id : group.members) AddMembers(records, records.clusters.at(id), &target);
  return target;
}

std::optional<FaultTarget> InCluster(const Records& records, const Cluster& cluster,
                                     const std::string& part) {
  FaultTarget target;
  target.cluster = cluster.id;
  const auto& configuration = cluster.configuration;
  if (configuration && (part.empty() || part == "configuration")) {
    target.parts.push_back({configuration->host, configuration->id, 0});
  }
  if (part.empty()) AddMembers(records, cluster, &target);
  for (const MemberId id : cluster.members) {
    if (!part.empty() && records.members.at(id).node_id == part) AddMember(records, id, &target);
  }
  if (target.parts.empty()) return std::nullopt;
  return target;
}

std::optional<FaultTarget> AtAddress(const Records& records, Ip4 ip, std::optional<int> port) {
  const auto is = [&](Address address) {
    return address.ip == ip && (!port || address.port == *port);
  };
  for (const auto& [id, member] : records.members) {
    if (!is(member.address)) continue;
    return FaultTarget{{{member.host, id, id}}, member.cluster, {}};
  }
  for (const auto& [id, cluster] : records.clusters) {
    const auto& endpoint = cluster.configuration;
    if (!endpoint || !is(endpoint->address)) continue;
    return FaultTarget{{{endpoint->host, endpoint->id, 0}}, id, {}};
  }
  for (const auto& [id, group] : records.groups) {
    if (is(group.primary.address)) {
      return FaultTarget{{{group.primary.host, group.primary.id, 0}}, {}, id};
    }
    if (is(group.reader.address)) {
      return FaultTarget{{{group.reader.host, group.reader.id, 0}}, {}, id};
    }
  }
  return std::nullopt;
}

std::string ZoneOf(const Records& records, const HostId& host) {
  const auto found = records.hosts.find(host);
  return found == records.hosts.end() ? std::string() : found->second.zone;
}

// With a target: what of it is on this host, if anything is.
std::optional<HostFault> OnTarget(const Records& records, const WireFault& fault,
                                  const HostId& host, HostFault base) {
  const auto target = FindFaultTarget(records, fault.target);
  if (!target) return std::nullopt;
  for (const FaultTarget::On& part : target->parts) {
    if (part.host != host) continue;
    base.endpoints.push_back(part.endpoint);
    if (part.member != 0) base.members.push_back(part.member);
  }
  if (base.endpoints.empty()) return std::nullopt;
  return base;
}

// Between two zones: what comes to a host of one from the other.
std::optional<HostFault> BetweenZones(const Records& records, const WireFault& fault,
                                      const HostId& host, HostFault base) {
  const std::string zone = ZoneOf(records, host);
  if (zone != fault.side && zone != fault.other_side) return std::nullopt;
  base.sources = SlicesOf(records, zone == fault.side ? fault.other_side : fault.side);
  if (base.sources.empty()) return std::nullopt;
  if (base.kind == FaultKind::kPartition) base.kind = FaultKind::kBlackhole;
  return base;
}

std::optional<HostFault> OnHost(const Records& records, const HostId& host, HostFault base) {
  for (const auto& [id, member] : records.members) {
    if (member.host == host) base.members.push_back(id);
  }
  return base;
}

bool IsFromControlPlane(const WireFault& fault) { return fault.other_side == kControlPlaneSide; }

std::optional<HostFault> FaultOf(const Records& records, const WireFault& fault,
                                 const HostId& host) {
  HostFault base{.id = IdOf(fault), .kind = fault.kind};
  base.delay = fault.delay;
  base.jitter = fault.jitter;
  base.bytes = fault.bytes;
  if (!fault.target.empty()) return OnTarget(records, fault, host, std::move(base));
  if (!fault.host.empty()) {
    if (fault.host != host) return std::nullopt;
    return OnHost(records, host, std::move(base));
  }
  if (!IsFromControlPlane(fault)) return BetweenZones(records, fault, host, std::move(base));
  if (fault.side != host && fault.side != ZoneOf(records, host)) return std::nullopt;
  return base;
}

std::string MillisecondsText(Duration duration) {
  return fmt::format("{} ms", duration / milliseconds(1));
}

std::string WhereText(const WireFault& fault) {
  if (!fault.target.empty()) return "at " + fault.target;
  if (!fault.host.empty()) return "on host " + fault.host;
  return fmt::format("between {} and {}", fault.side, fault.other_side);
}

std::string WhatText(const WireFault& fault) {
  switch (fault.kind) {
    case FaultKind::kLatency: {
      const std::string text = "latency of " + MillisecondsText(fault.delay);
      return fault.jitter.count() == 0 ? text : text + " +/- " + MillisecondsText(fault.jitter);
    }
    case FaultKind::kBandwidth:
      return fmt::format("bandwidth of {} bytes per second", fault.bytes);
    case FaultKind::kResetAfter:
      return fmt::format("reset after {} bytes", fault.bytes);
    default:
      return std::string(NameOf(fault.kind));
  }
}

}  // namespace

std::optional<FaultTarget> FindFaultTarget(const Records& records, const std::string& target) {
  const size_t colon = target.find(':');
  if (const auto ip = ParseIp4(target.substr(0, colon))) {
    std::optional<int> port;
    if (colon != std::string::npos) {
      const std::string digits = target.substr(colon + 1);
      const bool is_number = !digits.empty() && digits.size() <= 5 &&
                             digits.find_first_not_of("0123456789") == std::string::npos;
      port = is_number ? std::stoi(digits) : -1;
    }
    return AtAddress(records, *ip, port);
  }
  const size_t slash = target.find('/');
  const std::string name = target.substr(0, slash);
  const std::string part = slash == std::string::npos ? "" : target.substr(slash + 1);
  if (slash != std::string::npos && part.empty()) return std::nullopt;
  if (const auto group = records.groups.find(name); group != records.groups.end()) {
    return InGroup(records, group->second, part);
  }
  const auto cluster = records.clusters.find(name);
  if (cluster == records.clusters.end()) return std::nullopt;
  return InCluster(records, cluster->second, part);
}

std::vector<Cidr> SlicesOf(const Records& records, const std::string& zone) {
  std::vector<Cidr> slices;
  const auto add = [&](const Cidr& slice) {
    if (std::ranges::find(slices, slice) == slices.end()) slices.push_back(slice);
  };
  if (const auto row = records.zones.find(zone); row != records.zones.end()) {
    add(row->second.subnet);
  }
  for (const auto& [id, subnet] : records.subnets) {
    const auto vpc = records.vpcs.find(subnet.vpc);
    if (subnet.zone != zone || vpc == records.vpcs.end()) continue;
    add({InSlice(vpc->second, subnet.block.network), subnet.block.prefix});
  }
  return slices;
}

HostFaults FaultsOf(const Records& records, const HostId& host) {
  HostFaults faults;
  faults.revision = records.revision;
  for (const auto& [number, fault] : records.faults) {
    if (auto one = FaultOf(records, fault, host)) faults.faults.push_back(std::move(*one));
  }
  return faults;
}

bool ChangesFaults(const Records& records, const Edit& edit) {
  if (!edit.faults.empty()) return true;
  if (records.faults.empty()) return false;
  return !edit.clusters.empty() || !edit.members.empty() || !edit.groups.empty() ||
         !edit.hosts.empty() || !edit.zones.empty() || !edit.subnets.empty();
}

bool IsLost(const Records& records, const HostId& host) {
  return std::ranges::any_of(records.faults, [&](const auto& entry) {
    return entry.second.kind == FaultKind::kHostLoss && entry.second.host == host;
  });
}

bool IsCutOff(const Records& records, const HostId& host) {
  return std::ranges::any_of(records.faults, [&](const auto& entry) {
    const WireFault& fault = entry.second;
    return fault.kind == FaultKind::kPartition && IsFromControlPlane(fault) &&
           (fault.side == host || fault.side == ZoneOf(records, host));
  });
}

std::string IdOf(const WireFault& fault) { return fmt::format("fault-{}", fault.number); }

std::string TextOf(const WireFault& fault) {
  return fmt::format("{} {}", WhatText(fault), WhereText(fault));
}

}  // namespace ec::model
