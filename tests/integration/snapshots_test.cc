// Backups of real engines: what comes back has everything, whatever died on the way, and what is
// damaged never comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/process.h"
#include "tests/integration/clients.h"
#include "tests/integration/installation.h"

namespace ec::integration {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr char kZone[] = "us-east-1a";

class SnapshotsTest : public InstallationTest {
 protected:
  InstallationOptions Options() override { return {.zones = {kZone}}; }

  v1::Endpoint EndpointOf(const std::string& cluster) {
    return installation().Describe(cluster)->cache_nodes(0).endpoint();
  }
  // Every type, several encodings of each, with and without a time to live.
  void Fill(const std::string& cluster) {
    RedisClient redis(EndpointOf(cluster));
    const char* script = R"lua(
      for i = 1, 300 do
        redis.call('SET', 's' .. i, string.rep('x', i))
        redis.call('RPUSH', 'l' .. i % 7, 'item' .. i)
        redis.call('SADD', 'ints', i)
        redis.call('SADD', 'words', 'word' .. i)
        redis.call('HSET', 'h' .. i % 3, 'field' .. i, 'value' .. i)
        redis.call('ZADD', 'z', i / 3, 'member' .. i)
        redis.call('XADD', 'stream', i .. '-1', 'field', i)
        redis.call('PFADD', 'hll', 'element' .. i)
      end
      redis.call('XGROUP', 'CREATE', 'stream', 'readers', '0')
      redis.call('SETBIT', 'bits', 1000, 1)
      redis.call('SET', 'binary', '\0\1\255')
      redis.call('PEXPIREAT', 's1', 4102444800123)
      redis.call('PEXPIREAT', 'z', 4102444801456)
      return redis.status_reply('FILLED'))lua";
    ASSERT_EQ(redis.Do({"EVAL", script, "0"}), "FILLED");
    ASSERT_EQ(redis.Do({"FUNCTION", "LOAD",
                        "#!lua name=lib\nredis.register_function('f', function() return 1 end)"}),
              "lib");
  }
  // Of all keys with their values and times to live: equal where the data are.
  static std::string DigestOf(const v1::Endpoint& endpoint) {
    RedisClient redis(endpoint);
    const char* script = R"lua(
      local keys = redis.call('KEYS', '*')
      table.sort(keys)
      local digest = ''
      for _, key in ipairs(keys) do
        local kind = redis.call('TYPE', key).ok
        local value
        if kind == 'set' then
          value = redis.call('SMEMBERS', key); table.sort(value)
        elseif kind == 'hash' then
          value = redis.call('HGETALL', key); table.sort(value)
        elseif kind == 'list' then value = redis.call('LRANGE', key, 0, -1)
        elseif kind == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
        elseif kind == 'stream' then value = redis.call('XRANGE', key, '-', '+')
        else value = {redis.call('GET', key)} end
        digest = redis.sha1hex(digest .. key .. kind .. cjson.encode(value) ..
                               redis.call('PEXPIRETIME', key))
      end
      return #keys .. ' ' .. digest)lua";
    return redis.Do({"EVAL", script, "0"});
  }
  grpc::Status Take(const std::string& name, const std::string& cluster) {
    v1::CreateSnapshotRequest request;
    request.set_snapshot_name(name);
    request.set_cache_cluster_id(cluster);
    v1::CreateSnapshotResponse response;
    grpc::ClientContext context;
    return installation().elasticache().CreateSnapshot(&context, request, &response);
  }
  std::optional<v1::Snapshot> Look(const std::string& name) {
    v1::DescribeSnapshotsRequest request;
    request.set_snapshot_name(name);
    v1::DescribeSnapshotsResponse response;
    grpc::ClientContext context;
    const grpc::Status status =
        installation().elasticache().DescribeSnapshots(&context, request, &response);
    if (!status.ok() || response.snapshots_size() != 1) return std::nullopt;
    return response.snapshots(0);
  }
  bool Becomes(const std::string& name, const std::string& status) {
    return WaitUntil([&] {
      const auto snapshot = Look(name);
      return snapshot && snapshot->snapshot_status() == status;
    });
  }
  grpc::Status Copy(const std::string& source, const std::string& target,
                    const std::string& bucket = "") {
    v1::CopySnapshotRequest request;
    request.set_source_snapshot_name(source);
    request.set_target_snapshot_name(target);
    if (!bucket.empty()) request.set_target_bucket(bucket);
    v1::CopySnapshotResponse response;
    grpc::ClientContext context;
    return installation().elasticache().CopySnapshot(&context, request, &response);
  }
  grpc::Status Restore(const std::string& snapshot, const std::string& cluster) {
    v1::CreateCacheClusterRequest request;
    request.set_cache_cluster_id(cluster);
    request.set_snapshot_name(snapshot);
    return installation().Create(request);
  }
  grpc::Status Seed(const std::string& arn, const std::string& cluster) {
    v1::CreateCacheClusterRequest request;
    request.set_cache_cluster_id(cluster);
    request.set_engine("redis");
    request.set_cache_node_type("cache.t3.micro");
    request.add_snapshot_arns(arn);
    return installation().Create(request);
  }
  std::vector<fs::path> FilesOf(const std::string& directory) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(installation().dir() + directory, error)) {
      files.push_back(entry.path());
    }
    return files;
  }
  fs::path OnlyRdb() {
    fs::path found;
    for (const fs::path& path : FilesOf("/snapshots")) {
      if (path.extension() == ".rdb") found = path;
    }
    return found;
  }
  std::string MakeBucket(const std::string& name) {
    const std::string path = installation().dir() + "/buckets/" + name;
    fs::create_directories(path);
    return path;
  }
};

TEST_F(SnapshotsTest, ARestoredClusterHasTheSameDataOfEveryTypeAndTheSameTimesToLive) {
  installation().MustCreate("orders", "redis");
  Fill("orders");
  const std::string digest = DigestOf(EndpointOf("orders"));
  ASSERT_TRUE(Take("nightly", "orders").ok());
  ASSERT_TRUE(Becomes("nightly", "available"));
  EXPECT_TRUE(installation().WaitForEvent(
      "orders",
      "Snapshot succeeded for snapshot with ID 'nightly' of cache cluster with ID 'orders'"));
  const v1::NodeSnapshot node = Look("nightly")->node_snapshots(0);
  EXPECT_EQ(std::to_string(node.key_count()), digest.substr(0, digest.find(' ')));
  EXPECT_EQ(static_cast<uintmax_t>(node.size_bytes()), fs::file_size(OnlyRdb()));
  // What comes later is not in it.
  ASSERT_EQ(RedisClient(EndpointOf("orders")).Do({"FLUSHALL"}), "OK");
  ASSERT_TRUE(Restore("nightly", "restored").ok());
  ASSERT_TRUE(installation().WaitForStatus("restored", "available"));
  EXPECT_EQ(DigestOf(EndpointOf("restored")), digest);
  EXPECT_EQ(RedisClient(EndpointOf("restored")).Do({"FCALL", "f", "0"}), "1");
  // A crash later begins anew, as ever: the snapshot is not a second start's business.
  const auto engine = installation().EngineOf("restored", "0001");
  ASSERT_TRUE(engine.has_value());
  SendSignal(OpenProcess(*engine), SIGKILL);
  ASSERT_TRUE(installation().WaitForEvent("restored", "Finished recovery for cache nodes 0001"));
  EXPECT_EQ(RedisClient(EndpointOf("restored")).Do({"DBSIZE"}), "0");
}

TEST_F(SnapshotsTest, AnExportIsAPlainFileThatComesBackBySeedingAndByImport) {
  installation().MustCreate("orders", "redis");
  Fill("orders");
  const std::string digest = DigestOf(EndpointOf("orders"));
  const std::string bucket = MakeBucket("backups");
  ASSERT_TRUE(Take("s", "orders").ok());
  ASSERT_TRUE(Becomes("s", "available"));
  ASSERT_TRUE(Copy("s", "out", "backups").ok());
  ASSERT_TRUE(Becomes("s", "available"));
  ASSERT_TRUE(fs::exists(bucket + "/out.rdb")) << Look("s")->trouble();
  ASSERT_TRUE(Seed("arn:aws:s3:::backups/out.rdb", "seeded").ok());
  ASSERT_TRUE(installation().WaitForStatus("seeded", "available"));
  EXPECT_EQ(DigestOf(EndpointOf("seeded")), digest);
  ASSERT_TRUE(Copy("arn:aws:s3:::backups/out.rdb", "imported").ok());
  ASSERT_TRUE(Becomes("imported", "available"));
  EXPECT_EQ(Look("imported")->node_snapshots(0).sha256(), Look("s")->node_snapshots(0).sha256());
  // What is not there, or leads out of the bucket, ends with a reason.
  fs::create_symlink("/etc/hostname", bucket + "/link.rdb");
  for (const std::string key : {"absent.rdb", "link.rdb"}) {
    const std::string id = "seed-" + key.substr(0, key.find('.'));
    ASSERT_TRUE(Seed("arn:aws:s3:::backups/" + key, id).ok());
    ASSERT_TRUE(installation().WaitForStatus(id, "restore-failed")) << id;
    EXPECT_THAT(installation().Events(id), Contains(HasSubstr("there is no object " + key)));
  }
  ASSERT_TRUE(Copy("s", "out", "no-such-bucket").ok());
  ASSERT_TRUE(Becomes("s", "available"));
  EXPECT_THAT(Look("s")->trouble(), HasSubstr("there is no bucket no-such-bucket"));
}

TEST_F(SnapshotsTest, ADamagedSnapshotIsNotLoadedAndNothingElseIsTouched) {
  installation().MustCreate("orders", "redis");
  Fill("orders");
  const std::string digest = DigestOf(EndpointOf("orders"));
  ASSERT_TRUE(Take("s", "orders").ok());
  ASSERT_TRUE(Becomes("s", "available"));
  {
    std::fstream file(OnlyRdb(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(200);
    file.put('!');
  }
  ASSERT_TRUE(Restore("s", "restored").ok());
  ASSERT_TRUE(installation().WaitForStatus("restored", "restore-failed"));
  EXPECT_THAT(installation().Events("restored"), Contains("Restore from s failed for node 0001"));
  EXPECT_THAT(installation().Events("restored"), Contains(HasSubstr("SHA-256")));
  EXPECT_EQ(installation().StatusOf("orders"), "available");
  EXPECT_EQ(DigestOf(EndpointOf("orders")), digest);
  EXPECT_TRUE(installation().Delete("restored").ok());
  EXPECT_TRUE(installation().WaitUntilGone("restored"));
}

TEST_F(SnapshotsTest, AnAgentThatDiesAtAnyStepDoesItAgainAndLeavesNothingBehind) {
  installation().MustCreate("orders", "redis");
  Fill("orders");
  const std::string digest = DigestOf(EndpointOf("orders"));
  int number = 0;
  for (const std::string site : {"snapshot-begun", "snapshot-written", "snapshot-checked",
                                 "snapshot-renamed", "snapshot-noted"}) {
    installation().agent(kZone).Kill9();
    setenv("EC_CRASH_AT", site.c_str(), 1);
    installation().StartAgent(kZone);
    unsetenv("EC_CRASH_AT");
    ASSERT_TRUE(installation().WaitForHosts());
    const std::string name = "s" + std::to_string(++number);
    ASSERT_TRUE(WaitUntil([&] { return Take(name, "orders").ok(); }));
    ASSERT_TRUE(installation().agent(kZone).Wait().has_value()) << site;
    installation().StartAgent(kZone);
    ASSERT_TRUE(Becomes(name, "available")) << site;
    ASSERT_TRUE(installation().WaitForStatus("orders", "available")) << site;
  }
  for (const fs::path& path : FilesOf("/snapshots")) EXPECT_NE(path.extension(), ".part") << path;
  EXPECT_EQ(FilesOf("/snapshots").size(), 2u * static_cast<size_t>(number));
  ASSERT_TRUE(Restore("s" + std::to_string(number), "restored").ok());
  ASSERT_TRUE(installation().WaitForStatus("restored", "available"));
  EXPECT_EQ(DigestOf(EndpointOf("restored")), digest);
}

TEST_F(SnapshotsTest, ThirtySixNightsTakeThirtySixBackupsAndTheClockIsKeptThroughARestart) {
  v1::CreateCacheClusterRequest request;
  request.set_cache_cluster_id("orders");
  request.set_engine("redis");
  request.set_cache_node_type("cache.t3.micro");
  request.set_snapshot_retention_limit(35);
  ASSERT_TRUE(installation().Create(request).ok());
  ASSERT_TRUE(installation().WaitForStatus("orders", "available"));
  v1::AdvanceClockRequest advance;
  advance.set_duration_ms(int64_t{36} * 24 * 3600 * 1000);
  grpc::ClientContext context;
  const auto reader = installation().emulator().AdvanceClock(&context, advance);
  v1::AdvanceClockResponse last;
  while (reader->Read(&last)) {
  }
  ASSERT_TRUE(reader->Finish().ok());
  EXPECT_TRUE(last.done());
  EXPECT_EQ(last.snapshots_taken(), 36);
  EXPECT_EQ(last.snapshots_expired(), 1);
  v1::DescribeSnapshotsRequest list;
  list.set_cache_cluster_id("orders");
  v1::DescribeSnapshotsResponse response;
  grpc::ClientContext list_context;
  ASSERT_TRUE(installation().elasticache().DescribeSnapshots(&list_context, list, &response).ok());
  EXPECT_EQ(response.snapshots_size(), 35);
  installation().control_plane().Kill9();
  ASSERT_TRUE(installation().StartControlPlane());
  v1::DescribeClockResponse clock;
  ASSERT_TRUE(WaitUntil([&] {
    grpc::ClientContext again;
    return installation().emulator().DescribeClock(&again, {}, &clock).ok();
  }));
  EXPECT_GE(clock.clock().time().seconds(), last.end().seconds());
}

}  // namespace
}  // namespace ec::integration
