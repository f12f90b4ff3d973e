// `ecctl host`.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/status.h"

namespace ec::cli {
namespace {

Outcome ListHosts(Context& context) {
  v1::DescribeHostsResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Emulator::Stub::DescribeHosts, {}, &response));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  Table table({"HOST", "ZONE", "STATUS", "MEMBERS", "ENGINES", "PID", "REGISTERED"});
  table.ColorStatusColumn(2);
  for (const v1::Host& host : response.hosts()) {
    table.Add({host.host_id(), host.availability_zone(), host.status(),
               fmt::format("{}/{}", host.members(), host.members_max()),
               FormatEngines({host.engines().begin(), host.engines().end()}),
               host.has_pid() ? std::to_string(host.pid()) : "-",
               host.has_registered() ? FormatTime(host.registered()) : "-"});
  }
  context.Print(table, "There are no hosts: no agent has registered yet.");
  return {};
}

}  // namespace

void AddHostCommands(CommandLine& line) {
  CLI::App* host = line.AddGroup(kServiceSection, "host", "The hosts that cache nodes run on");
  line.AddCommand(host, "list", "List the hosts whose agents have ever registered", ListHosts,
                  "Examples:\n"
                  "  ecctl host list\n"
                  "  ecctl host list -o json\n");
}

}  // namespace ec::cli
