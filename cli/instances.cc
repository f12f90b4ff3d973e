// `ecctl instance`: create, list, show, set-groups, delete.
#include "cli/instances.h"

#include <fmt/format.h>

#include <cerrno>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/network_lookup.h"
#include "common/netns.h"

namespace ec::cli {
namespace {

struct InstanceOptions {
  std::string id, name;
  std::vector<std::string> ids;
  std::optional<std::string> subnet, address, vpc, source;
  std::optional<int> count;
  std::vector<std::string> groups, tags;
  bool yes = false;
};

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

std::string FormatGroups(const v1::Instance& instance) {
  std::vector<std::string> names;
  for (const v1::GroupIdentifier& group : instance.security_groups()) {
    names.push_back(group.group_name());
  }
  return fmt::format("{}", fmt::join(names, ","));
}

// Groups are looked for by name in the VPC where the instance is.
Outcome SetGroups(Context& context, const InstanceOptions& options,
                  v1::RunInstancesRequest* request) {
  for (const std::string& group : options.groups) request->add_security_group_ids(group);
  std::string vpc;
  if (options.subnet) {
    v1::Ec2Subnet subnet;
    EC_RETURN_UNLESS_OK(FindSubnet(context, *options.subnet, &subnet));
    request->set_subnet_id(subnet.subnet_id());
    vpc = subnet.vpc_id();
  } else if (!options.groups.empty()) {
    EC_RETURN_UNLESS_OK(FindVpcId(context, "default", &vpc));
  }
  return ResolveSecurityGroups(context, vpc, request->mutable_security_group_ids());
}

// With 'ecctl up --netns' an instance is there when its network namespace is.
Outcome AwaitNamespaces(const Context& context, const v1::RunInstancesResponse& response) {
  constexpr Duration kPatience = std::chrono::seconds(10);
  const Instant deadline = context.Deadline(kPatience);
  for (const v1::Instance& instance : response.instances()) {
    const std::string& name = instance.network_namespace();
    while (!name.empty() && !InodeOfNetns(name)) {
      if (errno != ENOENT) return {};  // others may see it, or it is of another machine
      if (context.now().instant >= deadline) {
        return TimedOut(
            fmt::format("{} is known, but its network namespace {} does not come: see "
                        "the control plane's log",
                        instance.instance_id(), name));
      }
      if (!Pause(std::chrono::milliseconds(2))) return Interrupted("interrupted while waiting");
    }
  }
  return {};
}

Outcome CreateInstance(Context& context, const InstanceOptions& options) {
  v1::RunInstancesRequest request;
  if (!options.id.empty()) request.set_instance_id(options.id);
  EC_RETURN_UNLESS_OK(SetGroups(context, options, &request));
  if (options.address) request.set_private_ip_address(*options.address);
  if (options.source) request.set_source_cidr_block(*options.source);
  if (options.count) {
    request.set_min_count(*options.count);
    request.set_max_count(*options.count);
  }
  EC_RETURN_UNLESS_OK(SetTags(options.tags, options.name, request.mutable_tags()));
  v1::RunInstancesResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::RunInstances, request, &response));
  EC_RETURN_UNLESS_OK(AwaitNamespaces(context, response));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  v1::DescribeInstancesResponse list;
  *list.mutable_instances() = response.instances();
  return PrintInstances(context, list);
}

// The machines of a network as one instance. Of a VPC that is named: in its first subnet.
Outcome RegisterInstance(Context& context, InstanceOptions options) {
  if (!options.subnet && options.vpc) {
    v1::DescribeSubnetsRequest request;
    v1::Filter* const filter = request.add_filters();
    filter->set_name("vpc-id");
    EC_RETURN_UNLESS_OK(FindVpcId(context, *options.vpc, filter->add_values()));
    v1::DescribeSubnetsResponse response;
    EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::DescribeSubnets, request, &response));
    if (response.subnets().empty()) {
      return Refused(fmt::format("VPC {} has no subnet yet: create one first", *options.vpc));
    }
    options.subnet = response.subnets(0).subnet_id();
  }
  return CreateInstance(context, options);
}

Outcome ListInstances(Context& context, const InstanceOptions& options) {
  v1::DescribeInstancesRequest request;
  if (options.vpc) {
    v1::Filter* filter = request.add_filters();
    filter->set_name("vpc-id");
    EC_RETURN_UNLESS_OK(FindVpcId(context, *options.vpc, filter->add_values()));
  }
  v1::DescribeInstancesResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::DescribeInstances, request, &response));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  return PrintInstances(context, response);
}

Outcome ShowInstance(Context& context, const std::string& word) {
  v1::DescribeInstancesResponse response;
  EC_RETURN_UNLESS_OK(FindInstance(context, word, response.add_instances()));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  const v1::Instance& instance = response.instances(0);
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("{:<24}{}\n", name, value);
  };
  line("Instance", instance.instance_id());
  line("Name", NameTag(instance.tags()));
  line("State", instance.state().name());
  line("Address", instance.private_ip_address());
  line("Connects from", instance.loopback_address());
  line("And from", instance.source_cidr_block());
  line("Network namespace", instance.network_namespace());
  line("VPC", instance.vpc_id());
  line("Subnet", instance.subnet_id());
  line("Zone", instance.availability_zone());
  if (instance.has_launch_time()) line("Launched", FormatTime(instance.launch_time()));
  for (const v1::Tag& tag : instance.tags()) line("Tag " + tag.key(), tag.value());
  Table table({"GROUP", "NAME"});
  for (const v1::GroupIdentifier& group : instance.security_groups()) {
    table.Add({group.group_id(), group.group_name()});
  }
  if (!table.empty()) out += fmt::format("\nSecurity groups\n{}", table.Text(false));
  out.pop_back();
  PrintLine(out);
  return {};
}

Outcome ChangeGroups(Context& context, const InstanceOptions& options) {
  v1::Instance instance;
  EC_RETURN_UNLESS_OK(FindInstance(context, options.id, &instance));
  v1::ModifyInstanceAttributeRequest request;
  request.set_instance_id(instance.instance_id());
  for (const std::string& group : options.groups) request.add_groups(group);
  EC_RETURN_UNLESS_OK(ResolveSecurityGroups(context, instance.vpc_id(), request.mutable_groups()));
  v1::ModifyInstanceAttributeResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::Network::Stub::ModifyInstanceAttribute, request, &response));
  return ShowInstance(context, instance.instance_id());
}

Outcome DeleteInstances(Context& context, const InstanceOptions& options) {
  v1::TerminateInstancesRequest request;
  for (const std::string& word : options.ids) {
    EC_RETURN_UNLESS_OK(FindInstanceId(context, word, request.add_instance_ids()));
  }
  const std::string names = fmt::format("{}", fmt::join(request.instance_ids(), ", "));
  EC_RETURN_UNLESS_OK(
      Confirm(fmt::format("Delete {}, and close its connections?", names), options.yes));
  v1::TerminateInstancesResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::TerminateInstances, request, &response));
  if (context.json()) {
    context.Print(response);
  } else {
    PrintLine(fmt::format("Deleted: {}.", names));
  }
  return {};
}

}  // namespace

Outcome PrintInstances(const Context& context, const v1::DescribeInstancesResponse& response) {
  Table table({"INSTANCE", "NAME", "ADDRESS", "VPC", "ZONE", "GROUPS", "FROM"});
  for (const v1::Instance& instance : response.instances()) {
    table.Add({instance.instance_id(), OrDash(NameTag(instance.tags())),
               instance.private_ip_address(), instance.vpc_id(),
               OrDash(instance.availability_zone()), OrDash(FormatGroups(instance)),
               instance.loopback_address()});
  }
  context.Print(table, "There are no instances. Create one with 'ecctl instance create i-web'.");
  return {};
}

void AddInstanceCommands(CommandLine& line) {
  CLI::App* instance =
      line.AddGroup(kNetworkSection, "instance", "Instances: the machines that clients run on");
  auto options = std::make_shared<InstanceOptions>();
  line.AddCommand(
          instance, "create", "Make a client machine known; nothing is started",
          [options](Context& context) { return CreateInstance(context, *options); },
          "Examples:\n"
          "  ecctl instance create i-web --subnet shop-a --security-group web\n"
          "  ecctl instance create --count 10 --subnet shop-a\n")
      .OptionalArgument("ID", "NAME", &options->id,
                        "i- and up to 40 letters, digits and hyphens (default: drawn)")
      .Option("--subnet", "SUBNET", &options->subnet, "Id or name (default: a default one)")
      .List("--security-group", "SECURITY-GROUPS", &options->groups,
            "Ids or names (default: the VPC's default group)")
      .Option("--address", "IP", &options->address, "Its private address (default: a free one)")
      .Option("--count", "N", &options->count, "How many (default 1)")
      .Within(1, 100)
      .Option("--name", "NAME", &options->name, "The tag Name; names stand for ids where they can")
      .Repeated("--tag", "KEY=VALUE", &options->tags, "A tag; may be given several times");
  line.AddCommand(
          instance, "register", "Make all machines of a network one instance, such as containers",
          [options](Context& context) { return RegisterInstance(context, *options); },
          "For 'ecctl up --advertise', which serves the endpoints outside of loopback.\n\n"
          "Examples:\n"
          "  ecctl instance register i-compose --source 172.18.0.0/16 --vpc shop\n"
          "  ecctl instance register --source 192.168.1.7/32 --security-group web\n")
      .OptionalArgument("ID", "NAME", &options->id,
                        "i- and up to 40 letters, digits and hyphens (default: drawn)")
      .Option("--source", "CIDR", &options->source,
              "Where they come from; of two networks that overlap, the narrower one counts")
      .Required()
      .Option("--vpc", "VPC", &options->vpc, "Id or name (default: the default one)")
      .Option("--subnet", "SUBNET", &options->subnet, "Id or name (default: the VPC's first)")
      .List("--security-group", "SECURITY-GROUPS", &options->groups,
            "Ids or names (default: the VPC's default group)")
      .Option("--address", "IP", &options->address, "Its private address (default: a free one)")
      .Option("--name", "NAME", &options->name, "The tag Name; names stand for ids where they can")
      .Repeated("--tag", "KEY=VALUE", &options->tags, "A tag; may be given several times");
  line.AddCommand(
          instance, "list", "List the instances",
          [options](Context& context) { return ListInstances(context, *options); },
          "FROM is the loopback address that stands for the instance on this machine.\n\n"
          "Examples:\n"
          "  ecctl instance list --vpc shop\n")
      .Option("--vpc", "VPC", &options->vpc, "Only those of this VPC");
  line.AddCommand(
          instance, "show", "Show an instance",
          [options](Context& context) { return ShowInstance(context, options->id); },
          "Examples:\n"
          "  ecctl instance show i-web\n")
      .Argument("INSTANCE", "INSTANCE", &options->id, "Its id or name");
  line.AddCommand(
          instance, "set-groups", "Give an instance other security groups, with effect at once",
          [options](Context& context) { return ChangeGroups(context, *options); },
          "Examples:\n"
          "  ecctl instance set-groups i-web web default\n")
      .Argument("INSTANCE", "INSTANCE", &options->id, "Its id or name")
      .Arguments("GROUP", "SECURITY-GROUP", /*required=*/true, &options->groups,
                 "All that there are to be: ids or names");
  line.AddCommand(
          instance, "delete", "Delete instances, all or none; their connections are closed",
          [options](Context& context) { return DeleteInstances(context, *options); },
          "Examples:\n"
          "  ecctl instance delete i-web i-batch --yes\n")
      .Arguments("INSTANCE", "INSTANCE", /*required=*/true, &options->ids, "Ids or names")
      .Flag("-y,--yes", &options->yes, "Do not ask for confirmation");
  AddInstanceRunCommand(line, instance);
}

}  // namespace ec::cli
