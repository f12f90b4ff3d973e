// Records to the API's messages.
#pragma once

#include <string>

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

}  // namespace ec::server
