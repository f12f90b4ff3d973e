// VPCs and subnets.
#include "controlplane/server/network.h"

#include <fmt/format.h>

#include "controlplane/server/controller_loop.h"
#include "controlplane/server/convert_network.h"
#include "controlplane/server/filters.h"
#include "controlplane/server/network_rows.h"
#include "controlplane/server/request.h"
#include "controlplane/server/vpc_slice.h"

namespace ec::server {
namespace {

std::string YesOrNo(bool value) { return value ? "true" : "false"; }

Attributes AttributesOf(const model::Records& records, const model::Vpc& vpc) {
  Attributes attributes = {{"vpc-id", vpc.id},
                           {"cidr", ToString(vpc.block)},
                           {"cidr-block-association.cidr-block", ToString(vpc.block)},
                           {"is-default", YesOrNo(vpc.is_default)},
                           {"isDefault", YesOrNo(vpc.is_default)},
                           {"dhcp-options-id", model::Ec2Id("dopt", vpc.id)},
                           {"state", "available"},
                           {"owner-id", records.installation.account}};
  AddTagAttributes(vpc.tags, &attributes);
  return attributes;
}

Attributes AttributesOf(const model::Subnet& subnet) {
  Attributes attributes = {{"subnet-id", subnet.id},
                           {"vpc-id", subnet.vpc},
                           {"cidr-block", ToString(subnet.block)},
                           {"availability-zone", subnet.zone},
                           {"availabilityZone", subnet.zone},
                           {"availability-zone-id", ZoneId(subnet.zone)},
                           {"map-public-ip-on-launch", YesOrNo(subnet.public_ip_on_launch)},
                           {"cidr", ToString(subnet.block)},
                           {"cidrBlock", ToString(subnet.block)},
                           {"defaultForAz", YesOrNo(subnet.is_default)},
                           {"default-for-az", YesOrNo(subnet.is_default)},
                           {"state", "available"}};
  AddTagAttributes(subnet.tags, &attributes);
  return attributes;
}

}  // namespace

Status CreateVpc(ControllerLoop& loop, const v1::CreateVpcRequest& request,
                 v1::CreateVpcResponse* response) {
  Result<core::NetworkTags> tags = TagsFor(request, "vpc");
  if (!tags.ok()) return tags.status();
  if (request.has_instance_tenancy() && request.instance_tenancy() != "default") {
    return {Fault::kInvalidParameterValue,
            fmt::format("Value ({}) for parameter instanceTenancy is invalid. Only default is "
                        "emulated.",
                        request.instance_tenancy())};
  }
  core::CreateVpc command{NewEc2Id("vpc"), NewEc2Id("sg"), request.cidr_block(), *tags,
                          SlicesHeld()};
  const std::string id = command.id;
  return loop.Submit(core::Command(std::move(command)), [&](const model::State& state) {
    ToProto(state.records, state.records.vpcs.at(id), response->mutable_vpc());
  });
}

Status DescribeVpcs(ControllerLoop& loop, const v1::DescribeVpcsRequest& request,
                    v1::DescribeVpcsResponse* response) {
  EC_RETURN_IF_ERROR(CheckFilters(
      request.filters(), {"vpc-id", "cidr", "cidr-block-association.cidr-block", "is-default",
                          "isDefault", "dhcp-options-id", "state", "owner-id"}));
  return loop.Read([&](const model::State& state) -> Status {
    const auto rows = FindRows(state.records.vpcs, request.vpc_ids(), [](const std::string& id) {
      return Status(Fault::kVpcNotFound, fmt::format("The vpc ID '{}' does not exist", id));
    });
    if (!rows.ok()) return rows.status();
    for (const model::Vpc* vpc : *rows) {
      if (!Matches(request.filters(), AttributesOf(state.records, *vpc))) continue;
      ToProto(state.records, *vpc, response->add_vpcs());
    }
    return {};
  });
}

Status DeleteVpc(ControllerLoop& loop, const v1::DeleteVpcRequest& request,
                 v1::DeleteVpcResponse*) {
  return loop.Submit(core::Command(core::NetworkCommand(core::DeleteVpc{request.vpc_id()})));
}

Status CreateSubnet(ControllerLoop& loop, const v1::CreateSubnetRequest& request,
                    v1::CreateSubnetResponse* response) {
  Result<core::NetworkTags> tags = TagsFor(request, "subnet");
  if (!tags.ok()) return tags.status();
  std::optional<std::string> zone = EC_OPTIONAL(request, availability_zone);
  if (request.has_availability_zone_id()) {
    const std::string region =
        loop.Read([](const model::State& state) { return state.records.installation.region; });
    for (char letter = 'a'; letter <= 'z' && !zone; ++letter) {
      if (ZoneId(region + letter) == request.availability_zone_id()) zone = region + letter;
    }
    if (!zone) zone = request.availability_zone_id();  // which is none
  }
  core::CreateSubnet command{NewEc2Id("subnet"), request.vpc_id(), request.cidr_block(), zone,
                             *tags};
  const std::string id = command.id;
  return loop.Submit(core::Command(std::move(command)), [&](const model::State& state) {
    ToProto(state, state.records.subnets.at(id), response->mutable_subnet());
  });
}

Status DescribeSubnets(ControllerLoop& loop, const v1::DescribeSubnetsRequest& request,
                       v1::DescribeSubnetsResponse* response) {
  EC_RETURN_IF_ERROR(CheckFilters(
      request.filters(), {"subnet-id", "vpc-id", "cidr-block", "cidr", "cidrBlock",
                          "availability-zone", "availabilityZone", "availability-zone-id",
                          "default-for-az", "defaultForAz", "map-public-ip-on-launch", "state"}));
  return loop.Read([&](const model::State& state) -> Status {
    const auto rows =
        FindRows(state.records.subnets, request.subnet_ids(), [](const std::string& id) {
          return Status(Fault::kSubnetNotFound,
                        fmt::format("The subnet ID '{}' does not exist", id));
        });
    if (!rows.ok()) return rows.status();
    for (const model::Subnet* subnet : *rows) {
      if (!Matches(request.filters(), AttributesOf(*subnet))) continue;
      ToProto(state, *subnet, response->add_subnets());
    }
    return {};
  });
}

Status DeleteSubnet(ControllerLoop& loop, const v1::DeleteSubnetRequest& request,
                    v1::DeleteSubnetResponse*) {
  return loop.Submit(core::Command(core::NetworkCommand(core::DeleteSubnet{request.subnet_id()})));
}

}  // namespace ec::server
