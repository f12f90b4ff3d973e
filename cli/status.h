// How an installation is: what its files, its processes and its control plane say, put together.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/installation.h"
#include "ec/v1/emulator.pb.h"

namespace ec::cli {

struct HostView {
  std::string id;
  std::string zone;
  // ready, silent and unknown are the control plane's words; without one to ask, the agent's
  // process is "running"; it is "stopped" whenever there is no such process on this machine.
  std::string status;
  std::optional<int64_t> pid;
  std::optional<int> members;  // absent when the control plane cannot be asked
  int members_max = 0;
  std::map<std::string, std::string> engines;
  std::optional<std::string> dir;  // absent for a host whose agent runs elsewhere
};

struct InstallationView {
  std::optional<std::string> dir;
  std::string region;
  std::string account;
  // running; "not answering": there is a process, but no answer; stopped.
  std::string control_plane = "stopped";
  std::optional<int64_t> pid;
  std::optional<std::string> address;
  std::optional<std::string> http_address;  // of the gateway for AWS's clients
  std::optional<std::string> version;
  std::vector<HostView> hosts;

  bool AllUp() const;
};

InstallationView LookAt(const std::string& dir, const Installation& installation,
                        Duration call_timeout);

void PrintView(const Context& context, const InstallationView& view);

std::string FormatEngines(const std::map<std::string, std::string>& engines);

}  // namespace ec::cli
