// Instances.
#include <fmt/format.h>

#include <set>

#include "common/netns.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/convert_network.h"
#include "controlplane/server/filters.h"
#include "controlplane/server/network.h"
#include "controlplane/server/network_rows.h"
#include "controlplane/server/request.h"

namespace ec::server {
namespace {

using model::InstanceRow;

constexpr int kRunMax = 100;
constexpr int kRunning = 16;
constexpr int kTerminated = 48;

void SetState(int code, const std::string& name, v1::InstanceState* out) {
  out->set_code(code);
  out->set_name(name);
}

Attributes AttributesOf(const model::Records& records, const InstanceRow& instance) {
  Attributes attributes = {{"instance-id", instance.id},
                           {"vpc-id", instance.vpc},
                           {"private-ip-address", ToString(instance.address)},
                           {"instance-state-name", "running"}};
  if (!instance.subnet.empty()) {
    attributes.emplace("subnet-id", instance.subnet);
    attributes.emplace("availability-zone", records.subnets.at(instance.subnet).zone);
  }
  for (const model::SecurityGroupId& group : instance.groups) {
    attributes.emplace("instance.group-id", group);
    attributes.emplace("instance.group-name", records.security_groups.at(group).name);
  }
  AddTagAttributes(instance.tags, &attributes);
  return attributes;
}

// How many, and what they have in common.
Result<core::RunInstances> Parse(const v1::RunInstancesRequest& request) {
  const int least = request.has_min_count() ? request.min_count() : 1;
  const int most = request.has_max_count() ? request.max_count() : std::max(least, 1);
  if (least < 1 || most < least || most > kRunMax) {
    return Status(Fault::kInvalidParameterValue,
                  fmt::format("Value ({}) for parameter maxCount is invalid, with minCount {}. "
                              "There can be 1 to {} instances.",
                              most, least, kRunMax));
  }
  if (most > 1 && (request.has_instance_id() || request.has_private_ip_address() ||
                   request.has_source_cidr_block())) {
    return Status(Fault::kInvalidParameterValue,
                  "InstanceId, PrivateIpAddress and SourceCidrBlock are for one instance: maxCount "
                  "must be 1.");
  }
  Result<core::NetworkTags> tags = TagsFor(request, "instance");
  if (!tags.ok()) return tags.status();
  core::RunInstances command;
  command.least = static_cast<size_t>(least);
  for (int i = 0; i < most; ++i) {
    core::RunInstance one;
    one.id = request.has_instance_id() ? request.instance_id() : NewEc2Id("i");
    one.subnet = EC_OPTIONAL(request, subnet_id);
    one.groups = ToVector(request.security_group_ids());
    one.address = EC_OPTIONAL(request, private_ip_address);
    one.network = request.source_cidr_block();
    one.tags = *tags;
    command.wanted.push_back(std::move(one));
  }
  return command;
}

void Show(const ControllerLoop& loop, const model::State& state, const InstanceRow& instance,
          v1::Instance* out) {
  ToProto(state.records, instance, out);
  const std::string& prefix = loop.settings().netns;
  if (prefix.empty() || instance.id == model::kLocalhostInstance) return;
  out->set_network_namespace(NetnsName(prefix, instance.id));
}

}  // namespace

Status RunInstances(ControllerLoop& loop, const v1::RunInstancesRequest& request,
                    v1::RunInstancesResponse* response) {
  Result<core::RunInstances> command = Parse(request);
  if (!command.ok()) return command.status();
  std::vector<std::string> ids;
  for (const core::RunInstance& one : command->wanted) ids.push_back(one.id);
  return loop.Submit(core::Command(*command), [&](const model::State& state) {
    for (const std::string& id : ids) {
      const auto found = state.records.instances.find(id);
      if (found == state.records.instances.end()) continue;  // no room for it
      Show(loop, state, found->second, response->add_instances());
    }
    response->set_reservation_id(model::Ec2Id("r", ids.front()));
    response->set_owner_id(state.records.installation.account);
  });
}

Status DescribeInstances(ControllerLoop& loop, const v1::DescribeInstancesRequest& request,
                         v1::DescribeInstancesResponse* response) {
  EC_RETURN_IF_ERROR(
      CheckFilters(request.filters(),
                   {"instance-id", "vpc-id", "subnet-id", "private-ip-address", "availability-zone",
                    "instance.group-id", "instance.group-name", "instance-state-name"}));
  return loop.Read([&](const model::State& state) -> Status {
    const auto rows =
        FindRows(state.records.instances, request.instance_ids(), [](const std::string& id) {
          return Status(Fault::kInstanceNotFound,
                        fmt::format("The instance ID '{}' does not exist", id));
        });
    if (!rows.ok()) return rows.status();
    for (const InstanceRow* instance : *rows) {
      if (!Matches(request.filters(), AttributesOf(state.records, *instance))) continue;
      Show(loop, state, *instance, response->add_instances());
      v1::Reservation* reservation = response->add_reservations();
      reservation->set_reservation_id(model::Ec2Id("r", instance->id));
      reservation->set_owner_id(state.records.installation.account);
      *reservation->add_instances() = *response->instances().rbegin();
    }
    return {};
  });
}

Status ModifyInstanceAttribute(ControllerLoop& loop,
                               const v1::ModifyInstanceAttributeRequest& request,
                               v1::ModifyInstanceAttributeResponse*) {
  core::ModifyInstanceGroups command{request.instance_id(), ToVector(request.groups())};
  return loop.Submit(core::Command(core::NetworkCommand(std::move(command))));
}

Status TerminateInstances(ControllerLoop& loop, const v1::TerminateInstancesRequest& request,
                          v1::TerminateInstancesResponse* response) {
  core::TerminateInstances command{ToVector(request.instance_ids())};
  return loop.Submit(core::Command(core::NetworkCommand(std::move(command))),
                     [&](const model::State&) {
                       const std::set<std::string> ids(request.instance_ids().begin(),
                                                       request.instance_ids().end());
                       for (const std::string& id : ids) {
                         v1::InstanceStateChange* change = response->add_terminating_instances();
                         change->set_instance_id(id);
                         SetState(kTerminated, "terminated", change->mutable_current_state());
                         SetState(kRunning, "running", change->mutable_previous_state());
                       }
                     });
}

}  // namespace ec::server
