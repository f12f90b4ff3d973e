// `ecctl vpc`.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/network_lookup.h"

namespace ec::cli {
namespace {

struct VpcOptions {
  std::string word;  // an id or a name
  std::string cidr, name;
  std::vector<std::string> tags;
  bool yes = false;
};

// `response` holds a list of VPCs.
Outcome PrintVpcs(const Context& context, const v1::DescribeVpcsResponse& response) {
  if (context.json()) {
    context.Print(response);
    return {};
  }
  Table table({"VPC", "NAME", "BLOCK", "DEFAULT", "LOOPBACK"});
  for (const v1::Vpc& vpc : response.vpcs()) {
    const std::string name = NameTag(vpc.tags());
    table.Add({vpc.vpc_id(), name.empty() ? "-" : name, vpc.cidr_block(),
               vpc.is_default() ? "yes" : "no", vpc.loopback_cidr_block()});
  }
  context.Print(table, "There are no VPCs.");
  return {};
}

Outcome CreateVpc(Context& context, const VpcOptions& options) {
  v1::CreateVpcRequest request;
  request.set_cidr_block(options.cidr);
  EC_RETURN_UNLESS_OK(SetTags(options.tags, options.name, request.mutable_tags()));
  v1::CreateVpcResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::CreateVpc, request, &response));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  v1::DescribeVpcsResponse list;
  *list.add_vpcs() = response.vpc();
  return PrintVpcs(context, list);
}

Outcome ListVpcs(Context& context) {
  v1::DescribeVpcsResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::DescribeVpcs, {}, &response));
  return PrintVpcs(context, response);
}

Table SubnetTable(const v1::DescribeSubnetsResponse& response) {
  Table table({"SUBNET", "NAME", "ZONE", "BLOCK", "FREE"});
  for (const v1::Ec2Subnet& subnet : response.subnets()) {
    const std::string name = NameTag(subnet.tags());
    table.Add({subnet.subnet_id(), name.empty() ? "-" : name, subnet.availability_zone(),
               subnet.cidr_block(), std::to_string(subnet.available_ip_address_count())});
  }
  return table;
}

Table GroupTable(const v1::DescribeSecurityGroupsResponse& response) {
  Table table({"GROUP", "NAME", "DESCRIPTION"});
  for (const v1::Ec2SecurityGroup& group : response.security_groups()) {
    table.Add({group.group_id(), group.group_name(), group.description()});
  }
  return table;
}

Table InstanceTable(const v1::DescribeInstancesResponse& response) {
  Table table({"INSTANCE", "NAME", "ADDRESS", "ZONE"});
  for (const v1::Instance& instance : response.instances()) {
    const std::string name = NameTag(instance.tags());
    const std::string& zone = instance.availability_zone();
    table.Add({instance.instance_id(), name.empty() ? "-" : name, instance.private_ip_address(),
               zone.empty() ? "-" : zone});
  }
  return table;
}

// What is in the VPC, by a describe call that takes the filter vpc-id.
template <typename Method, typename Request, typename Response>
Outcome FindIn(Context& context, Method method, const std::string& vpc, Request request,
               Response* response) {
  v1::Filter* filter = request.add_filters();
  filter->set_name("vpc-id");
  filter->add_values(vpc);
  return context.Call(method, request, response);
}

Outcome ShowVpc(Context& context, const std::string& word) {
  v1::DescribeVpcsResponse response;
  EC_RETURN_UNLESS_OK(FindVpc(context, word, response.add_vpcs()));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  const v1::Vpc& vpc = response.vpcs(0);
  v1::DescribeSubnetsResponse subnets;
  EC_RETURN_UNLESS_OK(FindIn(context, &v1::Network::Stub::DescribeSubnets, vpc.vpc_id(),
                             v1::DescribeSubnetsRequest(), &subnets));
  v1::DescribeSecurityGroupsResponse groups;
  EC_RETURN_UNLESS_OK(FindIn(context, &v1::Network::Stub::DescribeSecurityGroups, vpc.vpc_id(),
                             v1::DescribeSecurityGroupsRequest(), &groups));
  v1::DescribeInstancesResponse instances;
  EC_RETURN_UNLESS_OK(FindIn(context, &v1::Network::Stub::DescribeInstances, vpc.vpc_id(),
                             v1::DescribeInstancesRequest(), &instances));
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("{:<24}{}\n", name, value);
  };
  line("VPC", vpc.vpc_id());
  line("Name", NameTag(vpc.tags()));
  line("Block", vpc.cidr_block());
  line("Loopback", vpc.loopback_cidr_block());
  line("Default", vpc.is_default() ? "yes" : "no");
  const auto section = [&](std::string_view heading, const Table& table) {
    if (!table.empty()) out += fmt::format("\n{}\n{}", heading, table.Text(context.color()));
  };
  section("Subnets", SubnetTable(subnets));
  section("Security groups", GroupTable(groups));
  section("Instances", InstanceTable(instances));
  out.pop_back();
  PrintLine(out);
  return {};
}

Outcome DeleteVpc(Context& context, const VpcOptions& options) {
  v1::DeleteVpcRequest request;
  EC_RETURN_UNLESS_OK(FindVpcId(context, options.word, request.mutable_vpc_id()));
  EC_RETURN_UNLESS_OK(Confirm(fmt::format("Delete VPC {}?", request.vpc_id()), options.yes));
  v1::DeleteVpcResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::DeleteVpc, request, &response));
  if (context.json()) {
    context.Print(response);
  } else {
    PrintLine(fmt::format("VPC {} has been deleted.", request.vpc_id()));
  }
  return {};
}

}  // namespace

void AddVpcCommands(CommandLine& line) {
  CLI::App* vpc = line.AddGroup(kNetworkSection, "vpc", "Virtual private clouds");
  auto options = std::make_shared<VpcOptions>();
  line.AddCommand(
          vpc, "create", "Create a VPC, with a default security group of its own",
          [options](Context& context) { return CreateVpc(context, *options); },
          "Examples:\n"
          "  ecctl vpc create 10.0.0.0/16 --name shop\n"
          "  ecctl vpc create 10.1.0.0/16 --tag stage=test -o json | jq -r .vpc.vpc_id\n")
      .Argument("CIDR", "CIDR", &options->cidr, "Its block: a /16 to a /28")
      .Option("--name", "NAME", &options->name, "The tag Name; names stand for ids where they can")
      .Repeated("--tag", "KEY=VALUE", &options->tags, "A tag; may be given several times");
  line.AddCommand(vpc, "list", "List the VPCs", ListVpcs,
                  "Examples:\n"
                  "  ecctl vpc list\n"
                  "  ecctl vpc list -o json | jq -r '.vpcs[].vpc_id'\n");
  line.AddCommand(
          vpc, "show", "Show a VPC with its subnets, security groups and instances",
          [options](Context& context) { return ShowVpc(context, options->word); },
          "Examples:\n"
          "  ecctl vpc show default\n"
          "  ecctl vpc show shop -o json\n")
      .Argument("VPC", "VPC", &options->word, "Its id or name");
  line.AddCommand(
          vpc, "delete", "Delete a VPC that has nothing in it any more",
          [options](Context& context) { return DeleteVpc(context, *options); },
          "Examples:\n"
          "  ecctl vpc delete shop --yes\n")
      .Argument("VPC", "VPC", &options->word, "Its id or name")
      .Flag("-y,--yes", &options->yes, "Do not ask for confirmation");
}

}  // namespace ec::cli
