#include "controlplane/store/rows.h"

#include <string>

#include "common/check.h"
#include "controlplane/store/columns.h"
#include "controlplane/store/fault_rows.h"
#include "controlplane/store/network_rows.h"
#include "controlplane/store/parameter_rows.h"
#include "controlplane/store/snapshot_rows.h"

namespace ec::store {
namespace {

using model::Cluster;
using model::Group;
using model::Member;
using SQLite::Database;
using SQLite::Statement;

// --- reading --------------------------------------------------------------------------------

void ReadInstallation(Database& db, model::Records* records) {
  Statement rows(
      db,
      "SELECT revision, region, account, vpc_cidr, next_id, next_event, next_slice, "
      "outside_host, outside_ip, outside_first_port, outside_last_port, clock_offset_ms, "
      "clock_frozen FROM installation");
  if (!rows.executeStep()) throw SQLite::Exception("the installation's row is missing");
  Reader read(rows);
  records->revision = read.UInt64();
  model::Installation& installation = records->installation;
  installation.region = read.Text();
  installation.account = read.Text();
  installation.vpc = CidrOf(read.Text());
  installation.next_id = read.UInt64();
  installation.next_event = read.UInt64();
  installation.next_slice = static_cast<uint32_t>(read.Int());
  model::OutsidePorts outside;
  outside.host = read.Text();
  outside.listen = IpOf(read.Text());
  outside.first = static_cast<uint16_t>(read.Int());
  outside.last = static_cast<uint16_t>(read.Int());
  if (!outside.host.empty()) installation.outside = outside;
  installation.clock.offset = std::chrono::milliseconds(read.Int64());
  if (!read.SkipNull()) installation.clock.frozen = TimeOf(read.Text());
}

void ReadNodeTypes(Database& db, model::Records* records) {
  Statement rows(db,
                 "SELECT name, vcpu, memory_gib, redis_maxmemory_bytes, "
                 "memcached_max_cache_memory_mb, generation, backups_supported "
                 "FROM node_type ORDER BY name");
  while (rows.executeStep()) {
    Reader read(rows);
    model::NodeType type;
    type.name = read.Text();
    type.vcpu = read.Int();
    if (!read.SkipNull()) type.memory_gib = read.Double();
    if (!read.SkipNull()) type.redis_maxmemory_bytes = read.Int64();
    if (!read.SkipNull()) type.memcached_max_cache_memory_mb = read.Int64();
    type.generation = read.Text();
    type.backups_supported = read.Bool();
    records->node_types.emplace(type.name, type);
  }
}

void ReadHosts(Database& db, model::Records* records) {
  Statement zones(db, "SELECT name, subnet_cidr FROM zone ORDER BY name");
  while (zones.executeStep()) {
    Reader read(zones);
    model::Zone zone;
    zone.name = read.Text();
    zone.subnet = CidrOf(read.Text());
    records->zones.emplace(zone.name, zone);
  }
  Statement hosts(db,
                  "SELECT id, zone, incarnation, members_max, pid, registered, start_time, boot "
                  "FROM host ORDER BY id");
  while (hosts.executeStep()) {
    Reader read(hosts);
    model::Host host;
    host.id = read.Text();
    host.zone = read.Text();
    host.incarnation = read.UInt64();
    host.members_max = read.Int();
    host.pid = read.Int64();
    host.registered = TimeOf(read.Text());
    host.start_time = read.UInt64();
    host.boot = read.Text();
    records->hosts.emplace(host.id, host);
  }
  Statement engines(db, "SELECT host, engine, version FROM host_engine ORDER BY host, engine");
  while (engines.executeStep()) {
    Reader read(engines);
    model::Host& host = records->hosts.at(read.Text());
    const EngineKind engine = EngineOf(read.Text());
    host.engines[engine] = read.Text();
  }
}

constexpr const char* kClusterColumns =
    "id, status, engine, engine_version, family, node_type, port, node_count, cross_zone, created, "
    "maintenance_window, parameter_group, subnet_group, auto_minor_version_upgrade, "
    "snapshot_retention, snapshot_window, topic_arn, topic_active, pending_nodes, pending_version, "
    "pending_due, resized_from, configuration_id, configuration_ip, configuration_host, "
    "configuration_readdressed, discovery_version, discovery_revision, revision, "
    "replication_group, vpc, sub_status, seed_file, seed_sha256, seed_bucket, seed_key, seed_name, "
    "seed_memory_max, next_backup, parameter_group_since, transit_encryption";

void ReadPending(Reader& read, model::Pending* pending) {
  if (!read.SkipNull()) pending->nodes = read.Int();
  if (!read.SkipNull()) pending->version = read.Text();
  if (!read.SkipNull()) pending->due = TimeOf(read.Text());
}

void ReadConfiguration(Reader& read, Cluster* cluster) {
  if (read.SkipNull()) {
    read.Skip(3);
    return;
  }
  model::ConfigurationEndpoint configuration;
  configuration.id = read.UInt64();
  configuration.address = {IpOf(read.Text()), cluster->port};
  configuration.host = read.Text();
  configuration.readdressed = read.Int();
  cluster->configuration = configuration;
}

std::optional<Seed> ReadSeed(Reader& read) {
  if (read.SkipNull()) {
    read.Skip(5);
    return std::nullopt;
  }
  Seed seed;
  seed.file = read.UInt64();
  seed.sha256 = read.Text();
  seed.bucket = read.Text();
  seed.key = read.Text();
  seed.name = read.Text();
  seed.memory_max = read.Int64();
  return seed;
}

Cluster ReadCluster(Statement& row) {
  Reader read(row);
  Cluster cluster;
  cluster.id = read.Text();
  const std::string status = read.Text();
  const auto known = model::ParseClusterStatus(status);
  if (!known) Malformed("status", status);
  cluster.status = *known;
  cluster.engine = EngineOf(read.Text());
  cluster.engine_version = read.Text();
  cluster.family = read.Text();
  cluster.node_type = read.Text();
  cluster.port = static_cast<uint16_t>(read.Int());
  cluster.node_count = read.Int();
  cluster.cross_zone = read.Bool();
  cluster.created = TimeOf(read.Text());
  cluster.maintenance_window = read.Text();
  cluster.parameter_group = read.Text();
  cluster.subnet_group = read.Text();
  cluster.auto_minor_version_upgrade = read.Bool();
  cluster.snapshot_retention = read.Int();
  cluster.snapshot_window = read.Text();
  if (read.SkipNull()) {
    read.Skip(1);
  } else {
    const std::string arn = read.Text();
    cluster.notification = model::Notification{arn, read.Bool()};
  }
  ReadPending(read, &cluster.pending);
  cluster.resized_from = read.Int();
  ReadConfiguration(read, &cluster);
  cluster.discovery_version = read.UInt64();
  cluster.discovery_revision = read.UInt64();
  cluster.revision = read.UInt64();
  if (!read.SkipNull()) cluster.group = read.Text();
  if (!read.SkipNull()) cluster.vpc = read.Text();
  if (const std::string sub_status = read.Text(); !sub_status.empty()) {
    const auto more = model::ParseClusterStatus(sub_status);
    if (!more) Malformed("status", sub_status);
    cluster.status = *more;
  }
  cluster.seed = ReadSeed(read);
  if (!read.SkipNull()) cluster.next_backup = TimeOf(read.Text());
  cluster.parameter_group_since = read.UInt64();
  cluster.transit_encryption = read.Bool();
  return cluster;
}

void ReadClusters(Database& db, model::Records* records) {
  Statement rows(db, std::string("SELECT ") + kClusterColumns + " FROM cluster ORDER BY id");
  while (rows.executeStep()) {
    Cluster cluster = ReadCluster(rows);
    if (!cluster.group.empty()) records->groups.at(cluster.group).members.insert(cluster.id);
    records->clusters.emplace(cluster.id, std::move(cluster));
  }
  Statement tags(db, "SELECT cluster, key, value FROM cluster_tag ORDER BY cluster, key");
  while (tags.executeStep()) {
    Reader read(tags);
    Cluster& cluster = records->clusters.at(read.Text());
    const std::string key = read.Text();
    cluster.tags[key] = read.Text();
  }
  Statement lists(db,
                  "SELECT cluster, kind, value FROM cluster_list "
                  "ORDER BY cluster, kind, position");
  while (lists.executeStep()) {
    Reader read(lists);
    Cluster& cluster = records->clusters.at(read.Text());
    const std::string kind = read.Text();
    auto& list = kind == "security-group"   ? cluster.security_groups
                 : kind == "pending-remove" ? cluster.pending.remove
                                            : cluster.pending.new_zones;
    list.push_back(read.Text());
  }
  Statement backups(db, "SELECT cluster, begun FROM cluster_backup ORDER BY cluster, position");
  while (backups.executeStep()) {
    Reader read(backups);
    Cluster& cluster = records->clusters.at(read.Text());
    cluster.manual_backups.push_back(TimeOf(read.Text()));
  }
}

void ReadMembers(Database& db, model::Records* records) {
  Statement rows(db,
                 "SELECT id, cluster, node_id, status, host, zone, ip, port, generation, "
                 "launch, listed, readdressed, created, installed_version, trouble, "
                 "recovery_announced, revision, in_sync, pid, start_time, "
                 "pid_incarnation, condemned, parameters_revision FROM member "
                 "ORDER BY id");
  while (rows.executeStep()) {
    Reader read(rows);
    Member member;
    member.id = read.UInt64();
    member.cluster = read.Text();
    member.node_id = read.Text();
    const std::string status = read.Text();
    const auto known = model::ParseMemberStatus(status);
    if (!known) Malformed("status", status);
    member.status = *known;
    member.host = read.Text();
    member.zone = read.Text();
    member.address.ip = IpOf(read.Text());
    member.address.port = static_cast<uint16_t>(read.Int());
    member.generation = read.UInt64();
    member.launch = read.UInt64();
    member.listed = read.Bool();
    member.readdressed = read.Int();
    member.created = TimeOf(read.Text());
    member.installed_version = read.Text();
    member.trouble = read.Text();
    member.recovery_announced = read.Bool();
    member.revision = read.UInt64();
    member.in_sync = read.Bool();
    member.pid = read.Int64();
    member.start_time = read.UInt64();
    member.pid_incarnation = read.UInt64();
    member.condemned = read.UInt64();
    member.parameters_revision = read.UInt64();
    records->clusters.at(member.cluster).members.insert(member.id);
    records->members.emplace(member.id, std::move(member));
  }
}

constexpr const char* kGroupColumns =
    "id, status, description, automatic_failover, multi_az, created, next_number, leader, epoch, "
    "port, primary_id, primary_ip, primary_host, reader_id, reader_ip, reader_host, proof, step, "
    "successor, pending_primary, pending_due, promoting, demoting, tested, lost_bytes, lost_ms, "
    "trouble, revision, sub_status, snapshotting, next_backup, transit_encryption";

model::GroupEndpoint ReadGroupEndpoint(Reader& read, uint16_t port) {
  model::GroupEndpoint endpoint;
  endpoint.id = read.UInt64();
  endpoint.address = {IpOf(read.Text()), port};
  endpoint.host = read.Text();
  return endpoint;
}

Group ReadGroup(Statement& row) {
  Reader read(row);
  Group group;
  group.id = read.Text();
  const std::string status = read.Text();
  const auto known = model::ParseGroupStatus(status);
  if (!known) Malformed("status", status);
  group.status = *known;
  group.description = read.Text();
  group.automatic_failover = read.Bool();
  group.multi_az = read.Bool();
  group.created = TimeOf(read.Text());
  group.next_number = read.Int();
  group.leader = read.UInt64();
  group.epoch = read.UInt64();
  const auto port = static_cast<uint16_t>(read.Int());
  group.primary = ReadGroupEndpoint(read, port);
  group.reader = ReadGroupEndpoint(read, port);
  group.proof = read.UInt64();
  const std::string step = read.Text();
  const auto known_step = model::ParseSwitchStep(step);
  if (!known_step) Malformed("step", step);
  group.step = *known_step;
  group.successor = read.UInt64();
  if (!read.SkipNull()) group.pending_primary = read.Text();
  if (!read.SkipNull()) group.pending_due = TimeOf(read.Text());
  if (!read.SkipNull()) group.promoting = read.Text();
  if (!read.SkipNull()) group.demoting = read.Text();
  if (!read.SkipNull()) group.tested = read.Text();
  if (!read.SkipNull()) group.lost_bytes = read.Int64();
  if (!read.SkipNull()) group.lost_ms = read.Int64();
  group.trouble = read.Text();
  group.revision = read.UInt64();
  if (const std::string sub_status = read.Text(); !sub_status.empty()) {
    const auto more = model::ParseGroupStatus(sub_status);
    if (!more) Malformed("status", sub_status);
    group.status = *more;
  }
  group.snapshotting = read.Text();
  if (!read.SkipNull()) group.next_backup = TimeOf(read.Text());
  group.transit_encryption = read.Bool();
  return group;
}

void ReadGroups(Database& db, model::Records* records) {
  Statement rows(db,
                 std::string("SELECT ") + kGroupColumns + " FROM replication_group ORDER BY id");
  while (rows.executeStep()) {
    Group group = ReadGroup(rows);
    records->groups.emplace(group.id, std::move(group));
  }
  Statement tags(db,
                 "SELECT replication_group, key, value FROM group_tag "
                 "ORDER BY replication_group, key");
  while (tags.executeStep()) {
    Reader read(tags);
    Group& group = records->groups.at(read.Text());
    const std::string key = read.Text();
    group.tags[key] = read.Text();
  }
  Statement tests(db,
                  "SELECT replication_group, called FROM group_test "
                  "ORDER BY replication_group, position");
  while (tests.executeStep()) {
    Reader read(tests);
    Group& group = records->groups.at(read.Text());
    group.tests.push_back(TimeOf(read.Text()));
  }
}

void ReadEvents(Database& db, model::Records* records) {
  Statement rows(db,
                 "SELECT serial, date, source_type, source_id, message FROM event "
                 "ORDER BY serial");
  while (rows.executeStep()) {
    Reader read(rows);
    model::Event event;
    event.serial = read.UInt64();
    event.date = TimeOf(read.Text());
    event.source_type = read.Text();
    event.source_id = read.Text();
    event.message = read.Text();
    records->events.emplace(event.serial, std::move(event));
  }
}

// --- writing --------------------------------------------------------------------------------

void WriteInstallation(Statements& statements, const model::Edit& edit) {
  Writer revision(statements, "UPDATE installation SET revision = ? WHERE revision = ?");
  revision << edit.revision << edit.revision - 1;
  if (revision.Run() != 1) throw SQLite::Exception("another writer has changed the database");
  if (!edit.installation) return;
  const model::Installation& installation = *edit.installation;
  Writer write(
      statements,
      "UPDATE installation SET region = ?, account = ?, vpc_cidr = ?, next_id = ?, "
      "next_event = ?, next_slice = ?, outside_host = ?, outside_ip = ?, outside_first_port = ?, "
      "outside_last_port = ?, clock_offset_ms = ?, clock_frozen = ?");
  const model::OutsidePorts outside = installation.outside.value_or(model::OutsidePorts());
  write << installation.region << installation.account << ToString(installation.vpc)
        << installation.next_id << installation.next_event << installation.next_slice
        << outside.host << ToString(outside.listen) << outside.first << outside.last
        << static_cast<int64_t>(installation.clock.offset.count()) << installation.clock.frozen;
  write.Run();
}

void WriteHosts(Statements& statements, const model::Edit& edit) {
  Writer put_zone(statements,
                  "INSERT INTO zone VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET "
                  "subnet_cidr = excluded.subnet_cidr");
  for (const auto& [name, zone] : edit.zones) {
    put_zone << name << ToString(zone.subnet);
    put_zone.Run();
  }
  Writer put_host(statements,
                  "INSERT INTO host VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                  "zone = excluded.zone, incarnation = excluded.incarnation, "
                  "members_max = excluded.members_max, pid = excluded.pid, "
                  "start_time = excluded.start_time, boot = excluded.boot");
  Writer drop_engines(statements, "DELETE FROM host_engine WHERE host = ?");
  Writer put_engine(statements, "INSERT INTO host_engine VALUES (?, ?, ?)");
  for (const auto& [id, host] : edit.hosts) {
    put_host << id << host.zone << host.incarnation << host.members_max << host.pid
             << host.registered << host.start_time << host.boot;
    put_host.Run();
    drop_engines << id;
    drop_engines.Run();
    for (const auto& [engine, version] : host.engines) {
      put_engine << id << NameOf(engine) << version;
      put_engine.Run();
    }
  }
}

// "INSERT ... ON CONFLICT DO UPDATE SET" over all columns of a table but its key.
std::string UpsertSql(const std::string& table, const std::string& columns,
                      const std::string& key) {
  std::string marks;
  std::string sets;
  size_t begin = 0;
  while (begin < columns.size()) {
    const size_t end = std::min(columns.find(", ", begin), columns.size());
    const std::string column = columns.substr(begin, end - begin);
    marks += marks.empty() ? "?" : ", ?";
    if (column != key) sets += (sets.empty() ? "" : ", ") + column + " = excluded." + column;
    begin = end + 2;
  }
  return "INSERT INTO " + table + " (" + columns + ") VALUES (" + marks + ") ON CONFLICT (" + key +
         ") DO UPDATE SET " + sets;
}

// The status as the table's first version knows it, and what there is to say beside it.
struct StatusColumns {
  std::string_view status;
  std::string_view sub_status;
};

StatusColumns ColumnsOf(model::ClusterStatus status) {
  using model::ClusterStatus;
  if (status == ClusterStatus::kSnapshotting)
    return {NameOf(ClusterStatus::kModifying), NameOf(status)};
  if (status == ClusterStatus::kRestoreFailed) {
    return {NameOf(ClusterStatus::kCreateFailed), NameOf(status)};
  }
  return {NameOf(status), ""};
}

StatusColumns ColumnsOf(model::GroupStatus status) {
  using model::GroupStatus;
  if (status == GroupStatus::kSnapshotting)
    return {NameOf(GroupStatus::kModifying), NameOf(status)};
  return {NameOf(status), ""};
}

void BindCluster(Writer& write, const Cluster& cluster) {
  write << cluster.id << ColumnsOf(cluster.status).status << NameOf(cluster.engine)
        << cluster.engine_version << cluster.family << cluster.node_type << cluster.port
        << cluster.node_count << cluster.cross_zone << cluster.created << cluster.maintenance_window
        << cluster.parameter_group << cluster.subnet_group << cluster.auto_minor_version_upgrade
        << cluster.snapshot_retention << cluster.snapshot_window;
  if (cluster.notification) {
    write << cluster.notification->topic_arn << cluster.notification->active;
  } else {
    write.Null().Null();
  }
  write << cluster.pending.nodes << cluster.pending.version;
  if (cluster.pending.empty()) {
    write.Null();
  } else {
    write << cluster.pending.due;
  }
  write << cluster.resized_from;
  if (cluster.configuration) {
    write << cluster.configuration->id << ToString(cluster.configuration->address.ip)
          << cluster.configuration->host << cluster.configuration->readdressed;
  } else {
    write.Null().Null().Null().Null();
  }
  write << cluster.discovery_version << cluster.discovery_revision << cluster.revision;
  const auto text_or_null = [&](const std::string& text) {
    if (text.empty()) {
      write.Null();
    } else {
      write << text;
    }
  };
  text_or_null(cluster.group);
  text_or_null(cluster.vpc);
  write << ColumnsOf(cluster.status).sub_status;
  if (const auto& seed = cluster.seed) {
    write << seed->file << seed->sha256 << seed->bucket << seed->key << seed->name
          << seed->memory_max;
  } else {
    for (int i = 0; i < 6; ++i) write.Null();
  }
  write << cluster.next_backup;
  write << cluster.parameter_group_since << cluster.transit_encryption;
}

void WriteLists(Statements& statements, const Cluster& cluster) {
  Writer(statements, "DELETE FROM cluster_tag WHERE cluster = ?").operator<<(cluster.id).Run();
  Writer(statements, "DELETE FROM cluster_list WHERE cluster = ?").operator<<(cluster.id).Run();
  Writer put_tag(statements, "INSERT INTO cluster_tag VALUES (?, ?, ?)");
  for (const auto& [key, value] : cluster.tags) {
    put_tag << cluster.id << key << value;
    put_tag.Run();
  }
  Writer put_item(statements, "INSERT INTO cluster_list VALUES (?, ?, ?, ?)");
  const auto put_list = [&](const char* kind, const std::vector<std::string>& list) {
    for (size_t i = 0; i < list.size(); ++i) {
      put_item << cluster.id << kind << static_cast<uint64_t>(i) << list[i];
      put_item.Run();
    }
  };
  put_list("security-group", cluster.security_groups);
  put_list("pending-remove", cluster.pending.remove);
  put_list("pending-zone", cluster.pending.new_zones);
  Writer(statements, "DELETE FROM cluster_backup WHERE cluster = ?").operator<<(cluster.id).Run();
  Writer put_backup(statements, "INSERT INTO cluster_backup VALUES (?, ?, ?)");
  for (size_t i = 0; i < cluster.manual_backups.size(); ++i) {
    put_backup << cluster.id << static_cast<uint64_t>(i) << cluster.manual_backups[i];
    put_backup.Run();
  }
}

void WriteClusters(Statements& statements, const model::Edit& edit) {
  static const std::string kUpsert = UpsertSql("cluster", kClusterColumns, "id");
  Writer put(statements, kUpsert);
  for (const auto& [id, cluster] : edit.clusters) {
    if (!cluster) continue;
    BindCluster(put, *cluster);
    put.Run();
    WriteLists(statements, *cluster);
  }
}

void WriteMembers(Statements& statements, const model::Edit& edit) {
  static const std::string kUpsert =
      UpsertSql("member",
                "id, cluster, node_id, status, host, zone, ip, port, generation, launch, listed, "
                "readdressed, created, installed_version, trouble, recovery_announced, revision, "
                "in_sync, pid, start_time, pid_incarnation, condemned, parameters_revision",
                "id");
  Writer put(statements, kUpsert);
  for (const auto& [id, member] : edit.members) {
    if (!member) continue;
    put << id << member->cluster << member->node_id << NameOf(member->status) << member->host
        << member->zone << ToString(member->address.ip) << member->address.port
        << member->generation << member->launch << member->listed << member->readdressed
        << member->created << member->installed_version << member->trouble
        << member->recovery_announced << member->revision << member->in_sync << member->pid
        << member->start_time << member->pid_incarnation << member->condemned
        << member->parameters_revision;
    put.Run();
  }
}

void WriteGroupLists(Statements& statements, const Group& group) {
  Writer(statements, "DELETE FROM group_tag WHERE replication_group = ?")
      .
      operator<<(group.id)
      .Run();
  Writer(statements, "DELETE FROM group_test WHERE replication_group = ?")
      .
      operator<<(group.id)
      .Run();
  Writer put_tag(statements, "INSERT INTO group_tag VALUES (?, ?, ?)");
  for (const auto& [key, value] : group.tags) {
    put_tag << group.id << key << value;
    put_tag.Run();
  }
  Writer put_test(statements, "INSERT INTO group_test VALUES (?, ?, ?)");
  for (size_t i = 0; i < group.tests.size(); ++i) {
    put_test << group.id << static_cast<uint64_t>(i) << group.tests[i];
    put_test.Run();
  }
}

void WriteGroups(Statements& statements, const model::Edit& edit) {
  static const std::string kUpsert = UpsertSql("replication_group", kGroupColumns, "id");
  Writer put(statements, kUpsert);
  for (const auto& [id, group] : edit.groups) {
    if (!group) continue;
    put << id << ColumnsOf(group->status).status << group->description << group->automatic_failover
        << group->multi_az << group->created << group->next_number << group->leader << group->epoch
        << group->primary.address.port << group->primary.id << ToString(group->primary.address.ip)
        << group->primary.host << group->reader.id << ToString(group->reader.address.ip)
        << group->reader.host << group->proof << NameOf(group->step) << group->successor
        << group->pending_primary;
    if (group->pending_primary) {
      put << group->pending_due;
    } else {
      put.Null();
    }
    put << group->promoting << group->demoting << group->tested << group->lost_bytes
        << group->lost_ms << group->trouble << group->revision
        << ColumnsOf(group->status).sub_status << group->snapshotting << group->next_backup
        << group->transit_encryption;
    put.Run();
    WriteGroupLists(statements, *group);
  }
}

void DropRows(Statements& statements, const model::Edit& edit) {
  Writer drop_member(statements, "DELETE FROM member WHERE id = ?");
  for (const auto& [id, member] : edit.members) {
    if (member) continue;
    drop_member << id;
    drop_member.Run();
  }
  Writer drop_cluster(statements, "DELETE FROM cluster WHERE id = ?");
  for (const auto& [id, cluster] : edit.clusters) {
    if (cluster) continue;
    drop_cluster << id;
    drop_cluster.Run();
  }
}

// After the clusters' rows, which may have left them in the same edit.
void DropGroups(Statements& statements, const model::Edit& edit) {
  Writer drop(statements, "DELETE FROM replication_group WHERE id = ?");
  for (const auto& [id, group] : edit.groups) {
    if (group) continue;
    drop << id;
    drop.Run();
  }
}

void WriteEvents(Statements& statements, const model::Edit& edit) {
  Writer put(statements, "INSERT INTO event VALUES (?, ?, ?, ?, ?)");
  for (const model::Event& event : edit.events) {
    put << event.serial << event.date << event.source_type << event.source_id << event.message;
    put.Run();
  }
  if (edit.events_dropped_below == 0) return;
  Writer drop(statements, "DELETE FROM event WHERE serial < ?");
  drop << edit.events_dropped_below;
  drop.Run();
}

}  // namespace

Statement& Statements::Get(std::string_view sql) {
  auto found = prepared_.find(sql);
  if (found == prepared_.end()) {
    found = prepared_.try_emplace(std::string(sql), database_, std::string(sql)).first;
  }
  found->second.tryReset();  // its error, if it had one, was told when it came
  found->second.clearBindings();
  return found->second;
}

model::Records ReadRecords(Database& db) {
  model::Records records;
  ReadInstallation(db, &records);
  ReadNodeTypes(db, &records);
  ReadHosts(db, &records);
  ReadGroups(db, &records);
  ReadClusters(db, &records);
  ReadMembers(db, &records);
  ReadNetwork(db, &records);
  ReadSnapshots(db, &records);
  ReadParameterGroups(db, &records);
  ReadFaults(db, &records);
  ReadEvents(db, &records);
  return records;
}

void WriteEdit(Statements& statements, const model::Edit& edit) {
  WriteInstallation(statements, edit);
  WriteHosts(statements, edit);
  // What goes makes room for what comes: an address may pass from one row to another in one edit.
  DropRows(statements, edit);
  DropNetwork(statements, edit);
  WriteNetwork(statements, edit);
  WriteParameterGroups(statements, edit);
  WriteGroups(statements, edit);
  WriteClusters(statements, edit);
  DropGroups(statements, edit);
  WriteMembers(statements, edit);
  WriteSnapshots(statements, edit);
  WriteFaults(statements, edit);
  WriteEvents(statements, edit);
}

void SeedNodeTypes(Database& db) {
  Statements statements(db);
  Writer put(statements, UpsertSql("node_type",
                                   "name, vcpu, memory_gib, redis_maxmemory_bytes, "
                                   "memcached_max_cache_memory_mb, generation, backups_supported",
                                   "name"));
  for (const model::NodeType& type : model::NodeTypeCatalogue()) {
    put << type.name << type.vcpu << type.memory_gib << type.redis_maxmemory_bytes
        << type.memcached_max_cache_memory_mb << type.generation << type.backups_supported;
    put.Run();
  }
}

}  // namespace ec::store
