// `ecctl node-type`.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/context.h"

namespace ec::cli {
namespace {

struct NodeTypeOptions {
  std::string engine;
  std::string type;
};

std::string FormatMib(double mib) { return fmt::format("{:.0f} MiB", mib); }

std::string RedisMemory(const v1::CacheNodeType& type) {
  if (!type.has_redis_maxmemory_bytes()) return "-";
  return FormatMib(static_cast<double>(type.redis_maxmemory_bytes()) / (1 << 20));
}

std::string MemcachedMemory(const v1::CacheNodeType& type) {
  if (!type.has_memcached_max_cache_memory_mb()) return "-";
  return FormatMib(type.memcached_max_cache_memory_mb());
}

bool IsOffered(const v1::CacheNodeType& type, const std::string& engine) {
  if (engine == "memcached") return type.has_memcached_max_cache_memory_mb();
  return engine.empty() || type.has_redis_maxmemory_bytes();
}

Outcome PrintNodeTypes(Context& context, const NodeTypeOptions& options) {
  v1::DescribeCacheNodeTypesRequest request;
  if (!options.type.empty()) request.set_cache_node_type(options.type);
  v1::DescribeCacheNodeTypesResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::DescribeCacheNodeTypes, request, &response));
  auto* types = response.mutable_cache_node_types();
  const auto missing = [&](const auto& type) { return !IsOffered(type, options.engine); };
  types->erase(std::remove_if(types->begin(), types->end(), missing), types->end());
  if (context.json()) {
    context.Print(response);
    return {};
  }
  Table table({"NODE-TYPE", "VCPU", "MEMORY", "REDIS-MAXMEMORY", "MEMCACHED-MEMORY", "GENERATION",
               "BACKUPS"});
  for (const v1::CacheNodeType& type : *types) {
    table.Add({type.cache_node_type(), type.has_vcpu() ? std::to_string(type.vcpu()) : "-",
               type.has_memory_gib() ? fmt::format("{} GiB", type.memory_gib()) : "-",
               RedisMemory(type), MemcachedMemory(type), type.generation(),
               type.backups_supported() ? "yes" : "no"});
  }
  context.Print(table, "There is no such node type.");
  return {};
}

}  // namespace

void AddNodeTypeCommands(CommandLine& line) {
  CLI::App* node_type = line.AddGroup(kServiceSection, "node-type", "The catalogue of node types");
  auto options = std::make_shared<NodeTypeOptions>();
  line.AddCommand(
          node_type, "list", "List the node types",
          [options](Context& context) { return PrintNodeTypes(context, *options); },
          "Examples:\n"
          "  ecctl node-type list\n"
          "  ecctl node-type list --engine memcached\n")
      .Option("--engine", "ENGINE", &options->engine,
              "Only those that are offered for this engine");
  line.AddCommand(
          node_type, "show", "Show one node type",
          [options](Context& context) { return PrintNodeTypes(context, *options); },
          "Examples:\n  ecctl node-type show cache.t3.micro\n")
      .Argument("TYPE", "TYPE", &options->type, "The node type");
}

}  // namespace ec::cli
