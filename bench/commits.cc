#include "bench/commits.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <memory>
#include <stdexcept>

#include "bench/run.h"
#include "controlplane/store/sqlite_store.h"

namespace ec::bench {
namespace {

model::Installation InstallationAt(uint64_t revision) {
  return {"us-east-1", "000000000000", *ParseCidr("127.10.0.0/16"), revision + 1, revision + 1};
}

// With the address that was given out last.
model::Subnet SubnetAt(uint64_t revision) {
  return {"subnet-1",   "vpc-1",
          "us-east-1a", *ParseCidr("172.31.0.0/16"),
          true,         static_cast<uint32_t>(revision),
          {},           revision};
}

// What every cluster needs first: a zone, a network and a host.
model::Edit FirstEdit() {
  model::Edit edit;
  edit.revision = 1;
  edit.installation = InstallationAt(1);
  edit.zones["us-east-1a"] = {"us-east-1a", *ParseCidr("127.10.0.0/16")};
  edit.vpcs["vpc-1"] =
      model::Vpc{"vpc-1", *ParseCidr("172.31.0.0/16"), *ParseCidr("127.10.0.0/16"), true, {}, 1};
  edit.security_groups["sg-1"] =
      model::SecurityGroupRow{"sg-1", "default", "default", "vpc-1", {}, {}, {}, 1};
  edit.subnets["subnet-1"] = SubnetAt(1);
  model::Host host;
  host.id = "us-east-1a";
  host.zone = "us-east-1a";
  host.members_max = 100'000;
  edit.hosts[host.id] = host;
  return edit;
}

// The edit of CreateCacheCluster for a Redis cluster.
model::Edit ClusterEdit(uint64_t revision) {
  model::Edit edit;
  edit.revision = revision;
  edit.installation = InstallationAt(revision);
  edit.subnets["subnet-1"] = SubnetAt(revision);
  model::Cluster cluster;
  cluster.id = fmt::format("cluster-{:06}", revision);
  cluster.vpc = "vpc-1";
  cluster.security_groups = {"sg-1"};
  cluster.engine_version = "7.1.0";
  cluster.family = "redis7";
  cluster.node_type = "cache.t3.micro";
  cluster.port = 6379;
  cluster.node_count = 1;
  cluster.maintenance_window = "sun:05:00-sun:06:00";
  cluster.parameter_group = "default.redis7";
  cluster.subnet_group = "default";
  cluster.snapshot_window = "07:00-08:00";
  cluster.members = {revision};
  cluster.revision = revision;
  model::Member member;
  member.id = revision;
  member.cluster = cluster.id;
  member.node_id = "0001";
  member.host = "us-east-1a";
  member.zone = "us-east-1a";
  member.address = {{(127u << 24 | 10u << 16) + static_cast<uint32_t>(revision)}, 6379};
  member.revision = revision;
  edit.clusters[cluster.id] = cluster;
  edit.members[member.id] = member;
  edit.events.push_back({revision, {}, "cache-cluster", cluster.id, "Cache cluster created"});
  return edit;
}

void Must(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

}  // namespace

double StoreCommitsPerSecond(const std::string& dir, int count) {
  Result<std::unique_ptr<store::Store>> opened = store::OpenSqliteStore(dir);
  Must(opened.ok() && (*opened)->Load().ok(), "the store cannot be opened");
  Must((*opened)->Commit(FirstEdit()).ok(), "the first edit was refused");
  const Stopwatch watch;
  for (int i = 0; i < count; ++i) {
    Must((*opened)->Commit(ClusterEdit(static_cast<uint64_t>(i) + 2)).ok(), "an edit was refused");
  }
  return count / watch.seconds();
}

double BareCommitsPerSecond(const std::string& dir, int count) {
  sqlite3* handle = nullptr;
  const int opened = sqlite3_open((dir + "/bare.db").c_str(), &handle);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> db(handle, sqlite3_close);
  Must(opened == SQLITE_OK, "the bare database cannot be opened");
  const auto run = [&](const char* sql) {
    Must(sqlite3_exec(db.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK, sql);
  };
  run("PRAGMA journal_mode = WAL");
  run("PRAGMA synchronous = FULL");
  run("CREATE TABLE row (id INTEGER PRIMARY KEY, value TEXT NOT NULL) STRICT");
  sqlite3_stmt* prepared = nullptr;
  sqlite3_prepare_v2(db.get(), "INSERT INTO row VALUES (?, ?)", -1, &prepared, nullptr);
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> insert(prepared, sqlite3_finalize);
  const std::string value(200, 'x');
  const Stopwatch watch;
  for (int i = 0; i < count; ++i) {
    sqlite3_bind_int(insert.get(), 1, i + 1);
    sqlite3_bind_text(insert.get(), 2, value.c_str(), -1, SQLITE_STATIC);
    Must(sqlite3_step(insert.get()) == SQLITE_DONE, "a row was refused");  // commits by itself
    sqlite3_reset(insert.get());
  }
  return count / watch.seconds();
}

}  // namespace ec::bench
