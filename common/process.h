// Processes by a name that is never given out twice: pid and start time (and the boot they belong
// to). A pid alone may have come to mean somebody else.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "common/unique_fd.h"

namespace ec {

struct ProcessId {
  pid_t pid = 0;
  uint64_t start_time = 0;  // field 22 of /proc/pid/stat: clock ticks since boot
  friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

// nullopt when there is no such process, or only its zombie.
std::optional<uint64_t> StartTimeOf(pid_t pid);

ProcessId SelfId();

// Identifies this boot of the machine.
std::string BootId();

// A pidfd of exactly that process; empty when it is gone, even if the pid is in use again.
UniqueFd OpenProcess(const ProcessId& id);

// A pidfd of our own child that nobody has waited for, dead or alive.
UniqueFd OpenChild(pid_t pid);

// False when the process is gone already, or is not ours to signal.
bool SendSignal(const UniqueFd& process, int signal);

// Processor time that the process has used, in clock ticks; nullopt when it is gone.
std::optional<uint64_t> ProcessorTimeOf(pid_t pid);

// Replaces the file's content whole: a crash leaves the old one or the new one. With `durable` it
// has also reached the disk. False, with errno set, when it could not be written.
bool ReplaceFile(const std::string& path, const std::string& content, bool durable);

// nullopt when it cannot be read.
std::optional<std::string> ReadFile(const std::string& path);

}  // namespace ec
