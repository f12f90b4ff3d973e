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
#include <cstring>
#include <utility>

#include "common/check.h"
#include "common/process.h"

namespace ec::cli {
namespace {

constexpr uint64_t kListener = 0;  // ids of calls are never 0
constexpr Duration kLookEvery = std::chrono::milliseconds(50);
constexpr size_t kUntoldMax = 1024;
constexpr size_t kNotesMax = 16;
constexpr rlim_t kFilesForOthers = 32;
constexpr unsigned kPidfdThread = O_EXCL;  // PIDFD_THREAD, of Linux 6.9

// The process that a thread belongs to; 0: gone.
pid_t ProcessOf(pid_t thread) {
  const auto status = ReadFile(fmt::format("/proc/{}/status", thread));
  if (!status) return 0;
  const size_t at = status->find("\nTgid:");
  return at == std::string::npos ? 0 : std::atoi(status->c_str() + at + 6);
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

uint64_t CookieOf(int socket) { return Option<uint64_t>(socket, SOL_SOCKET, SO_COOKIE, 0); }

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
  if (clock_.now().instant - looked_ >= kLookEvery) LookThrough();
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
    return Finish(call.id, -1, EACCES);
  }
  if (!IsTheProgramsOwn(error)) return Finish(call.id, -1, EAGAIN);
  if (!socket || !IsTcp(socket.get(), route->destination.bytes.ss_family)) {
    return LetContinue(call.id);
  }
  error = BindTo(*route, call, socket.get());
  if (error != 0) return Finish(call.id, -1, error);
  Begin(call, {std::move(socket), *route, Instant::max()});
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
  if (const auto untold = std::ranges::find(untold_, CookieOf(socket)); untold != untold_.end()) {
    // The same call, made again by the kernel after a signal: the program never saw the first end.
    if (error == EISCONN) error = 0;
    if (error == EALREADY) error = EINPROGRESS;
    untold_.erase(untold);
  }
  if (!blocks || !IsUnderWay(error)) return Finish(call.id, socket, error);
  const auto limit = Option<timeval>(socket, SOL_SOCKET, SO_SNDTIMEO, {});
  if (limit.tv_sec != 0 || limit.tv_usec != 0) {
    attempt.deadline = clock_.now().instant + std::chrono::seconds(limit.tv_sec) +
                       std::chrono::microseconds(limit.tv_usec);
  }
  epoll_event event = {EPOLLOUT, {.u64 = call.id}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event) != 0) {
    return Finish(call.id, socket, EAGAIN);
  }
  pending_.emplace(call.id, std::move(attempt));
  if (pending_.size() == pending_max_) Listen(false);
}

void ConnectSupervisor::GoOn(uint64_t id) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  const Attempt& attempt = found->second;
  int error = ETIMEDOUT;
  if (IsAlive(id)) {
    error = ConnectNow(attempt.socket.get(), attempt.route.destination);
    // connect() says so itself when its time is over.
    const bool over = clock_.now().instant >= attempt.deadline;
    if (IsUnderWay(error) && !over) return;
    if (IsUnderWay(error)) error = EINPROGRESS;
    if (error == EISCONN) error = 0;
  }
  Finish(id, attempt.socket.get(), error);
  // Closing our copy does not end the watch: the program has the socket as well.
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, attempt.socket.get(), nullptr);
  if (pending_.size() == pending_max_) Listen(true);
  pending_.erase(found);
}

// For calls that have been given up, by a signal or with their process, and those whose time is
// over: epoll tells of neither.
void ConnectSupervisor::LookThrough() {
  looked_ = clock_.now().instant;
  std::vector<uint64_t> ended;
  for (const auto& [id, attempt] : pending_) {
    if (looked_ >= attempt.deadline || !IsAlive(id)) ended.push_back(id);
  }
  for (const uint64_t id : ended) GoOn(id);
}

bool ConnectSupervisor::IsAlive(uint64_t id) const {
  return ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

void ConnectSupervisor::LetContinue(uint64_t id) {
  Send({.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE});
}

void ConnectSupervisor::Finish(uint64_t id, int socket, int error) {
  if (Send({.id = id, .error = -error})) return;
  if (error != 0 && !IsUnderWay(error)) return;
  if (untold_.size() == kUntoldMax) untold_.pop_front();
  untold_.push_back(CookieOf(socket));
}

bool ConnectSupervisor::Send(seccomp_notif_resp response) const {
  return ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response) == 0;
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
