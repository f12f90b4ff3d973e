// Ctrl-C. By default it ends ecctl at once with exit code 130; a command that must say or undo
// something first holds an InterruptScope, and looks.
#pragma once

#include "common/time.h"

namespace ec::cli {

// Called once, at the start. A Ctrl-C that the caller has chosen to ignore (nohup) stays ignored.
void InstallInterruptHandler();

class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
};

// Whether Ctrl-C was pressed inside a scope. A second one ends ecctl at once.
bool WasInterrupted();

// Waits this long, or until `fd` (if there is one) can be read. False: interrupted.
bool Pause(Duration duration, int fd = -1);

}  // namespace ec::cli
