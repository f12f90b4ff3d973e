// The network's records to the API's messages, and back.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <string>
#include <vector>

#include "common/status.h"
#include "controlplane/core/network_requests.h"
#include "controlplane/model/state.h"
#include "ec/v1/elasticache.pb.h"
#include "ec/v1/network.pb.h"

namespace ec::server {

void ToProto(const model::Records& records, const model::Vpc& vpc, v1::Vpc* out);
void ToProto(const model::State& state, const model::Subnet& subnet, v1::Ec2Subnet* out);
void ToProto(const model::Records& records, const model::SecurityGroupRow& group,
             v1::Ec2SecurityGroup* out);
void ToProto(const model::Records& records, const model::SecurityGroupRow& group,
             const model::SecurityGroupRule& rule, bool egress, v1::SecurityGroupRule* out);
void ToProto(const model::Records& records, const model::InstanceRow& instance, v1::Instance* out);
void ToProto(const model::Records& records, const model::CacheSubnetGroup& group,
             v1::CacheSubnetGroup* out);

// One permission for each source that is named; each gets a rule's id.
std::vector<core::Permission> ToPermissions(
    const google::protobuf::RepeatedPtrField<v1::IpPermission>& permissions);

core::NetworkTags ToTags(const google::protobuf::RepeatedPtrField<v1::Tag>& tags);
// The tags that a creation asks for, by EC2's way or the emulator's own. kInvalidParameterValue:
// some are for another kind of resource than `type`.
template <typename Request>
Result<core::NetworkTags> TagsFor(const Request& request, const std::string& type);
Result<core::NetworkTags> AddSpecifiedTags(
    const google::protobuf::RepeatedPtrField<v1::TagSpecification>& specifications,
    const std::string& type, core::NetworkTags tags);
void SetTags(const std::map<std::string, std::string>& tags,
             google::protobuf::RepeatedPtrField<v1::Tag>* out);

// "arn:aws:ec2:us-east-1:000000000000:security-group/sg-..."
std::string Ec2Arn(const model::Records& records, const std::string& kind, const std::string& id);

// A new id as EC2 draws them: "vpc-" and 17 hexadecimal digits.
std::string NewEc2Id(const std::string& prefix);

// The part that EC2 names instead of a zone's name: "use1-az1" for "us-east-1a".
std::string ZoneId(const std::string& zone);

template <typename Request>
Result<core::NetworkTags> TagsFor(const Request& request, const std::string& type) {
  return AddSpecifiedTags(request.tag_specifications(), type, ToTags(request.tags()));
}

}  // namespace ec::server
