// Runs a command as an instance: its connections come from the instance's address.
#pragma once

#include <string>
#include <vector>

#include "cli/instance_route.h"
#include "cli/outcome.h"
#include "common/unique_fd.h"

namespace ec::cli {

class InstanceRunner {
 public:
  // Forks the keeper (instance_keeper.h), which waits for an order and ends without one.
  // REQUIRES: the program has one thread, so that nothing has asked the control plane yet
  Outcome Start();

  // Runs the command to its end, as a shell would: in the same process group, with the same files,
  // and with what is sent to ecctl passed on. The outcome's exit is the command's; if a signal
  // ended the command, then the same one ends ecctl. 127 and 126: there is no such command, it
  // cannot be run.
  Outcome Run(const InstanceNetwork& network, const std::vector<std::string>& command);

 private:
  UniqueFd order_;
  UniqueFd keeper_;
};

}  // namespace ec::cli
