// VPCs and their subnets.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "controlplane/core/default_network.h"
#include "controlplane/core/network_resources.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/names.h"

namespace ec::core {
namespace {

using model::InstanceRow;
using model::SecurityGroupRow;
using model::Subnet;
using model::Vpc;

// One slice of loopback each, of which 127.0.0.0/16 is the machine's own.
constexpr size_t kVpcsMax = 200;

// Each one in its turn: a host that was cut off may still serve a VPC that was deleted meanwhile,
// and the instances of another one must not come from its addresses.
std::optional<Cidr> FreeSlice(const Draft& draft, const std::set<Cidr>& taken) {
  std::set<uint32_t> used = {draft.installation().vpc.network.bits};
  for (const Vpc* vpc : draft.Vpcs()) used.insert(vpc->slice.network.bits);
  const uint32_t first = draft.installation().vpc.network.bits >> 16 & 0xffu;
  for (uint32_t i = 1; i < 255; ++i) {
    const uint32_t second = (first + draft.installation().next_slice + i - 1) % 254 + 1;
    const uint32_t network = 127u << 24 | second << 16;
    const Cidr slice{{network}, 16};
    if (!used.contains(network) && !taken.contains(slice)) return slice;
  }
  return std::nullopt;
}

}  // namespace

Status Obey(Draft& draft, const CreateVpc& request) {
  const auto block = ParseCidr(request.block);
  if (!block) {
    return BadValue("CidrBlock", request.block, "This is not a valid CIDR block.");
  }
  if (block->prefix < 16 || block->prefix > 28) {
    return {Fault::kInvalidVpcRange, fmt::format("The CIDR '{}' is invalid.", request.block)};
  }
  Result<std::map<std::string, std::string>> tags = CheckTags(request.tags);
  if (!tags.ok()) return tags.status();
  const auto slice = FreeSlice(draft, request.slices_taken);
  if (!slice || draft.Vpcs().size() >= kVpcsMax) {
    return {Fault::kVpcLimitExceeded, "The maximum number of VPCs has been reached."};
  }
  model::Installation installation = draft.installation();
  ++installation.next_slice;
  draft.PutInstallation(std::move(installation));
  draft.Put(Vpc{request.id, *block, *slice, false, *tags});
  SecurityGroupRow group{request.default_group, model::kDefaultGroupName,
                         "default VPC security group", request.id};
  group.ingress.push_back({model::Ec2Id("sgr", group.id + " ingress"),
                           "-1",
                           -1,
                           -1,
                           std::nullopt,
                           request.default_group,
                           {}});
  group.egress.push_back(EverythingOutwards(model::Ec2Id("sgr", group.id + " egress")));
  draft.Put(std::move(group));
  return {};
}

Status Obey(Draft& draft, const DeleteVpc& request) {
  Result<const Vpc*> vpc = MustFindVpc(draft, request.id);
  if (!vpc.ok()) return vpc.status();
  if ((*vpc)->is_default) {
    return InUse("vpc", request.id, "it is the default VPC, where cache clusters live");
  }
  for (const Subnet* subnet : draft.Subnets()) {
    if (subnet->vpc == request.id) return InUse("vpc", request.id, "subnet " + subnet->id);
  }
  for (const SecurityGroupRow* group : draft.SecurityGroups()) {
    if (group->vpc != request.id || group->name == model::kDefaultGroupName) continue;
    return InUse("vpc", request.id, "security group " + group->id);
  }
  if (const SecurityGroupRow* group = FindDefaultGroup(draft, request.id)) {
    draft.DropSecurityGroup(model::SecurityGroupId(group->id));
  }
  draft.DropVpc(request.id);
  return {};
}

Status Obey(Draft& draft, const CreateSubnet& request) {
  Result<const Vpc*> vpc = MustFindVpc(draft, request.vpc);
  if (!vpc.ok()) return vpc.status();
  const auto block = ParseCidr(request.block);
  if (!block) return BadValue("CidrBlock", request.block, "This is not a valid CIDR block.");
  if (!model::Within(*block, (*vpc)->block) || block->prefix > 28) {
    return {Fault::kInvalidSubnetRange, fmt::format("The CIDR '{}' is invalid.", request.block)};
  }
  for (const Subnet* other : draft.Subnets()) {
    if (other->vpc != request.vpc || !model::Overlap(*block, other->block)) continue;
    return {Fault::kSubnetConflict,
            fmt::format("The CIDR '{}' conflicts with another subnet", request.block)};
  }
  const std::string zone = request.zone.value_or(draft.installation().region + "a");
  if (!model::IsZoneOf(zone, draft.installation().region)) {
    return BadValue("availabilityZone", zone,
                    "Subnets can currently only be created in zones of "
                    "this region.");
  }
  Result<std::map<std::string, std::string>> tags = CheckTags(request.tags);
  if (!tags.ok()) return tags.status();
  draft.Put(Subnet{request.id, request.vpc, zone, *block, false, 0, *tags});
  return {};
}

Status Obey(Draft& draft, const DeleteSubnet& request) {
  Result<const Subnet*> subnet = MustFindSubnet(draft, request.id);
  if (!subnet.ok()) return subnet.status();
  if ((*subnet)->is_default) {
    return InUse("subnet", request.id, "cache nodes live in the default subnets");
  }
  for (const InstanceRow* instance : draft.Instances()) {
    if (instance->subnet == request.id) return InUse("subnet", request.id, instance->id);
  }
  for (const model::CacheSubnetGroup* group : draft.SubnetGroups()) {
    if (std::ranges::find(group->subnets, request.id) == group->subnets.end()) continue;
    return InUse("subnet", request.id, "cache subnet group " + group->name);
  }
  draft.DropSubnet(request.id);
  return {};
}

}  // namespace ec::core
