#include <grpc/support/log.h>

#include <cstdlib>

#include "cli/ecctl.h"

int main(int argc, char** argv) {
  // gRPC's own remarks are not for the user; its usual variable brings them back.
  if (std::getenv("GRPC_VERBOSITY") == nullptr) gpr_set_log_function([](gpr_log_func_args*) {});
  const ec::cli::ExitCode code = ec::cli::RunEcctl({argv + 1, argv + argc});
  // Everything is written, and gRPC's threads need no farewell (client.cc).
  std::_Exit(static_cast<int>(code));
}
