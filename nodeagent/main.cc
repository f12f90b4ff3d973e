// ec-nodeagent: flags, wiring, signals.
#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "common/daemon.h"
#include "common/log.h"
#include "common/process.h"
#include "nodeagent/agent/agent.h"

namespace ec {
namespace {

struct Flags : DaemonFlags {
  std::string host;
  std::string zone;
  std::string control_plane = "127.0.0.1:7379";
  int members_max = 100;
  bool stop_engines = false;
  bool discard = false;
  int stop_timeout_s = 60;
  std::string carry = "hand-over";
  std::string memcached_carry = "first-bytes";
  int relay_threads = 0;
  std::string deny = "reset";
  std::string netns;
  std::string snapshots;
  std::string buckets;
};

std::optional<int> ParseFlags(int argc, char** argv, Flags* flags) {
  CLI::App app{"emucache's node agent: runs the engines of one host and serves their endpoints."};
  app.set_version_flag("--version", EC_VERSION);
  AddDaemonFlags(&app, flags);
  app.add_option("--host", flags->host, "Name of the host: letters, digits, hyphens");
  app.add_option("--zone", flags->zone, "Availability zone, such as us-east-1a");
  app.add_option("--control-plane", flags->control_plane, "Address of the control plane")
      ->capture_default_str();
  app.add_option("--members-max", flags->members_max, "Engines that the host takes at most")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--carry", flags->carry,
                 "How connections get to the engines: hand-over, or relay for all of them")
      ->check(CLI::IsMember({"hand-over", "relay"}))
      ->capture_default_str();
  app.add_option(
         "--memcached-carry", flags->memcached_carry,
         "The same for Memcached's nodes: first-bytes hands over what does not begin with a "
         "discovery command; relay answers such commands anywhere")
      ->check(CLI::IsMember({"first-bytes", "relay"}))
      ->capture_default_str();
  app.add_option("--relay-threads", flags->relay_threads,
                 "Threads that copy relayed bytes; 0: two, or one on a machine of one core")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  app.add_option("--deny", flags->deny,
                 "What clients see that may not connect: reset, or drop, which does not answer")
      ->check(CLI::IsMember({"reset", "drop"}))
      ->capture_default_str();
  app.add_option(
      "--netns", flags->netns,
      "Serve every endpoint in its VPC's network namespace as well, whose name begins so");
  app.add_option("--snapshots", flags->snapshots,
                 "Directory of snapshot files, the same for all hosts of the machine (default: "
                 "snapshots in --dir)");
  app.add_option("--buckets", flags->buckets,
                 "Directory whose directories are the buckets of arn:aws:s3:::BUCKET/KEY (default: "
                 "buckets in --dir)");
  app.add_flag("--stop-engines", flags->stop_engines,
               "Stop the host's engines in order, keeping Redis data for the next start, and exit. "
               "No agent may be running in the directory");
  app.add_flag("--discard", flags->discard, "With --stop-engines: keep nothing");
  app.add_option("--stop-timeout", flags->stop_timeout_s, "With --stop-engines: seconds to wait")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  app.final_callback([flags] {
    if (flags->stop_engines || (!flags->host.empty() && !flags->zone.empty())) return;
    throw CLI::RequiredError("--host and --zone");
  });
  return ParseCommandLine(&app, argc, argv);
}

int Fail(const std::string& why) { return FailDaemon("ec-nodeagent", why); }

// One agent per directory. An agent that is just ending is waited for a moment.
UniqueFd LockDirectory(const std::string& dir) {
  UniqueFd fd(open((dir + "/agent.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  for (int tries = 0; fd && tries < 200; ++tries) {
    if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return {};
}

// Higher at every start, and never the same twice: durable before it is used.
uint64_t NextIncarnation(const std::string& dir) {
  const std::string path = dir + "/incarnation";
  const uint64_t last = std::strtoull(ReadFile(path).value_or("0").c_str(), nullptr, 10);
  const uint64_t next = last + 1;
  return ReplaceFile(path, std::to_string(next) + "\n", true) ? next : 0;
}

// Each relayed connection takes two descriptors: as many as the machine lets us have.
int64_t RaiseOpenFiles() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  constexpr rlim_t kEnough = 1 << 20;
  return static_cast<int64_t>(std::min(limit.rlim_cur, kEnough));
}

engine::Machine LookAtMachine() {
  engine::Machine machine;
  machine.cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  machine.open_files_max = RaiseOpenFiles();
  if (geteuid() == 0) {
    const passwd* user = getpwuid(0);
    machine.user = user == nullptr ? "root" : user->pw_name;
  }
  return machine;
}

// The library stands beside this program.
std::string NetcardPath() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "libec_netcard.so").string();
}

std::string Absolute(const std::string& path) {
  std::error_code error;
  return std::filesystem::absolute(path, error).string();
}

int RunAgent(const Flags& flags) {
  const sigset_t signals = BlockStopSignals();
  agent::AgentOptions options;
  options.dir = flags.dir;
  options.control_plane = flags.control_plane;
  options.machine = LookAtMachine();
  options.machine.snapshots =
      Absolute(flags.snapshots.empty() ? flags.dir + "/snapshots" : flags.snapshots);
  options.machine.buckets =
      Absolute(flags.buckets.empty() ? flags.dir + "/buckets" : flags.buckets);
  const bool hands_over = flags.carry == "hand-over";
  options.machine.hands_over = hands_over;
  options.programs = engine::FindPrograms(NetcardPath());
  options.endpoints.carry = hands_over ? Carry::kHandOver : Carry::kRelay;
  options.endpoints.memcached_carry =
      hands_over && flags.memcached_carry == "first-bytes" ? Carry::kFirstBytes : Carry::kRelay;
  options.endpoints.threads = flags.relay_threads;
  options.endpoints.netns = flags.netns;
  if (flags.deny == "drop") options.endpoints.deny = endpoint::Deny::kDrop;
  options.hello.host = flags.host;
  options.hello.zone = flags.zone;
  options.hello.incarnation = NextIncarnation(flags.dir);
  options.hello.members_max = flags.members_max;
  const ProcessId self = SelfId();
  options.hello.pid = self.pid;
  options.hello.start_time = self.start_time;
  options.hello.boot = BootId();
  if (options.hello.incarnation == 0) return Fail("cannot write to " + flags.dir + ".");
  for (const auto& [engine, program] : options.programs) {
    options.hello.engines[engine] = program.version;
  }
  options.endpoints.connections_max =
      static_cast<size_t>(std::max<int64_t>(options.machine.open_files_max / 2 - 500, 100));

  SystemClock clock;
  agent::Agent agent(options, clock);
  const std::string ready_file = flags.dir + "/agent.json";
  const nlohmann::json ready = {{"pid", self.pid},
                                {"start_time", self.start_time},
                                {"host", flags.host},
                                {"zone", flags.zone}};
  if (!ReplaceFile(ready_file, ready.dump() + "\n", false)) {
    return Fail("cannot write " + ready_file + ".");
  }
  std::thread waiter([&] {
    LogInfo("stopping; the engines go on", {{"signal", AwaitStopSignal(signals)}});
    agent.Stop();
  });
  agent.Run();
  waiter.join();
  unlink(ready_file.c_str());
  return 0;
}

int Main(int argc, char** argv) {
  Flags flags;
  if (const auto exit_code = ParseFlags(argc, argv, &flags)) return *exit_code;
  if (const Status entered = EnterDirectory(&flags); !entered.ok()) return Fail(entered.message());
  std::error_code error;
  std::filesystem::create_directory(flags.dir + "/members", error);
  if (error) return Fail("cannot create the members' directory: " + error.message() + ".");
  const UniqueFd lock = LockDirectory(flags.dir);
  if (!lock) return Fail("another agent is running in " + flags.dir + ".");
  if (!flags.stop_engines) return RunAgent(flags);
  const Status stopped = engine::StopEngines(flags.dir + "/members", flags.discard,
                                             std::chrono::seconds(flags.stop_timeout_s));
  return stopped.ok() ? 0 : Fail(stopped.message());
}

}  // namespace
}  // namespace ec

int main(int argc, char** argv) { return ec::Main(argc, argv); }
