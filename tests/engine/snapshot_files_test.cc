// Snapshot files: what is damaged is never taken for sound, and what fails leaves nothing behind.
#include "nodeagent/engine/snapshot_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "common/process.h"
#include "nodeagent/engine/programs.h"
#include "nodeagent/engine/rdb_check.h"
#include "nodeagent/engine/redis_talk.h"
#include "nodeagent/engine/sha256.h"
#include "tests/endpoint/support.h"

namespace ec::engine {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr SnapshotFile kFile = 7;

std::string RedisProgram() { return FindPrograms("").at(EngineKind::kRedis).path; }

// An RDB file with every type in it, made once by a redis-server of our own.
class RealRdb {
 public:
  RealRdb() {
    std::string pattern = fs::temp_directory_path() / "ec-rdb-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    std::vector<std::string> words = {"redis-server", "--port",    "0",         "--unixsocket",
                                      "engine.sock",  "--save",    "",          "--dir",
                                      directory_,     "--logfile", "engine.log"};
    words[4] = directory_ + "/engine.sock";
    words[10] = directory_ + "/engine.log";
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t pid = 0;
    EXPECT_EQ(
        posix_spawn(&pid, RedisProgram().c_str(), nullptr, nullptr, arguments.data(), environ), 0);
    RedisTalk talk(words[4]);
    const auto ask = [&](const std::string& command) {
      EXPECT_TRUE(endpoint::Eventually([&] {
        return talk.Ask(command, std::chrono::seconds(5)).ok();
      })) << command;
    };
    ask("PING");
    for (int i = 0; i < 40; ++i) {
      const std::string n = std::to_string(i);
      ask("SET s" + n + " value" + n);
      ask("RPUSH l a" + n);
      ask("SADD t a" + n);
      ask("HSET h f" + n + " " + n);
      ask("ZADD z " + n + " a" + n);
      ask("XADD x " + std::to_string(i + 1) + "-1 f " + n);
    }
    ask("PEXPIREAT s1 4102444800123");
    ask("SAVE");
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    bytes = ReadFile(directory_ + "/dump.rdb").value_or("");
  }
  ~RealRdb() { fs::remove_all(directory_); }
  std::string bytes;

 private:
  std::string directory_;
};

const std::string& Sound() {
  static const RealRdb rdb;
  return rdb.bytes;
}

std::string DigestOf(const std::string& bytes) {
  Sha256 sha;
  sha.Add(bytes.data(), bytes.size());
  return sha.Finish();
}

class SnapshotFilesTest : public ::testing::Test {
 protected:
  SnapshotFilesTest() {
    std::string pattern = fs::temp_directory_path() / "ec-files-XXXXXX";
    dir_ = mkdtemp(pattern.data());
    fs::create_directories(dir_ + "/buckets/bucket");
  }
  ~SnapshotFilesTest() override { fs::remove_all(dir_); }
  void Write(const std::string& path, const std::string& bytes) {
    std::ofstream(dir_ + path, std::ios::binary) << bytes;
  }
  SnapshotFiles Files(const std::string& host = "host-a") {
    return SnapshotFiles({dir_ + "/snapshots", dir_ + "/buckets", host, RedisProgram()});
  }
  size_t Count(const std::string& directory) {
    std::error_code error;
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(dir_ + directory, error), fs::directory_iterator()));
  }
  ec::Seed Seed(SnapshotFile file) {
    return {.file = file, .sha256 = DigestOf(Sound()), .name = "s", .memory_max = 1 << 30};
  }
  ec::Seed Object(const std::string& key) {
    return {.bucket = "bucket", .key = key, .name = key, .memory_max = 1 << 30};
  }

  std::string dir_;
};

// Cut off, with flipped bits, overwritten, doubled, emptied: each differs from what it was.
std::string Damaged(const std::string& sound, uint32_t seed) {
  std::mt19937 dice(seed);
  const auto below = [&](size_t n) { return static_cast<size_t>(dice() % n); };
  std::string bytes = sound;
  switch (seed % 6) {
    case 0:
      bytes.resize(below(bytes.size()));
      break;
    case 1:
      bytes[below(bytes.size())] ^= static_cast<char>(1 << below(8));
      break;
    case 2:
      for (size_t i = below(bytes.size()), n = 0; i < bytes.size() && n < 16; ++i, ++n) {
        bytes[i] = static_cast<char>(bytes[i] + 1 + static_cast<char>(below(200)));
      }
      break;
    case 3:
      bytes.erase(below(bytes.size() - 1), 1 + below(8));
      break;
    case 4:
      bytes.insert(9 + below(bytes.size() - 9), 1 + below(8), static_cast<char>(dice()));
      break;
    default:
      bytes.resize(bytes.size() - 8);  // a checksum of zero is no checksum
      bytes[9 + below(bytes.size() - 9)] ^= 0x10;
      bytes += std::string(8, '\0');
  }
  return bytes;
}

TEST_F(SnapshotFilesTest, NoneOfFiveHundredDamagesIsLoaded) {
  Write("/data", Sound());
  ASSERT_TRUE(Files().TakeIn(kFile, dir_ + "/data", {}).ok());
  int damages = 0;
  for (uint32_t seed = 0; damages < 500; ++seed) {
    const std::string bytes = Damaged(Sound(), seed);
    if (bytes == Sound()) continue;
    ++damages;
    Write("/snapshots/7.rdb", bytes);
    EXPECT_FALSE(Files().PlaceSeed(Seed(kFile), dir_ + "/seed.rdb").ok()) << seed;
    ASSERT_FALSE(fs::exists(dir_ + "/seed.rdb")) << seed;
  }
  Write("/snapshots/7.rdb", Sound());
  EXPECT_TRUE(Files().PlaceSeed(Seed(kFile), dir_ + "/seed.rdb").ok());
}

// Of a user's file nothing is known but what is in it: its own checksum tells.
TEST_F(SnapshotFilesTest, NoDamagedFileOfAUserIsLoaded) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    if (seed % 6 == 5) continue;  // without a checksum, changed values are values
    const std::string bytes = Damaged(Sound(), seed);
    if (bytes == Sound()) continue;
    Write("/buckets/bucket/key", bytes);
    EXPECT_FALSE(Files().PlaceSeed(Object("key"), dir_ + "/seed.rdb").ok()) << seed;
    EXPECT_FALSE(fs::exists(dir_ + "/seed.rdb")) << seed;
  }
  Write("/buckets/bucket/key", Sound());
  EXPECT_TRUE(Files().PlaceSeed(Object("key"), dir_ + "/seed.rdb").ok());
}

TEST_F(SnapshotFilesTest, ForeignFilesAreRefusedForWhatTheyAre) {
  const auto refusal = [&](const std::string& bytes) {
    Write("/buckets/bucket/key", bytes);
    return Files().Import(kFile, "bucket", "key", {}).status().message();
  };
  EXPECT_THAT(refusal(""), HasSubstr("empty"));
  EXPECT_THAT(refusal("\x7f"
                      "ELF and so on"),
              HasSubstr("no RDB file"));
  EXPECT_THAT(refusal("REDIS00x1" + Sound().substr(9)), HasSubstr("no RDB file"));
  EXPECT_THAT(refusal("REDIS9999" + Sound().substr(9)), HasSubstr("version"));
  ec::Seed small = Object("key");
  small.memory_max = 100;
  Write("/buckets/bucket/key", Sound());
  EXPECT_THAT(Files().PlaceSeed(small, dir_ + "/seed.rdb").message(), HasSubstr("larger"));
  EXPECT_EQ(Count("/snapshots"), 0u);
}

TEST_F(SnapshotFilesTest, ObjectsAreReachedInsideTheirBucketOnly) {
  Write("/secret", Sound());
  fs::create_symlink(dir_ + "/secret", dir_ + "/buckets/bucket/link");
  fs::create_directory_symlink(dir_, dir_ + "/buckets/out");
  EXPECT_FALSE(Files().Import(kFile, "bucket", "link", {}).ok());
  EXPECT_FALSE(Files().Import(kFile, "bucket", "../../secret", {}).ok());
  EXPECT_FALSE(Files().Import(kFile, "out", "secret", {}).ok());
  EXPECT_FALSE(Files().Import(kFile, "..", "secret", {}).ok());
  fs::create_directory(dir_ + "/buckets/bucket/directory");
  EXPECT_FALSE(Files().Import(kFile, "bucket", "directory", {}).ok());
}

TEST_F(SnapshotFilesTest, FactsAreThoseOfTheFile) {
  Write("/data", Sound());
  const Result<SnapshotFacts> facts = Files().TakeIn(kFile, dir_ + "/data", {});
  ASSERT_TRUE(facts.ok()) << facts.status().message();
  EXPECT_EQ(facts->bytes, static_cast<int64_t>(Sound().size()));
  EXPECT_EQ(facts->keys, 45);
  EXPECT_EQ(facts->sha256, DigestOf(Sound()));
  EXPECT_GT(facts->memory_bytes, facts->bytes);
  EXPECT_FALSE(facts->engine_version.empty());
  EXPECT_EQ(Files("host-b").Find(kFile), *facts);
}

TEST_F(SnapshotFilesTest, ACopyAndAnExportAreMadeOfASoundFileOnly) {
  Write("/data", Sound());
  ASSERT_TRUE(Files().TakeIn(kFile, dir_ + "/data", {}).ok());
  const std::string digest = DigestOf(Sound());
  EXPECT_TRUE(Files().Copy(8, kFile, digest, {}).ok());
  EXPECT_TRUE(Files().Export(kFile, digest, "bucket", "out.rdb", {}).ok());
  EXPECT_EQ(ReadFile(dir_ + "/buckets/bucket/out.rdb"), Sound());
  std::string bytes = Sound();
  bytes[50] ^= 1;
  Write("/snapshots/7.rdb", bytes);
  EXPECT_THAT(Files().Copy(9, kFile, digest, {}).status().message(), HasSubstr("damaged"));
  EXPECT_THAT(Files().Export(kFile, digest, "bucket", "bad.rdb", {}).message(),
              HasSubstr("damaged"));
  EXPECT_EQ(Count("/buckets/bucket"), 1u);
  ASSERT_TRUE(Files().Drop(kFile).ok());
  ASSERT_TRUE(Files().Drop(8).ok());
  EXPECT_TRUE(Files().Drop(8).ok());
  EXPECT_EQ(Count("/snapshots"), 0u);
}

TEST_F(SnapshotFilesTest, WhatIsGivenUpLeavesNothing) {
  Write("/data", Sound());
  EXPECT_FALSE(Files().TakeIn(kFile, dir_ + "/data", [](int) { return false; }).ok());
  EXPECT_EQ(Count("/snapshots"), 0u);
  Write("/snapshots/7.host-a.part", "left by an earlier agent");
  Write("/snapshots/7.host-b.part", "another's");
  Files().Sweep();
  EXPECT_EQ(Count("/snapshots"), 1u);
}

TEST(RdbCheck, SaysWhyAFileIsNotSound) {
  EXPECT_THAT(ParseRdbCheck("--- RDB ERROR DETECTED ---\n[offset 9] Unexpected EOF reading RDB "
                            "file\n[additional info]\n",
                            false)
                  .status()
                  .message(),
              HasSubstr("Unexpected EOF"));
  EXPECT_FALSE(ParseRdbCheck("", true).ok());
}

}  // namespace
}  // namespace ec::engine
