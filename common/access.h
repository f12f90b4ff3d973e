// Who may connect to which endpoint. Pure: the agents judge with it, and the control plane explains
// with it, so that both always say the same.
//
// The rules are EC2's. A source that is no instance (or cache node) of the endpoint's VPC is
// refused, whatever the rules say. Inside the VPC it is admitted if one ingress rule of one of the
// endpoint's security groups matches; no rule forbids. A group that is not known admits nobody.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/address.h"
#include "common/shared.h"

namespace ec {

// An ingress rule, as far as it concerns TCP. It has either a block or a group as its source.
struct IngressRule {
  std::string id;  // "sgr-..."
  uint16_t from_port = 0;
  uint16_t to_port = 65535;
  std::optional<Cidr> block;
  std::string group;
  friend bool operator==(const IngressRule&, const IngressRule&) = default;
};

struct SecurityGroup {
  std::string id;  // "sg-..."
  std::string vpc;
  std::vector<IngressRule> ingress;
  friend bool operator==(const SecurityGroup&, const SecurityGroup&) = default;
};

// A client machine, or a cache node in its part as a client.
struct Instance {
  std::string id;
  std::string vpc;
  // What its connections come from on this machine, and what it is called in its VPC: rules speak
  // of the latter.
  Ip4 source;
  Ip4 address;
  std::vector<std::string> groups;
  // All that comes from there counts as this instance, too, unless a narrower network is another
  // one's: how containers and other machines become instances.
  std::optional<Cidr> network = std::nullopt;
  friend bool operator==(const Instance&, const Instance&) = default;
};

// Where a VPC lives: an address keeps its last bits, so 10.0.1.5 is 127.x.1.5 on this machine.
struct VpcBlocks {
  Cidr block;  // of its own choice, at most a /16
  Cidr slice;  // of loopback, a /16
  // nullopt for what does not lie in the one or the other.
  std::optional<Ip4> InSlice(Ip4 address) const;
  std::optional<Ip4> InBlock(Ip4 address) const;
  friend bool operator==(const VpcBlocks&, const VpcBlocks&) = default;
};

// The part of the network that judgements need. Numbered: of two, the higher one is newer.
struct Network {
  uint64_t revision = 0;
  std::map<std::string, SecurityGroup> groups;
  std::vector<Instance> instances;
  std::map<std::string, VpcBlocks> vpcs;
  friend bool operator==(const Network&, const Network&) = default;
};

// Without one nobody is known, and nobody is admitted.
using SharedNetwork = Shared<Network>;

// The side of an endpoint that a judgement looks at. One without a VPC admits nobody but `peers`.
struct Door {
  std::string vpc;
  std::vector<std::string> groups;
  uint16_t port = 0;
  // What always comes in, as it is the service's own traffic: the endpoint's own address, and those
  // of its replication group.
  std::vector<Ip4> peers;
  friend bool operator==(const Door&, const Door&) = default;
};

struct Judgement {
  enum class Cause {
    kAdmitted,
    kPeer,        // admitted as the service's own
    kNoInstance,  // the source is nobody's
    kOtherVpc,    // an instance, but of another VPC
    kNoRule,      // of the VPC, and no rule of the endpoint's groups matches
  };
  Cause cause = Cause::kNoInstance;
  std::string_view instance;  // whose source it is; valid as long as the Gate
  std::string_view group;     // whose rule has admitted it
  std::string_view rule;      // that rule's id: the first that matches, in the groups' order

  bool admitted() const { return cause == Cause::kAdmitted || cause == Cause::kPeer; }
};

// From where connections to an endpoint may come.
struct VpcSources {
  std::vector<Cidr> admitted;
  std::vector<Cidr> refused;  // instances of its VPC, whom no rule admits
};

// All sources of a network, to be looked up in. Shared by the gates of many endpoints.
class Sources {
 public:
  explicit Sources(const Network& network);
  const Instance* Find(Ip4 source) const;
  const std::vector<Instance>& all() const { return instances_; }

 private:
  const std::vector<Instance> instances_;
  std::unordered_map<uint32_t, size_t> by_source_;
  std::vector<size_t> by_network_;  // the narrowest first
};

// One endpoint's rules, made ready to judge: a judgement costs a few lookups, however many rules
// and instances there are.
class Gate {
 public:
  Gate(const Network& network, std::shared_ptr<const Sources> sources, Door door);
  Judgement Judge(Ip4 source) const;
  VpcSources SourcesInVpc() const;
  const Door& door() const { return door_; }

 private:
  struct Admission {
    size_t order = 0;  // of the rule, among all of the door's groups
    std::string group;
    std::string rule;
  };
  void Add(const SecurityGroup& group, const IngressRule& rule);
  const Admission* ByBlock(Ip4 address) const;
  const Admission* ByGroup(const std::vector<std::string>& groups) const;

  const std::shared_ptr<const Sources> sources_;
  const Door door_;
  size_t rules_ = 0;
  std::map<int, std::unordered_map<uint32_t, Admission>> blocks_;  // by prefix length, by network
  std::unordered_map<std::string, Admission> groups_;              // by source group
};

}  // namespace ec
