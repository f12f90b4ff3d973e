// An installation's VPCs and instances as network namespaces of this machine (`ecctl up --netns`).
//
// A VPC is a namespace of its own, in which every address of the VPC's block, and of its slice of
// loopback, is a local one: there the agents serve its endpoints. An instance is a namespace with
// one device, eth0, that has the instance's address and whose other end is in the VPC's. So an
// instance reaches what listens in its VPC's namespace and nothing else: no other VPC, not even one
// with the same block, no other instance, and not this machine. The machine's own namespace gets no
// device, address, route or rule, and none of its settings is touched.
//
//   ec-3f9a02-i-web            ec-3f9a02-vpc-0a1...           ec-3f9a02-i-job
//   +----------------+   veth  +----------------------+  veth +----------------+
//   | eth0 10.0.1.5  |=========| 10.0.0.0/16, local   |=======| eth0 10.0.2.9  |
//   +----------------+         | 10.0.1.4:6379 agent  |       +----------------+
//                              +----------------------+
//
// A namespace gets its name when it is complete. What was cut short before ends by itself.
#pragma once

#include <string>
#include <vector>

#include "common/access.h"
#include "common/status.h"

namespace ec::netns {

struct InstanceSpace {
  std::string id;
  Ip4 address;  // in its VPC
  friend bool operator==(const InstanceSpace&, const InstanceSpace&) = default;
};

struct VpcSpace {
  std::string id;
  VpcBlocks blocks;
  std::vector<InstanceSpace> instances;
  friend bool operator==(const VpcSpace&, const VpcSpace&) = default;
};

// What an instance is told that calls an address outside of its VPC.
enum class Beyond {
  kUnreachable,  // by its own system, at once: network unreachable, or connection refused
  // Nothing, as on AWS: packets go to the VPC's router, the second address of its block, and no
  // further. (So do those for the other slices of loopback; 127.0.0.0/16 is the instance's own.)
  kSilence,
};

// Makes the namespaces whose names begin with `prefix` exactly these, and leaves alone what is as
// it should be. Goes on after a failure, and returns the first. An instance that is no more is cut
// off, whatever still runs in its namespace. `beyond` is to be the same as long as they exist.
Status Conform(const std::string& prefix, const std::vector<VpcSpace>& wanted, Beyond beyond);

}  // namespace ec::netns
