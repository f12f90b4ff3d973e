// Processes that the command line starts in the background, and waits for.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/outcome.h"
#include "common/process.h"
#include "common/time.h"
#include "common/unique_fd.h"

namespace ec::cli {

bool HasEnded(const UniqueFd& pidfd);

// Waits until the process has ended. False at the deadline, or when the user interrupts.
bool AwaitEnd(const UniqueFd& pidfd, Instant deadline);

// A process that we have started in the background: in a session of its own, with nothing to read,
// and with its output appended to a file.
struct Child {
  ProcessId process;
  UniqueFd pidfd;
  std::string out_file;
  int64_t out_offset = 0;  // where its own output begins in the file
};

// argv[0] is the program's path. Never uses a shell.
Outcome StartInBackground(const std::vector<std::string>& argv, const std::string& out_file,
                          Child* child);

// Asks the child to stop and reaps it. Goes on after an interrupt, since this is what tidies up
// then; a child that has not ended at the deadline is left.
void StopChild(const Child& child, Instant deadline);

// The exit status if the child has ended: the code, or 128 + the signal. Reaps it.
std::optional<int> ExitOf(const Child& child);

// The last line that the child has printed; for telling why it ended.
std::string LastWords(const Child& child);

}  // namespace ec::cli
