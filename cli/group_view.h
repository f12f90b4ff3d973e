// How replication groups look on a terminal.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::cli {

// The one node group's members, the primary first, then by zone.
std::vector<v1::NodeGroupMember> MembersOf(const v1::ReplicationGroup& group);

// The cluster id of the member that leads; empty when none does.
std::string PrimaryOf(const v1::ReplicationGroup& group);

// One row per group.
Table GroupTable(const Context& context, const std::vector<const v1::ReplicationGroup*>& groups);

// The endpoints with the members that they lead to, and one row per member.
std::string TopologyText(const v1::ReplicationGroup& group, bool color);

// Everything about one group, in paragraphs. Sections without content are left out.
std::string GroupText(const Context& context, const v1::ReplicationGroup& group,
                      const std::vector<v1::Tag>& tags, const std::vector<v1::Event>& events);

}  // namespace ec::cli
