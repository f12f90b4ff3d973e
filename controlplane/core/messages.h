// The texts of events. AWS's own are marked [AWS]; the others are the emulator's.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "common/time.h"

namespace ec::core::messages {

// [AWS]
inline std::string ClusterCreated() { return "Cache cluster created"; }
inline std::string ClusterDeleted() { return "Cache cluster deleted"; }
inline std::string NodeAdded(std::string_view node, std::string_view zone) {
  return fmt::format("Added cache node {} in availability zone {}", node, zone);
}
inline std::string NodesIncreasing() { return "Increasing number of requested nodes"; }
inline std::string NodesModified(int from, int to) {
  return fmt::format("Finished modifying number of nodes from {} to {}", from, to);
}
inline std::string NodesRemoved(std::string_view nodes) {
  return fmt::format("Removed cache nodes {}", nodes);
}
inline std::string IncompatibleNetwork() {
  return "Failed to create the cache cluster due to incompatible network state";
}
inline std::string NodeShutdown(std::string_view node) {
  return fmt::format("Cache node {} shutdown", node);
}
inline std::string NodeRestarted(std::string_view node) {
  return fmt::format("Cache node {} restarted", node);
}
inline std::string RecoveryStarted(std::string_view node) {
  return fmt::format("Started recovery for cache nodes {}", node);
}
inline std::string RecoveryFinished(std::string_view node) {
  return fmt::format("Finished recovery for cache nodes {}", node);
}
inline std::string SnapshotSucceeded(std::string_view name, std::string_view cluster,
                                     std::string_view group) {
  const bool of_group = !group.empty();
  return fmt::format("Snapshot succeeded for snapshot with ID '{}' of {} with ID '{}'", name,
                     of_group ? "replication group" : "cache cluster", of_group ? group : cluster);
}
// The emulator adds the cause.
inline std::string SnapshotFailed(std::string_view name, std::string_view cluster,
                                  std::string_view group, std::string_view why) {
  const bool of_group = !group.empty();
  return fmt::format("Snapshot failed for snapshot with ID '{}' of {} with ID '{}': {}", name,
                     of_group ? "replication group" : "cache cluster", of_group ? group : cluster,
                     why);
}
inline std::string RestoreFailed(std::string_view from, std::string_view node) {
  return fmt::format("Restore from {} failed for node {}", from, node);
}
inline std::string SecurityGroupsChanged() { return "Applied change to security group"; }

// [AWS] Of replication groups.
inline std::string GroupCreated(std::string_view group) {
  return fmt::format("Replication group {} created", group);
}
inline std::string GroupCreationFailed(std::string_view group) {
  return fmt::format(
      "Failed to create replication group {} due to unsuccessful creation of its cache cluster(s).",
      group);
}
inline std::string GroupClustersDeleted() {
  return "Deleting all cache clusters belonging to this replication group.";
}
inline std::string TestFailoverCalled(std::string_view node_group) {
  return fmt::format("Test Failover API called for node group {}", node_group);
}
inline std::string FailoverCompleted(std::string_view from, std::string_view to) {
  return fmt::format("Failover from primary node {} to replica node {} completed", from, to);
}
inline std::string NodeRecovering(std::string_view node) {
  return fmt::format("Recovering cache nodes {}", node);
}
inline std::string AutomaticFailoverOn(std::string_view group) {
  return fmt::format("Automatic failover has been turned on for replication group {}", group);
}

// The emulator's own.
inline std::string AutomaticFailoverOff(std::string_view group) {
  return fmt::format("Automatic failover has been turned off for replication group {}", group);
}
inline std::string GroupDeleted(std::string_view group) {
  return fmt::format("Replication group {} deleted", group);
}
inline std::string NoFailover(std::string_view why) {
  return fmt::format("The primary has failed and no replica was promoted: {}", why);
}
inline std::string PrimaryRestartedEmpty(std::string_view cluster) {
  return fmt::format("The primary {} starts again empty, because no replica could be promoted",
                     cluster);
}
inline std::string SwitchoverGivenUp(std::string_view to, std::string_view why) {
  return fmt::format("The change of primary to {} was given up: {}", to, why);
}
inline std::string ReplicaPromoted(std::string_view cluster, std::string_view group) {
  return fmt::format("Cache cluster {} has left replication group {} as a master of its own",
                     cluster, group);
}
inline std::string PromotionGivenUp(std::string_view cluster, std::string_view why) {
  return fmt::format("The promotion of cache cluster {} was given up: {}", cluster, why);
}
inline std::string MasterDemoted(std::string_view cluster, std::string_view group) {
  return fmt::format("Cache cluster {} is now a replica of replication group {}", cluster, group);
}
inline std::string DemotionGivenUp(std::string_view cluster, std::string_view why) {
  return fmt::format("The demotion of cache cluster {} was given up: {}", cluster, why);
}
inline std::string DeletionGivenUp(std::string_view why) {
  return fmt::format("The deletion was given up: {}", why);
}
inline std::string ReplicaCountChanged(int from, int to) {
  return fmt::format("Finished changing the number of replicas from {} to {}", from, to);
}
inline std::string NodeRuns(std::string_view node, std::string_view engine,
                            std::string_view installed, std::string_view reported) {
  return fmt::format("Cache node {} runs the installed {} {} (engine version {})", node, engine,
                     installed, reported);
}
inline std::string CreateFailed(std::string_view why) {
  return fmt::format("Failed to create the cache cluster: {}", why);
}
inline std::string ModifyFailed(int from, int to, std::string_view why) {
  return fmt::format("Failed to modify number of nodes from {} to {}: {}", from, to, why);
}
inline std::string ModificationPending(std::string_view due) {
  return fmt::format("A modification waits for the maintenance window at {} or a reboot", due);
}
inline std::string VersionModified(std::string_view from, std::string_view to) {
  return fmt::format("Modified engine version from {} to {}", from, to);
}
inline std::string NodeUnreachable(std::string_view node, std::string_view why) {
  return fmt::format("Cache node {} cannot be reached: {}", node, why);
}
inline std::string NodeReachable(std::string_view node) {
  return fmt::format("Cache node {} can be reached again", node);
}
inline std::string NodeResumed(std::string_view node) {
  return fmt::format("Cache node {} started again after an orderly stop", node);
}
inline std::string NodeFailed(std::string_view node, std::string_view why) {
  return fmt::format("Cache node {} has failed: {}", node, why);
}
inline std::string UsersNotApplied(std::string_view kind, std::string_view id) {
  return fmt::format("A change of {} {} could not be applied to every node in time", kind, id);
}
inline std::string FaultBegun(std::string_view id, std::string_view what,
                              const std::optional<Duration>& duration) {
  const std::string text = fmt::format("Fault {} begins: {}", id, what);
  if (!duration) return text;
  return fmt::format("{}, for {} s", text, static_cast<double>(duration->count()) / 1e6);
}
inline std::string FaultCleared(std::string_view id) {
  return fmt::format("Fault {} was cleared", id);
}
inline std::string FaultEnded(std::string_view id) { return fmt::format("Fault {} has ended", id); }

}  // namespace ec::core::messages
