// What the files behind `ecctl group` share.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cli/command_line.h"
#include "cli/context.h"
#include "cli/group_view.h"
#include "cli/wait.h"

namespace ec::cli {

// In group_changes.cc.
void AddGroupCreateCommand(CommandLine& line, CLI::App* group);
void AddGroupModifyCommand(CommandLine& line, CLI::App* group);
void AddReplicaCommands(CommandLine& line, CLI::App* group);
// In group_watch.cc.
void AddGroupWatchCommand(CommandLine& line, CLI::App* group);

// The newest events of the group and its members, `count` at most, oldest first.
std::vector<v1::Event> LastEvents(Context& context, const v1::ReplicationGroup& group, int count);

inline bool AnyState(const v1::ReplicationGroup&) { return true; }

// Ends a command that has changed a group: waits if that is wanted, then prints the group.
// `Response` is any of the API's that hold one replication_group.
template <typename Response>
Outcome FinishGroupChange(Context& context, bool wait, GroupWait goal, Response* response) {
  if (wait) {
    goal.wait.id = response->replication_group().replication_group_id();
    goal.wait.noun = "group";
    v1::ReplicationGroup group;
    EC_RETURN_UNLESS_OK(WaitForGroup(context, goal, &group));
    *response->mutable_replication_group() = std::move(group);
  }
  if (context.json()) {
    context.Print(*response);
  } else {
    context.Print(GroupTable(context, {&response->replication_group()}), "");
  }
  return {};
}

}  // namespace ec::cli
