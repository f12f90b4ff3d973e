// `ecctl fault`.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <memory>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/text.h"

namespace ec::cli {
namespace {

struct FaultOptions {
  std::string kind;
  std::string value;  // what a latency, a bandwidth or a reset-after is given
  std::string to, host;
  std::vector<std::string> between;
  std::optional<Duration> jitter, duration;
};

uint64_t Milliseconds(Duration duration) {
  return static_cast<uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

// "500", "64k", "2m", "1g": powers of 1024.
std::optional<uint64_t> ParseBytes(std::string_view text) {
  uint64_t count = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit(rest, static_cast<size_t>(text.data() + text.size() - rest));
  const int shift = unit.empty() ? 0 : unit == "k" ? 10 : unit == "m" ? 20 : unit == "g" ? 30 : -1;
  if (shift < 0 || count > (uint64_t{1} << 32)) return std::nullopt;
  return count << shift;
}

Outcome SetValue(const FaultOptions& options, v1::AddFaultRequest* request) {
  if (options.value.empty()) return {};
  if (options.kind == "latency") {
    const auto latency = ParseDuration(options.value);
    if (!latency) {
      return UsageError(fmt::format("'{}' is not a latency such as 200ms or 1s", options.value));
    }
    request->set_latency_ms(static_cast<uint32_t>(Milliseconds(*latency)));
    return {};
  }
  const auto bytes = ParseBytes(options.value);
  if (!bytes) {
    return UsageError(
        fmt::format("'{}' is not a number of bytes such as 500, 64k or 2m", options.value));
  }
  if (options.kind == "bandwidth") {
    request->set_bytes_per_second(*bytes);
  } else {
    request->set_after_bytes(*bytes);
  }
  return {};
}

std::string LeftOf(const Context& context, const v1::WireFault& fault) {
  if (!fault.has_expires()) return "until cleared";
  const Duration left = ToWallTime(fault.expires()) - context.now().wall;
  return FormatDuration(std::max(left, Duration(0)));
}

Outcome AddFault(Context& context, const FaultOptions& options) {
  if (options.to.empty() && options.between.empty() && options.host.empty()) {
    return UsageError(
        fmt::format("a fault needs a place (see 'ecctl fault add {} --help')", options.kind));
  }
  v1::AddFaultRequest request;
  request.set_kind(options.kind);
  EC_RETURN_UNLESS_OK(SetValue(options, &request));
  if (!options.to.empty()) request.set_to(options.to);
  if (!options.host.empty()) request.set_host_id(options.host);
  for (const std::string& side : options.between) request.add_between(side);
  if (options.jitter) request.set_jitter_ms(static_cast<uint32_t>(Milliseconds(*options.jitter)));
  if (options.duration) request.set_duration_ms(Milliseconds(*options.duration));
  v1::AddFaultResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Emulator::Stub::AddFault, request, &response));
  const v1::WireFault& fault = response.fault();
  if (context.json()) {
    context.Print(fault);
  } else {
    PrintLine(fmt::format("{}: {}, {}", fault.fault_id(), fault.description(),
                          options.duration      ? "for " + LeftOf(context, fault)
                          : fault.has_expires() ? "once"
                                                : "until cleared"));
  }
  return {};
}

Outcome ListFaults(Context& context) {
  v1::DescribeFaultsResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Emulator::Stub::DescribeFaults, {}, &response));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  Table table({"ID", "KIND", "FAULT", "SINCE", "LEFT"});
  for (const v1::WireFault& fault : response.faults()) {
    table.Add({fault.fault_id(), fault.kind(), fault.description(), FormatTime(fault.created()),
               LeftOf(context, fault)});
  }
  context.Print(table, "There are no faults.");
  return {};
}

Outcome ClearFaults(Context& context, const std::vector<std::string>& ids, bool all) {
  if (ids.empty() != all) {
    return UsageError("name the faults to clear, or give --all (see 'ecctl fault clear --help')");
  }
  v1::ClearFaultsRequest request;
  for (const std::string& id : ids) request.add_fault_ids(id);
  v1::ClearFaultsResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Emulator::Stub::ClearFaults, request, &response));
  if (context.json()) {
    context.Print(response);
  } else if (response.fault_ids().empty()) {
    PrintLine("There was no fault to clear.");
  } else {
    PrintLine(fmt::format("Cleared {}.", fmt::join(response.fault_ids(), ", ")));
  }
  return {};
}

// --- declarations ---------------------------------------------------------------------------

struct Kind {
  const char* name;
  const char* description;
  const char* examples;
  bool to, between, host, lasts;
};

constexpr Kind kWireKinds[] = {
    {"latency", "Make every byte late, in both directions: a round trip takes twice as much longer",
     "  ecctl fault add latency 200ms --between us-east-1a us-east-1b --for 30s --jitter 20ms\n"
     "  ecctl fault add latency 50ms --to orders/primary\n",
     true, true, true, true},
    {"bandwidth", "Let only so many bytes per second pass, in each direction",
     "  ecctl fault add bandwidth 64k --to pages/0002 --for 1m\n", true, true, true, true},
    {"blackhole", "Let nothing pass: connections hang, those that are there and new ones",
     "  ecctl fault add blackhole --to orders --for 10s\n"
     "  ecctl fault add blackhole --to 127.185.0.4:6379\n",
     true, true, true, true},
    {"refuse", "Reset new connections; those that are there go on",
     "  ecctl fault add refuse --to orders/reader --for 10s\n", true, true, true, true},
    {"reset-after", "Reset each connection once it has carried so many bytes, both ways together",
     "  ecctl fault add reset-after 4k --to orders/primary --for 1m\n", true, true, true, true},
    {"cut", "Reset the connections that are there, once",
     "  ecctl fault add cut --to orders/primary\n"
     "  ecctl fault add cut --between us-east-1a us-east-1b\n",
     true, true, true, false},
    {"partition", "Let nothing pass between two zones, or a zone or host and the control plane",
     "  ecctl fault add partition --between us-east-1a us-east-1b --for 30s\n"
     "  ecctl fault add partition --between us-east-1a control-plane --for 30s\n",
     false, true, false, true},
    {"engine-kill", "Kill engines (SIGKILL), once",
     "  ecctl fault add engine-kill --to orders/primary\n"
     "  ecctl fault add engine-kill --to pages/0002\n",
     true, false, true, false},
    {"engine-pause", "Have engines stand still (SIGSTOP); they go on if they live to see the end",
     "  ecctl fault add engine-pause --to orders/primary --for 1s\n", true, false, true, true},
    {"host-loss", "Kill a host's engines, close its endpoints, and do not hear it",
     "  ecctl fault add host-loss --host us-east-1a --for 30s\n", false, false, true, true},
};

void AddKind(CommandLine& line, CLI::App* add, const Kind& kind) {
  auto options = std::make_shared<FaultOptions>();
  options->kind = kind.name;
  Command command = line.AddCommand(
      add, kind.name, kind.description,
      [options](Context& context) { return AddFault(context, *options); },
      std::string("Examples:\n") + kind.examples);
  if (options->kind == "latency") {
    command.Argument("delay", "DURATION", &options->value, "How late, such as 200ms")
        .Option("--jitter", &options->jitter, "Up to this much more or less, at random");
  } else if (options->kind == "bandwidth") {
    command.Argument("rate", "BYTES", &options->value, "Bytes per second, such as 500, 64k or 2m");
  } else if (options->kind == "reset-after") {
    command.Argument("bytes", "BYTES", &options->value, "How many, such as 500, 64k or 2m");
  }
  if (kind.to) {
    command.Option("--to", "TARGET", &options->to,
                   "A cluster, a group, CLUSTER/NODE, CLUSTER/configuration, GROUP/primary, "
                   "GROUP/reader, or an endpoint's address");
  }
  if (kind.between) {
    command.Pair("--between", "SIDE SIDE", &options->between,
                 kind.to ? "Two zones: what goes from either to the other"
                         : "Two zones, or a zone or host and control-plane");
    if (kind.to) command.Excludes("--to");
  }
  if (kind.host) {
    command.Option("--host", "HOST", &options->host,
                   kind.to && !kind.between ? "All engines of this host"
                   : kind.to                ? "All endpoints of this host"
                                            : "The host");
    if (kind.to) command.Excludes("--to");
    if (kind.between) command.Excludes("--between");
  }
  if (kind.lasts) {
    command.Option("--for", &options->duration, "End it after this long (default: when cleared)");
  }
}

}  // namespace

void AddFaultCommands(CommandLine& line) {
  CLI::App* fault =
      line.AddGroup(kClusterSection, "fault", "Faults on the wire, of engines and of hosts");
  CLI::App* add = line.AddGroupBelow(fault, "add", "Put a fault in");
  for (const Kind& kind : kWireKinds) AddKind(line, add, kind);
  line.AddCommand(fault, "list", "List the faults that are there", ListFaults,
                  "Examples:\n"
                  "  ecctl fault list\n"
                  "  ecctl fault list -o json\n");
  auto ids = std::make_shared<std::vector<std::string>>();
  auto all = std::make_shared<bool>(false);
  line.AddCommand(
          fault, "clear", "End faults at once",
          [ids, all](Context& context) { return ClearFaults(context, *ids, *all); },
          "Examples:\n"
          "  ecctl fault clear fault-7\n"
          "  ecctl fault clear --all\n")
      .Arguments("id", "FAULT", /*required=*/false, ids.get(), "The faults' ids")
      .Flag("--all", all.get(), "All faults");
}

}  // namespace ec::cli
