// The process between ecctl and a command that runs as an instance. It is the command's parent, so
// that the kernel lets it take the sockets of the command and of all that descends from it, and
// stays until the last of these has ended, even when ecctl and the command have long been gone.
#pragma once

#include <signal.h>

#include <string>
#include <string_view>
#include <vector>

#include "cli/instance_route.h"
#include "common/unique_fd.h"

namespace ec::cli {

// --- what ecctl and the keeper say to each other --------------------------------------------

// What to do: the network and the command, in bytes. Ecctl sends it and closes its side.
std::string PackOrder(const InstanceNetwork& network, const std::vector<std::string>& command);
// False when the bytes are none.
bool UnpackOrder(std::string_view bytes, InstanceNetwork* network,
                 std::vector<std::string>* command);

// What the keeper says: one packet, its kind in front. Ecctl's packets are one byte each, the
// number of a signal for the command.
enum class Tiding : char {
  kNote = 'N',    // and a text
  kFailed = 'F',  // the command does not run: the exit code in one byte, and a text
  kEnded = 'E',   // the command has ended: waitpid()'s status, as it lies in memory
};

// The keeper's whole life: waits for the order, runs the command with the signal mask `mask`, and
// keeps it. REQUIRES: a process of its own with one thread, all signals blocked.
[[noreturn]] void KeepInstance(UniqueFd order, UniqueFd ecctl, const sigset_t& mask);

}  // namespace ec::cli
