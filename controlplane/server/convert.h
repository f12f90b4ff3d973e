// Records to the API's messages.
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"
#include "controlplane/model/state.h"
#include "ec/v1/elasticache.pb.h"
#include "ec/v1/emulator.pb.h"

namespace ec::server {

void ToProto(WallTime time, google::protobuf::Timestamp* out);

// `with_nodes` adds the cache nodes, which AWS shows only when asked and not during creation.
void ToProto(const model::State& state, const model::Cluster& cluster, bool with_nodes,
             v1::CacheCluster* out);
void ToProto(const model::Event& event, v1::Event* out);
void ToProto(const model::NodeType& type, v1::CacheNodeType* out);

// As AWS's clients see them: a recovering cluster is "modifying".
std::string StatusName(model::ClusterStatus status);
std::string StatusName(model::MemberStatus status);

std::string ArnOf(const model::Records& records, const model::Cluster& cluster);

// As clients are to call it: in address mode `ports` that is another address.
void SetEndpoint(const model::Records& records, EndpointId id, const Address& address,
                 v1::Endpoint* out);

// What the member's host last said of it; null when it has said nothing.
const MemberReport* ReportOf(const model::State& state, const model::Member& member);

// --- replication groups, in convert_groups.cc ---

void ToProto(const model::State& state, const model::Group& group, v1::ReplicationGroup* out);
std::string ArnOf(const model::Records& records, const model::Group& group);

// By an id in any letter case. kReplicationGroupNotFound.
Result<const model::Group*> FindGroup(const model::Records& records, const std::string& id);

}  // namespace ec::server
