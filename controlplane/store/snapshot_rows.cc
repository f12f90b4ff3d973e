#include "controlplane/store/snapshot_rows.h"

#include <string>
#include <utility>

#include "controlplane/store/columns.h"

namespace ec::store {
namespace {

using model::Snapshot;

#define EC_SNAPSHOT_COLUMNS                                                                 \
  "name, file, status, automatic, after, demote_group, demote_master, demote_new_group, "   \
  "cluster, replication_group, group_description, automatic_failover, clusters, engine, "   \
  "engine_version, node_type, port, parameter_group, subnet_group, vpc, zone, "             \
  "maintenance_window, snapshot_window, retention, auto_minor_version_upgrade, topic_arn, " \
  "cluster_created, created, expires, bytes, memory_bytes, keys, sha256, writer_version, "  \
  "trouble, task, task_kind, task_host, task_member, task_source, task_source_sha256, "     \
  "task_bucket, task_key, revision"

model::SnapshotOrigin ReadOrigin(Reader& read) {
  model::SnapshotOrigin origin;
  origin.cluster = read.Text();
  origin.group = read.Text();
  origin.group_description = read.Text();
  origin.automatic_failover = read.Bool();
  origin.clusters = read.Int();
  origin.engine = EngineOf(read.Text());
  origin.engine_version = read.Text();
  origin.node_type = read.Text();
  origin.port = static_cast<uint16_t>(read.Int());
  origin.parameter_group = read.Text();
  origin.subnet_group = read.Text();
  origin.vpc = read.Text();
  origin.zone = read.Text();
  origin.maintenance_window = read.Text();
  origin.snapshot_window = read.Text();
  origin.retention = read.Int();
  origin.auto_minor_version_upgrade = read.Bool();
  origin.topic_arn = read.Text();
  origin.created = TimeOf(read.Text());
  return origin;
}

model::SnapshotWork ReadWork(Reader& read) {
  model::SnapshotWork work;
  work.task = read.UInt64();
  const std::string kind = read.Text();
  const auto known = ParseTaskKind(kind);
  if (!known) Malformed("kind of task", kind);
  work.kind = *known;
  work.host = read.Text();
  work.member = read.UInt64();
  work.source = read.UInt64();
  work.source_sha256 = read.Text();
  work.bucket = read.Text();
  work.key = read.Text();
  return work;
}

Snapshot ReadSnapshot(SQLite::Statement& row) {
  Reader read(row);
  Snapshot snapshot;
  snapshot.name = read.Text();
  snapshot.file = read.UInt64();
  const std::string status = read.Text();
  const auto known = model::ParseSnapshotStatus(status);
  if (!known) Malformed("status", status);
  snapshot.status = *known;
  snapshot.automatic = read.Bool();
  const std::string after = read.Text();
  const auto known_after = model::ParseAfterSnapshot(after);
  if (!known_after) Malformed("sequel", after);
  snapshot.after = *known_after;
  snapshot.demote_group = read.Text();
  snapshot.demote_master = read.Text();
  snapshot.demote_new_group = read.Text();
  snapshot.origin = ReadOrigin(read);
  snapshot.created = TimeOf(read.Text());
  if (!read.SkipNull()) snapshot.expires = TimeOf(read.Text());
  snapshot.facts.bytes = read.Int64();
  snapshot.facts.memory_bytes = read.Int64();
  snapshot.facts.keys = read.Int64();
  snapshot.facts.sha256 = read.Text();
  snapshot.facts.engine_version = read.Text();
  snapshot.trouble = read.Text();
  snapshot.work = ReadWork(read);
  snapshot.revision = read.UInt64();
  return snapshot;
}

void Bind(Writer& put, const Snapshot& row) {
  const model::SnapshotOrigin& origin = row.origin;
  put << row.name << row.file << NameOf(row.status) << row.automatic << NameOf(row.after)
      << row.demote_group << row.demote_master << row.demote_new_group << origin.cluster
      << origin.group << origin.group_description << origin.automatic_failover << origin.clusters
      << NameOf(origin.engine) << origin.engine_version << origin.node_type << origin.port
      << origin.parameter_group << origin.subnet_group << origin.vpc << origin.zone
      << origin.maintenance_window << origin.snapshot_window << origin.retention
      << origin.auto_minor_version_upgrade << origin.topic_arn << origin.created << row.created
      << row.expires << row.facts.bytes << row.facts.memory_bytes << row.facts.keys
      << row.facts.sha256 << row.facts.engine_version << row.trouble << row.work.task
      << NameOf(row.work.kind) << row.work.host << row.work.member << row.work.source
      << row.work.source_sha256 << row.work.bucket << row.work.key << row.revision;
}

}  // namespace

void ReadSnapshots(SQLite::Database& db, model::Records* records) {
  SQLite::Statement rows(db, "SELECT " EC_SNAPSHOT_COLUMNS " FROM snapshot ORDER BY name");
  while (rows.executeStep()) {
    Snapshot snapshot = ReadSnapshot(rows);
    const model::SnapshotName name = snapshot.name;
    records->snapshots.emplace(name, std::move(snapshot));
  }
  SQLite::Statement tags(db,
                         "SELECT snapshot, key, value FROM snapshot_tag ORDER BY snapshot, key");
  while (tags.executeStep()) {
    Reader read(tags);
    Snapshot& snapshot = records->snapshots.at(read.Text());
    const std::string key = read.Text();
    snapshot.tags[key] = read.Text();
  }
}

void WriteSnapshots(Statements& statements, const model::Edit& edit) {
  // Its tags go with a row.
  Writer drop(statements, "DELETE FROM snapshot WHERE name = ?");
  Writer put(statements,
             "INSERT INTO snapshot (" EC_SNAPSHOT_COLUMNS
             ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
             "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  Writer put_tag(statements, "INSERT INTO snapshot_tag VALUES (?, ?, ?)");
  for (const auto& [name, row] : edit.snapshots) {
    (drop << name).Run();
    if (!row) continue;
    Bind(put, *row);
    put.Run();
    for (const auto& [key, value] : row->tags) (put_tag << name << key << value).Run();
  }
}

}  // namespace ec::store
