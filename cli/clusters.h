// What the files behind `ecctl cluster` share.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "cli/cluster_view.h"
#include "cli/command_line.h"
#include "cli/context.h"
#include "cli/wait.h"

namespace ec::cli {

// In cluster_changes.cc.
void AddCreateCommand(CommandLine& line, CLI::App* cluster);
void AddModifyCommand(CommandLine& line, CLI::App* cluster);
// In cluster_roles.cc.
void AddRoleCommands(CommandLine& line, CLI::App* cluster);

// Ends a command that has changed a cluster: waits if that is wanted, then prints the cluster.
// `Response` is any of the API's that hold one cache_cluster.
template <typename Response>
Outcome FinishChange(Context& context, const std::string& operation, bool wait,
                     uint64_t last_serial, Response* response) {
  if (wait) {
    v1::CacheCluster cluster;
    EC_RETURN_UNLESS_OK(WaitForCluster(context,
                                       {response->cache_cluster().cache_cluster_id(), operation,
                                        /*until_gone=*/false, last_serial},
                                       &cluster));
    *response->mutable_cache_cluster() = std::move(cluster);
  }
  if (context.json()) {
    context.Print(*response);
  } else {
    context.Print(ClusterTable(context, {&response->cache_cluster()}), "");
  }
  return {};
}

}  // namespace ec::cli
