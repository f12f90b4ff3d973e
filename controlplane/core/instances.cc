// Instances: client machines.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

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

constexpr size_t kInstanceNameLengthMax = 40;  // ours: of what follows "i-"

// All of these are groups of that VPC, and not too many.
Status CheckGroups(const Draft& draft, const model::VpcId& vpc,
                   const std::vector<model::SecurityGroupId>& groups) {
  if (groups.size() > static_cast<size_t>(model::kGroupsPerInterfaceMax)) {
    return BadValue("SecurityGroupId", std::to_string(groups.size()),
                    fmt::format("At most {} groups.", model::kGroupsPerInterfaceMax));
  }
  for (const model::SecurityGroupId& id : groups) {
    Result<const SecurityGroupRow*> group = MustFindGroup(draft, id);
    if (!group.ok()) return group.status();
    if ((*group)->vpc == vpc) continue;
    return {Fault::kSecurityGroupNotFound,
            fmt::format("The security group '{}' does not exist in VPC '{}'", id, vpc)};
  }
  return {};
}

Status CheckId(const Draft& draft, const model::InstanceId& id) {
  const bool well_formed = id.starts_with("i-") && id.size() > 2 &&
                           id.size() <= 2 + kInstanceNameLengthMax &&
                           std::all_of(id.begin() + 2, id.end(), [](char c) {
                             return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                    (c >= '0' && c <= '9') || c == '-';
                           });
  if (!well_formed) {
    return BadValue("InstanceId", id,
                    fmt::format("It must be i- and 1 to {} letters, digits and hyphens.",
                                kInstanceNameLengthMax));
  }
  if (id == model::kLocalhostInstance) {
    return BadValue("InstanceId", id, "That is the name of this machine itself.");
  }
  if (draft.FindInstance(id) == nullptr) return {};
  return BadValue("InstanceId", id, "There is an instance of that name already.");
}

bool IsUsable(const Subnet& subnet, Ip4 address) {
  return subnet.block.Contains(address) &&
         address.bits >= subnet.block.First().bits + model::kSubnetAddressesReservedFirst &&
         address != subnet.block.Last();
}

// The address as the VPC has it, of one in its slice of loopback.
Ip4 InBlock(const Vpc& vpc, Ip4 ip) { return {vpc.block.network.bits | (ip.bits & 0xffffu)}; }

Result<Ip4> AddressFor(const Draft& draft, const RunInstance& request, const Vpc& vpc,
                       const Subnet& subnet) {
  if (!request.address) {
    if (const auto ip = draft.FindAddress(subnet, {})) return InBlock(vpc, *ip);
    return Status(Fault::kInsufficientFreeAddresses,
                  fmt::format("There are not enough free addresses in subnet '{}' to satisfy the "
                              "requested number of instances.",
                              subnet.id));
  }
  const auto address = ParseIp4(*request.address);
  if (!address || !IsUsable(subnet, *address)) {
    return BadValue("PrivateIpAddress", *request.address,
                    fmt::format("It must be an address of subnet {} that EC2 does not keep to "
                                "itself.",
                                ToString(subnet.block)));
  }
  if (!draft.IsInUse(InSlice(vpc, *address))) return *address;
  return Status(Fault::kIpAddressInUse, fmt::format("Address {} is in use.", *request.address));
}

// The one asked for, or the default one of the first zone.
Result<const Subnet*> SubnetFor(const Draft& draft, const RunInstance& request) {
  if (request.subnet) return MustFindSubnet(draft, *request.subnet);
  const Subnet* first = nullptr;
  for (const Subnet* subnet : draft.Subnets()) {
    if (subnet->is_default && (first == nullptr || subnet->zone < first->zone)) first = subnet;
  }
  if (first != nullptr) return first;
  return Status(Fault::kSubnetNotFound, "There is no default subnet: name one.");
}

Status CheckTerminable(const Draft& draft, const model::InstanceId& id) {
  Result<const InstanceRow*> instance = MustFindInstance(draft, id);
  if (!instance.ok()) return instance.status();
  if (id != model::kLocalhostInstance) return {};
  return {Fault::kOperationNotPermitted,
          fmt::format("The instance '{}' may not be terminated: it is this machine itself. Start "
                      "with --no-localhost-instance to be without it.",
                      id)};
}

// Where containers and other machines come from: no part of loopback, and nobody else's.
Result<std::optional<Cidr>> NetworkFor(const Draft& draft, const RunInstance& request) {
  if (request.network.empty()) return std::optional<Cidr>();
  const auto network = ParseCidr(request.network);
  constexpr Cidr kLoopback{{127u << 24}, 8};
  if (!network || model::Overlap(*network, kLoopback)) {
    return BadValue("SourceCidrBlock", request.network,
                    "It must be a CIDR block outside of 127.0.0.0/8, such as 172.18.0.0/16.");
  }
  for (const InstanceRow* other : draft.Instances()) {
    if (other->network != network) continue;
    return BadValue("SourceCidrBlock", request.network, other->id + " has it.");
  }
  return network;
}

}  // namespace

Status Obey(Draft& draft, const RunInstance& request) {
  EC_RETURN_IF_ERROR(CheckId(draft, request.id));
  Result<const Subnet*> found = SubnetFor(draft, request);
  if (!found.ok()) return found.status();
  const Subnet subnet = **found;
  const Vpc& vpc = *draft.FindVpc(subnet.vpc);
  std::vector<model::SecurityGroupId> groups = request.groups;
  if (groups.empty()) groups = {FindDefaultGroup(draft, vpc.id)->id};
  EC_RETURN_IF_ERROR(CheckGroups(draft, vpc.id, groups));
  Result<std::map<std::string, std::string>> tags = CheckTags(request.tags);
  if (!tags.ok()) return tags.status();
  Result<std::optional<Cidr>> network = NetworkFor(draft, request);
  if (!network.ok()) return network.status();
  Result<Ip4> address = AddressFor(draft, request, vpc, subnet);
  if (!address.ok()) return address.status();
  draft.UseAddress(subnet.id, InSlice(vpc, *address));
  draft.Put(InstanceRow{request.id, subnet.id, vpc.id, *address, std::move(groups), *network,
                        draft.now().wall, *tags});
  return {};
}

Status Obey(Draft& draft, const RunInstances& request) {
  Draft trial = draft;
  size_t run = 0;
  for (const RunInstance& one : request.wanted) {
    const Status status = Obey(trial, one);
    if (!status.ok() && run < request.least) return status;
    if (!status.ok()) break;
    ++run;
  }
  draft.Replace(std::move(trial));
  return {};
}

Status Obey(Draft& draft, const TerminateInstance& request) {
  EC_RETURN_IF_ERROR(CheckTerminable(draft, request.id));
  draft.DropInstance(request.id);
  return {};
}

Status Obey(Draft& draft, const TerminateInstances& request) {
  for (const model::InstanceId& id : request.ids) {
    EC_RETURN_IF_ERROR(CheckTerminable(draft, id));
  }
  for (const model::InstanceId& id : request.ids) draft.DropInstance(id);
  return {};
}

Status Obey(Draft& draft, const ModifyInstanceGroups& request) {
  Result<const InstanceRow*> found = MustFindInstance(draft, request.id);
  if (!found.ok()) return found.status();
  if (request.groups.empty()) {
    return {Fault::kMissingParameter, "The request must contain the parameter GroupId"};
  }
  InstanceRow instance = **found;
  EC_RETURN_IF_ERROR(CheckGroups(draft, instance.vpc, request.groups));
  instance.groups = request.groups;
  draft.Put(std::move(instance));
  return {};
}

}  // namespace ec::core
