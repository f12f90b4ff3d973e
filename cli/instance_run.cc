// `ecctl instance run`.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/instance_lookup.h"
#include "cli/instance_runner.h"

namespace ec::cli {
namespace {

Outcome RunAsInstance(Context& context, const std::string& id) {
  if (context.passed_on().empty()) {
    return UsageError("there is no command to run (see 'ecctl instance run --help')");
  }
  InstanceRunner runner;
  EC_RETURN_UNLESS_OK(runner.Start());
  InstanceNetwork network;
  EC_RETURN_UNLESS_OK(FindInstanceNetwork(context, id, &network));
  return runner.Run(network, context.passed_on());
}

}  // namespace

void AddInstanceRunCommand(CommandLine& line, CLI::App* instance) {
  auto id = std::make_shared<std::string>();
  line.AddCommand(
          instance, "run", "Run a command whose TCP connections come from an instance",
          [id](Context& context) { return RunAsInstance(context, *id); },
          "What follows ID is the command, with or without -- before it. It may be any program, "
          "a\nstatic one, too; its children are part of the instance, also those that outlive it.\n"
          "The command can use the addresses of the instance's VPC, such as 10.0.1.5, and those\n"
          "that 'ecctl endpoint list' has. Connections to 127.0.0.0/16, to the internet, over "
          "IPv6\nand UDP, and of sockets that the program has bound itself stay as they are.\n"
          "Needs no root, and Linux 5.9. Programs gain no privileges in it (sudo), have neither\n"
          "io_uring nor TCP Fast Open, and are killed when they are of another architecture.\n\n"
          "The exit code is the command's: 128 and the signal's number when one ended it, 127\n"
          "when there is no such command, 126 when it cannot be run.\n\n"
          "Examples:\n"
          "  ecctl instance run i-web redis-cli -h 10.0.1.5\n"
          "  ecctl instance run i-web -- ./my-service --cache 10.0.1.5:6379\n"
          "  ecctl instance run i-web bash\n")
      .Argument("ID", "INSTANCE", id.get(), "Its id or name")
      .PassesOnCommand();
}

}  // namespace ec::cli
