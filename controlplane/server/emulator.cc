#include "controlplane/server/emulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "controlplane/core/placement.h"
#include "controlplane/model/names.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/convert.h"
#include "controlplane/store/schema.h"

namespace ec::server {
namespace {

// Events that a watcher is given under one look at the state.
constexpr size_t kWatchBatch = 256;

std::string HostStatus(const ControllerLoop& loop, const model::State& state, const HostId& id,
                       Instant now) {
  const auto sighting = state.sightings.find(id);
  if (sighting == state.sightings.end() || sighting->second.sequence == 0) return "unknown";
  return now < core::SilentAt(state, loop.settings(), id) ? "ready" : "silent";
}

const char* NameOfCarry(Carry carry) {
  switch (carry) {
    case Carry::kRelay:
      return "relay";
    case Carry::kHandOver:
      return "hand-over";
    case Carry::kFirstBytes:
      return "first-bytes";
  }
  return "relay";
}

void SetAddress(const model::State& state, const Address& address, v1::EndpointStatus* out) {
  out->mutable_endpoint()->set_address(ToString(address.ip));
  out->mutable_endpoint()->set_port(address.port);
  for (const auto& [id, vpc] : state.access->vpcs) {
    if (const auto there = vpc.InBlock(address.ip)) out->set_vpc_address(ToString(*there));
  }
}

void Fill(const model::State& state, const HostId& host, EndpointId id, v1::EndpointStatus* out) {
  out->set_host_id(host);
  out->set_listening(false);
  const auto sighting = state.sightings.find(host);
  if (sighting == state.sightings.end()) return;
  const auto found = sighting->second.endpoints.find(id);
  if (found == sighting->second.endpoints.end()) return;
  const EndpointReport& report = found->second;
  out->set_listening(report.listening);
  if (!report.trouble_text.empty()) out->set_trouble(report.trouble_text);
  out->set_connections_accepted(report.counts.accepted);
  out->set_connections_refused(report.counts.refused);
  out->set_connections_refused_full(report.counts.refused_full);
  out->set_connections_refused_outside(report.counts.refused_outside);
  out->set_connections_refused_by_rules(report.counts.refused_by_rules);
  out->set_connections_refused_by_fault(report.counts.refused_by_fault);
  out->set_connections_dropped(report.counts.dropped_outside + report.counts.dropped_by_rules);
  out->set_connections_dropped_outside(report.counts.dropped_outside);
  out->set_connections_dropped_by_rules(report.counts.dropped_by_rules);
  out->set_connections_handed_over(report.counts.handed_over);
  out->set_connections_relayed(report.counts.relayed);
  out->set_relayed_bytes_in(report.relayed_bytes.in);
  out->set_relayed_bytes_out(report.relayed_bytes.out);
  out->set_carry(NameOfCarry(report.carry));
  out->set_connections_cut(report.counts.cut);
  out->set_connections_open(report.counts.open);
}

// In address mode `ports`: the endpoint that was added last, as clients from elsewhere see it.
void AddOutsideFace(const model::State& state, const HostId& host, EndpointId id,
                    v1::DescribeEndpointsResponse* response) {
  const model::Records& records = state.records;
  if (!records.installation.outside || !records.outside_ports.contains(id)) return;
  const v1::EndpointStatus inside = response->endpoints(response->endpoints_size() - 1);
  v1::EndpointStatus* const out = response->add_endpoints();
  out->set_kind(inside.kind() + " (outside)");
  if (inside.has_cache_cluster_id()) out->set_cache_cluster_id(inside.cache_cluster_id());
  if (inside.has_cache_node_id()) out->set_cache_node_id(inside.cache_node_id());
  if (inside.has_replication_group_id()) {
    out->set_replication_group_id(inside.replication_group_id());
  }
  SetEndpoint(records, id, {}, out->mutable_endpoint());
  Fill(state, host, model::OutsideOf(id), out);
}

void AddEndpoints(const model::State& state, const model::Cluster& cluster,
                  v1::DescribeEndpointsResponse* response) {
  if (cluster.configuration) {
    v1::EndpointStatus* out = response->add_endpoints();
    out->set_kind("configuration");
    out->set_cache_cluster_id(cluster.id);
    SetAddress(state, cluster.configuration->address, out);
    Fill(state, cluster.configuration->host, cluster.configuration->id, out);
    AddOutsideFace(state, cluster.configuration->host, cluster.configuration->id, response);
  }
  std::vector<const model::Member*> nodes;
  for (const MemberId id : cluster.members) nodes.push_back(&state.records.members.at(id));
  std::ranges::sort(nodes, {}, [](const model::Member* node) { return node->node_id; });
  for (const model::Member* node : nodes) {
    if (node->node_id.empty()) continue;
    v1::EndpointStatus* out = response->add_endpoints();
    out->set_kind("node");
    out->set_cache_cluster_id(cluster.id);
    out->set_cache_node_id(node->node_id);
    SetAddress(state, node->address, out);
    if (!cluster.group.empty()) out->set_replication_group_id(cluster.group);
    Fill(state, node->host, node->id, out);
    AddOutsideFace(state, node->host, node->id, response);
  }
}

// The two of the group itself.
void AddEndpoints(const model::State& state, const model::Group& group,
                  v1::DescribeEndpointsResponse* response) {
  const auto add = [&](const char* kind, const model::GroupEndpoint& endpoint) {
    if (endpoint.id == 0) return;
    v1::EndpointStatus* out = response->add_endpoints();
    out->set_kind(kind);
    out->set_replication_group_id(group.id);
    SetAddress(state, endpoint.address, out);
    Fill(state, endpoint.host, endpoint.id, out);
    AddOutsideFace(state, endpoint.host, endpoint.id, response);
  };
  add("primary", group.primary);
  add("reader", group.reader);
}

Status AddGroupEndpoints(const model::State& state, const std::string& id,
                         v1::DescribeEndpointsResponse* response) {
  Result<const model::Group*> group = FindGroup(state.records, id);
  if (!group.ok()) return group.status();
  AddEndpoints(state, **group, response);
  for (const model::ClusterId& cluster : (*group)->members) {
    AddEndpoints(state, state.records.clusters.at(cluster), response);
  }
  return {};
}

}  // namespace

Status DescribeHosts(ControllerLoop& loop, Instant now, const v1::DescribeHostsRequest&,
                     v1::DescribeHostsResponse* response) {
  loop.Read([&](const model::State& state) {
    for (const auto& [id, host] : state.records.hosts) {
      v1::Host* out = response->add_hosts();
      out->set_host_id(id);
      out->set_availability_zone(host.zone);
      out->set_status(HostStatus(loop, state, id, now));
      const auto index = state.hosts.find(id);
      out->set_members(
          index == state.hosts.end() ? 0 : static_cast<int32_t>(index->second.members.size()));
      out->set_members_max(host.members_max);
      for (const auto& [engine, version] : host.engines) {
        (*out->mutable_engines())[std::string(NameOf(engine))] = version;
      }
      out->set_pid(host.pid);
      ToProto(host.registered, out->mutable_registered());
    }
  });
  return {};
}

Status DescribeEndpoints(ControllerLoop& loop, const v1::DescribeEndpointsRequest& request,
                         v1::DescribeEndpointsResponse* response) {
  if (request.has_cache_cluster_id() && request.has_replication_group_id()) {
    return {Fault::kInvalidParameterCombination,
            "Give at most one of CacheClusterId and ReplicationGroupId."};
  }
  return loop.Read([&](const model::State& state) -> Status {
    if (request.has_replication_group_id()) {
      return AddGroupEndpoints(state, request.replication_group_id(), response);
    }
    if (request.has_cache_cluster_id()) {
      Result<std::string> id = model::ParseClusterId(request.cache_cluster_id());
      if (!id.ok()) return id.status();
      const auto found = state.records.clusters.find(*id);
      if (found == state.records.clusters.end()) {
        return {Fault::kCacheClusterNotFound, fmt::format("CacheCluster not found: {}", *id)};
      }
      AddEndpoints(state, found->second, response);
      return {};
    }
    for (const auto& [id, group] : state.records.groups) AddEndpoints(state, group, response);
    for (const auto& [id, cluster] : state.records.clusters) {
      AddEndpoints(state, cluster, response);
    }
    return {};
  });
}

Status GetCertificateAuthority(tls::Authority& authority, const v1::GetCertificateAuthorityRequest&,
                               v1::GetCertificateAuthorityResponse* response) {
  Result<std::string> own = authority.Own();
  if (!own.ok()) return own.status();
  response->set_certificate(*own);
  response->set_path(authority.path());
  return {};
}

Status GetVersion(ControllerLoop& loop, const v1::GetVersionRequest&,
                  v1::GetVersionResponse* response) {
  response->set_version(EC_VERSION);
  response->set_api_version("2015-02-02");
  response->set_schema_version(store::kSchemaVersion);
  loop.Read([&](const model::State& state) {
    response->set_region(state.records.installation.region);
    response->set_account_id(state.records.installation.account);
    response->set_vpc_cidr(ToString(state.records.installation.vpc));
  });
  return {};
}

Status Reset(ControllerLoop& loop, const v1::ResetRequest&, v1::ResetResponse*) {
  return loop.Submit(core::Command(core::Reset{}));
}

Status WatchEvents(ControllerLoop& loop, const v1::WatchEventsRequest& request,
                   const std::function<bool(const v1::Event&)>& write,
                   const std::function<bool()>& cancelled) {
  uint64_t seen = request.has_after_serial() ? request.after_serial()
                                             : loop.Read([](const model::State& state) {
                                                 return state.records.installation.next_event - 1;
                                               });
  const std::string source = model::Lower(request.source_identifier());
  while (!cancelled()) {
    std::vector<v1::Event> batch;
    loop.Read([&](const model::State& state) {
      const auto& events = state.records.events;
      for (auto it = events.upper_bound(seen); it != events.end() && batch.size() < kWatchBatch;
           ++it) {
        seen = it->first;
        if (!source.empty() && it->second.source_id != source) continue;
        ToProto(it->second, &batch.emplace_back());
      }
    });
    for (const v1::Event& event : batch) {
      if (!write(event)) return {};
    }
    if (!batch.empty()) continue;  // perhaps there are more
    if (!loop.AwaitEvent(seen + 1, cancelled)) break;
  }
  if (cancelled()) return {};
  return {Fault::kUnavailable, "The control plane is stopping."};
}

}  // namespace ec::server
