// A full disk under the control plane: a small file system of the test's own, in a mount namespace
// of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "common/process.h"
#include "tests/integration/clients.h"
#include "tests/integration/installation.h"

namespace ec::integration {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// As root, or as the root of a user namespace of our own. Must happen before any thread is there.
bool EnterMountNamespace() {
  if (geteuid() == 0) return unshare(CLONE_NEWNS) == 0;
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << "0 " << uid << " 1";
  std::ofstream("/proc/self/gid_map") << "0 " << gid << " 1";
  return true;
}

bool MountSmallDisk(const std::string& dir) {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  return mount("tmpfs", dir.c_str(), "tmpfs", 0, "size=2m") == 0;
}

// Writes until nothing more fits.
void Fill(const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  const std::string block(1024, 'x');
  while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
  }
}

TEST(DiskFull, MutationsFailClearlyReadsWorkAndRoomIsAllThatIsNeeded) {
  std::string pattern = fs::temp_directory_path() / "ec-disk-XXXXXX";
  const std::string disk = mkdtemp(pattern.data());
  ASSERT_TRUE(MountSmallDisk(disk)) << std::strerror(errno);
  {
    Installation installation({.zones = {"us-east-1a"}, .control_plane_dir = disk + "/cp"});
    std::string why;
    ASSERT_TRUE(installation.StartControlPlane(&why)) << why;
    installation.StartAgent("us-east-1a");
    ASSERT_TRUE(installation.WaitForHosts());
    const v1::CacheCluster before = installation.MustCreate("cache-1", "redis");

    Fill(disk + "/ballast");
    grpc::Status refused;
    int accepted = 0;  // the database's file may have had a little room left of its own
    while (accepted < 200) {
      refused = installation.Create("more-" + std::to_string(accepted), "redis");
      if (!refused.ok()) break;
      ++accepted;
    }
    EXPECT_EQ(CodeOf(refused), "ServiceUnavailable");
    EXPECT_THAT(refused.error_message(), HasSubstr("Nothing was changed."));
    EXPECT_EQ(installation.StatusOf("more-" + std::to_string(accepted)), "");
    EXPECT_EQ(RedisClient(before.cache_nodes(0).endpoint()).Do({"PING"}), "PONG");
    EXPECT_EQ(installation.StatusOf("cache-1"), "available");

    fs::remove(disk + "/ballast");
    EXPECT_TRUE(WaitUntil([&] { return installation.Create("after", "redis").ok(); }));
    EXPECT_TRUE(installation.WaitForStatus("after", "available"));
    for (int i = 0; i < accepted; ++i) {
      EXPECT_TRUE(installation.WaitForStatus("more-" + std::to_string(i), "available"));
    }
  }
  EXPECT_EQ(umount2(disk.c_str(), MNT_DETACH), 0);
  fs::remove(disk);
}

TEST(DiskFull, ABackupFailsWithTheCauseAndWritesGoOn) {
  std::string pattern = fs::temp_directory_path() / "ec-disk-XXXXXX";
  const std::string disk = mkdtemp(pattern.data());
  ASSERT_TRUE(MountSmallDisk(disk)) << std::strerror(errno);
  {
    Installation installation(
        {.zones = {"us-east-1a"}, .agent_flags = {"--snapshots", disk + "/snapshots"}});
    ASSERT_TRUE(installation.StartControlPlane());
    installation.StartAgent("us-east-1a");
    ASSERT_TRUE(installation.WaitForHosts());
    const v1::CacheCluster cluster = installation.MustCreate("cache-1", "redis");
    RedisClient redis(cluster.cache_nodes(0).endpoint());
    ASSERT_EQ(redis.Do({"SET", "key", std::string(100'000, 'x')}), "OK");
    Fill(disk + "/ballast");
    const auto take = [&](const std::string& name) {
      v1::CreateSnapshotRequest request;
      request.set_snapshot_name(name);
      request.set_cache_cluster_id("cache-1");
      v1::CreateSnapshotResponse response;
      grpc::ClientContext context;
      return installation.elasticache().CreateSnapshot(&context, request, &response).ok();
    };
    ASSERT_TRUE(take("full"));
    EXPECT_TRUE(WaitUntil([&] {
      const auto events = installation.Events("cache-1");
      return !events.empty() && events.back().find("No space left") != std::string::npos;
    }));
    EXPECT_TRUE(installation.WaitForStatus("cache-1", "available"));
    EXPECT_EQ(redis.Do({"SET", "after", "1"}), "OK");
    EXPECT_EQ(
        fs::exists(disk + "/snapshots")
            ? std::distance(fs::directory_iterator(disk + "/snapshots"), fs::directory_iterator())
            : 0,
        0);
    fs::remove(disk + "/ballast");
    EXPECT_TRUE(take("again"));
    EXPECT_TRUE(installation.WaitForEvent(
        "cache-1",
        "Snapshot succeeded for snapshot with ID 'again' of cache cluster with ID "
        "'cache-1'"));
  }
  EXPECT_EQ(umount2(disk.c_str(), MNT_DETACH), 0);
  fs::remove(disk);
}

}  // namespace
}  // namespace ec::integration

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (!ec::integration::EnterMountNamespace()) {
    std::fprintf(stderr, "no mount namespace: %s\n", std::strerror(errno));
    return 1;
  }
  return RUN_ALL_TESTS();
}
