// Finds things of the network by their ids or by names: whole answers.
//
// A name stands for an id where it is clear which one it means: a security group's own name, the
// value of a tag Name of the others, and `default` for the default VPC.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <string>
#include <vector>

#include "cli/context.h"
#include "ec/v1/network.pb.h"

namespace ec::cli {

Outcome FindVpc(Context& context, const std::string& word, v1::Vpc* vpc);
Outcome FindSubnet(Context& context, const std::string& word, v1::Ec2Subnet* subnet);
// `vpc` is an id that narrows the search by name; empty: any.
Outcome FindSecurityGroup(Context& context, const std::string& word, const std::string& vpc,
                          v1::Ec2SecurityGroup* group);
Outcome FindInstance(Context& context, const std::string& word, v1::Instance* instance);

// Only the id. A word that has the form of one is not asked about.
Outcome FindVpcId(Context& context, const std::string& word, std::string* id);
Outcome FindSubnetId(Context& context, const std::string& word, std::string* id);
Outcome FindSecurityGroupId(Context& context, const std::string& word, const std::string& vpc,
                            std::string* id);
Outcome FindInstanceId(Context& context, const std::string& word, std::string* id);

// Puts ids in the place of names.
Outcome ResolveSecurityGroups(Context& context, const std::string& vpc,
                              google::protobuf::RepeatedPtrField<std::string>* groups);
Outcome ResolveSubnets(Context& context, google::protobuf::RepeatedPtrField<std::string>* subnets);

Outcome FindSubnetGroups(Context& context, v1::DescribeCacheSubnetGroupsResponse* response);

// The value of the tag Name; empty when there is none.
std::string NameTag(const google::protobuf::RepeatedPtrField<v1::Tag>& tags);

// "key=value" words, and the tag Name unless `name` is empty.
Outcome SetTags(const std::vector<std::string>& words, const std::string& name,
                google::protobuf::RepeatedPtrField<v1::Tag>* tags);

}  // namespace ec::cli
