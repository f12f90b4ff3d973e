#include "tests/integration/probes.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "common/tcp_socket.h"

namespace ec::integration {
namespace {

constexpr int kPatienceMilliseconds = 5000;
// The kernel makes connections of loopback at once, whatever keeps the program that listens busy.
constexpr int kConnectMilliseconds = 1000;

// "0100007F:18EB", in the machine's byte order.
Address AddressFrom(const std::string& text) {
  const size_t colon = text.find(':');
  const auto ip = static_cast<uint32_t>(std::stoul(text.substr(0, colon), nullptr, 16));
  return {{ntohl(ip)}, static_cast<uint16_t>(std::stoul(text.substr(colon + 1), nullptr, 16))};
}

// All TCP sockets on this machine that listen, by inode. Those of IPv6 without their addresses.
std::map<std::string, Address> TcpListeners() {
  std::map<std::string, Address> listeners;
  for (const std::string path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream table(path);
    std::string line;
    std::getline(table, line);  // the headings
    while (std::getline(table, line)) {
      std::istringstream words(line);
      std::vector<std::string> fields;
      for (std::string word; fields.size() < 10 && words >> word;) fields.push_back(word);
      if (fields.size() < 10 || fields[3] != "0A") continue;
      const bool is_v4 = path == "/proc/net/tcp";
      listeners["socket:[" + fields[9] + "]"] = is_v4 ? AddressFrom(fields[1]) : Address{};
    }
  }
  return listeners;
}

// Whether something can be read, or the connection has ended.
bool AwaitReadable(int fd) {
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, kPatienceMilliseconds) == 1;
}

}  // namespace

std::vector<Address> TcpListenersOf(pid_t pid) {
  const std::map<std::string, Address> listeners = TcpListeners();
  std::vector<Address> own;
  std::error_code gone;
  const std::string fds = "/proc/" + std::to_string(pid) + "/fd";
  for (const auto& entry : std::filesystem::directory_iterator(fds, gone)) {
    const auto found = listeners.find(std::filesystem::read_symlink(entry.path(), gone).string());
    if (found != listeners.end()) own.push_back(found->second);
  }
  return own;
}

std::string AnswerTo(Ip4 from, Address listener) {
  const UniqueFd socket = ConnectTcp(listener, from);
  if (!socket) return {};
  pollfd connecting{.fd = socket.get(), .events = POLLOUT, .revents = 0};
  if (poll(&connecting, 1, kConnectMilliseconds) != 1) return {};
  // The first line is for Redis, the second for Memcached.
  const std::string_view questions = "PING\r\nversion\r\n";
  send(socket.get(), questions.data(), questions.size(), MSG_NOSIGNAL);
  if (!AwaitReadable(socket.get())) return {};  // such as of an agent that was stopped
  char answer[256];
  const ssize_t length = recv(socket.get(), answer, sizeof(answer), 0);
  return length <= 0 ? std::string() : std::string(answer, static_cast<size_t>(length));
}

bool IsLeftWaiting(Ip4 from, Address listener) {
  const UniqueFd socket = ConnectTcp(listener, from);
  if (!socket) return false;
  pollfd connecting{.fd = socket.get(), .events = POLLOUT, .revents = 0};
  return poll(&connecting, 1, 300) == 0;
}

}  // namespace ec::integration
