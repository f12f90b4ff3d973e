#include "nodeagent/endpoint/open_connections.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "common/unique_fd.h"

namespace ec::endpoint {
namespace {

bool AskForAll(int socket) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } message{};
  message.header.nlmsg_len = sizeof(message);
  message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.request.sdiag_family = AF_INET;
  message.request.sdiag_protocol = IPPROTO_TCP;
  message.request.idiag_states = 1u << TCP_ESTABLISHED | 1u << TCP_CLOSE_WAIT;
  return send(socket, &message, sizeof(message), 0) == sizeof(message);
}

Address AddressOf(const __be32* ip, __be16 port) { return {{ntohl(ip[0])}, ntohs(port)}; }

// Adds what the bytes tell; false when there is no more to come.
bool TakeMessages(const char* bytes, ssize_t length, std::vector<OpenConnection>* connections) {
  const auto* header = reinterpret_cast<const nlmsghdr*>(bytes);
  auto left = static_cast<unsigned>(length);
  for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return false;  // the end, or an error
    const auto* const found = static_cast<const inet_diag_msg*>(NLMSG_DATA(header));
    connections->push_back({AddressOf(found->id.idiag_src, found->id.idiag_sport),
                            AddressOf(found->id.idiag_dst, found->id.idiag_dport)});
  }
  return true;
}

}  // namespace

std::vector<OpenConnection> OpenConnections() {
  std::vector<OpenConnection> connections;
  const UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket || !AskForAll(socket.get())) return connections;
  alignas(nlmsghdr) char bytes[32 * 1024];
  while (true) {
    const ssize_t length = recv(socket.get(), bytes, sizeof(bytes), 0);
    if (length <= 0) return connections;
    if (!TakeMessages(bytes, length, &connections)) return connections;
  }
}

}  // namespace ec::endpoint
