#include "cli/instance_lookup.h"

#include <fmt/format.h>

#include <utility>

namespace ec::cli {
namespace {

Outcome FindInstance(Context& context, const std::string& id, v1::Instance* instance) {
  v1::DescribeInstancesRequest request;
  request.add_instance_ids(id);
  v1::DescribeInstancesResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::DescribeInstances, request, &response));
  if (response.instances_size() != 1) {
    return Refused(fmt::format("the control plane described {} instances instead of {}",
                               response.instances_size(), id));
  }
  *instance = std::move(*response.mutable_instances(0));
  return {};
}

Outcome FindVpc(Context& context, const std::string& id, v1::Vpc* vpc) {
  v1::DescribeVpcsRequest request;
  request.add_vpc_ids(id);
  v1::DescribeVpcsResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::DescribeVpcs, request, &response));
  if (response.vpcs_size() != 1) {
    return Refused(
        fmt::format("the control plane described {} VPCs instead of {}", response.vpcs_size(), id));
  }
  *vpc = std::move(*response.mutable_vpcs(0));
  return {};
}

}  // namespace

Outcome FindInstanceNetwork(Context& context, const std::string& id, InstanceNetwork* network) {
  v1::Instance instance;
  EC_RETURN_UNLESS_OK(FindInstance(context, id, &instance));
  if (const std::string& state = instance.state().name(); !state.empty() && state != "running") {
    return Refused(fmt::format("instance {} is {}", id, state));
  }
  v1::Vpc vpc;
  EC_RETURN_UNLESS_OK(FindVpc(context, instance.vpc_id(), &vpc));
  const auto block = ParseCidr(vpc.cidr_block());
  const auto slice = ParseCidr(vpc.loopback_cidr_block());
  const auto source = ParseIp4(instance.loopback_address());
  if (!block || !slice || !source) {
    return Refused(fmt::format("the control plane does not say where on loopback {} is", id));
  }
  *network = {instance.instance_id(), *block, *slice, *source};
  return {};
}

}  // namespace ec::cli
