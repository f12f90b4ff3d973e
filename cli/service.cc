// `ecctl version` and `ecctl reset`.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/context.h"

namespace ec::cli {
namespace {

Outcome PrintVersions(Context& context) {
  v1::GetVersionResponse server;
  Client* client = nullptr;
  Outcome reached = context.Connect(&client);
  if (reached.ok()) {
    client->set_patience(context.global().timeout.value_or(std::chrono::seconds(1)), false);
    reached = client->Call(&v1::Emulator::Stub::GetVersion, {}, &server);
  }
  // The client's own version is always worth an answer; a wrong option is still wrong.
  if (reached.exit == ExitCode::kUsage) return reached;
  if (context.json()) {
    using Json = nlohmann::ordered_json;
    Json json = {{"client", {{"version", EC_VERSION}}}, {"server", nullptr}};
    if (reached.ok()) json["server"] = Json::parse(ToJson(server), nullptr, false);
    PrintLine(json.dump(2));
    return {};
  }
  PrintLine(fmt::format("client  {}", EC_VERSION));
  if (reached.ok()) {
    PrintLine(fmt::format("server  {} (API {}, schema {}) at {}", server.version(),
                          server.api_version(), server.schema_version(), client->address()));
  } else {
    PrintLine(fmt::format("server  not reached: {}", reached.message));
  }
  return {};
}

Outcome Reset(Context& context, bool yes) {
  EC_RETURN_UNLESS_OK(Confirm(
      "Forget every cluster, group, VPC, instance, tag and event, and all cached data?", yes));
  v1::ResetResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Emulator::Stub::Reset, {}, &response));
  if (context.json()) {
    context.Print(response);
  } else {
    PrintLine("Everything is forgotten; the hosts stay.");
  }
  return {};
}

}  // namespace

void AddServiceCommands(CommandLine& line) {
  auto yes = std::make_shared<bool>(false);
  line.AddTopCommand(
          kServiceSection, "reset",
          "Forget every cluster, group, VPC, instance, tag and event; the hosts stay",
          [yes](Context& context) { return Reset(context, *yes); },
          "Examples:\n  ecctl reset --yes\n")
      .Flag("-y,--yes", yes.get(), "Do not ask for confirmation");
  line.AddTopCommand(kProgramSection, "version", "Print the versions of ecctl and of the service",
                     PrintVersions, "Examples:\n  ecctl version\n  ecctl version -o json\n");
}

}  // namespace ec::cli
