// `ecctl down`: stops an installation in order, and with --discard removes it.
#include <fmt/format.h>
#include <signal.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/installation.h"
#include "cli/interrupt.h"
#include "common/netns.h"

namespace ec::cli {
namespace {

namespace fs = std::filesystem;

constexpr Duration kDownTimeout = std::chrono::minutes(2);

struct DownOptions {
  bool discard = false;
};

// One `down` at work.
struct Shutdown {
  Context& context;
  bool discard = false;
  std::string dir;
  Instant deadline;
  Instant kill_after;  // with --discard: when patience with a daemon ends
  Progress progress;
  bool anything_ran = false;
  std::optional<std::string> netns = std::nullopt;  // the installation's
};

struct Daemon {
  std::string name;
  UniqueFd pidfd;
  pid_t pid = 0;
};

Outcome Late(const Shutdown& shutdown, const std::string& what) {
  if (WasInterrupted()) {
    return Interrupted("interrupted: run 'ecctl down' again to stop the rest");
  }
  return TimedOut(what + (shutdown.discard ? "" : "; 'ecctl down --discard' ends it by force"));
}

// Asks all of them to stop, then waits for each.
Outcome StopDaemons(Shutdown* shutdown, const std::vector<Daemon>& daemons) {
  for (const Daemon& daemon : daemons) SendSignal(daemon.pidfd, SIGTERM);
  for (const Daemon& daemon : daemons) {
    shutdown->anything_ran = true;
    shutdown->progress.Live("stopping " + daemon.name);
    bool ended =
        AwaitEnd(daemon.pidfd, shutdown->discard ? shutdown->kill_after : shutdown->deadline);
    if (!ended && shutdown->discard && !WasInterrupted()) {
      shutdown->progress.Line(fmt::format("{} does not stop: killing it", daemon.name));
      SendSignal(daemon.pidfd, SIGKILL);
      ended = AwaitEnd(daemon.pidfd, shutdown->deadline);
    }
    if (!ended) {
      return Late(*shutdown,
                  fmt::format("{} (pid {}) does not stop in time", daemon.name, daemon.pid));
    }
    shutdown->progress.Line(daemon.name + " stopped");
  }
  return {};
}

Outcome StopControlPlane(Shutdown* shutdown) {
  const std::optional<ControlPlaneRecord> record = ReadControlPlane(shutdown->dir);
  if (!record) return {};
  std::vector<Daemon> daemons;
  if (UniqueFd pidfd = OpenProcess(record->process); pidfd) {
    daemons.push_back({"control plane", std::move(pidfd), record->process.pid});
  }
  return StopDaemons(shutdown, daemons);
}

Outcome StopAgents(Shutdown* shutdown) {
  std::vector<Daemon> daemons;
  for (const std::string& host : HostsOnDisk(shutdown->dir)) {
    const std::optional<AgentRecord> record = ReadAgent(HostDirectory(shutdown->dir, host));
    if (!record) continue;
    if (UniqueFd pidfd = OpenProcess(record->process); pidfd) {
      daemons.push_back({"agent of " + host, std::move(pidfd), record->process.pid});
    }
  }
  return StopDaemons(shutdown, daemons);
}

// The agents have left their engines running. A helper per host adopts and stops them; all hosts at
// once, since a large Redis takes a while to save.
Outcome StopEngines(Shutdown* shutdown) {
  std::map<std::string, Child> helpers;
  for (const std::string& host : HostsOnDisk(shutdown->dir)) {
    const std::string host_dir = HostDirectory(shutdown->dir, host);
    std::vector<std::string> argv = {ProgramPath("ec-nodeagent"), "--dir", host_dir,
                                     "--stop-engines"};
    if (shutdown->discard) argv.push_back("--discard");
    EC_RETURN_UNLESS_OK(StartInBackground(argv, host_dir + "/agent.out", &helpers[host]));
  }
  Outcome worst;
  for (const auto& [host, helper] : helpers) {
    shutdown->progress.Live(fmt::format("stopping the engines of {}", host));
    if (!AwaitEnd(helper.pidfd, shutdown->deadline)) {
      return Late(*shutdown, fmt::format("the engines of {} do not stop in time", host));
    }
    const int exit = ExitOf(helper).value_or(0);
    if (exit == 0) continue;
    const std::string words = LastWords(helper);
    worst = Refused(fmt::format("the engines of {} could not be stopped{}: {}", host,
                                shutdown->discard ? "" : " with their data saved",
                                words.empty() ? fmt::format("exit code {}", exit) : words));
    if (!shutdown->discard) {
      worst.message += "; 'ecctl down --discard' stops them and gives up all data";
    }
    shutdown->progress.Line(fmt::format("engines of {} not stopped: {}", host, words));
  }
  return worst;
}

// Links inside are removed, never followed. The record goes last, so that a removal that was cut
// short can be taken up again. Buckets stay if anything is in them: those files were put there for
// use elsewhere.
Outcome RemoveInstallation(const std::string& dir) {
  std::error_code error;
  for (const std::string& path : {ControlPlaneDirectory(dir), HostsDirectory(dir),
                                  SnapshotsDirectory(dir), InstallationFile(dir)}) {
    fs::remove_all(path, error);
    if (error) return Refused(fmt::format("cannot remove {}: {}", path, error.message()));
  }
  fs::remove(BucketsDirectory(dir), error);
  return {};
}

// What still runs in them keeps them, nameless and cut off, until it ends.
Outcome RemoveNamespaces(const Shutdown& shutdown) {
  if (!shutdown.netns) return {};
  for (const std::string& name : NetnsNames(*shutdown.netns)) {
    if (UnnameNetns(name)) continue;
    return Refused(
        fmt::format("cannot remove the network namespace {}: {}", name, std::strerror(errno)));
  }
  return {};
}

Outcome StopAll(Shutdown* shutdown) {
  EC_RETURN_UNLESS_OK(StopControlPlane(shutdown));
  EC_RETURN_UNLESS_OK(StopAgents(shutdown));
  EC_RETURN_UNLESS_OK(StopEngines(shutdown));
  EC_RETURN_UNLESS_OK(RemoveNamespaces(*shutdown));
  if (shutdown->discard) EC_RETURN_UNLESS_OK(RemoveInstallation(shutdown->dir));
  return {};
}

void PrintResult(const Shutdown& shutdown) {
  if (shutdown.context.json()) {
    PrintLine(nlohmann::ordered_json{{"dir", shutdown.dir},
                                     {"was_running", shutdown.anything_ran},
                                     {"discarded", shutdown.discard}}
                  .dump(2));
  } else if (shutdown.discard) {
    const std::string buckets = BucketsDirectory(shutdown.dir);
    const std::string kept =
        fs::exists(buckets) ? fmt::format("; what is in {} stays", buckets) : "";
    PrintLine(fmt::format("The installation in {} is stopped and removed{}.", shutdown.dir, kept));
  } else if (shutdown.anything_ran) {
    PrintLine(
        fmt::format("The installation in {} is stopped; its data is kept. 'ecctl up' starts "
                    "it again.",
                    shutdown.dir));
  } else {
    PrintLine(fmt::format("Nothing was running in {}.", shutdown.dir));
  }
}

Outcome Down(Context& context, const DownOptions& options) {
  const Instant now = context.now().instant;
  const Instant deadline = context.Deadline(kDownTimeout);
  Shutdown shutdown{context, options.discard, {}, deadline, now + (deadline - now) / 4, {}};
  EC_RETURN_UNLESS_OK(context.Directory(&shutdown.dir));
  const InterruptScope interrupt_scope;
  std::error_code ignored;
  UniqueFd lock;
  std::optional<Installation> installation;
  // A directory that is no installation is left as it is: not even a lock is put into it.
  if (fs::exists(InstallationFile(shutdown.dir), ignored)) {
    EC_RETURN_UNLESS_OK(LockInstallation(shutdown.dir, deadline, &lock));
    EC_RETURN_UNLESS_OK(ReadInstallation(shutdown.dir, &installation));
  }
  if (!installation) {
    if (fs::exists(ControlPlaneDirectory(shutdown.dir), ignored) ||
        fs::exists(HostsDirectory(shutdown.dir), ignored)) {
      return Refused(
          fmt::format("{} has no installation.json, so nothing there is touched", shutdown.dir));
    }
    shutdown.discard = false;
    PrintResult(shutdown);
    return {};
  }
  shutdown.netns = installation->netns;
  EC_RETURN_UNLESS_OK(StopAll(&shutdown));
  PrintResult(shutdown);
  return {};
}

}  // namespace

void AddDownCommand(CommandLine& line) {
  auto options = std::make_shared<DownOptions>();
  line.AddTopCommand(
          kMachineSection, "down",
          "Stop the emulator on this machine; Redis clusters keep their data",
          [options](Context& context) { return Down(context, *options); },
          "Examples:\n"
          "  ecctl down\n"
          "  ecctl down --discard\n")
      .Flag("--discard", &options->discard,
            "Give up all data: stop by force if need be, then remove the installation; files in "
            "its buckets stay");
}

}  // namespace ec::cli
