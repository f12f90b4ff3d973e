// What an installation's files say, and which processes they mean.
#include "cli/installation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/cli/support.h"

namespace ec::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Installation Sample() {
  Installation sample;
  sample.region = "us-east-1";
  sample.account = "000000000000";
  sample.zones = {"us-east-1a", "us-east-1b"};
  sample.grpc_address = "127.0.0.1:7379";
  sample.http_address = "127.0.0.1:7380";
  sample.credentials = "/tmp/keys";
  sample.allow_hosts = {"cache.local", "emucache"};
  sample.strict_versions = true;
  sample.localhost_instance = false;
  sample.region_nodes_max = 7;
  sample.members_max = 100;
  sample.log_level = "info";
  sample.carry = "relay";
  sample.memcached_carry = "relay";
  sample.deny = "drop";
  sample.advertise = "cache.local";
  sample.listen_ip = "0.0.0.0";
  sample.ports = "7000-7100";
  sample.netns = "ec-123456";
  return sample;
}

TEST(InstallationFile, IsReadAsItWasWritten) {
  const TempDir dir;
  for (Installation written : {Sample(), [] {
                                 Installation unknown = Sample();
                                 unknown.grpc_address.reset();
                                 unknown.http_address.reset();
                                 unknown.credentials.reset();
                                 unknown.allow_hosts.clear();
                                 unknown.region_nodes_max.reset();
                                 unknown.carry.reset();
                                 unknown.memcached_carry.reset();
                                 unknown.deny.reset();
                                 unknown.advertise.reset();
                                 unknown.listen_ip.reset();
                                 unknown.ports.reset();
                                 return unknown;
                               }()}) {
    ASSERT_TRUE(WriteInstallation(dir.path(), written).ok());
    std::optional<Installation> read;
    ASSERT_TRUE(ReadInstallation(dir.path(), &read).ok());
    EXPECT_EQ(read, written);
  }
  struct stat file = {};
  ASSERT_EQ(stat(InstallationFile(dir.path()).c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
}

TEST(InstallationFile, ThatIsMissingIsNoErrorButADamagedOneIs) {
  const TempDir dir;
  std::optional<Installation> read = Sample();
  EXPECT_TRUE(ReadInstallation(dir.path(), &read).ok());
  EXPECT_FALSE(read);
  EXPECT_TRUE(ReadInstallation(dir.path() + "/nowhere", &read).ok());
  for (const char* text : {"", "{", "[]", "{\"region\": 5}", "{\"version\": 99}"}) {
    WriteAll(InstallationFile(dir.path()), text);
    EXPECT_EQ(ReadInstallation(dir.path(), &read).exit, ExitCode::kRefused) << text;
    EXPECT_FALSE(read);
  }
}

TEST(Records, OfTheWrongFormAreNoRecords) {
  const TempDir dir;
  ASSERT_TRUE(MakeDirectory(ControlPlaneDirectory(dir.path())).ok());
  const std::string path = ControlPlaneDirectory(dir.path()) + "/controlplane.json";
  EXPECT_FALSE(ReadControlPlane(dir.path()));
  for (const char* text : {"", "{\"pid\": \"1\"}", "{\"pid\": 1, \"start_time\": 2}"}) {
    WriteAll(path, text);
    EXPECT_FALSE(ReadControlPlane(dir.path())) << text;
  }
  WriteAll(path, "{\"pid\": 12, \"start_time\": 345, \"address\": \"127.0.0.1:1\"}");
  const std::optional<ControlPlaneRecord> record = ReadControlPlane(dir.path());
  ASSERT_TRUE(record);
  EXPECT_EQ(record->process, (ProcessId{12, 345}));
  EXPECT_EQ(record->address, "127.0.0.1:1");
}

TEST(Hosts, AreTheDirectoriesInOrder) {
  const TempDir dir;
  EXPECT_THAT(HostsOnDisk(dir.path()), ElementsAre());
  for (const char* host : {"b", "a"}) {
    ASSERT_TRUE(MakeDirectory(HostDirectory(dir.path(), host)).ok());
  }
  WriteAll(HostsDirectory(dir.path()) + "/file", "");
  EXPECT_THAT(HostsOnDisk(dir.path()), ElementsAre("a", "b"));
}

TEST(Directories, AreOnlyForTheirOwner) {
  const TempDir dir;
  ASSERT_TRUE(MakeDirectory(dir.path() + "/x/y").ok());
  struct stat made = {};
  ASSERT_EQ(stat((dir.path() + "/x").c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 0777, 0700u);
  WriteAll(dir.path() + "/file", "");
  EXPECT_THAT(MakeDirectory(dir.path() + "/file/y").message, HasSubstr("Not a directory"));
}

TEST(Process, IsOpenedOnlyWhenItsStartIsTheRecordedOne) {
  const std::optional<uint64_t> start = StartTimeOf(getpid());
  ASSERT_TRUE(start);
  EXPECT_TRUE(OpenProcess({getpid(), *start}));
  EXPECT_FALSE(OpenProcess({getpid(), *start + 1}));
  EXPECT_FALSE(OpenProcess({0, 0}));
  EXPECT_FALSE(OpenProcess({-1, *start}));
}

TEST(Process, ThatIsAZombieHasEnded) {
  const pid_t pid = fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) _exit(0);
  EXPECT_TRUE(Eventually([&] { return !StartTimeOf(pid); }));
  waitpid(pid, nullptr, 0);
}

TEST(Background, ProcessHasItsOwnSessionAndNothingOfOurs) {
  const TempDir dir;
  const std::string out = dir.path() + "/out";
  WriteAll(out, "earlier words\n");
  Child child;
  ASSERT_TRUE(StartInBackground({"/bin/sh", "-c",
                                 "read line; n=0; while [ $n -lt 32 ]; do "
                                 "[ -e /proc/$$/fd/$n ] && printf '%s ' $n; n=$((n + 1)); done; "
                                 "pwd; cut -d' ' -f6 /proc/$$/stat; echo last words >&2; exit 7"},
                                out, &child)
                  .ok());
  const SystemClock clock;
  ASSERT_TRUE(AwaitEnd(child.pidfd, clock.now().instant + std::chrono::seconds(10)));
  EXPECT_EQ(ExitOf(child), 7);
  EXPECT_EQ(LastWords(child), "last words");
  EXPECT_EQ(ReadAll(out),
            "earlier words\n0 1 2 /\n" + std::to_string(child.process.pid) + "\nlast words\n");
}

TEST(Background, ProgramThatIsMissingIsNamed) {
  const TempDir dir;
  Child child;
  const Outcome outcome = StartInBackground({dir.path() + "/none"}, dir.path() + "/out", &child);
  EXPECT_EQ(outcome.exit, ExitCode::kRefused);
  EXPECT_THAT(outcome.message, HasSubstr(dir.path() + "/none: No such file or directory"));
}

}  // namespace
}  // namespace ec::cli
