#include "nodeagent/endpoint/discovery_reply.h"

namespace ec::endpoint {
namespace {

// "<version>\n<host>|<ip>|<port> <host>|<ip>|<port>\n"
std::string Payload(const Discovery& discovery) {
  std::string text = std::to_string(discovery.version) + "\n";
  bool first = true;
  for (const Discovery::Node& node : discovery.nodes) {
    if (!first) text += ' ';
    first = false;
    text += node.host + "|" + ToString(node.address.ip) + "|" + std::to_string(node.address.port);
  }
  return text + "\n";
}

}  // namespace

Discovery InVpc(Discovery discovery, const VpcBlocks& vpc) {
  for (Discovery::Node& node : discovery.nodes) {
    const auto address = vpc.InBlock(node.address.ip);
    if (!address) continue;
    node.address.ip = *address;
    node.host = ToString(*address);
  }
  return discovery;
}

DiscoveryReplies RepliesFor(const Discovery& discovery) {
  const std::string payload = Payload(discovery);
  const std::string length = std::to_string(payload.size());
  const std::string value = "VALUE AmazonElastiCache:cluster 0 " + length;
  const std::string rest = "\r\n" + payload + "\r\nEND\r\n";
  return {.config = "CONFIG cluster 0 " + length + rest,
          .legacy = value + rest,
          .legacy_with_cas = value + " " + std::to_string(discovery.version) + rest};
}

}  // namespace ec::endpoint
