#include "controlplane/netns/rtnetlink.h"

#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "common/netns.h"

namespace ec::netns {
namespace {

// A message's bytes: headers and attributes, each padded to four bytes.
class Message {
 public:
  template <typename Body>
  Message(uint16_t type, int flags, const Body& body) {
    nlmsghdr header = {};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    Append(&header, sizeof(header));
    Append(&body, sizeof(body));
  }

  void Put(int type, const void* value, size_t size) {
    rtattr attribute = {};
    attribute.rta_type = static_cast<uint16_t>(type);
    attribute.rta_len = static_cast<uint16_t>(RTA_LENGTH(size));
    Append(&attribute, sizeof(attribute));
    Append(value, size);
  }
  void Put(int type, std::string_view text) { Put(type, text.data(), text.size()); }
  void Put(int type, int number) { Put(type, &number, sizeof(number)); }
  void Put(int type, Ip4 ip) {
    const uint32_t bits = htonl(ip.bits);
    Put(type, &bits, sizeof(bits));
  }

  // What `fill` puts into it becomes an attribute's value, behind `size` bytes of `head`.
  template <typename Fill>
  void Nest(int type, const void* head, size_t size, Fill fill) {
    const size_t begin = bytes_.size();
    Put(type, head, size);
    fill();
    const auto length = static_cast<uint16_t>(bytes_.size() - begin);
    std::memcpy(bytes_.data() + begin + offsetof(rtattr, rta_len), &length, sizeof(length));
  }
  template <typename Fill>
  void Nest(int type, Fill fill) {
    Nest(type, nullptr, 0, fill);
  }

  std::string Whole() && {
    const auto length = static_cast<uint32_t>(bytes_.size());
    std::memcpy(bytes_.data() + offsetof(nlmsghdr, nlmsg_len), &length, sizeof(length));
    return std::move(bytes_);
  }

 private:
  void Append(const void* from, size_t size) {
    if (size > 0) bytes_.append(static_cast<const char*>(from), size);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }

  std::string bytes_;
};

ifinfomsg DeviceOf(int number) {
  ifinfomsg body = {};
  body.ifi_family = AF_UNSPEC;
  body.ifi_index = number;
  return body;
}

}  // namespace

Rtnetlink::Rtnetlink(int netns) {
  const bool entered = InNetns(netns, [this] {
    socket_.reset(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    error_ = socket_ ? 0 : errno;
  });
  if (!entered) error_ = errno;
}

int Rtnetlink::Ask(const std::string& message) const {
  if (!socket_) return error_;
  if (send(socket_.get(), message.data(), message.size(), 0) < 0) return errno;
  struct {
    nlmsghdr header;
    nlmsgerr answer;
    char rest[1024];  // the question again
  } reply = {};
  const ssize_t length = recv(socket_.get(), &reply, sizeof(reply), 0);
  if (length < 0) return errno;
  if (reply.header.nlmsg_type != NLMSG_ERROR) return EPROTO;
  return -reply.answer.error;
}

int Rtnetlink::MakePair(const Plug& own, const Plug& other, const Mac& other_mac,
                        int other_netns) const {
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, DeviceOf(own.device));
  message.Put(IFLA_IFNAME, own.name);
  message.Nest(IFLA_LINKINFO, [&] {
    message.Put(IFLA_INFO_KIND, "veth");
    message.Nest(IFLA_INFO_DATA, [&] {
      const ifinfomsg peer = DeviceOf(other.device);
      message.Nest(VETH_INFO_PEER, &peer, sizeof(peer), [&] {
        message.Put(IFLA_IFNAME, other.name);
        message.Put(IFLA_ADDRESS, other_mac.data(), other_mac.size());
        message.Put(IFLA_NET_NS_FD, other_netns);
      });
    });
  });
  return Ask(std::move(message).Whole());
}

int Rtnetlink::Raise(int device) const {
  ifinfomsg body = DeviceOf(device);
  body.ifi_flags = IFF_UP;
  body.ifi_change = IFF_UP;
  return Ask(Message(RTM_NEWLINK, 0, body).Whole());
}

int Rtnetlink::AddAddress(int device, Ip4 address) const {
  ifaddrmsg body = {};
  body.ifa_family = AF_INET;
  body.ifa_prefixlen = 32;
  body.ifa_index = static_cast<uint32_t>(device);
  Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, body);
  message.Put(IFA_LOCAL, address);
  message.Put(IFA_ADDRESS, address);
  return Ask(std::move(message).Whole());
}

int Rtnetlink::Drop(int device) const {
  return Ask(Message(RTM_DELLINK, 0, DeviceOf(device)).Whole());
}

// All in the table that the kernel looks at first, where else loopback would be found before them.
int Rtnetlink::AddRoute(const Cidr& to, const Way& way) const {
  rtmsg body = {};
  body.rtm_family = AF_INET;
  body.rtm_dst_len = static_cast<uint8_t>(to.prefix);
  body.rtm_table = RT_TABLE_LOCAL;
  body.rtm_protocol = RTPROT_STATIC;
  body.rtm_type = RTN_UNICAST;
  switch (way.route) {
    case Route::kOwn:
      body.rtm_scope = RT_SCOPE_HOST;
      body.rtm_type = RTN_LOCAL;
      break;
    case Route::kNeighbour:
      body.rtm_scope = RT_SCOPE_LINK;
      break;
    case Route::kRouter:
      body.rtm_scope = RT_SCOPE_UNIVERSE;
      body.rtm_flags = RTNH_F_ONLINK;
      break;
    case Route::kNowhere:
      body.rtm_scope = RT_SCOPE_UNIVERSE;
      body.rtm_type = RTN_BLACKHOLE;
      break;
  }
  Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, body);
  message.Put(RTA_DST, to.network);
  if (way.route != Route::kNowhere) message.Put(RTA_OIF, way.device);
  if (way.source.bits != 0) message.Put(RTA_PREFSRC, way.source);
  if (way.router.bits != 0) message.Put(RTA_GATEWAY, way.router);
  return Ask(std::move(message).Whole());
}

}  // namespace ec::netns
