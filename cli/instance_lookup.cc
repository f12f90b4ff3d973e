#include "cli/instance_lookup.h"

#include <fmt/format.h>

#include "cli/network_lookup.h"

namespace ec::cli {

Outcome FindInstanceNetwork(Context& context, const std::string& word, InstanceNetwork* network) {
  v1::Instance instance;
  EC_RETURN_UNLESS_OK(FindInstance(context, word, &instance));
  if (const std::string& state = instance.state().name(); !state.empty() && state != "running") {
    return Refused(fmt::format("instance {} is {}", word, state));
  }
  v1::Vpc vpc;
  EC_RETURN_UNLESS_OK(FindVpc(context, instance.vpc_id(), &vpc));
  const auto block = ParseCidr(vpc.cidr_block());
  const auto slice = ParseCidr(vpc.loopback_cidr_block());
  const auto source = ParseIp4(instance.loopback_address());
  if (!block || !slice || !source) {
    return Refused(fmt::format("the control plane does not say where on loopback {} is", word));
  }
  *network = {instance.instance_id(), *block, *slice, *source, instance.network_namespace()};
  return {};
}

}  // namespace ec::cli
