#include "cli/up_settings.h"

#include <fmt/format.h>

#include <cstdlib>
#include <set>

namespace ec::cli {
namespace {

// Of the default installation; others take any free one.
constexpr int kDefaultPort = 7379;
constexpr int kDefaultHttpPort = 7380;
constexpr int kDefaultMembersMax = 100;  // three hosts hold AWS's quota of 300 nodes per region

bool IsName(const std::string& text) {
  return !text.empty() && text.size() <= 64 && text.front() != '-' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

std::string AddressOf(int port) { return fmt::format("127.0.0.1:{}", port); }

}  // namespace

int PortOf(const std::string& address) {
  return std::atoi(address.substr(address.rfind(':') + 1).c_str());
}

Outcome CheckNames(const Installation& installation) {
  if (!IsName(installation.region)) {
    return UsageError(fmt::format("'{}' is not a region such as us-east-1", installation.region));
  }
  if (installation.account.size() != 12 ||
      installation.account.find_first_not_of("0123456789") != std::string::npos) {
    return UsageError(fmt::format("'{}' is not an account id: 12 digits", installation.account));
  }
  std::set<std::string> seen;
  for (const std::string& zone : installation.zones) {
    if (!IsName(zone) || !zone.starts_with(installation.region) ||
        zone.size() == installation.region.size()) {
      return UsageError(fmt::format("'{}' is not an availability zone of {}, such as {}a", zone,
                                    installation.region, installation.region));
    }
    if (!seen.insert(zone).second) return UsageError(fmt::format("zone {} is named twice", zone));
  }
  return {};
}

Installation Propose(const UpOptions& options, bool is_default_directory) {
  Installation installation;
  installation.region = options.region.value_or("us-east-1");
  installation.account = options.account.value_or("000000000000");
  installation.zones = options.zones;
  if (options.zones.empty()) {
    for (const char letter : {'a', 'b', 'c'}) {
      installation.zones.push_back(installation.region + letter);
    }
  }
  const int port = options.port.value_or(is_default_directory ? kDefaultPort : 0);
  if (port != 0) installation.grpc_address = AddressOf(port);
  const int http_port = options.http_port.value_or(is_default_directory ? kDefaultHttpPort : 0);
  if (http_port != 0) installation.http_address = AddressOf(http_port);
  installation.credentials = options.credentials;
  installation.allow_hosts = options.allow_hosts;
  installation.strict_versions = options.strict_versions;
  installation.region_nodes_max = options.region_nodes_max;
  installation.members_max = options.members_max.value_or(kDefaultMembersMax);
  installation.log_level = options.log_level.value_or("info");
  installation.carry = options.carry;
  installation.memcached_carry = options.memcached_carry;
  installation.deny = options.deny;
  installation.advertise = options.advertise;
  installation.listen_ip = options.listen_ip;
  installation.ports = options.ports;
  installation.localhost_instance = options.localhost_instance;
  return installation;
}

// The gateway's part of CheckSame(); `differs` is what it says of one.
template <typename Differs>
static Outcome CheckSameGateway(const UpOptions& options, const Installation& installation,
                                const Differs& differs) {
  if (options.http_port && *options.http_port != 0 && installation.http_address &&
      *options.http_port != PortOf(*installation.http_address)) {
    return differs("--http-port", std::to_string(PortOf(*installation.http_address)));
  }
  if (options.credentials && options.credentials != installation.credentials) {
    return differs("--credentials", installation.credentials.value_or("(not given)"));
  }
  if (!options.allow_hosts.empty() && options.allow_hosts != installation.allow_hosts) {
    return differs("--allow-hosts", fmt::format("{}", fmt::join(installation.allow_hosts, ",")));
  }
  return {};
}

Outcome CheckSame(const UpOptions& options, const std::string& dir,
                  const Installation& installation) {
  const auto differs = [&](const std::string& option, const std::string& recorded) {
    return Refused(fmt::format(
        "the installation in {} was made with {} {} and keeps it; 'ecctl down --discard' removes "
        "the installation and its data",
        dir, option, recorded));
  };
  if (options.port && *options.port != 0 && installation.grpc_address &&
      *options.port != PortOf(*installation.grpc_address)) {
    return differs("--port", std::to_string(PortOf(*installation.grpc_address)));
  }
  EC_RETURN_UNLESS_OK(CheckSameGateway(options, installation, differs));
  if (!options.zones.empty() && options.zones != installation.zones) {
    return differs("--zones", fmt::format("{}", fmt::join(installation.zones, ",")));
  }
  if (options.region && *options.region != installation.region) {
    return differs("--region", installation.region);
  }
  if (options.account && *options.account != installation.account) {
    return differs("--account", installation.account);
  }
  if (options.strict_versions && !installation.strict_versions) {
    return Refused(fmt::format("the installation in {} was made without --strict-versions", dir));
  }
  if (options.region_nodes_max && options.region_nodes_max != installation.region_nodes_max) {
    if (installation.region_nodes_max) {
      return differs("--region-nodes-max", std::to_string(*installation.region_nodes_max));
    }
    return Refused(fmt::format("the installation in {} was made without --region-nodes-max", dir));
  }
  if (options.members_max && *options.members_max != installation.members_max) {
    return differs("--members-max", std::to_string(installation.members_max));
  }
  if (options.log_level && *options.log_level != installation.log_level) {
    return differs("--log-level", installation.log_level);
  }
  const std::string carry = installation.carry.value_or("hand-over");
  if (options.carry && *options.carry != carry) return differs("--carry", carry);
  const std::string memcached_carry = installation.memcached_carry.value_or("first-bytes");
  if (options.memcached_carry && *options.memcached_carry != memcached_carry) {
    return differs("--memcached-carry", memcached_carry);
  }
  const auto differs_from = [](const std::optional<std::string>& asked,
                               const std::optional<std::string>& recorded) {
    return asked && asked != recorded;
  };
  const std::string none = "(not given)";
  if (differs_from(options.advertise, installation.advertise)) {
    return differs("--advertise", installation.advertise.value_or(none));
  }
  if (differs_from(options.listen_ip, installation.listen_ip)) {
    return differs("--listen-ip", installation.listen_ip.value_or(none));
  }
  if (differs_from(options.ports, installation.ports)) {
    return differs("--ports", installation.ports.value_or(none));
  }
  const std::string deny = installation.deny.value_or("reset");
  if (options.deny && *options.deny != deny) return differs("--deny", deny);
  if (options.netns && !installation.netns) {
    return Refused(fmt::format("the installation in {} was made without --netns", dir));
  }
  const bool localhost = installation.localhost_instance.value_or(true);
  if (options.localhost_instance && *options.localhost_instance != localhost) {
    return Refused(fmt::format("the installation in {} was made {} i-localhost and keeps it so",
                               dir, localhost ? "with" : "without"));
  }
  return {};
}

}  // namespace ec::cli
