// What can be asked of the network. Ids of new things are drawn by whoever asks: EC2's are random.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "controlplane/model/network.h"

namespace ec::core {

using NetworkTags = std::vector<std::pair<std::string, std::string>>;

struct CreateVpc {
  model::VpcId id;
  model::SecurityGroupId default_group;
  std::string block;  // "10.0.0.0/16"
  NetworkTags tags;
  std::set<Cidr> slices_taken =
      {};  // of loopback, by whomever: others of this machine may have some
};
struct DeleteVpc {
  model::VpcId id;
};

struct ModifyVpc {
  model::VpcId id;
  std::optional<bool> dns_support;
  std::optional<bool> dns_hostnames;
  std::optional<bool> usage_metrics;
};

struct CreateSubnet {
  model::SubnetId id;
  model::VpcId vpc;
  std::string block;
  std::optional<std::string> zone;  // absent: the first one
  NetworkTags tags;
};
struct DeleteSubnet {
  model::SubnetId id;
};

struct ModifySubnet {
  model::SubnetId id;
  bool public_ip_on_launch = false;
};

struct CreateSecurityGroup {
  model::SecurityGroupId id;
  std::string name;
  std::string description;
  std::optional<model::VpcId> vpc;  // absent: the default one
  NetworkTags tags;
};
struct DeleteSecurityGroup {
  model::SecurityGroupId id;
};

// One permission that is asked for; its rule's id is drawn like the others.
struct Permission {
  std::string rule;
  std::string protocol;
  std::optional<int> from_port;
  std::optional<int> to_port;
  std::string block;  // exactly one of the two
  model::SecurityGroupId group;
  std::string description;
  bool elsewhere = false;  // IPv6, or a prefix list: no rule is like that
};
struct AuthorizeSecurityGroup {
  model::SecurityGroupId id;
  bool egress = false;
  std::vector<Permission> permissions;
  NetworkTags tags;  // of every rule
};
// What is to go is named by the rules' ids, or described as it was asked for.
struct RevokeSecurityGroup {
  model::SecurityGroupId id;
  bool egress = false;
  std::vector<std::string> rules;
  std::vector<Permission> permissions;
};

struct RunInstance {
  model::InstanceId id;
  std::optional<model::SubnetId> subnet;       // absent: the default VPC's first one
  std::vector<model::SecurityGroupId> groups;  // none: the VPC's default one
  std::optional<std::string> address;          // absent: a free one
  std::string network;                         // "172.18.0.0/16": comes from there, too; or empty
  NetworkTags tags;
};
// The first `least` of them or none, and then as many more as there is room for.
struct RunInstances {
  std::vector<RunInstance> wanted;
  size_t least = 1;
};
struct TerminateInstance {
  model::InstanceId id;
};
// All of them or none.
struct TerminateInstances {
  std::vector<model::InstanceId> ids;
};
struct ModifyInstanceGroups {
  model::InstanceId id;
  std::vector<model::SecurityGroupId> groups;
};

// Of VPCs, subnets, security groups, their rules, and instances. All of them or none.
struct TagNetwork {
  std::vector<std::string> resources;
  NetworkTags tags;
};
struct UntagNetwork {
  std::vector<std::string> resources;
  // None: all of them. One with a value goes only if it has that value.
  std::vector<std::pair<std::string, std::optional<std::string>>> tags;
};

using NetworkCommand =
    std::variant<CreateVpc, DeleteVpc, CreateSubnet, DeleteSubnet, CreateSecurityGroup,
                 DeleteSecurityGroup, AuthorizeSecurityGroup, RevokeSecurityGroup, RunInstance,
                 RunInstances, TerminateInstance, TerminateInstances, ModifyInstanceGroups,
                 ModifyVpc, ModifySubnet, TagNetwork, UntagNetwork>;

}  // namespace ec::core
