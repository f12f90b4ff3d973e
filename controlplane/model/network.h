// The network as EC2 has it: VPCs, subnets, security groups, instances. Each struct is a row (or a
// row and its children) of the database.
//
// A VPC has a block of its own choice, such as 10.0.0.0/16, and a slice of loopback, 127.x.0.0/16,
// in which it really lives: an address keeps its last 16 bits, so 10.0.1.5 is 127.x.1.5.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/address.h"
#include "common/time.h"

namespace ec::model {

using VpcId = std::string;            // "vpc-" and 17 hexadecimal digits, like all of EC2's
using SubnetId = std::string;         // "subnet-..."
using SecurityGroupId = std::string;  // "sg-..."
using InstanceId = std::string;       // "i-...", or "i-localhost"
using SubnetGroupName = std::string;  // in lower case

struct Vpc {
  VpcId id;
  Cidr block;  // a /16 to a /28, as EC2 allows
  Cidr slice;  // of loopback
  bool is_default = false;
  std::map<std::string, std::string> tags;
  uint64_t revision = 0;
  // EC2's attributes, which mean nothing here and are shown as they were set.
  bool dns_support = true;
  bool dns_hostnames = false;
  bool usage_metrics = false;
  friend bool operator==(const Vpc&, const Vpc&) = default;
};

struct Subnet {
  SubnetId id;
  VpcId vpc;
  std::string zone;
  Cidr block;  // within the VPC's, and apart from its other subnets
  bool is_default = false;
  uint32_t next_offset = 0;  // where the search for a free address goes on
  std::map<std::string, std::string> tags;
  uint64_t revision = 0;
  bool public_ip_on_launch = false;  // shown as it was set
  friend bool operator==(const Subnet&, const Subnet&) = default;
};

// One permission of a security group, for one source (or destination).
struct SecurityGroupRule {
  std::string id;        // "sgr-..."
  std::string protocol;  // "tcp", "udp", "icmp", a number, or "-1" for all
  int from_port = -1;    // -1: all
  int to_port = -1;
  std::optional<Cidr> block;  // exactly one of the two
  SecurityGroupId group;
  std::string description;
  std::map<std::string, std::string> tags;
  friend bool operator==(const SecurityGroupRule&, const SecurityGroupRule&) = default;
};

struct SecurityGroupRow {
  SecurityGroupId id;
  std::string name;  // one of its own within the VPC; "default" belongs to the VPC
  std::string description;
  VpcId vpc;
  std::vector<SecurityGroupRule> ingress;
  std::vector<SecurityGroupRule> egress;  // recorded; connections outwards are not judged
  std::map<std::string, std::string> tags;
  uint64_t revision = 0;
  friend bool operator==(const SecurityGroupRow&, const SecurityGroupRow&) = default;
};

// A client machine.
struct InstanceRow {
  InstanceId id;
  SubnetId subnet;
  VpcId vpc;
  Ip4 address;  // in the subnet
  std::vector<SecurityGroupId> groups;
  std::optional<Cidr> network;  // all that comes from there is this instance, too
  WallTime launched;
  std::map<std::string, std::string> tags;
  uint64_t revision = 0;
  friend bool operator==(const InstanceRow&, const InstanceRow&) = default;
};

// ElastiCache's own: the subnets in which a cluster's nodes may live.
struct CacheSubnetGroup {
  SubnetGroupName name;
  std::string description;
  VpcId vpc;
  std::vector<SubnetId> subnets;  // all of that VPC, as they were named; never empty
  std::map<std::string, std::string> tags;
  uint64_t revision = 0;
  friend bool operator==(const CacheSubnetGroup&, const CacheSubnetGroup&) = default;
};

inline constexpr const char* kDefaultSubnetGroup = "default";  // the default VPC's
inline constexpr const char* kDefaultGroupName = "default";
inline constexpr const char* kLocalhostInstance = "i-localhost";
// EC2 keeps the first four addresses of a subnet and the last one to itself.
inline constexpr uint32_t kSubnetAddressesReservedFirst = 4;
inline constexpr uint32_t kSubnetAddressesReserved = 5;
inline constexpr int kRulesPerGroupMax = 60;      // EC2's default quota
inline constexpr int kGroupsPerInterfaceMax = 5;  // the same
inline constexpr int kSecurityGroupsPerVpcMax = 2500;

// The address in the VPC's slice of loopback that stands for this one.
Ip4 InSlice(const Vpc& vpc, Ip4 address);
Cidr InSlice(const Vpc& vpc, const Cidr& block);

// What an instance's connections come from on this machine. Of this machine itself: 127.0.0.1.
Ip4 SourceOf(const Vpc& vpc, const InstanceRow& instance);

// An id of EC2's form that follows from the text: "vpc-" and 17 hexadecimal digits.
std::string Ec2Id(const std::string& prefix, const std::string& text);

bool Overlap(const Cidr& one, const Cidr& other);
bool Within(const Cidr& inner, const Cidr& outer);

}  // namespace ec::model
