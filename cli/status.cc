#include "cli/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/text.h"

namespace ec::cli {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// Asks the control plane about itself and its hosts; leaves the view alone if it does not answer.
void AskControlPlane(Client& client, InstallationView* view, v1::DescribeHostsResponse* hosts) {
  v1::GetVersionResponse version;
  if (!client.Call(&v1::Emulator::Stub::GetVersion, {}, &version).ok()) return;
  view->control_plane = "running";
  view->version = version.version();
  view->region = version.region();
  view->account = version.account_id();
  if (!client.Call(&v1::Emulator::Stub::DescribeHosts, {}, hosts).ok()) hosts->Clear();
}

HostView ViewOf(const v1::Host& host) {
  HostView view;
  view.id = host.host_id();
  view.zone = host.availability_zone();
  view.status = host.status();
  if (host.has_pid()) view.pid = host.pid();
  view.members = host.members();
  view.members_max = host.members_max();
  view.engines = {host.engines().begin(), host.engines().end()};
  return view;
}

void AddHosts(const std::string& dir, const Installation& installation,
              const v1::DescribeHostsResponse& described, InstallationView* view) {
  std::map<std::string, HostView> hosts;
  for (const v1::Host& host : described.hosts()) hosts[host.host_id()] = ViewOf(host);
  std::set<std::string> local(installation.zones.begin(), installation.zones.end());
  for (const std::string& id : HostsOnDisk(dir)) local.insert(id);
  for (const std::string& id : local) {
    const std::string host_dir = HostDirectory(dir, id);
    const std::optional<AgentRecord> record = ReadAgent(host_dir);
    const bool runs = record && OpenProcess(record->process);
    const auto [found, is_new] = hosts.try_emplace(id);
    HostView& host = found->second;
    if (is_new) {
      host.id = id;
      host.zone = record ? record->zone : id;
      host.members_max = installation.members_max;
      host.status = "running";
    }
    host.dir = host_dir;
    // The control plane believes in an agent until it has been silent for a while.
    if (!runs) host.status = "stopped";
    host.pid = runs ? std::optional<int64_t>(record->process.pid) : std::nullopt;
  }
  for (auto& [id, host] : hosts) view->hosts.push_back(std::move(host));
}

Json ToJson(const InstallationView& view) {
  Json hosts = Json::array();
  for (const HostView& host : view.hosts) {
    hosts.push_back({{"id", host.id},
                     {"zone", host.zone},
                     {"status", host.status},
                     {"pid", OrNull(host.pid)},
                     {"members", OrNull(host.members)},
                     {"members_max", host.members_max},
                     {"engines", host.engines},
                     {"dir", OrNull(host.dir)}});
  }
  return {{"dir", OrNull(view.dir)},
          {"region", view.region},
          {"account", view.account},
          {"all_up", view.AllUp()},
          {"control_plane",
           {{"status", view.control_plane},
            {"pid", OrNull(view.pid)},
            {"address", OrNull(view.address)},
            {"http_address", OrNull(view.http_address)},
            {"version", OrNull(view.version)}}},
          {"hosts", hosts}};
}

// `ecctl --address A status`: a control plane that was not started here.
InstallationView LookAtAddress(const std::string& address, Duration call_timeout) {
  InstallationView view;
  view.address = address;
  view.control_plane = "not answering";
  Client client(address, "", call_timeout);
  v1::DescribeHostsResponse described;
  AskControlPlane(client, &view, &described);
  for (const v1::Host& host : described.hosts()) view.hosts.push_back(ViewOf(host));
  return view;
}

Outcome ShowStatus(Context& context) {
  const Duration call_timeout = context.global().timeout.value_or(std::chrono::seconds(2));
  InstallationView view;
  if (context.global().address_is_explicit) {
    EC_RETURN_UNLESS_OK(CheckAddress(*context.global().address));
    view = LookAtAddress(*context.global().address, call_timeout);
  } else {
    std::string dir;
    EC_RETURN_UNLESS_OK(context.Directory(&dir));
    std::optional<Installation> installation;
    EC_RETURN_UNLESS_OK(ReadInstallation(dir, &installation));
    if (!installation) {
      return Unreachable(
          fmt::format("there is no installation in {}; start one with 'ecctl up'", dir));
    }
    view = LookAt(dir, *installation, call_timeout);
  }
  PrintView(context, view);
  return view.AllUp() ? Outcome{} : Outcome{ExitCode::kUnreachable, {}, {}};
}

Outcome PrintEnvironment(Context& context) {
  std::string dir, address;
  EC_RETURN_UNLESS_OK(context.Directory(&dir));
  // Not EC_ADDRESS: that is what an earlier `env` has left, and it may have changed.
  EC_RETURN_UNLESS_OK(context.RecordedAddress(&address));
  std::optional<Installation> installation;
  EC_RETURN_UNLESS_OK(ReadInstallation(dir, &installation));
  std::vector<std::pair<std::string, std::string>> variables = {{"EC_DIR", dir},
                                                                {"EC_ADDRESS", address}};
  if (installation && installation->http_address) {
    variables.emplace_back("AWS_ENDPOINT_URL", "http://" + *installation->http_address);
    variables.emplace_back("AWS_REGION", installation->region);
    variables.emplace_back("AWS_DEFAULT_REGION", installation->region);
    // AWS's clients sign with whatever there is, and refuse to start with nothing. Keys that are no
    // keys also see to it that a command which misses the endpoint does not reach an account.
    if (!installation->credentials) {
      variables.emplace_back("AWS_ACCESS_KEY_ID", "emucache");
      variables.emplace_back("AWS_SECRET_ACCESS_KEY", "emucache");
    }
  }
  Json json = Json::object();
  for (const auto& [name, value] : variables) json[name] = value;
  if (context.json()) {
    PrintLine(json.dump(2));
    return {};
  }
  for (const auto& [name, value] : variables) {
    PrintLine(fmt::format("export {}={}", name, ShellQuote(value)));
  }
  return {};
}

}  // namespace

bool InstallationView::AllUp() const {
  const auto ready = [](const HostView& host) { return host.status == "ready"; };
  return control_plane == "running" && std::all_of(hosts.begin(), hosts.end(), ready);
}

InstallationView LookAt(const std::string& dir, const Installation& installation,
                        Duration call_timeout) {
  InstallationView view;
  view.dir = dir;
  view.region = installation.region;
  view.account = installation.account;
  view.address = installation.grpc_address;
  view.http_address = installation.http_address;
  v1::DescribeHostsResponse described;
  const std::optional<ControlPlaneRecord> record = ReadControlPlane(dir);
  if (record && OpenProcess(record->process)) {
    view.control_plane = "not answering";
    view.pid = record->process.pid;
    view.address = record->address;
    if (!record->http_address.empty()) view.http_address = record->http_address;
    Client client(record->address, "", call_timeout);
    AskControlPlane(client, &view, &described);
  }
  AddHosts(dir, installation, described, &view);
  return view;
}

void PrintView(const Context& context, const InstallationView& view) {
  if (context.json()) {
    PrintLine(ToJson(view).dump(2));
    return;
  }
  const auto colored = [&](const std::string& status) {
    return context.color() ? Colored(status) : status;
  };
  if (view.dir) PrintLine(fmt::format("Directory      {}", *view.dir));
  PrintLine(fmt::format("Region         {}", view.region.empty() ? "-" : view.region));
  PrintLine(fmt::format("Account        {}", view.account.empty() ? "-" : view.account));
  std::string control_plane = colored(view.control_plane);
  if (view.address && view.control_plane != "stopped") control_plane += " at " + *view.address;
  if (view.pid) control_plane += fmt::format(", pid {}", *view.pid);
  if (view.version) control_plane += fmt::format(", version {}", *view.version);
  PrintLine(fmt::format("Control plane  {}", control_plane));
  if (view.http_address && view.control_plane != "stopped") {
    PrintLine(fmt::format("AWS endpoint   http://{}", *view.http_address));
  }
  PrintLine("");
  Table table({"HOST", "ZONE", "STATUS", "PID", "MEMBERS", "ENGINES"});
  table.ColorStatusColumn(2);
  for (const HostView& host : view.hosts) {
    table.Add(
        {host.id, host.zone, host.status, host.pid ? std::to_string(*host.pid) : "-",
         fmt::format("{}/{}", host.members ? std::to_string(*host.members) : "-", host.members_max),
         FormatEngines(host.engines)});
  }
  context.Print(table, "No hosts.");
}

std::string FormatEngines(const std::map<std::string, std::string>& engines) {
  std::vector<std::string> parts;
  for (const auto& [engine, version] : engines) parts.push_back(engine + " " + version);
  return parts.empty() ? "-" : fmt::format("{}", fmt::join(parts, ", "));
}

void AddStatusCommands(CommandLine& line) {
  line.AddTopCommand(kMachineSection, "status", "Show what runs of an installation", ShowStatus,
                     "Exits with 0 when all of it is up, and with 3 otherwise.\n\n"
                     "Examples:\n"
                     "  ecctl status\n"
                     "  ecctl status --output json | jq -r .control_plane.address\n"
                     "  ecctl --address 10.0.0.5:7379 status\n");
  line.AddTopCommand(kMachineSection, "env", "Print shell commands that name the installation",
                     PrintEnvironment,
                     "Examples:\n"
                     "  eval \"$(ecctl env)\"\n"
                     "  eval \"$(ecctl --dir /tmp/second env)\"\n");
}

}  // namespace ec::cli
