// `ecctl up`, `down`, `status` and `env`, with daemons that keep the contract and do nothing else.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/installation.h"
#include "common/check.h"
#include "common/netns.h"
#include "tests/cli/support.h"

namespace ec::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class UpDown : public testing::Test {
 protected:
  // Daemons whose ecctl has ended become children of the test, which so sees and reaps them all.
  static void SetUpTestSuite() { prctl(PR_SET_CHILD_SUBREAPER, 1); }

  ~UpDown() override {
    for (const ProcessId& process : Daemons()) {
      if (const UniqueFd pidfd = OpenProcess(process); pidfd) SendSignal(pidfd, SIGKILL);
    }
    // Nothing may be left: not of the test, and not by ecctl.
    EXPECT_TRUE(Eventually([] { return waitpid(-1, nullptr, WNOHANG) < 0; }));
  }

  const std::string& dir() const { return dir_.path(); }

  Environment With(const Environment& more) const {
    Environment environment = {{"EC_BIN_DIR", FakeDaemons()}, {"EC_DIR", dir()}};
    for (const auto& [name, value] : more) environment[name] = value;
    return environment;
  }
  Ended Run(const std::vector<std::string>& words, const Environment& more = {}) const {
    return Ecctl(words, With(more));
  }

  std::vector<ProcessId> Daemons() const {
    std::vector<ProcessId> processes;
    if (const auto record = ReadControlPlane(dir())) processes.push_back(record->process);
    for (const std::string& host : HostsOnDisk(dir())) {
      if (const auto record = ReadAgent(HostDirectory(dir(), host))) {
        processes.push_back(record->process);
      }
    }
    return processes;
  }

  int RunningDaemons() const {
    int count = 0;
    for (const ProcessId& process : Daemons()) count += OpenProcess(process) ? 1 : 0;
    return count;
  }

  json Status() const { return json::parse(Run({"status", "-o", "json"}).out); }

  std::string Agent(const std::string& zone, const std::string& file) const {
    return HostDirectory(dir(), zone) + "/" + file;
  }

  const TempDir dir_;
};

// A port that somebody listens on.
class TakenPort {
 public:
  TakenPort() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(name);
    EC_CHECK(bind(socket_.get(), reinterpret_cast<sockaddr*>(&name), size) == 0);
    EC_CHECK(listen(socket_.get(), 1) == 0);
    EC_CHECK(getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0);
    port_ = std::to_string(ntohs(name.sin_port));
  }
  const std::string& port() const { return port_; }
  void Free() { socket_.reset(); }

 private:
  UniqueFd socket_;
  std::string port_;
};

TEST_F(UpDown, StartsEverythingAndStopsItAgain) {
  const Ended up = Run({"up"});
  ASSERT_EQ(up.exit, 0) << up.err;
  EXPECT_THAT(up.out, HasSubstr("The emulator is up."));
  EXPECT_THAT(up.out, HasSubstr("eval \"$(ecctl --dir " + dir() + " env)\""));
  EXPECT_THAT(up.err, HasSubstr("control plane    ready at 127.0.0.1:"));
  EXPECT_THAT(up.err, HasSubstr("host us-east-1c  ready"));
  EXPECT_EQ(RunningDaemons(), 4);

  const Ended down = Run({"down"});
  EXPECT_EQ(down.exit, 0) << down.err;
  EXPECT_THAT(down.out, HasSubstr("is stopped; its data is kept"));
  EXPECT_EQ(RunningDaemons(), 0);
  EXPECT_FALSE(fs::exists(Agent("us-east-1a", "engines")));
  EXPECT_TRUE(fs::exists(InstallationFile(dir())));
}

TEST_F(UpDown, GivesTheDaemonsWhatTheContractSays) {
  ASSERT_EQ(Run({"up",
                 "--zones",
                 "eu-west-1a",
                 "--region",
                 "eu-west-1",
                 "--account",
                 "123456789012",
                 "--strict-versions",
                 "--region-nodes-max",
                 "50",
                 "--members-max",
                 "7",
                 "--log-level",
                 "debug",
                 "--carry",
                 "hand-over",
                 "--memcached-carry",
                 "relay",
                 "--deny",
                 "drop",
                 "--no-localhost-instance"})
                .exit,
            0);
  const Ended again = Run({"up", "--zones", "eu-west-1a"});
  EXPECT_EQ(again.exit, 0) << "the region is the recorded one: " << again.err;
  const std::string control_plane = ControlPlaneDirectory(dir());
  EXPECT_EQ(
      ReadAll(control_plane + "/argv"),
      fmt::format("--dir {0} --listen 127.0.0.1:0 --http-listen 127.0.0.1:0 --region eu-west-1 "
                  "--account 123456789012 "
                  "--log-level debug --log-file {0}/controlplane.log --deny drop --strict-versions "
                  "--region-nodes-max 50 --no-localhost-instance",
                  control_plane));
  const std::string host = HostDirectory(dir(), "eu-west-1a");
  EXPECT_EQ(ReadAll(host + "/argv"),
            fmt::format("--dir {0} --host eu-west-1a --zone eu-west-1a --control-plane {1} "
                        "--members-max 7 --log-level debug --log-file {0}/agent.log "
                        "--snapshots {2}/snapshots --buckets {2}/buckets "
                        "--carry hand-over --memcached-carry relay --deny drop",
                        host, ReadControlPlane(dir())->address, dir()));
  const json recorded = json::parse(ReadAll(InstallationFile(dir())));
  EXPECT_EQ(recorded["grpc_address"], ReadControlPlane(dir())->address);
  EXPECT_EQ(recorded["version"], 1);
  for (const std::string& path : {dir() + "/controlplane", dir() + "/hosts", host}) {
    struct stat made = {};
    ASSERT_EQ(stat(path.c_str(), &made), 0);
    EXPECT_EQ(made.st_mode & 0777, 0700u) << path;
  }
  EXPECT_EQ(Run({"down"}).exit, 0);
}

TEST_F(UpDown, DownRemovesTheNetworkNamespacesOfThisInstallationAlone) {
  const UniqueFd space = MakeNetns();
  if (!space) GTEST_SKIP() << "no network namespaces here: " << std::strerror(errno);
  ASSERT_EQ(Run({"up", "--netns", "--zones", "us-east-1a"}).exit, 0);
  const std::string prefix = NetnsPrefix(dir());
  EXPECT_THAT(ReadAll(ControlPlaneDirectory(dir()) + "/argv"), HasSubstr("--netns " + prefix));
  EXPECT_THAT(ReadAll(HostDirectory(dir(), "us-east-1a") + "/argv"),
              HasSubstr("--netns " + prefix));
  const std::string own = NetnsName(prefix, "i-web");
  const std::string other = NetnsName(NetnsPrefix(dir() + "/other"), "i-web");
  ASSERT_TRUE(NameNetns(space.get(), own) && NameNetns(space.get(), other));
  EXPECT_EQ(Run({"down"}).exit, 0);
  EXPECT_FALSE(InodeOfNetns(own));
  EXPECT_TRUE(InodeOfNetns(other));
  EXPECT_TRUE(UnnameNetns(other));
}

TEST_F(UpDown, LeavesAloneWhatRuns) {
  ASSERT_EQ(Run({"up"}).exit, 0);
  const std::vector<ProcessId> before = Daemons();
  const Ended again = Run({"up"});
  EXPECT_EQ(again.exit, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("control plane    already running"));
  EXPECT_THAT(again.err, HasSubstr("host us-east-1b  already running"));
  EXPECT_EQ(Daemons(), before);
  EXPECT_EQ(Run({"down"}).exit, 0);
}

TEST_F(UpDown, StartsAgainWhatHasDiedAtTheSameAddress) {
  ASSERT_EQ(Run({"up"}).exit, 0);
  const std::vector<ProcessId> before = Daemons();
  for (const size_t killed : {size_t{0}, size_t{2}}) {
    const UniqueFd pidfd = OpenProcess(before[killed]);
    ASSERT_TRUE(pidfd);
    SendSignal(pidfd, SIGKILL);
    ASSERT_TRUE(Eventually([&] { return !OpenProcess(before[killed]); }));
  }
  const std::string address = ReadControlPlane(dir())->address;
  EXPECT_EQ(Run({"status"}).exit, 3);
  const Ended up = Run({"up"});
  EXPECT_EQ(up.exit, 0) << up.err;
  const std::vector<ProcessId> after = Daemons();
  ASSERT_EQ(after.size(), before.size());
  EXPECT_NE(after[0], before[0]);
  EXPECT_EQ(after[1], before[1]);
  EXPECT_NE(after[2], before[2]);
  EXPECT_EQ(after[3], before[3]);
  EXPECT_EQ(ReadControlPlane(dir())->address, address);
  EXPECT_EQ(Run({"status"}).exit, 0);
  EXPECT_EQ(Run({"down"}).exit, 0);
}

TEST_F(UpDown, KeepsTheSettingsOfTheFirstStart) {
  ASSERT_EQ(Run({"up", "--zones", "us-east-1a"}).exit, 0);
  const std::string address = ReadControlPlane(dir())->address;
  const std::string port = address.substr(address.rfind(':') + 1);
  EXPECT_EQ(Run({"up", "--port", port, "--zones", "us-east-1a", "--region", "us-east-1"}).exit, 0);
  const std::map<std::string, std::string> changes = {
      {"--port", "1"},        {"--zones", "us-east-1b"},      {"--region", "eu-west-1"},
      {"--members-max", "1"}, {"--account", "111111111111"},  {"--log-level", "error"},
      {"--carry", "relay"},   {"--memcached-carry", "relay"}, {"--region-nodes-max", "4"},
      {"--deny", "drop"}};
  for (const auto& [option, value] : changes) {
    const Ended refused = Run({"up", option, value});
    EXPECT_NE(refused.exit, 0) << option;
    EXPECT_THAT(refused.err, HasSubstr("was made with")) << option;
    EXPECT_THAT(refused.err, HasSubstr(option));
  }
  EXPECT_THAT(Run({"up", "--strict-versions"}).err, HasSubstr("without --strict-versions"));
  EXPECT_THAT(Run({"up", "--no-localhost-instance"}).err, HasSubstr("with i-localhost"));
  EXPECT_THAT(Run({"up", "--netns"}).err, HasSubstr("without --netns"));
  EXPECT_EQ(Run({"down"}).exit, 0);
}

TEST_F(UpDown, RefusesNamesThatAreNone) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"up", "--zones", "us-east-1a,us-east-1a"},
                                             {"up", "--zones", "../x"},
                                             {"up", "--zones", "eu-west-1a"},
                                             {"up", "--region", "US"},
                                             {"up", "--account", "12"}}) {
    EXPECT_EQ(Run(words).exit, 2) << words.back();
  }
  EXPECT_FALSE(fs::exists(InstallationFile(dir())));
}

TEST_F(UpDown, NamesAPortThatIsInUseAndLetsAnotherBeChosen) {
  TakenPort taken;
  const Ended refused = Run({"up", "--port", taken.port()});
  EXPECT_EQ(refused.exit, 1);
  EXPECT_THAT(refused.err, HasSubstr("port " + taken.port() + " is in use"));
  EXPECT_EQ(RunningDaemons(), 0);
  const Ended up = Run({"up", "--port", "0"});
  EXPECT_EQ(up.exit, 0) << up.err;
  EXPECT_EQ(Run({"down"}).exit, 0);
  // From now on the port is recorded, and another program may have taken it meanwhile.
  const json recorded = json::parse(ReadAll(InstallationFile(dir())));
  EXPECT_NE(recorded["grpc_address"], "127.0.0.1:" + taken.port());
}

TEST_F(UpDown, TellsWhyADaemonCouldNotStart) {
  const Ended control_plane =
      Run({"up"}, {{"FAKE_CONTROLPLANE_FAILS", "the database is from the future"}});
  EXPECT_EQ(control_plane.exit, 1);
  EXPECT_THAT(control_plane.err, HasSubstr("the control plane could not start (exit code 1): the "
                                           "database is from the future"));
  const Ended agent = Run({"up"}, {{"FAKE_AGENT_FAILS", "redis-server is not installed"}});
  EXPECT_EQ(agent.exit, 1);
  EXPECT_THAT(agent.err, HasSubstr("the agent of host us-east-1"));
  EXPECT_THAT(agent.err, HasSubstr("could not start (exit code 1): redis-server is not installed"));
  EXPECT_EQ(Run({"down"}).exit, 0);
}

TEST_F(UpDown, NamesAProgramThatIsMissing) {
  const TempDir empty;
  const Ended ended = Run({"up"}, {{"EC_BIN_DIR", empty.path()}});
  EXPECT_EQ(ended.exit, 1);
  EXPECT_THAT(ended.err, HasSubstr("cannot run " + empty.path() + "/ec-controlplane"));
}

TEST_F(UpDown, StopsWhatIsNotReadyInTime) {
  const Ended first = Run({"up", "--timeout", "1s"}, {{"FAKE_CONTROLPLANE_HANGS", "1"}});
  EXPECT_EQ(first.exit, 4);
  EXPECT_THAT(first.err, HasSubstr("the control plane is not ready in time"));
  const pid_t hung = std::stoi(ReadAll(dir() + "/controlplane/hangs"));
  EXPECT_FALSE(StartTimeOf(hung));

  const Ended second = Run({"up", "--timeout", "1s"}, {{"FAKE_AGENT_HANGS", "1"}});
  EXPECT_EQ(second.exit, 4);
  EXPECT_THAT(second.err, HasSubstr("host us-east-1a is not ready in time"));
  EXPECT_EQ(RunningDaemons(), 1) << "the control plane is ready and stays";
  EXPECT_EQ(Run({"down"}).exit, 0);
}

TEST_F(UpDown, NoticesWhenADaemonDiesMeanwhile) {
  Running up(EcctlCommand({"up"}), With({{"FAKE_AGENT_HANGS", "1"}}));
  ASSERT_TRUE(Eventually([&] { return RunningDaemons() == 4; }));
  SendSignal(OpenProcess(Daemons()[0]), SIGKILL);
  const Ended without_control_plane = up.Await();
  EXPECT_EQ(without_control_plane.exit, 1);
  EXPECT_THAT(without_control_plane.err, HasSubstr("the control plane has ended; see "));
  EXPECT_EQ(RunningDaemons(), 0);

  Running again(EcctlCommand({"up"}), With({{"FAKE_AGENT_HANGS", "1"}}));
  ASSERT_TRUE(Eventually([&] { return RunningDaemons() == 4; }));
  SendSignal(OpenProcess(Daemons()[2]), SIGKILL);
  const Ended without_agent = again.Await();
  EXPECT_EQ(without_agent.exit, 1);
  EXPECT_THAT(without_agent.err, HasSubstr("the agent of host us-east-1b could not start"));
  EXPECT_EQ(Run({"down"}).exit, 0);
}

TEST_F(UpDown, IsStoppedByCtrlCWithoutLeavingStrays) {
  Running up(EcctlCommand({"up"}), With({{"FAKE_CONTROLPLANE_HANGS", "1"}}));
  ASSERT_TRUE(Eventually([&] { return !ReadAll(dir() + "/controlplane/hangs").empty(); }));
  const pid_t hung = std::stoi(ReadAll(dir() + "/controlplane/hangs"));
  up.Interrupt();
  const Ended ended = up.Await();
  EXPECT_EQ(ended.exit, 130);
  EXPECT_THAT(ended.err, HasSubstr("interrupted"));
  EXPECT_FALSE(StartTimeOf(hung));
}

TEST_F(UpDown, DaemonsDoNotHearTheCtrlCOfTheTerminal) {
  ASSERT_EQ(Run({"up"}).exit, 0);
  for (const ProcessId& process : Daemons()) EXPECT_EQ(getsid(process.pid), process.pid);
  EXPECT_EQ(Run({"down"}).exit, 0);
}

TEST_F(UpDown, NeverSignalsAProcessThatHasInheritedTheNumber) {
  ASSERT_EQ(Run({"up", "--zones", "us-east-1a"}).exit, 0);
  ASSERT_EQ(Run({"down"}).exit, 0);
  Running bystander({"/bin/cat"}, {}, Input::kPipe);
  const std::string record = fmt::format(
      "{{\"pid\": {}, \"start_time\": 1, \"address\": \"127.0.0.1:1\", \"host\": \"us-east-1a\", "
      "\"zone\": \"us-east-1a\"}}",
      bystander.pid());
  WriteAll(dir() + "/controlplane/controlplane.json", record);
  WriteAll(Agent("us-east-1a", "agent.json"), record);
  EXPECT_EQ(Run({"status"}).exit, 3);
  const Ended down = Run({"down"});
  EXPECT_EQ(down.exit, 0) << down.err;
  EXPECT_THAT(down.out, HasSubstr("Nothing was running"));
  EXPECT_EQ(Run({"up"}).exit, 0);
  EXPECT_EQ(RunningDaemons(), 2);
  EXPECT_EQ(Run({"down", "--discard"}).exit, 0);
  bystander.Type("still here\n");
  EXPECT_TRUE(bystander.PrintsOut("still here"));
  bystander.EndInput();
  EXPECT_EQ(bystander.Await().exit, 0);
}

TEST_F(UpDown, TwoUpsAtOnceMakeOneInstallation) {
  Running first(EcctlCommand({"up"}), With({}));
  Running second(EcctlCommand({"up"}), With({}));
  const Ended one = first.Await();
  const Ended two = second.Await();
  EXPECT_EQ(one.exit, 0) << one.err;
  EXPECT_EQ(two.exit, 0) << two.err;
  EXPECT_THAT(one.err + two.err, HasSubstr("already running"));
  EXPECT_EQ(RunningDaemons(), 4);
  EXPECT_EQ(Run({"down"}).exit, 0);
}

TEST_F(UpDown, WaitsForAnotherOneAtWorkButNotForever) {
  ASSERT_EQ(Run({"up"}).exit, 0);
  const UniqueFd lock(open((dir() + "/.lock").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(flock(lock.get(), LOCK_EX), 0);
  const Ended late = Run({"down", "--timeout", "100ms"});
  EXPECT_EQ(late.exit, 4);
  EXPECT_THAT(late.err, HasSubstr("Waiting for another 'ecctl up' or 'down' on " + dir()));
  EXPECT_THAT(late.err, HasSubstr("still at work"));
  ASSERT_EQ(flock(lock.get(), LOCK_UN), 0);
  EXPECT_EQ(Run({"down"}).exit, 0);
}

TEST_F(UpDown, DownWithoutAnInstallationSaysSo) {
  const Ended nothing = Run({"down"});
  EXPECT_EQ(nothing.exit, 0);
  EXPECT_EQ(nothing.out, "Nothing was running in " + dir() + ".\n");
  EXPECT_TRUE(fs::is_empty(dir()));
  const Ended nowhere = Run({"down", "--discard"}, {{"EC_DIR", dir() + "/nowhere"}});
  EXPECT_EQ(nowhere.exit, 0);
  EXPECT_FALSE(fs::exists(dir() + "/nowhere"));
}

TEST_F(UpDown, DownKeepsEnginesThatCannotSaveAndSaysHowToForceIt) {
  ASSERT_EQ(Run({"up"}).exit, 0);
  WriteAll(Agent("us-east-1b", "cannot_save"), "");
  const Ended down = Run({"down"});
  EXPECT_EQ(down.exit, 1);
  EXPECT_THAT(down.err, HasSubstr("the engines of us-east-1b could not be stopped"));
  EXPECT_THAT(down.err, HasSubstr("demo/0001 could not save its data: disk full"));
  EXPECT_THAT(down.err, HasSubstr("'ecctl down --discard'"));
  EXPECT_FALSE(fs::exists(Agent("us-east-1a", "engines")));
  EXPECT_TRUE(fs::exists(Agent("us-east-1b", "engines")));

  const Ended forced = Run({"down", "--discard"});
  EXPECT_EQ(forced.exit, 0) << forced.err;
  std::set<std::string> left;
  for (const auto& entry : fs::directory_iterator(dir())) left.insert(entry.path().filename());
  EXPECT_EQ(left, std::set<std::string>{".lock"});
}

TEST_F(UpDown, DiscardRemovesSnapshotsAndLeavesWhatIsInBuckets) {
  ASSERT_EQ(Run({"up"}).exit, 0);
  fs::create_directories(dir() + "/snapshots");
  WriteAll(dir() + "/snapshots/1.rdb", "x");
  fs::create_directories(dir() + "/buckets/mine");
  WriteAll(dir() + "/buckets/mine/orders.rdb", "x");
  const Ended down = Run({"down", "--discard"});
  EXPECT_EQ(down.exit, 0) << down.err;
  EXPECT_THAT(down.out, HasSubstr("what is in " + dir() + "/buckets stays"));
  EXPECT_FALSE(fs::exists(dir() + "/snapshots"));
  EXPECT_TRUE(fs::exists(dir() + "/buckets/mine/orders.rdb"));
}

TEST_F(UpDown, DiscardTouchesNothingWithoutTheRecord) {
  ASSERT_TRUE(MakeDirectory(dir() + "/hosts/precious").ok());
  const Ended refused = Run({"down", "--discard"});
  EXPECT_EQ(refused.exit, 1);
  EXPECT_THAT(refused.err, HasSubstr("has no installation.json"));
  EXPECT_TRUE(fs::exists(dir() + "/hosts/precious"));
}

TEST_F(UpDown, DiscardDoesNotFollowLinks) {
  const TempDir elsewhere;
  WriteAll(elsewhere.path() + "/precious", "x");
  ASSERT_EQ(Run({"up", "--zones", "us-east-1a"}).exit, 0);
  fs::create_directory_symlink(elsewhere.path(), Agent("us-east-1a", "link"));
  EXPECT_EQ(Run({"down", "--discard"}).exit, 0);
  EXPECT_TRUE(fs::exists(elsewhere.path() + "/precious"));
  EXPECT_FALSE(fs::exists(dir() + "/hosts"));
}

TEST_F(UpDown, DiscardKillsADaemonThatDoesNotStop) {
  ASSERT_EQ(Run({"up", "--zones", "us-east-1a"}, {{"FAKE_IGNORES_TERM", "1"}}).exit, 0);
  const Ended patient = Run({"down", "--timeout", "200ms"});
  EXPECT_EQ(patient.exit, 4);
  EXPECT_THAT(patient.err, HasSubstr("control plane (pid "));
  EXPECT_THAT(patient.err, HasSubstr("does not stop in time; 'ecctl down --discard'"));
  const Ended forced = Run({"down", "--discard", "--timeout", "2s"});
  EXPECT_EQ(forced.exit, 0) << forced.err;
  EXPECT_THAT(forced.err, HasSubstr("does not stop: killing it"));
}

TEST_F(UpDown, DownIsInterruptedByCtrlC) {
  ASSERT_EQ(Run({"up", "--zones", "us-east-1a"}, {{"FAKE_IGNORES_TERM", "1"}}).exit, 0);
  Running down(EcctlCommand({"down"}), With({}));
  const UniqueFd lock(open((dir() + "/.lock").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(Eventually([&] {
    return flock(lock.get(), LOCK_EX | LOCK_NB) != 0 || flock(lock.get(), LOCK_UN) != 0;
  }));
  down.Interrupt();
  const Ended ended = down.Await();
  EXPECT_EQ(ended.exit, 130);
  EXPECT_THAT(ended.err, HasSubstr("run 'ecctl down' again"));
}

TEST_F(UpDown, StatusTellsWhatRunsAndWhatDoesNot) {
  const Ended none = Run({"status"});
  EXPECT_EQ(none.exit, 3);
  EXPECT_THAT(none.err, HasSubstr("there is no installation in " + dir()));

  ASSERT_EQ(Run({"up"}).exit, 0);
  const Ended up = Run({"status", "-o", "json"});
  EXPECT_EQ(up.exit, 0);
  const json status = json::parse(up.out);
  EXPECT_EQ(status["dir"], dir());
  EXPECT_EQ(status["all_up"], true);
  EXPECT_EQ(status["control_plane"]["status"], "running");
  EXPECT_EQ(status["control_plane"]["version"], "9.9.9");
  EXPECT_EQ(status["control_plane"]["pid"], Daemons()[0].pid);
  EXPECT_EQ(status["control_plane"]["address"], ReadControlPlane(dir())->address);
  ASSERT_EQ(status["hosts"].size(), 3u);
  EXPECT_EQ(status["hosts"][0]["id"], "us-east-1a");
  EXPECT_EQ(status["hosts"][0]["status"], "ready");
  EXPECT_EQ(status["hosts"][0]["members"], 2);
  EXPECT_EQ(status["hosts"][0]["members_max"], 100);
  EXPECT_EQ(status["hosts"][0]["engines"]["redis"], "7.0.15");
  EXPECT_EQ(status["hosts"][0]["dir"], HostDirectory(dir(), "us-east-1a"));

  SendSignal(OpenProcess(Daemons()[1]), SIGKILL);
  ASSERT_TRUE(Eventually([&] { return RunningDaemons() == 3; }));
  EXPECT_EQ(Status()["hosts"][0]["status"], "stopped");
  EXPECT_TRUE(Status()["hosts"][0]["pid"].is_null());
  EXPECT_EQ(Run({"down"}).exit, 0);
  const Ended down = Run({"status"});
  EXPECT_EQ(down.exit, 3);
  EXPECT_THAT(down.out, HasSubstr("Control plane  stopped\n"));
  EXPECT_TRUE(Status()["hosts"][0]["members"].is_null());
  EXPECT_EQ(down.err, "");
}

TEST_F(UpDown, EnvNamesTheInstallationForAShell) {
  EXPECT_EQ(Run({"env"}).exit, 3);
  ASSERT_EQ(Run({"up"}).exit, 0);
  EXPECT_EQ(Run({"env"}).out, fmt::format("export EC_DIR={}\nexport EC_ADDRESS={}\n", dir(),
                                          ReadControlPlane(dir())->address));
  EXPECT_EQ(Run({"host", "list"}).exit, 0);
  EXPECT_EQ(Run({"down"}).exit, 0);
  const Ended stopped = Run({"host", "list"});
  EXPECT_EQ(stopped.exit, 3);
  EXPECT_THAT(stopped.err, HasSubstr("no control plane answers at 127.0.0.1:"));
  EXPECT_THAT(stopped.err, HasSubstr("start the installation in " + dir() + " with 'ecctl up'"));
}

TEST_F(UpDown, IsJsonWhenJsonIsAskedFor) {
  const Ended up = Run({"up", "-o", "json"});
  EXPECT_EQ(json::parse(up.out)["all_up"], true);
  const Ended down = Run({"down", "-o", "json"});
  EXPECT_EQ(json::parse(down.out)["was_running"], true);
  EXPECT_EQ(json::parse(Run({"down", "-o", "json"}).out)["was_running"], false);
}

TEST_F(UpDown, UsesTheStateDirectoryWithoutDir) {
  const Ended ended = Ecctl({"down"}, {{"XDG_STATE_HOME", dir()}});
  EXPECT_EQ(ended.out, "Nothing was running in " + dir() + "/emucache.\n");
  const Ended home = Ecctl({"down"}, {{"HOME", dir()}});
  EXPECT_EQ(home.out, "Nothing was running in " + dir() + "/.local/state/emucache.\n");
}

}  // namespace
}  // namespace ec::cli
