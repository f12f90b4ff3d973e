// `ecctl subnet`.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/network_lookup.h"

namespace ec::cli {
namespace {

struct SubnetOptions {
  std::string word;  // an id or a name
  std::string vpc, cidr, name;
  std::optional<std::string> zone, of_vpc;
  std::vector<std::string> tags;
  bool yes = false;
};

Outcome PrintSubnets(const Context& context, const v1::DescribeSubnetsResponse& response) {
  Table table({"SUBNET", "NAME", "VPC", "ZONE", "BLOCK", "FREE", "DEFAULT"});
  for (const v1::Ec2Subnet& subnet : response.subnets()) {
    const std::string name = NameTag(subnet.tags());
    table.Add({subnet.subnet_id(), name.empty() ? "-" : name, subnet.vpc_id(),
               subnet.availability_zone(), subnet.cidr_block(),
               std::to_string(subnet.available_ip_address_count()),
               subnet.default_for_az() ? "yes" : "no"});
  }
  context.Print(table, "There are no subnets: each zone gets one when its first host registers.");
  return {};
}

Outcome CreateSubnet(Context& context, const SubnetOptions& options) {
  v1::CreateSubnetRequest request;
  EC_RETURN_UNLESS_OK(FindVpcId(context, options.vpc, request.mutable_vpc_id()));
  request.set_cidr_block(options.cidr);
  if (options.zone) request.set_availability_zone(*options.zone);
  EC_RETURN_UNLESS_OK(SetTags(options.tags, options.name, request.mutable_tags()));
  v1::CreateSubnetResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::CreateSubnet, request, &response));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  v1::DescribeSubnetsResponse list;
  *list.add_subnets() = response.subnet();
  return PrintSubnets(context, list);
}

Outcome ListSubnets(Context& context, const SubnetOptions& options) {
  v1::DescribeSubnetsRequest request;
  if (options.of_vpc) {
    v1::Filter* filter = request.add_filters();
    filter->set_name("vpc-id");
    EC_RETURN_UNLESS_OK(FindVpcId(context, *options.of_vpc, filter->add_values()));
  }
  v1::DescribeSubnetsResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::DescribeSubnets, request, &response));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  return PrintSubnets(context, response);
}

Outcome ShowSubnet(Context& context, const std::string& word) {
  v1::DescribeSubnetsResponse response;
  EC_RETURN_UNLESS_OK(FindSubnet(context, word, response.add_subnets()));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  const v1::Ec2Subnet& subnet = response.subnets(0);
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("{:<24}{}\n", name, value);
  };
  line("Subnet", subnet.subnet_id());
  line("Name", NameTag(subnet.tags()));
  line("VPC", subnet.vpc_id());
  line("Zone", subnet.availability_zone());
  line("Block", subnet.cidr_block());
  line("Free addresses", std::to_string(subnet.available_ip_address_count()));
  line("Default of its zone", subnet.default_for_az() ? "yes" : "no");
  line("ARN", subnet.subnet_arn());
  for (const v1::Tag& tag : subnet.tags()) line("Tag " + tag.key(), tag.value());
  out.pop_back();
  PrintLine(out);
  return {};
}

Outcome DeleteSubnet(Context& context, const SubnetOptions& options) {
  v1::DeleteSubnetRequest request;
  EC_RETURN_UNLESS_OK(FindSubnetId(context, options.word, request.mutable_subnet_id()));
  EC_RETURN_UNLESS_OK(Confirm(fmt::format("Delete subnet {}?", request.subnet_id()), options.yes));
  v1::DeleteSubnetResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::DeleteSubnet, request, &response));
  if (context.json()) {
    context.Print(response);
  } else {
    PrintLine(fmt::format("Subnet {} has been deleted.", request.subnet_id()));
  }
  return {};
}

}  // namespace

void AddSubnetCommands(CommandLine& line) {
  CLI::App* subnet = line.AddGroup(kNetworkSection, "subnet", "Subnets: a VPC's part in a zone");
  auto options = std::make_shared<SubnetOptions>();
  line.AddCommand(
          subnet, "create", "Create a subnet",
          [options](Context& context) { return CreateSubnet(context, *options); },
          "Examples:\n"
          "  ecctl subnet create shop 10.0.1.0/24 --zone us-east-1a --name shop-a\n")
      .Argument("VPC", "VPC", &options->vpc, "The VPC's id or name")
      .Argument("CIDR", "CIDR", &options->cidr, "Its block: within the VPC's, a /28 at least")
      .Option("--zone", "ZONE", &options->zone, "Its zone (default: the region's first)")
      .Option("--name", "NAME", &options->name, "The tag Name; names stand for ids where they can")
      .Repeated("--tag", "KEY=VALUE", &options->tags, "A tag; may be given several times");
  line.AddCommand(
          subnet, "list", "List the subnets",
          [options](Context& context) { return ListSubnets(context, *options); },
          "Examples:\n"
          "  ecctl subnet list\n"
          "  ecctl subnet list --vpc shop\n")
      .Option("--vpc", "VPC", &options->of_vpc, "Only those of this VPC");
  line.AddCommand(
          subnet, "show", "Show a subnet",
          [options](Context& context) { return ShowSubnet(context, options->word); },
          "Examples:\n"
          "  ecctl subnet show shop-a\n")
      .Argument("SUBNET", "SUBNET", &options->word, "Its id or name");
  line.AddCommand(
          subnet, "delete", "Delete a subnet that nothing is in any more",
          [options](Context& context) { return DeleteSubnet(context, *options); },
          "Examples:\n"
          "  ecctl subnet delete shop-a --yes\n")
      .Argument("SUBNET", "SUBNET", &options->word, "Its id or name")
      .Flag("-y,--yes", &options->yes, "Do not ask for confirmation");
}

}  // namespace ec::cli
