// The texts of events. AWS's own are marked [AWS]; the others are the emulator's.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

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
inline std::string SecurityGroupsChanged() { return "Applied change to security group"; }

// The emulator's own.
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

}  // namespace ec::core::messages
