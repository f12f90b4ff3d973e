// An installation on this machine: a directory that holds what it was started with, the control
// plane's data, and one directory per host.
//
//   DIR/installation.json         written by `ecctl up` before anything is started
//   DIR/controlplane/             controlplane.json while it serves, .log, .out
//   DIR/hosts/<host>/             agent.json while it runs, agent.log, agent.out
//   DIR/snapshots/                snapshot files, of all hosts
//   DIR/buckets/<bucket>/<key>    the objects of arn:aws:s3:::<bucket>/<key>
//   DIR/.lock                     held by the one `up` or `down` that is at work
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/outcome.h"
#include "cli/process.h"
#include "common/time.h"
#include "common/unique_fd.h"

namespace ec::cli {

// What `up` was told the first time. It holds for as long as the installation exists.
struct Installation {
  std::string region;
  std::string account;
  std::vector<std::string> zones;           // one host each, named after its zone
  std::optional<std::string> grpc_address;  // absent until the control plane has first served
  std::optional<std::string> http_address;  // the same, of the HTTP gateway for AWS's clients
  // Where the gateway wants signed requests: the file with whose keys.
  std::optional<std::string> credentials;
  std::vector<std::string> allow_hosts;  // names by which the gateway may be called
  bool strict_versions = false;
  std::optional<int> region_nodes_max;
  int members_max = 0;
  std::string log_level;
  // How the agents carry connections, where they were told; else as they do by themselves.
  std::optional<std::string> carry;
  std::optional<std::string> memcached_carry;
  std::optional<std::string> deny;  // the same for those that may not connect
  // Address mode `ports`, where it is on: see ec-controlplane --help.
  std::optional<std::string> advertise;
  std::optional<std::string> listen_ip;
  std::optional<std::string> ports;
  // Whether 127.0.0.1 is the instance i-localhost, where that was said; else it is.
  std::optional<bool> localhost_instance;
  // Where VPCs and instances are network namespaces: what the names of those begin with.
  std::optional<std::string> netns;
  friend bool operator==(const Installation&, const Installation&) = default;
};

// What a daemon says of itself in its directory.
struct ControlPlaneRecord {
  ProcessId process;
  std::string address;
  std::string http_address;  // empty: it serves none
};
struct AgentRecord {
  ProcessId process;
  std::string host;
  std::string zone;
};

// --- places ---------------------------------------------------------------------------------

// $XDG_STATE_HOME/emucache or ~/.local/state/emucache.
Outcome DefaultDirectory(std::string* dir);
Outcome MakeAbsolute(const std::string& path, std::string* absolute);

std::string InstallationFile(const std::string& dir);
std::string ControlPlaneDirectory(const std::string& dir);
std::string HostsDirectory(const std::string& dir);
std::string SnapshotsDirectory(const std::string& dir);
std::string BucketsDirectory(const std::string& dir);
std::string HostDirectory(const std::string& dir, const std::string& host);
// The names of the directories in hosts/, in order.
std::vector<std::string> HostsOnDisk(const std::string& dir);

// Where the daemons' programs are: EC_BIN_DIR, or beside ecctl itself.
std::string ProgramPath(const std::string& name);

// Creates the directory and what is missing above it, readable by its owner only.
Outcome MakeDirectory(const std::string& path);

// --- files ----------------------------------------------------------------------------------

// nullopt when there is no installation.json. Refused when it cannot be understood.
Outcome ReadInstallation(const std::string& dir, std::optional<Installation>* installation);
// Replaces the file at once or not at all.
Outcome WriteInstallation(const std::string& dir, const Installation& installation);

// nullopt when there is no such file, or none that can be understood. A record alone proves
// nothing: its process may be long dead (OpenProcess() tells).
std::optional<ControlPlaneRecord> ReadControlPlane(const std::string& dir);
std::optional<AgentRecord> ReadAgent(const std::string& host_dir);

// Waits until no other ecctl works on the directory, saying so. The lock ends with `lock`.
Outcome LockInstallation(const std::string& dir, Instant deadline, UniqueFd* lock);

}  // namespace ec::cli
