#include "controlplane/server/process_watch.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <set>

#include "common/check.h"
#include "common/log.h"

namespace ec::server {
namespace {

bool HasEnded(const UniqueFd& process) {
  pollfd poller{process.get(), POLLIN, 0};
  return !process || poll(&poller, 1, 0) == 1;
}

// The host's agent goes as well: a process that is only stopped holds the addresses that another
// host is about to serve.
void Kill(const core::Fence& fence, const UniqueFd& process) {
  LogWarning("ending a leader whose host is silent",
             {{"member", fence.member}, {"pid", fence.pid}, {"agent", fence.agent_pid}});
  if (process) SendSignal(process, SIGKILL);
  if (fence.agent_pid == 0) return;
  const UniqueFd agent = OpenProcess({static_cast<pid_t>(fence.agent_pid), fence.agent_start_time});
  if (agent) SendSignal(agent, SIGKILL);
}

}  // namespace

ProcessWatch::ProcessWatch(Tell tell)
    : tell_(std::move(tell)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  EC_CHECK(wake_);
  thread_ = std::thread([this] { Run(); });
}

ProcessWatch::~ProcessWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  eventfd_write(wake_.get(), 1);
  thread_.join();
}

void ProcessWatch::Conform(const std::vector<core::Fence>& fences) {
  const std::lock_guard lock(mutex_);
  std::set<MemberId> wanted;
  bool changed = false;
  for (const core::Fence& fence : fences) {
    wanted.insert(fence.member);
    Watched& watched = watched_[fence.member];
    const bool is_other =
        watched.fence.pid != fence.pid || watched.fence.start_time != fence.start_time;
    if (is_other) {
      watched = {fence, OpenProcess({static_cast<pid_t>(fence.pid), fence.start_time}), false};
      watched.fence.kill = false;
      changed = true;
    }
    if (fence.kill && !watched.fence.kill) Kill(fence, watched.process);
    watched.fence.kill = fence.kill;
  }
  std::erase_if(watched_, [&](const auto& entry) { return !wanted.contains(entry.first); });
  if (changed) eventfd_write(wake_.get(), 1);
}

std::vector<int> ProcessWatch::TellEnded() {
  std::vector<core::EngineEnded> ended;
  std::vector<int> alive;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, watched] : watched_) {
      if (watched.told) continue;
      if (HasEnded(watched.process)) {
        watched.told = true;
        ended.push_back({id, watched.fence.pid, watched.fence.start_time});
      } else {
        alive.push_back(watched.process.get());
      }
    }
  }
  for (const core::EngineEnded& one : ended) tell_(one);
  return alive;
}

void ProcessWatch::Run() {
  for (;;) {
    std::vector<pollfd> pollers = {{wake_.get(), POLLIN, 0}};
    for (const int process : TellEnded()) pollers.push_back({process, POLLIN, 0});
    // A descriptor may be closed meanwhile by Conform(), which then wakes this thread.
    poll(pollers.data(), pollers.size(), pollers.size() > 1 ? 100 : -1);
    eventfd_t ignored = 0;
    eventfd_read(wake_.get(), &ignored);
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
  }
}

}  // namespace ec::server
