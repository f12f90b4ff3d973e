#include "cli/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "cli/exit_code.h"
#include "common/check.h"

namespace ec::cli {
namespace {

// A signal handler can reach only what is global.
std::atomic<bool> g_scope = false;
std::atomic<bool> g_interrupted = false;
std::atomic<int> g_wake_fd = -1;  // the end of a pipe that the handler writes to
int g_pause_fd = -1;              // and the end that Pause() waits on

static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

// May run on any thread, gRPC's too, so the waiting one is woken through the pipe.
void OnInterrupt(int) {
  const int saved_errno = errno;
  if (!g_scope || g_interrupted.exchange(true)) _exit(static_cast<int>(ExitCode::kInterrupted));
  const ssize_t written = write(g_wake_fd, "", 1);
  (void)written;  // a full pipe wakes as well
  errno = saved_errno;
}

}  // namespace

void InstallInterruptHandler() {
  struct sigaction before = {};
  if (sigaction(SIGINT, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) return;
  int ends[2] = {-1, -1};
  EC_CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  g_pause_fd = ends[0];
  g_wake_fd = ends[1];
  struct sigaction action = {};
  action.sa_handler = OnInterrupt;
  action.sa_flags = SA_RESTART;
  EC_CHECK(sigaction(SIGINT, &action, nullptr) == 0);
}

InterruptScope::InterruptScope() { g_scope = true; }
InterruptScope::~InterruptScope() { g_scope = false; }

bool WasInterrupted() { return g_interrupted; }

bool Pause(Duration duration, int fd) {
  if (g_interrupted) return false;
  pollfd pollers[] = {{g_pause_fd, POLLIN, 0}, {fd, POLLIN, 0}};  // poll skips negative ones
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  poll(pollers, 2, static_cast<int>(ms));
  return !g_interrupted;
}

}  // namespace ec::cli
