#include "controlplane/server/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "common/access.h"
#include "controlplane/model/access.h"
#include "controlplane/server/controller_loop.h"

namespace ec::server {
namespace {

using Cause = Judgement::Cause;

// What connections of `from` come from on this machine.
Result<Ip4> SourceOf(const Network& network, const std::string& from) {
  if (const auto ip = ParseIp4(from)) return *ip;
  const auto found = std::ranges::find(network.instances, from, &Instance::id);
  if (found != network.instances.end()) return found->source;
  return Status(Fault::kInstanceNotFound, fmt::format("The instance ID '{}' does not exist", from));
}

Result<Door> DoorAt(const model::Records& records, const v1::Endpoint& endpoint) {
  const auto& outside = records.installation.outside;
  if (outside && endpoint.address() == outside->host) {
    for (const auto& [id, port] : records.outside_ports) {
      if (port != endpoint.port()) continue;
      if (auto door = model::FindDoor(records, id)) return *door;
    }
  }
  const auto ip = ParseIp4(endpoint.address());
  if (ip && endpoint.port() > 0 && endpoint.port() <= 0xffff) {
    const Address address{*ip, static_cast<uint16_t>(endpoint.port())};
    if (auto door = model::FindDoor(records, address)) return *door;
  }
  return Status(Fault::kInvalidParameterValue,
                fmt::format("There is no endpoint {}:{}; DescribeEndpoints lists them.",
                            endpoint.address(), endpoint.port()));
}

const char* NameOf(Cause cause) {
  switch (cause) {
    case Cause::kAdmitted:
      return "rule";
    case Cause::kPeer:
      return "peer";
    case Cause::kNoInstance:
      return "no-instance";
    case Cause::kOtherVpc:
      return "other-vpc";
    case Cause::kNoRule:
      return "no-rule";
  }
  return "no-instance";
}

// "port 6379 from 10.0.1.0/24", of the rule with this id.
std::string Describe(const SecurityGroup& group, std::string_view id) {
  const auto rule = std::ranges::find(group.ingress, id, &IngressRule::id);
  if (rule == group.ingress.end()) return std::string(id);
  const std::string from = rule->block ? ToString(*rule->block) : rule->group;
  if (rule->from_port == 0 && rule->to_port == 0xffff) {
    return fmt::format("{}: all ports from {}", id, from);
  }
  if (rule->from_port == rule->to_port) {
    return fmt::format("{}: port {} from {}", id, rule->from_port, from);
  }
  return fmt::format("{}: ports {} to {} from {}", id, rule->from_port, rule->to_port, from);
}

std::string Explain(const Network& network, const Door& door, const Judgement& judgement,
                    const std::string& source) {
  const std::string groups = fmt::format("{}", fmt::join(door.groups, ", "));
  switch (judgement.cause) {
    case Cause::kAdmitted:
      return fmt::format("Admitted by {}, rule {}.", judgement.group,
                         Describe(network.groups.at(std::string(judgement.group)), judgement.rule));
    case Cause::kPeer:
      return fmt::format("Admitted: {} belongs to the endpoint's own replication group.", source);
    case Cause::kNoInstance:
      return fmt::format(
          "Refused: {} is no instance, and only instances of VPC {} may connect, "
          "whatever the rules say.",
          source, door.vpc);
    case Cause::kOtherVpc:
      return fmt::format(
          "Refused: {} is not in VPC {}, and only its instances may connect, "
          "whatever the rules say.",
          judgement.instance, door.vpc);
    case Cause::kNoRule:
      return fmt::format("Refused: no rule of {} admits {} on port {}.", groups, judgement.instance,
                         door.port);
  }
  return {};
}

}  // namespace

Status ExplainAccess(ControllerLoop& loop, const v1::ExplainAccessRequest& request,
                     v1::ExplainAccessResponse* response) {
  return loop.Read([&](const model::State& state) -> Status {
    const Network& network = *state.access;
    Result<Ip4> source = SourceOf(network, request.from());
    if (!source.ok()) return source.status();
    Result<Door> door = DoorAt(state.records, request.endpoint());
    if (!door.ok()) return door.status();
    const auto sources = std::make_shared<const Sources>(network);
    const Gate gate(network, sources, *door);
    const Judgement judgement = gate.Judge(*source);
    response->set_admitted(judgement.admitted());
    response->set_cause(NameOf(judgement.cause));
    response->set_explanation(Explain(network, *door, judgement, ToString(*source)));
    response->set_source_address(ToString(*source));
    if (const Instance* const instance = sources->Find(*source)) {
      response->set_instance_id(instance->id);
      response->set_instance_vpc_id(instance->vpc);
      response->set_private_ip_address(ToString(instance->address));
    }
    response->set_endpoint_vpc_id(door->vpc);
    for (const std::string& group : door->groups) response->add_endpoint_security_group_ids(group);
    if (judgement.cause == Cause::kAdmitted) {
      response->set_security_group_id(std::string(judgement.group));
      response->set_security_group_rule_id(std::string(judgement.rule));
    }
    return {};
  });
}

}  // namespace ec::server
