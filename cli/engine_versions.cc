// `ecctl engine-version`.
#include <memory>

#include "cli/commands.h"
#include "cli/context.h"

namespace ec::cli {
namespace {

struct EngineVersionOptions {
  std::string engine;
  bool default_only = false;
};

Outcome ListEngineVersions(Context& context, const EngineVersionOptions& options) {
  v1::DescribeCacheEngineVersionsRequest request;
  if (!options.engine.empty()) request.set_engine(options.engine);
  if (options.default_only) request.set_default_only(true);
  v1::DescribeCacheEngineVersionsResponse response;
  do {
    v1::DescribeCacheEngineVersionsResponse page;
    EC_RETURN_UNLESS_OK(
        context.Call(&v1::ElastiCache::Stub::DescribeCacheEngineVersions, request, &page));
    request.set_marker(page.marker());
    response.mutable_cache_engine_versions()->MergeFrom(page.cache_engine_versions());
  } while (!request.marker().empty());
  if (context.json()) {
    context.Print(response);
    return {};
  }
  Table table({"ENGINE", "VERSION", "FAMILY", "INSTALLED"});
  for (const v1::CacheEngineVersion& version : response.cache_engine_versions()) {
    table.Add({version.engine(), version.engine_version(), version.cache_parameter_group_family(),
               version.has_installed_engine_version() ? version.installed_engine_version() : "-"});
  }
  context.Print(table, "There are no such engine versions.");
  return {};
}

}  // namespace

void AddEngineVersionCommands(CommandLine& line) {
  CLI::App* group =
      line.AddGroup(kServiceSection, "engine-version", "The engine versions on offer");
  auto options = std::make_shared<EngineVersionOptions>();
  line.AddCommand(
          group, "list", "List the engine versions, and what is installed for each",
          [options](Context& context) { return ListEngineVersions(context, *options); },
          "INSTALLED is the version of the program that such a cluster really runs.\n\n"
          "Examples:\n"
          "  ecctl engine-version list --engine redis\n"
          "  ecctl engine-version list --default-only\n")
      .Option("--engine", "ENGINE", &options->engine, "Only those of this engine")
      .Flag("--default-only", &options->default_only, "Only each engine's default version");
}

}  // namespace ec::cli
