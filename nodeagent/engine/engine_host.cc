#include "nodeagent/engine/engine_host.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "common/log.h"

namespace ec::engine {
namespace {

namespace asio = boost::asio;

// Enough to keep both cores of a small machine busy with forks and files.
constexpr size_t kWorkers = 2;

// How the process ended, as far as we may know: only its parent is told.
std::string Ending(const ProcessId& process) {
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(process.pid), &info, WEXITED | WNOHANG) == 0 &&
      info.si_pid == process.pid) {
    if (info.si_code == CLD_EXITED) return fmt::format("exited with status {}", info.si_status);
    return fmt::format("was killed by signal {}", info.si_status);
  }
  return "has died";
}

}  // namespace

EngineHost::EngineHost(asio::io_context& io, std::string members, Machine machine,
                       std::map<EngineKind, Program> programs, SnapshotFiles files, Tell tell)
    : io_(io),
      members_(std::move(members)),
      machine_(std::move(machine)),
      programs_(std::move(programs)),
      files_(std::move(files)),
      tell_(std::move(tell)),
      workers_(kWorkers) {}

EngineHost::~EngineHost() { workers_.join(); }

std::string EngineHost::SocketPath(MemberId id) const {
  return MemberDirectory(members_, id).socket_path();
}

std::string EngineHost::PassingPath(MemberId id) const {
  return MemberDirectory(members_, id).passing_path();
}

std::string EngineHost::DirectoryOf(MemberId id) const {
  return MemberDirectory(members_, id).path();
}

bool EngineHost::ReplaceCertificate(const MemberSpec& spec) const {
  if (!spec.tls || spec.tls->certificate.empty()) return true;
  return MemberDirectory(members_, spec.id).ReplaceCertificate(*spec.tls);
}

uint64_t EngineHost::ProcessorTime(MemberId id) const {
  const auto found = watched_.find(id);
  if (found == watched_.end()) return 0;
  return ProcessorTimeOf(found->second.process.pid).value_or(0);
}

std::vector<host::Found> EngineHost::Adopt() {
  std::vector<host::Found> all;
  for (const MemberId id : ListMembers(members_)) {
    const MemberDirectory directory(members_, id);
    std::optional<host::Found> found = directory.Look();
    if (!found) continue;
    if (found->alive) {
      const auto process = directory.FindEngine();
      UniqueFd pidfd = process ? OpenProcess(*process) : UniqueFd();
      found->alive = static_cast<bool>(pidfd);
      if (pidfd) {
        found->pid = process->pid;
        found->start_time = process->start_time;
        LogInfo("engine adopted",
                {{"member", id}, {"pid", process->pid}, {"launch", found->launch}});
        Watch(id, found->launch, *process, std::move(pidfd));
      }
    }
    all.push_back(*found);
  }
  return all;
}

void EngineHost::Start(const host::StartEngine& start) {
  const auto program = programs_.find(start.spec.engine);
  if (program == programs_.end()) {
    asio::post(io_, [this, start] {
      tell_(host::EngineNotStarted{
          start.spec.id, start.launch,
          fmt::format("no program for engine {} is installed", NameOf(start.spec.engine))});
    });
    return;
  }
  asio::post(workers_, [this, start, program = program->second] {
    const Status seeded = PlaceSeed(start);
    auto result = std::make_shared<Result<Spawned>>(
        seeded.ok() ? MemberDirectory(members_, start.spec.id).Start(start, program, machine_)
                    : Result<Spawned>(seeded));
    asio::post(io_, [this, start, result, unseeded = !seeded.ok()] {
      const MemberId id = start.spec.id;
      if (!result->ok()) {
        LogWarning(
            "engine not started",
            {{"member", id}, {"label", start.spec.label}, {"why", result->status().message()}});
        tell_(host::EngineNotStarted{id, start.launch, result->status().message(), unseeded});
        return;
      }
      LogInfo("engine started", {{"member", id},
                                 {"label", start.spec.label},
                                 {"engine", NameOf(start.spec.engine)},
                                 {"generation", start.spec.generation},
                                 {"launch", start.launch},
                                 {"pid", (*result)->id.pid}});
      const ProcessId process = (*result)->id;
      Watch(id, start.launch, process, std::move((*result)->pidfd));
      tell_(host::EngineStarted{id, start.launch, process.pid, process.start_time});
    });
  });
}

// What the engine is to begin with lies in its directory under a name that Start() takes it from.
Status EngineHost::PlaceSeed(const host::StartEngine& start) const {
  if (!start.spec.seed || start.load_kept) return {};
  const std::string directory = DirectoryOf(start.spec.id);
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return {Fault::kUnavailable, error.message()};
  return files_.PlaceSeed(*start.spec.seed, directory + "/" + kSeedName);
}

void EngineHost::Watch(MemberId id, uint64_t launch, const ProcessId& process, UniqueFd pidfd) {
  Watched& watched = watched_[id];
  watched.process = process;
  watched.launch = launch;
  watched.pidfd = std::make_unique<asio::posix::stream_descriptor>(io_, pidfd.release());
  watched.pidfd->async_wait(asio::posix::stream_descriptor::wait_read,
                            [this, id, launch](boost::system::error_code error) {
                              if (!error) OnExit(id, launch);
                            });
}

void EngineHost::OnExit(MemberId id, uint64_t launch) {
  const auto found = watched_.find(id);
  if (found == watched_.end() || found->second.launch != launch) return;
  const std::string how = Ending(found->second.process);
  LogInfo("engine ended",
          {{"member", id}, {"launch", launch}, {"pid", found->second.process.pid}, {"how", how}});
  watched_.erase(found);
  tell_(host::EngineExited{id, launch, how});
}

void EngineHost::Kill(const host::KillEngine& kill) {
  Signal(kill.id, kill.launch, SIGKILL, "engine killed");
}

void EngineHost::Pause(const host::PauseEngine& pause) {
  Signal(pause.id, pause.launch, pause.paused ? SIGSTOP : SIGCONT,
         pause.paused ? "engine paused" : "engine goes on");
}

void EngineHost::Signal(MemberId id, uint64_t launch, int signal, std::string_view what) {
  const auto found = watched_.find(id);
  if (found == watched_.end() || found->second.launch != launch) return;
  LogInfo(what, {{"member", id}, {"launch", launch}, {"pid", found->second.process.pid}});
  const UniqueFd process = OpenProcess(found->second.process);
  if (process) SendSignal(process, signal);
}

void EngineHost::Remove(const host::RemoveMember& removal) {
  const MemberId id = removal.id;
  asio::post(workers_, [this, id] {
    const bool removed = MemberDirectory(members_, id).Remove();
    asio::post(io_, [this, id, removed] { tell_(host::MemberRemoved{id, removed}); });
  });
}

}  // namespace ec::engine
