// What a Store must do, on the real one.
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/process.h"
#include "controlplane/store/schema.h"
#include "controlplane/store/sqlite_store.h"
#include "tests/sim/random.h"
#include "tests/sim/world.h"

namespace ec::store {
namespace {

namespace fs = std::filesystem;

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "ec-store-XXXXXX";
    dir_ = mkdtemp(pattern.data());
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(dir_);
  }

  Status Open() {
    store_.reset();
    Result<std::unique_ptr<Store>> opened = OpenSqliteStore(dir_);
    if (!opened.ok()) return opened.status();
    store_ = std::move(*opened);
    return {};
  }

  // An edit that follows the revision, and tells its number in an event.
  static model::Edit Step(uint64_t revision) {
    model::Edit edit;
    edit.revision = revision;
    edit.installation = model::Installation{"us-east-1", "000000000000",
                                            *ParseCidr("127.10.0.0/16"), 1, revision + 1};
    edit.events.push_back({revision, WallTime(std::chrono::milliseconds(revision)), "cache-cluster",
                           "c", std::string(200, 'x')});
    return edit;
  }

  std::string DatabasePath() const { return dir_ + "/emucache.db"; }

  std::string dir_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, ANewOneHoldsTheCatalogueAndNothingElse) {
  ASSERT_TRUE(Open().ok());
  const model::Records records = *store_->Load();
  EXPECT_EQ(records.revision, 0u);
  EXPECT_EQ(records.node_types.size(), model::NodeTypeCatalogue().size());
  EXPECT_EQ(records.node_types.at("cache.t1.micro").backups_supported, false);
  EXPECT_EQ(records.node_types.at("cache.r6gd.xlarge").memcached_max_cache_memory_mb, std::nullopt);
  EXPECT_TRUE(records.clusters.empty());
  EXPECT_TRUE(records.events.empty());
}

TEST_F(StoreTest, WhatWasCommittedIsThereAfterOpeningAgain) {
  ASSERT_TRUE(Open().ok());
  for (uint64_t i = 1; i <= 20; ++i) ASSERT_TRUE(store_->Commit(Step(i)).ok());
  const model::Records before = *store_->Load();
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(*store_->Load(), before);
  EXPECT_EQ(before.revision, 20u);
  EXPECT_EQ(before.events.size(), 20u);
}

TEST_F(StoreTest, AnEditThatDoesNotFollowIsRefusedWhole) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(store_->Commit(Step(1)).ok());
  const model::Records before = *store_->Load();
  EXPECT_FALSE(store_->Commit(Step(3)).ok());
  EXPECT_FALSE(store_->Commit(Step(1)).ok());
  EXPECT_EQ(*store_->Load(), before);
}

TEST_F(StoreTest, AnEditThatBreaksAConstraintChangesNothing) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(store_->Commit(Step(1)).ok());
  model::Edit edit = Step(2);
  model::Member orphan;
  orphan.id = 7;
  orphan.cluster = "nobody";
  edit.members.emplace(7, orphan);
  const Status refused = store_->Commit(edit);
  EXPECT_EQ(refused.fault(), Fault::kUnavailable);
  EXPECT_EQ(store_->Load()->revision, 1u);
  EXPECT_TRUE(store_->Commit(Step(2)).ok()) << "a refused edit must not spoil the next";
}

// A fault at the cluster, or between two zones.
void CallAboutFaults(sim::World& world, sim::Random& random, const std::string& cluster) {
  core::AddFault fault;
  fault.number = world.records().installation.next_id;
  fault.kind = random.Chance(50) ? "blackhole" : "refuse";
  if (random.Chance(50)) fault.to = cluster;
  if (fault.to.empty()) fault.between = {"us-east-1a", "us-east-1b"};
  if (random.Chance(50)) fault.duration = std::chrono::milliseconds(700);
  world.Call(core::FaultCommand(fault));
}

// Snapshots of the cluster, what is restored of some, and days that pass.
void CallAboutSnapshots(sim::World& world, sim::Random& random, const std::string& cluster,
                        int number) {
  if (random.Chance(30)) {
    world.Call(core::CreateSnapshot{
        "s-" + std::to_string(number), cluster, std::nullopt, {{"key", std::to_string(number)}}});
    world.Call(core::StepClock{WallTime(std::chrono::days(20'000 + number))});
    world.RunFor(std::chrono::milliseconds(random.Between(1, 500)));
    if (random.Chance(50)) world.Call(core::SetClock{{}, false, random.Chance(50)});
  }
  if (random.Chance(30)) {
    core::CreateCluster restored;
    restored.id = "r-" + std::to_string(number % 3);
    restored.snapshot_name = "s-" + std::to_string(random.Between(0, number));
    world.Call(restored);
  }
}

void CreateGroup(sim::World& world, const std::string& id, bool transit_encryption) {
  core::CreateGroup group;
  group.id = id;
  group.description = "a group";
  group.node_type = "cache.m5.large";
  group.clusters = 2;
  group.transit_encryption = transit_encryption;
  world.Call(group);
}

// A group with a token or users, and changes of both.
void CallAboutUsers(sim::World& world, sim::Random& random, int number) {
  core::CreateGroup create;
  create.id = "g-" + std::to_string(number % 4);
  create.description = "a group";
  create.node_type = "cache.m5.large";
  create.transit_encryption = random.Chance(80);
  if (random.Chance(50)) create.auth_token = "the-token-number-" + std::to_string(number);
  if (!create.auth_token) create.user_groups = {"ug"};
  core::ModifyGroup modify;
  modify.id = create.id;
  modify.auth_token = "another-token-" + std::to_string(number);
  if (random.Chance(40)) modify.auth_token_strategy = "SET";
  if (random.Chance(40)) modify.remove_all_user_groups = true;
  const std::string user = "u-" + std::to_string(number % 5);
  world.Call(core::UserCommand(core::CreateUser{
      user, user, "redis", {"password-of-user-" + user}, "on ~a* +get", {}, {{"a", "b"}}, {}}));
  world.Call(core::UserCommand(core::CreateUserGroup{"ug", "redis", {"default", user}, {}}));
  if (random.Chance(30)) world.Call(core::UserCommand(core::DeleteUser{user}));
  if (random.Chance(30)) {
    world.Call(core::UserCommand(core::ModifyUserGroup{"ug", {user}, {}, {}}));
  }
  world.Call(random.Chance(50) ? core::Command(create) : core::Command(modify));
}

TEST_F(StoreTest, AgreesWithMemoryOverWholeHistories) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    ASSERT_TRUE(Open().ok());
    sim::Faults faults;
    sim::World world(seed, faults, 3, 3);
    // What the world did before it could be mirrored: its installation and its hosts.
    Status committed;
    model::Edit first;
    first.revision = 1;
    const model::Records begun = world.records();
    first.installation = begun.installation;
    first.zones = begun.zones;
    first.hosts = begun.hosts;
    first.vpcs.insert(begun.vpcs.begin(), begun.vpcs.end());
    first.subnets.insert(begun.subnets.begin(), begun.subnets.end());
    first.security_groups.insert(begun.security_groups.begin(), begun.security_groups.end());
    first.subnet_groups.insert(begun.subnet_groups.begin(), begun.subnet_groups.end());
    ASSERT_EQ(begun.revision, 1u);
    ASSERT_TRUE(store_->Commit(first).ok());
    world.store().mirror = [&](const model::Edit& edit) {
      if (committed.ok()) committed = store_->Commit(edit);
    };
    sim::Random random(seed);
    for (int i = 0; i < 60; ++i) {
      const std::string id = "c-" + std::to_string(random.Between(1, 6));
      core::CreateCluster create;
      create.id = id;
      create.engine = random.Chance(60) ? "memcached" : "redis";
      create.node_type = "cache.m5.large";
      if (create.engine == "memcached") create.nodes = static_cast<int>(random.Between(1, 5));
      if (create.engine == "redis") create.snapshot_retention = 3;
      create.tags = {{"a", "b"}, {"k'; DROP TABLE member; --", std::to_string(i)}};
      const auto& groups = world.records().security_groups;
      if (!groups.empty() && random.Chance(50)) create.security_groups = {groups.begin()->first};
      create.notification_topic = "arn:aws:sns:us-east-1:000000000000:topic";
      CallAboutUsers(world, random, i);
      core::ModifyCluster modify;
      modify.id = id;
      modify.nodes = static_cast<int>(random.Between(1, 8));
      modify.apply_immediately = random.Chance(50);
      if (random.Chance(50)) modify.new_zones.assign(2, "us-east-1a");
      switch (random.Between(1, 5)) {
        case 1:
          world.Call(core::DeleteCluster{id, std::nullopt});
          break;
        case 2:
        case 3:
          world.Call(modify);
          break;
        default:
          world.Call(create);
      }
      CallAboutSnapshots(world, random, id, i);
      if (i % 20 == 10) CreateGroup(world, "g-" + std::to_string(i), i == 30);
      if (random.Chance(30)) CallAboutFaults(world, random, id);
      world.RunFor(std::chrono::milliseconds(random.Between(1, 500)));
    }
    ASSERT_TRUE(committed.ok()) << committed.message();
    EXPECT_EQ(*store_->Load(), world.records()) << "seed " << seed;
    ASSERT_TRUE(Open().ok());  // also with the checks of an opening
    EXPECT_EQ(*store_->Load(), world.records()) << "seed " << seed;
    store_.reset();
    fs::remove_all(dir_);
    fs::create_directory(dir_);
  }
}

TEST_F(StoreTest, KeepsEveryPartOfAFault) {
  ASSERT_TRUE(Open().ok());
  model::Edit edit = Step(1);
  const WallTime created = *ParseWallTime("2026-01-02T03:04:05.678Z");
  edit.faults[3] = model::WireFault{.number = 3,
                                    .kind = FaultKind::kLatency,
                                    .side = "us-east-1a",
                                    .other_side = "us-east-1b",
                                    .delay = std::chrono::milliseconds(200),
                                    .jitter = std::chrono::microseconds(20'001),
                                    .created = created,
                                    .expires = created + std::chrono::seconds(30)};
  edit.faults[4] = model::WireFault{.number = 4,
                                    .kind = FaultKind::kResetAfter,
                                    .target = "orders/primary",
                                    .bytes = 4096,
                                    .created = created};
  ASSERT_TRUE(store_->Commit(edit).ok());
  model::Records records = *store_->Load();
  ASSERT_EQ(records.faults.size(), 2u);
  EXPECT_EQ(records.faults.at(3), *edit.faults.at(3));
  EXPECT_EQ(records.faults.at(4), *edit.faults.at(4));
  model::Edit end = Step(2);
  end.faults[3] = std::nullopt;
  ASSERT_TRUE(store_->Commit(end).ok());
  EXPECT_EQ(store_->Load()->faults.size(), 1u);
}

// A VPC with a subnet, two groups that refer to each other, instances in and outside of subnets,
// and a cache subnet group: all with tags.
model::Edit NetworkEdit(uint64_t revision) {
  model::Edit edit;
  edit.revision = revision;
  const std::map<std::string, std::string> tags = {{"Name", "it's"}, {"empty", ""}};
  edit.vpcs["vpc-1"] = model::Vpc{
      "vpc-1", *ParseCidr("10.0.0.0/16"), *ParseCidr("127.9.0.0/16"), true, tags, revision};
  edit.subnets["subnet-1"] = model::Subnet{
      "subnet-1", "vpc-1", "us-east-1a", *ParseCidr("10.0.1.0/24"), true, 7, tags, revision};
  model::SecurityGroupRow one{"sg-1", "default", "text", "vpc-1", {}, {}, tags, revision};
  one.ingress = {{"sgr-1", "tcp", 1, 2, *ParseCidr("10.0.0.0/8"), {}, "why"},
                 {"sgr-2", "-1", -1, -1, std::nullopt, "sg-2", {}}};
  one.egress = {{"sgr-3", "-1", -1, -1, *ParseCidr("0.0.0.0/0"), {}, {}}};
  edit.security_groups["sg-1"] = one;
  edit.security_groups["sg-2"] =
      model::SecurityGroupRow{"sg-2", "web", "text", "vpc-1", {}, {}, {}, revision};
  edit.instances["i-1"] = model::InstanceRow{"i-1",
                                             "subnet-1",
                                             "vpc-1",
                                             *ParseIp4("10.0.1.4"),
                                             {"sg-2", "sg-1"},
                                             ParseCidr("172.18.0.0/16"),
                                             {},
                                             tags,
                                             revision};
  edit.instances["i-localhost"] = model::InstanceRow{
      "i-localhost", "", "vpc-1", *ParseIp4("10.0.0.1"), {"sg-1"}, {}, {}, {}, revision};
  edit.outside_ports[7] = 7400;
  edit.subnet_groups["shop"] =
      model::CacheSubnetGroup{"shop", "text", "vpc-1", {"subnet-1"}, tags, revision};
  edit.parameter_groups["mine"] =
      model::ParameterGroup{"mine", "redis7", "text", {{"timeout", "20"}}, 3, tags, revision};
  edit.vpcs.at("vpc-1")->dns_hostnames = true;
  edit.security_groups.at("sg-1")->ingress.at(0).tags = tags;
  return edit;
}

TEST_F(StoreTest, TheNetworkIsReadAsItWasWritten) {
  ASSERT_TRUE(Open().ok());
  model::State state;
  const auto commit = [&](const model::Edit& edit) {
    const Status status = store_->Commit(edit);
    EXPECT_TRUE(status.ok()) << status.message();
    model::Apply(edit, Instant(), &state);
    EXPECT_EQ(store_->Load()->vpcs, state.records.vpcs);
    EXPECT_EQ(store_->Load()->subnets, state.records.subnets);
    EXPECT_EQ(store_->Load()->security_groups, state.records.security_groups);
    EXPECT_EQ(store_->Load()->instances, state.records.instances);
    EXPECT_EQ(store_->Load()->subnet_groups, state.records.subnet_groups);
    EXPECT_EQ(store_->Load()->parameter_groups, state.records.parameter_groups);
  };
  commit(NetworkEdit(1));
  // An instance and a subnet group that are others under the same names.
  model::Edit other;
  other.revision = 2;
  other.instances["i-1"] =
      model::InstanceRow{"i-1", "", "vpc-1", *ParseIp4("10.0.1.5"), {"sg-2"}, {}, {}, {}, 2};
  other.subnet_groups["shop"] =
      model::CacheSubnetGroup{"shop", "other", "vpc-1", {"subnet-1", "subnet-1"}, {}, 2};
  commit(other);
  // All of it goes, and comes again, in one edit each.
  model::Edit none;
  none.revision = 3;
  none.vpcs["vpc-1"] = std::nullopt;
  none.subnets["subnet-1"] = std::nullopt;
  none.security_groups["sg-1"] = std::nullopt;
  none.security_groups["sg-2"] = std::nullopt;
  none.instances["i-1"] = std::nullopt;
  none.instances["i-localhost"] = std::nullopt;
  none.subnet_groups["shop"] = std::nullopt;
  none.parameter_groups["mine"] = std::nullopt;
  commit(none);
  commit(NetworkEdit(4));
}

TEST_F(StoreTest, UsersAreReadAsTheyWereWritten) {
  ASSERT_TRUE(Open().ok());
  const std::string hash(64, 'a');
  const std::map<std::string, std::string> tags = {{"team", "it's"}, {"empty", ""}};
  model::State state;
  const auto commit = [&](model::Edit edit, uint64_t revision) {
    edit.revision = revision;
    const Status status = store_->Commit(edit);
    EXPECT_TRUE(status.ok()) << status.message();
    model::Apply(edit, Instant(), &state);
    EXPECT_EQ(store_->Load()->users, state.records.users);
    EXPECT_EQ(store_->Load()->user_groups, state.records.user_groups);
    EXPECT_EQ(store_->Load()->installation.secrets, state.records.installation.secrets);
  };
  model::Edit all;
  all.installation = model::Installation();
  all.installation->secrets = model::EngineSecrets{"admin", "replication"};
  all.users["alice"] = model::User{"alice",
                                   "Alice",
                                   model::UserStatus::kModifying,
                                   "valkey",
                                   "on ~'* (+get)",
                                   {hash, hash},
                                   false,
                                   tags,
                                   1};
  all.users["nobody"] =
      model::User{"nobody", "default", model::UserStatus::kActive, "redis", "off", {}, true, {}, 1};
  all.user_groups["ug"] = model::UserGroup{"ug",       model::UserGroupStatus::kModifying,
                                           "valkey",   {"default", "alice"},
                                           {"nobody"}, {"default"},
                                           tags,       1};
  commit(all, 1);
  model::Edit other;
  other.users["alice"] =
      model::User{"alice", "Alice", model::UserStatus::kDeleting, "valkey", "on", {}, true, {}, 2};
  other.user_groups["ug"] =
      model::UserGroup{"ug", model::UserGroupStatus::kActive, "valkey", {"default"}, {}, {}, {}, 2};
  commit(other, 2);
  model::Edit none;
  none.users["alice"] = std::nullopt;
  none.user_groups["ug"] = std::nullopt;
  commit(none, 3);
}

TEST_F(StoreTest, OnlyOneCanBeOpenOnADirectory) {
  ASSERT_TRUE(Open().ok());
  const Result<std::unique_ptr<Store>> second = OpenSqliteStore(dir_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().message(), "Another control plane is running on " + dir_ + ".");
  EXPECT_TRUE(store_->Commit(Step(1)).ok());
}

TEST_F(StoreTest, ADiskThatCannotBeWrittenRefusesAndRecovers) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(store_->Commit(Step(1)).ok());
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit tight = before;
  tight.rlim_cur = fs::file_size(DatabasePath() + "-wal") + 3000;
  setrlimit(RLIMIT_FSIZE, &tight);
  const Status refused = store_->Commit(Step(2));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(refused.fault(), Fault::kUnavailable);
  EXPECT_NE(refused.message().find("Nothing was changed."), std::string::npos);
  EXPECT_EQ(store_->Load()->revision, 1u);
  EXPECT_TRUE(store_->Commit(Step(2)).ok());
  EXPECT_EQ(store_->Load()->revision, 2u);
}

TEST_F(StoreTest, ADatabaseOfANewerProgramIsRefusedAndLeftAlone) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(store_->Commit(Step(1)).ok());
  store_.reset();
  {
    SQLite::Database db(DatabasePath(), SQLite::OPEN_READWRITE);
    db.exec("PRAGMA user_version = " + std::to_string(kSchemaVersion + 1));
  }
  const Status refused = Open();
  EXPECT_FALSE(refused.ok());
  EXPECT_NE(refused.message().find("newer"), std::string::npos) << refused.message();
}

TEST_F(StoreTest, AnOlderDatabaseIsCopiedAndMigrated) {
  {
    SQLite::Database db(DatabasePath(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    db.exec(std::string(MigrationFrom(0)));
    db.exec("PRAGMA application_id = " + std::to_string(kApplicationId));
    db.exec("PRAGMA user_version = 1");
    db.exec("UPDATE installation SET revision = 1, region = 'us-east-1'");
  }
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(store_->Load()->installation.region, "us-east-1");
  EXPECT_TRUE(store_->Commit(Step(2)).ok());
  store_.reset();
  SQLite::Database now(DatabasePath());
  EXPECT_EQ(now.execAndGet("PRAGMA user_version").getInt(), kSchemaVersion);
  SQLite::Database copy(DatabasePath() + ".v1.backup");
  EXPECT_EQ(copy.execAndGet("PRAGMA user_version").getInt(), 1);
  EXPECT_EQ(copy.execAndGet("SELECT region FROM installation").getString(), "us-east-1");
}

// What a control plane of version 4, before there were backups, had written itself.
TEST_F(StoreTest, AnInstallationOfVersion4GoesOn) {
  {
    SQLite::Database db(DatabasePath(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    for (int version = 0; version < 4; ++version) db.exec(std::string(MigrationFrom(version)));
    db.exec(ReadFile(EC_FIXTURE_DIR "/version4.sql").value());
    db.exec("PRAGMA application_id = " + std::to_string(kApplicationId));
    db.exec("PRAGMA user_version = 4");
  }
  const Status opened = Open();
  ASSERT_TRUE(opened.ok()) << opened.message();
  const model::Records records = *store_->Load();
  EXPECT_EQ(records.installation.clock.offset, Duration(0));
  EXPECT_TRUE(records.snapshots.empty());
  ASSERT_EQ(records.clusters.size(), 4u);
  for (const auto& [id, cluster] : records.clusters) {
    EXPECT_EQ(cluster.status, model::ClusterStatus::kAvailable) << id;
    EXPECT_EQ(cluster.seed, std::nullopt) << id;
    EXPECT_EQ(cluster.next_backup, std::nullopt) << id;
  }
  EXPECT_EQ(records.clusters.at("mem-a").members, (std::set<MemberId>{2, 3}));
  EXPECT_EQ(records.groups.at("g-a").leader, 5u);
  EXPECT_TRUE(records.members.at(8).in_sync);
  EXPECT_EQ(records.events.size(), 16u);

  model::Edit edit;
  edit.revision = records.revision + 1;
  edit.installation = records.installation;
  model::Cluster changed = records.clusters.at("cache-a");
  changed.status = model::ClusterStatus::kSnapshotting;
  changed.snapshot_retention = 35;
  edit.clusters.emplace(changed.id, changed);
  ASSERT_TRUE(store_->Commit(edit).ok());
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(store_->Load()->clusters.at("cache-a"), changed);
}

// Deleting a row must not read all rows of the tables that may point to it.
TEST_F(StoreTest, EveryForeignKeyIsFoundByAnIndex) {
  ASSERT_TRUE(Open().ok());
  store_.reset();
  SQLite::Database db(DatabasePath());
  for (const char* const lookup :
       {"SELECT 1 FROM member WHERE cluster = 'c'", "SELECT 1 FROM cluster_tag WHERE cluster = 'c'",
        "SELECT 1 FROM cluster_list WHERE cluster = 'c'", "SELECT 1 FROM member WHERE host = 'h'",
        "SELECT 1 FROM host_engine WHERE host = 'h'"}) {
    SQLite::Statement plan(db, std::string("EXPLAIN QUERY PLAN ") + lookup);
    ASSERT_TRUE(plan.executeStep());
    EXPECT_EQ(plan.getColumn(3).getString().find("SCAN"), std::string::npos)
        << lookup << ": " << plan.getColumn(3).getString();
  }
}

TEST_F(StoreTest, AFileOfSomebodyElseIsRefusedAndLeftAlone) {
  {
    SQLite::Database(DatabasePath(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
        .exec("CREATE TABLE t (x)");
  }
  const Status refused = Open();
  EXPECT_NE(refused.message().find("is not a database of emucache"), std::string::npos)
      << refused.message();
  std::ofstream(DatabasePath(), std::ios::trunc) << "this is a letter to somebody, not a database";
  EXPECT_NE(Open().message().find("is damaged or cannot be used"), std::string::npos);
  std::ifstream letter(DatabasePath());
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(letter), {}).substr(0, 16),
            "this is a letter");
}

// A damaged file is refused with a sentence, or the damage was in a place that holds nothing.
TEST_F(StoreTest, DamageIsFoundAtTheOpeningOrHarmless) {
  ASSERT_TRUE(Open().ok());
  for (uint64_t i = 1; i <= 200; ++i) ASSERT_TRUE(store_->Commit(Step(i)).ok());
  const model::Records sound = *store_->Load();
  store_.reset();  // the last connection puts everything into the one file
  std::ifstream in(DatabasePath(), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  in.close();
  sim::Random random(5);
  int refused = 0;
  for (int round = 0; round < 150; ++round) {
    std::string damaged = bytes;
    switch (round % 3) {
      case 0:  // a flipped bit
        damaged[static_cast<size_t>(random.Between(0, static_cast<int64_t>(bytes.size()) - 1))] ^=
            static_cast<char>(1 << random.Between(0, 7));
        break;
      case 1:  // a page of zeros
        damaged.replace(
            static_cast<size_t>(random.Between(0, static_cast<int64_t>(bytes.size() / 4096) - 1)) *
                4096,
            4096, 4096, '\0');
        break;
      default:  // cut short
        damaged.resize(
            static_cast<size_t>(random.Between(1, static_cast<int64_t>(bytes.size()) - 1)));
    }
    fs::remove(DatabasePath() + "-wal");
    fs::remove(DatabasePath() + "-shm");
    std::ofstream(DatabasePath(), std::ios::binary | std::ios::trunc) << damaged;
    const Status opened = Open();
    if (!opened.ok()) {
      ++refused;
      EXPECT_FALSE(opened.message().empty());
      continue;
    }
    const Result<model::Records> records = store_->Load();
    if (!records.ok()) {
      ++refused;
      continue;
    }
    // A flipped bit inside a text is beyond what the file's structure can tell; nothing may be lost
    // or invented, though.
    EXPECT_EQ(records->events.size(), sound.events.size()) << "round " << round;
    EXPECT_GE(records->node_types.size(), sound.node_types.size()) << "round " << round;
  }
  EXPECT_GT(refused, 50);
}

TEST_F(StoreTest, NothingAcknowledgedIsLostByKillNine) {
  sim::Random random(7);
  uint64_t acknowledged = 0;
  for (int round = 0; round < 30; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      Result<std::unique_ptr<Store>> store = OpenSqliteStore(dir_);
      if (!store.ok()) _exit(1);
      uint64_t revision = (*store)->Load()->revision;
      for (;;) {
        if (!(*store)->Commit(Step(revision + 1)).ok()) _exit(2);
        ++revision;
        if (write(ends[1], &revision, sizeof(revision)) < 0) _exit(3);
      }
    }
    close(ends[1]);
    const int64_t commits = random.Between(1, 60);
    for (int64_t i = 0; i < commits; ++i) {
      ASSERT_EQ(read(ends[0], &acknowledged, sizeof(acknowledged)), long{sizeof(acknowledged)});
    }
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    while (read(ends[0], &acknowledged, sizeof(acknowledged)) == long{sizeof(acknowledged)}) {
    }
    close(ends[0]);
    ASSERT_TRUE(Open().ok());
    const model::Records records = *store_->Load();
    EXPECT_GE(records.revision, acknowledged);
    EXPECT_LE(records.revision, acknowledged + 1);
    EXPECT_EQ(records.events.size(), records.revision);  // whole, or not at all
    store_.reset();
  }
}

}  // namespace
}  // namespace ec::store
