// The settings that `ecctl up` gives an installation when it makes it, and holds it to afterwards.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/installation.h"
#include "cli/outcome.h"

namespace ec::cli {

struct UpOptions {
  std::optional<int> port;
  std::optional<int> http_port;
  std::optional<std::string> credentials;
  bool require_signature = false;
  std::vector<std::string> allow_hosts;
  std::vector<std::string> zones;
  std::optional<std::string> region;
  std::optional<std::string> account;
  bool strict_versions = false;
  std::optional<int> region_nodes_max;
  std::optional<int> members_max;
  std::optional<std::string> log_level;
  std::optional<std::string> carry;
  std::optional<std::string> memcached_carry;
  std::optional<std::string> deny;
  std::optional<std::string> advertise;
  std::optional<std::string> listen_ip;
  std::optional<std::string> ports;
  std::optional<bool> localhost_instance;
  bool netns = false;
};

// What the options and the defaults make of a new installation.
Installation Propose(const UpOptions& options, bool is_default_directory);

// Zones name hosts, and hosts name directories, so their form matters here as well as to the
// daemons.
Outcome CheckNames(const Installation& installation);

// An installation keeps the settings that it was made with; naming the same ones again is fine.
Outcome CheckSame(const UpOptions& options, const std::string& dir,
                  const Installation& installation);

int PortOf(const std::string& address);

}  // namespace ec::cli
