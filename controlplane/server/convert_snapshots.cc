// Snapshots to the API's messages.
#include <fmt/format.h>

#include <algorithm>

#include "controlplane/model/names.h"
#include "controlplane/server/convert.h"
#include "controlplane/server/snapshots.h"

namespace ec::server {
namespace {

using model::Snapshot;
using model::SnapshotStatus;

// AWS's words: one that a cluster is being made of is "restoring", one that is exported "copying".
std::string StatusOf(const model::State& state, const Snapshot& snapshot) {
  if (snapshot.status == SnapshotStatus::kExporting) return "copying";
  if (snapshot.status != SnapshotStatus::kAvailable) return std::string(NameOf(snapshot.status));
  const bool restoring = std::ranges::any_of(state.records.clusters, [&](const auto& entry) {
    const model::Cluster& cluster = entry.second;
    return cluster.status == model::ClusterStatus::kCreating && cluster.seed &&
           cluster.seed->file == snapshot.file;
  });
  return restoring ? "restoring" : "available";
}

const TaskReport* ReportOf(const model::State& state, const model::SnapshotWork& work) {
  const auto sighting = state.sightings.find(work.host);
  if (work.task == 0 || sighting == state.sightings.end()) return nullptr;
  const auto report = sighting->second.tasks.find(work.task);
  return report == sighting->second.tasks.end() ? nullptr : &report->second;
}

// As AWS says it: "12 MB".
std::string SizeText(int64_t bytes) {
  constexpr int64_t kMega = 1 << 20;
  return fmt::format("{} MB", (bytes + kMega - 1) / kMega);
}

void SetNode(const Snapshot& snapshot, bool with_node_groups, v1::NodeSnapshot* out) {
  const model::SnapshotOrigin& origin = snapshot.origin;
  if (!origin.cluster.empty()) {
    out->set_cache_cluster_id(origin.cluster);
    ToProto(origin.created, out->mutable_cache_node_create_time());
  }
  out->set_cache_node_id(model::NodeId(1));
  if (!origin.group.empty()) out->set_node_group_id("0001");
  ToProto(snapshot.created, out->mutable_snapshot_create_time());
  if (with_node_groups) {
    v1::SnapshotNodeGroup* const group = out->mutable_node_group_configuration();
    group->set_node_group_id("0001");
    group->set_replica_count(origin.clusters - 1);
    if (!origin.zone.empty()) group->set_primary_availability_zone(origin.zone);
  }
  if (snapshot.status != SnapshotStatus::kAvailable &&
      snapshot.status != SnapshotStatus::kExporting) {
    return;
  }
  out->set_cache_size(SizeText(snapshot.facts.bytes));
  out->set_size_bytes(snapshot.facts.bytes);
  out->set_memory_bytes(snapshot.facts.memory_bytes);
  out->set_key_count(snapshot.facts.keys);
  out->set_sha256(snapshot.facts.sha256);
}

// What its cluster was.
void SetOrigin(const model::SnapshotOrigin& origin, v1::Snapshot* out) {
  out->set_engine(std::string(NameOf(origin.engine)));
  if (!origin.engine_version.empty()) out->set_engine_version(origin.engine_version);
  if (origin.node_type.empty()) return;  // imported: nothing else is known
  if (!origin.group.empty()) {
    out->set_replication_group_id(origin.group);
    out->set_replication_group_description(origin.group_description);
    out->set_num_node_groups(1);
    out->set_automatic_failover(origin.automatic_failover ? "enabled" : "disabled");
  }
  out->set_cache_cluster_id(origin.cluster);
  out->set_cache_node_type(origin.node_type);
  out->set_num_cache_nodes(1);
  out->set_preferred_availability_zone(origin.zone);
  ToProto(origin.created, out->mutable_cache_cluster_create_time());
  out->set_preferred_maintenance_window(origin.maintenance_window);
  if (!origin.topic_arn.empty()) out->set_topic_arn(origin.topic_arn);
  out->set_port(origin.port);
  out->set_cache_parameter_group_name(origin.parameter_group);
  out->set_cache_subnet_group_name(origin.subnet_group);
  if (!origin.vpc.empty()) out->set_vpc_id(origin.vpc);
  out->set_auto_minor_version_upgrade(origin.auto_minor_version_upgrade);
  out->set_snapshot_retention_limit(origin.retention);
  out->set_snapshot_window(origin.snapshot_window);
}

}  // namespace

void ToProto(const model::State& state, const Snapshot& snapshot, bool with_node_groups,
             v1::Snapshot* out) {
  out->set_snapshot_name(snapshot.name);
  out->set_snapshot_status(StatusOf(state, snapshot));
  out->set_snapshot_source(snapshot.automatic ? "automated" : "manual");
  SetOrigin(snapshot.origin, out);
  SetNode(snapshot, with_node_groups, out->add_node_snapshots());
  const model::Installation& here = state.records.installation;
  out->set_arn(model::ToString(
      model::Arn{here.region, here.account, std::string(model::kSnapshotArnKind), snapshot.name}));
  if (const TaskReport* report = ReportOf(state, snapshot.work)) {
    out->set_progress_percent(report->percent);
  }
  if (!snapshot.trouble.empty()) out->set_trouble(snapshot.trouble);
  if (snapshot.expires) ToProto(*snapshot.expires, out->mutable_expire_time());
}

}  // namespace ec::server
