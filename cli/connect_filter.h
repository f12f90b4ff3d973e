// The seccomp filter that puts a process's connect() before a supervisor.
#pragma once

#include "common/unique_fd.h"

namespace ec::cli {

// From now on this process, its threads and its children wait in connect() until whoever holds the
// returned listener has answered. Nothing undoes this, and no program gains privileges any more
// (sudo). Empty with errno set when the kernel refuses.
//
// The other ways to open a TCP connection are closed, so that none passes by: TCP Fast Open of
// sendto() and its kin fails with EOPNOTSUPP, and io_uring_setup() with ENOSYS, as on kernels and
// in containers without them. A program of another architecture, such as a 32-bit one, is killed
// (SIGSYS): its calls have other numbers.
UniqueFd InstallConnectFilter();

}  // namespace ec::cli
