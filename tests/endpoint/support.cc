#include "tests/endpoint/support.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "common/check.h"
#include "common/unix_socket.h"

namespace ec::endpoint {
namespace {

void SetPatience(int fd) {
  const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

// What a recv() that gave no bytes means.
Socket::Ending EndingOf(ssize_t count) {
  if (count == 0) return Socket::Ending::kEnd;
  return errno == EAGAIN ? Socket::Ending::kTimeout : Socket::Ending::kReset;
}

bool IsReadable(int fd, int milliseconds) {
  pollfd poll_fd{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&poll_fd, 1, milliseconds) == 1;
}

}  // namespace

bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = time(nullptr) + kPatience.count();
  while (!condition()) {
    if (time(nullptr) > deadline) return false;
    poll(nullptr, 0, 1);
  }
  return true;
}

Address FreshAddress() {
  // 127.128.0.0 to 127.191.255.255 by the pid, and ports that the kernel gives to no client.
  static std::atomic<uint16_t> next_port = 20'000;
  const auto pid = static_cast<uint32_t>(getpid());
  return {.ip = {0x7f800000 | (pid & 0x3fffff)}, .port = next_port++};
}

// --- TempDir ----------------------------------------------------------------------------------

TempDir::TempDir() {
  std::string name = std::filesystem::temp_directory_path() / "endpoint_test.XXXXXX";
  EC_CHECK(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TempDir::~TempDir() { std::filesystem::remove_all(path_); }

// --- Socket -----------------------------------------------------------------------------------

Socket::Socket(UniqueFd fd) : fd_(std::move(fd)) {
  if (!fd_) return;
  fcntl(fd_.get(), F_SETFL, fcntl(fd_.get(), F_GETFL) & ~O_NONBLOCK);
  SetPatience(fd_.get());
}

bool Socket::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t length = send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (length <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(length));
  }
  return true;
}

void Socket::SendEnd() { shutdown(fd(), SHUT_WR); }

void Socket::CloseWithReset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  Close();
}

std::string Socket::ReceiveSome() {
  std::string bytes(64 * 1024, '\0');
  const ssize_t count = recv(fd(), bytes.data(), bytes.size(), 0);
  ending_ = count > 0 ? Ending::kNone : EndingOf(count);
  bytes.resize(count > 0 ? static_cast<size_t>(count) : 0);
  return bytes;
}

std::string Socket::Receive(size_t length) {
  std::string bytes(length, '\0');
  size_t received = 0;
  ending_ = Ending::kNone;
  while (received < length) {
    const ssize_t count = recv(fd(), bytes.data() + received, length - received, 0);
    if (count <= 0) {
      ending_ = EndingOf(count);
      break;
    }
    received += static_cast<size_t>(count);
  }
  bytes.resize(received);
  return bytes;
}

std::string Socket::ReceiveUntil(std::string_view ending) {
  std::string bytes;
  while (!bytes.ends_with(ending)) {
    const std::string byte = Receive(1);
    if (byte.empty()) break;
    bytes += byte;
  }
  return bytes;
}

std::string Socket::ReceiveToEnd() {
  std::string bytes;
  ending_ = Ending::kNone;
  while (ending_ == Ending::kNone) bytes += ReceiveSome();
  return bytes;
}

Socket::Ending Socket::AwaitEnding() {
  ReceiveToEnd();
  return ending_;
}

size_t Socket::SendUntilFull(size_t at_most) {
  // Full is a socket that has taken nothing for a while: its bytes may still be on their way.
  constexpr int kFullMilliseconds = 300;
  const std::string block(64 * 1024, 'x');
  size_t sent = 0;
  while (sent < at_most) {
    const ssize_t count = send(fd(), block.data(), block.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      sent += static_cast<size_t>(count);
      continue;
    }
    pollfd poll_fd{.fd = fd(), .events = POLLOUT, .revents = 0};
    if (poll(&poll_fd, 1, kFullMilliseconds) != 1) break;
  }
  return sent;
}

Socket Connect(Address address, std::optional<Ip4> from) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EC_CHECK(fd);
  SetPatience(fd.get());
  const auto name_of = [](Address named) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(named.port);
    name.sin_addr.s_addr = htonl(named.ip.bits);
    return name;
  };
  if (from) {
    const sockaddr_in own = name_of({*from, 0});
    EC_CHECK(bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), sizeof(own)) == 0);
  }
  const sockaddr_in peer = name_of(address);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof(peer)) < 0) return {};
  return Socket(std::move(fd));
}

Socket ConnectToUnix(const std::string& path) { return Socket(ConnectUnix(path)); }

// --- engines ----------------------------------------------------------------------------------

FakeEngine::FakeEngine(std::string path, int backlog)
    : path_(std::move(path)), listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  EC_CHECK(listener_);
  // By way of the directory's descriptor, since the path may be longer than an address holds.
  const std::filesystem::path whole(path_);
  const UniqueFd directory(open(whole.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const std::string name =
      "/proc/self/fd/" + std::to_string(directory.get()) + "/" + whole.filename().string();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  EC_CHECK(name.size() < sizeof(address.sun_path));
  std::memcpy(address.sun_path, name.data(), name.size());
  EC_CHECK(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  EC_CHECK(listen(listener_.get(), backlog) == 0);
}

FakeEngine::~FakeEngine() { unlink(path_.c_str()); }

Socket FakeEngine::Accept() {
  if (!IsReadable(listener_.get(), static_cast<int>(kPatience.count()) * 1000)) return {};
  return Socket(UniqueFd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
}

bool FakeEngine::HasArrival() { return IsReadable(listener_.get(), 0); }

EngineProcess::EngineProcess(std::vector<std::string> argv) {
  std::vector<char*> arguments;
  for (std::string& argument : argv) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  pid_ = fork();
  EC_CHECK(pid_ >= 0);
  if (pid_ > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int nowhere = open("/dev/null", O_RDWR);
  dup2(nowhere, STDIN_FILENO);
  dup2(nowhere, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

void EngineProcess::Signal(int signal) {
  EC_CHECK(pid_ > 0);
  kill(pid_, signal);
}

void EngineProcess::Kill() {
  if (pid_ <= 0) return;
  Signal(SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::unique_ptr<EngineProcess> StartRedis(const std::string& path,
                                          std::vector<std::string> more_arguments) {
  std::vector<std::string> argv = {
      "redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no"};
  argv.insert(argv.end(), more_arguments.begin(), more_arguments.end());
  auto engine = std::make_unique<EngineProcess>(argv);
  EXPECT_TRUE(Eventually([&] {
    Socket socket = ConnectToUnix(path);
    return socket && socket.Send("PING\r\n") && socket.ReceiveUntil("\r\n") == "+PONG\r\n";
  }));
  return engine;
}

std::unique_ptr<EngineProcess> StartMemcached(const std::string& path) {
  auto engine = std::make_unique<EngineProcess>(
      std::vector<std::string>{"memcached", "-u", "root", "-U", "0", "-s", path, "-m", "64"});
  EXPECT_TRUE(Eventually([&] {
    Socket socket = ConnectToUnix(path);
    return socket && socket.Send("mn\r\n") && socket.ReceiveUntil("\r\n") == "MN\r\n";
  }));
  return engine;
}

// --- the rest ---------------------------------------------------------------------------------

SharedNetwork OpenNetwork() {
  Network network;
  network.revision = 1;
  const IngressRule everywhere{.id = "sgr-test", .block = Cidr{}};
  network.groups[kGroup] = {kGroup, kVpc, {everywhere}};
  constexpr Ip4 kThisMachine{0x7f000001};
  network.instances.push_back({"i-localhost", kVpc, kThisMachine, kThisMachine, {kGroup}});
  return SharedNetwork(std::move(network));
}

EndpointSpec Spec(EndpointId id, Address listen, MemberId target) {
  EndpointSpec spec{.id = id, .listen = listen, .target = target};
  spec.door = {.vpc = kVpc, .groups = {kGroup}, .port = listen.port, .peers = {listen.ip}};
  return spec;
}

EndpointSpec Spec(EndpointId id, Address listen, MemberId target, Discovery discovery) {
  EndpointSpec spec = Spec(id, listen, target);
  spec.discovery = std::move(discovery);
  return spec;
}

std::string EngineSocket(const TempDir& directory, MemberId target) {
  return directory.path() + "/" + std::to_string(target) + ".sock";
}

EndpointReport ReportOf(const EndpointServer& server, EndpointId id) {
  for (EndpointReport& report : server.Report()) {
    if (report.id == id) return std::move(report);
  }
  EC_CHECK(false);
}

testing::AssertionResult CountsTo(const EndpointServer& server, EndpointId id,
                                  const EndpointCounts& counts) {
  if (Eventually([&] { return ReportOf(server, id).counts == counts; })) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << testing::PrintToString(ReportOf(server, id).counts)
                                     << " instead of " << testing::PrintToString(counts);
}

size_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  size_t total = 0;
  size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

bool GrewByLessThan(size_t before, size_t bytes) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return before > 0 && bytes > 0;
#else
  return ResidentBytes() < before + bytes;
#endif
}

bool AllowDescriptors(size_t count) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= count) return true;
  limit.rlim_cur = count;
  limit.rlim_max = std::max<rlim_t>(limit.rlim_max, count);
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

}  // namespace ec::endpoint
