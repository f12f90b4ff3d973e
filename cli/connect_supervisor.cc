#include "cli/connect_supervisor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "common/check.h"
#include "common/process.h"

namespace ec::cli {
namespace {

constexpr uint64_t kListener = 0;  // ids of calls are never 0
constexpr Duration kLookEvery = std::chrono::milliseconds(40);
constexpr size_t kLooksAtOnce = 100;  // each reads a file: many are looked at less often
constexpr size_t kNotesMax = 16;
constexpr rlim_t kFilesForOthers = 32;
// ERESTARTSYS: the kernel itself makes EINTR of it, or a new call, as the signal's handler wants.
constexpr int kRestart = 512;
constexpr unsigned kPidfdThread = O_EXCL;  // PIDFD_THREAD, of Linux 6.9

// A line of a thread's status in /proc; empty when the thread is gone.
std::string StatusOf(pid_t thread, std::string_view name) {
  const std::string status = ReadFile(fmt::format("/proc/{}/status", thread)).value_or("");
  const size_t at = status.find(fmt::format("\n{}:", name));
  if (at == std::string::npos) return {};
  const size_t begin = at + name.size() + 2;
  return status.substr(begin, status.find('\n', begin) - begin);
}

// The process that a thread belongs to; 0: gone.
pid_t ProcessOf(pid_t thread) { return std::atoi(StatusOf(thread, "Tgid").c_str()); }

// Whether a signal waits that the thread would take.
bool HasSignal(pid_t thread) {
  const auto signals = [&](std::string_view name) {
    return std::strtoull(StatusOf(thread, name).c_str(), nullptr, 16);
  };
  return ((signals("SigPnd") | signals("ShdPnd")) & ~signals("SigBlk")) != 0;
}

UniqueFd OpenThread(pid_t thread) {
  UniqueFd found(static_cast<int>(syscall(SYS_pidfd_open, thread, kPidfdThread)));
  if (found || errno != EINVAL) return found;
  // An older kernel names whole processes only. Their threads share one table of files.
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, ProcessOf(thread), 0)));
}

template <typename Value>
Value Option(int socket, int level, int name, Value otherwise) {
  socklen_t size = sizeof(otherwise);
  Value value = otherwise;
  return getsockopt(socket, level, name, &value, &size) == 0 ? value : otherwise;
}

bool IsTcp(int socket, sa_family_t family) {
  const int protocol = Option(socket, SOL_SOCKET, SO_PROTOCOL, -1);
  return Option(socket, SOL_SOCKET, SO_DOMAIN, -1) == family &&
         Option(socket, SOL_SOCKET, SO_TYPE, -1) == SOCK_STREAM &&
         (protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP);
}

// connect() that never waits, whatever the socket is. Its flag is the whole process's, so it is put
// back at once; a socket that is being connected has no other use meanwhile.
int ConnectNow(int socket, const SocketAddress& to) {
  const int flags = fcntl(socket, F_GETFL);
  const bool blocks = (flags & O_NONBLOCK) == 0;
  if (blocks) fcntl(socket, F_SETFL, flags | O_NONBLOCK);
  const int error = connect(socket, to.get(), to.size) == 0 ? 0 : errno;
  if (blocks) fcntl(socket, F_SETFL, flags);
  return error;
}

bool IsSettled(int socket) {
  pollfd poller{socket, POLLOUT, 0};
  return poll(&poller, 1, 0) == 1;
}

// Errors that the kernel finds as well when the call continues; other ones are ours.
bool IsTheProgramsOwn(int error) {
  return error == 0 || error == EFAULT || error == EBADF || error == ESRCH;
}

bool IsUnderWay(int error) { return error == EINPROGRESS || error == EALREADY; }

}  // namespace

ConnectSupervisor::ConnectSupervisor(InstanceNetwork network, UniqueFd listener,
                                     std::function<void(const std::string&)> note)
    : network_(std::move(network)),
      listener_(std::move(listener)),
      note_(std::move(note)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      looked_(clock_.now().instant) {
  EC_CHECK(epoll_);
  rlimit files = {};
  EC_CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
  pending_max_ = files.rlim_cur > 2 * kFilesForOthers ? files.rlim_cur - kFilesForOthers : 1;
  seccomp_notif_sizes sizes = {};
  syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes);
  buffer_.resize(std::max<size_t>(sizes.seccomp_notif, sizeof(seccomp_notif)));
  epoll_event event = {EPOLLIN, {.u64 = kListener}};
  EC_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &event) == 0);
}

void ConnectSupervisor::Turn() {
  epoll_event events[64];
  const int count = epoll_wait(epoll_.get(), events, 64, 0);
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u64 != kListener) {
      GoOn(events[i].data.u64);
    } else if ((events[i].events & EPOLLIN) != 0) {
      TakeCall();
    } else {  // nobody is left to call
      epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_.get(), nullptr);
    }
  }
  const auto many = static_cast<int64_t>(pending_.size() / kLooksAtOnce);
  if (clock_.now().instant - looked_ >= kLookEvery * (1 + many)) LookThrough();
}

void ConnectSupervisor::TakeCall() {
  std::ranges::fill(buffer_, 0);
  if (ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, buffer_.data()) != 0) return;
  seccomp_notif notification;
  std::memcpy(&notification, buffer_.data(), sizeof(notification));
  const auto& arguments = notification.data.args;
  Serve({notification.id, static_cast<pid_t>(notification.pid), static_cast<int>(arguments[0]),
         arguments[1], static_cast<uint32_t>(arguments[2])});
}

void ConnectSupervisor::Serve(const Call& call) {
  // What is no address, or none of a VPC, is the kernel's to judge.
  char bytes[sizeof(sockaddr_storage)];
  if (call.size > sizeof(bytes)) return LetContinue(call.id);
  const iovec here = {bytes, call.size};
  const iovec there = {reinterpret_cast<void*>(call.address), call.size};
  const ssize_t count = process_vm_readv(call.thread, &here, 1, &there, 1, 0);
  int error = count < 0 ? errno : 0;
  UniqueFd socket;
  std::optional<Route> route;
  if (error == 0) route = RouteOf(network_, {bytes, static_cast<size_t>(count)});
  if (route) socket = SocketOf(call, &error);
  if (error == EPERM) {
    NoteOnce(
        fmt::format("a process that lets nobody look into it cannot connect from {}", network_.id));
    return Finish(call.id, EACCES);
  }
  if (!IsTheProgramsOwn(error)) return Finish(call.id, EAGAIN);
  if (!socket || !IsTcp(socket.get(), route->destination.bytes.ss_family)) {
    return LetContinue(call.id);
  }
  error = BindTo(*route, call, socket.get());
  if (error != 0) return Finish(call.id, error);
  Begin(call, {std::move(socket), *route, call.thread, Instant::max()});
}

UniqueFd ConnectSupervisor::SocketOf(const Call& call, int* error) {
  const UniqueFd thread = OpenThread(call.thread);
  if (!thread) *error = errno;
  // The number may have been given away before it was opened; then nobody waits for us any more.
  if (!thread || !IsAlive(call.id)) return {};
  UniqueFd socket(static_cast<int>(syscall(SYS_pidfd_getfd, thread.get(), call.fd, 0)));
  if (!socket) *error = errno;
  return socket;
}

// A socket that the program has bound itself keeps its address. Returns connect()'s error.
int ConnectSupervisor::BindTo(const Route& route, const Call& call, int socket) {
  SocketAddress own;
  own.size = sizeof(own.bytes);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&own.bytes), &own.size) != 0) return errno;
  // The same place for both families.
  const uint16_t port = reinterpret_cast<const sockaddr_in*>(&own.bytes)->sin_port;
  const auto bound = AddressOf({reinterpret_cast<const char*>(&own.bytes), own.size});
  const auto& six = reinterpret_cast<const sockaddr_in6&>(own.bytes);
  const bool any = bound ? bound->ip == Ip4{} : IN6_IS_ADDR_UNSPECIFIED(&six.sin6_addr) != 0;
  if (!any) return 0;
  if (port != 0) {
    NoteOnce(
        fmt::format("process {} connects from a port that it has bound itself: the connection "
                    "does not come from {}",
                    call.thread, network_.id));
    return 0;
  }
  // The port is chosen when it is known where the connection goes: the same one serves many.
  const int on = 1;
  setsockopt(socket, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  if (bind(socket, route.source.get(), route.source.size) == 0 || errno == EINVAL) return 0;
  const int error = errno;
  NoteOnce(
      fmt::format("cannot connect from {}: {}", ToString(network_.source), std::strerror(error)));
  return error;
}

void ConnectSupervisor::Begin(const Call& call, Attempt attempt) {
  const int socket = attempt.socket.get();
  int error = ConnectNow(socket, attempt.route.destination);
  const bool blocks = (fcntl(socket, F_GETFL) & O_NONBLOCK) == 0;
  if (blocks && IsUnderWay(error) && IsSettled(socket)) {
    error = ConnectNow(socket, attempt.route.destination);  // loopback is quick
  }
  if (!blocks || !IsUnderWay(error)) return Finish(call.id, error);
  const auto limit = Option<timeval>(socket, SOL_SOCKET, SO_SNDTIMEO, {});
  if (limit.tv_sec != 0 || limit.tv_usec != 0) {
    attempt.deadline = clock_.now().instant + std::chrono::seconds(limit.tv_sec) +
                       std::chrono::microseconds(limit.tv_usec);
  }
  epoll_event event = {EPOLLOUT, {.u64 = call.id}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event) != 0) {
    return Finish(call.id, EAGAIN);
  }
  pending_.emplace(call.id, std::move(attempt));
  if (pending_.size() == pending_max_) Listen(false);
}

void ConnectSupervisor::GoOn(uint64_t id) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  const Attempt& attempt = found->second;
  const int error = ConnectNow(attempt.socket.get(), attempt.route.destination);
  if (!IsUnderWay(error)) End(id, error == EISCONN ? 0 : error);
}

void ConnectSupervisor::End(uint64_t id, int error) {
  const auto found = pending_.find(id);
  Finish(id, error);
  // Closing our copy does not end the watch: the program has the socket as well.
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second.socket.get(), nullptr);
  if (pending_.size() == pending_max_) Listen(true);
  pending_.erase(found);
}

// For what epoll does not tell: calls that have ended with their process, or whose time is over,
// and threads that have a signal to take. The socket goes on connecting then, as it would by
// itself.
void ConnectSupervisor::LookThrough() {
  looked_ = clock_.now().instant;
  std::vector<std::pair<uint64_t, int>> ended;
  for (const auto& [id, attempt] : pending_) {
    if (!IsAlive(id)) {
      ended.emplace_back(id, ECANCELED);  // nobody hears it
    } else if (looked_ >= attempt.deadline) {
      ended.emplace_back(id, EINPROGRESS);  // connect()'s own word for it
    } else if (HasSignal(attempt.thread)) {
      ended.emplace_back(id, kRestart);
    }
  }
  for (const auto& [id, error] : ended) End(id, error);
}

bool ConnectSupervisor::IsAlive(uint64_t id) const {
  return ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

void ConnectSupervisor::LetContinue(uint64_t id) {
  Send({.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE});
}

void ConnectSupervisor::Finish(uint64_t id, int error) { Send({.id = id, .error = -error}); }

// A call that has been given up meanwhile needs no answer.
void ConnectSupervisor::Send(seccomp_notif_resp response) const {
  ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response);
}

// While there is no room for another connection, the next ones wait in the kernel.
void ConnectSupervisor::Listen(bool on) {
  epoll_event event = {on ? uint32_t{EPOLLIN} : 0, {.u64 = kListener}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, listener_.get(), &event);
}

void ConnectSupervisor::NoteOnce(const std::string& text) {
  if (notes_.size() == kNotesMax || std::ranges::find(notes_, text) != notes_.end()) return;
  notes_.push_back(text);
  note_(text);
}

}  // namespace ec::cli
