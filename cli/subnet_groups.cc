// `ecctl subnet-group`: ElastiCache's groups of subnets.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/network_lookup.h"

namespace ec::cli {
namespace {

struct SubnetGroupOptions {
  std::string name;
  std::optional<std::string> description;
  std::vector<std::string> subnets, tags;
  bool yes = false;
};

Outcome PrintGroups(const Context& context, const v1::DescribeCacheSubnetGroupsResponse& response) {
  Table table({"SUBNET-GROUP", "VPC", "ZONES", "SUBNETS", "DESCRIPTION"});
  for (const v1::CacheSubnetGroup& group : response.cache_subnet_groups()) {
    std::vector<std::string> zones, ids;
    for (const v1::Subnet& subnet : group.subnets()) {
      zones.push_back(subnet.subnet_availability_zone().name());
      ids.push_back(subnet.subnet_identifier());
    }
    table.Add({group.cache_subnet_group_name(), group.vpc_id(),
               fmt::format("{}", fmt::join(zones, ",")), fmt::format("{}", fmt::join(ids, ",")),
               group.cache_subnet_group_description()});
  }
  context.Print(table, "There are no cache subnet groups.");
  return {};
}

// `response` is any of the API's that hold one cache_subnet_group.
template <typename Response>
Outcome PrintChanged(const Context& context, const Response& response) {
  if (context.json()) {
    context.Print(response);
    return {};
  }
  v1::DescribeCacheSubnetGroupsResponse list;
  *list.add_cache_subnet_groups() = response.cache_subnet_group();
  return PrintGroups(context, list);
}

Outcome CreateSubnetGroup(Context& context, const SubnetGroupOptions& options) {
  v1::CreateCacheSubnetGroupRequest request;
  request.set_cache_subnet_group_name(options.name);
  request.set_cache_subnet_group_description(options.description.value_or(options.name));
  for (const std::string& subnet : options.subnets) request.add_subnet_ids(subnet);
  EC_RETURN_UNLESS_OK(ResolveSubnets(context, request.mutable_subnet_ids()));
  EC_RETURN_UNLESS_OK(SetTags(options.tags, {}, request.mutable_tags()));
  v1::CreateCacheSubnetGroupResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::CreateCacheSubnetGroup, request, &response));
  return PrintChanged(context, response);
}

Outcome ModifySubnetGroup(Context& context, const SubnetGroupOptions& options) {
  v1::ModifyCacheSubnetGroupRequest request;
  request.set_cache_subnet_group_name(options.name);
  if (options.description) request.set_cache_subnet_group_description(*options.description);
  for (const std::string& subnet : options.subnets) request.add_subnet_ids(subnet);
  EC_RETURN_UNLESS_OK(ResolveSubnets(context, request.mutable_subnet_ids()));
  v1::ModifyCacheSubnetGroupResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::ModifyCacheSubnetGroup, request, &response));
  return PrintChanged(context, response);
}

Outcome ListSubnetGroups(Context& context) {
  v1::DescribeCacheSubnetGroupsResponse response;
  EC_RETURN_UNLESS_OK(FindSubnetGroups(context, &response));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  return PrintGroups(context, response);
}

Outcome ShowSubnetGroup(Context& context, const std::string& name) {
  v1::DescribeCacheSubnetGroupsRequest request;
  request.set_cache_subnet_group_name(name);
  v1::DescribeCacheSubnetGroupsResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::DescribeCacheSubnetGroups, request, &response));
  if (context.json() || response.cache_subnet_groups_size() != 1) {
    context.Print(response);
    return {};
  }
  const v1::CacheSubnetGroup& group = response.cache_subnet_groups(0);
  std::string out;
  const auto line = [&](std::string_view what, const std::string& value) {
    if (!value.empty()) out += fmt::format("{:<24}{}\n", what, value);
  };
  line("Subnet group", group.cache_subnet_group_name());
  line("Description", group.cache_subnet_group_description());
  line("VPC", group.vpc_id());
  line("ARN", group.arn());
  Table table({"SUBNET", "ZONE"});
  for (const v1::Subnet& subnet : group.subnets()) {
    table.Add({subnet.subnet_identifier(), subnet.subnet_availability_zone().name()});
  }
  out += fmt::format("\nSubnets\n{}", table.Text(false));
  out.pop_back();
  PrintLine(out);
  return {};
}

Outcome DeleteSubnetGroup(Context& context, const SubnetGroupOptions& options) {
  EC_RETURN_UNLESS_OK(
      Confirm(fmt::format("Delete cache subnet group {}?", options.name), options.yes));
  v1::DeleteCacheSubnetGroupRequest request;
  request.set_cache_subnet_group_name(options.name);
  v1::DeleteCacheSubnetGroupResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::DeleteCacheSubnetGroup, request, &response));
  if (context.json()) {
    context.Print(response);
  } else {
    PrintLine(fmt::format("Cache subnet group {} has been deleted.", options.name));
  }
  return {};
}

}  // namespace

void AddSubnetGroupCommands(CommandLine& line) {
  CLI::App* group = line.AddGroup(kNetworkSection, "subnet-group",
                                  "Cache subnet groups: where clusters can live");
  auto options = std::make_shared<SubnetGroupOptions>();
  line.AddCommand(
          group, "create", "Create a cache subnet group of subnets of one VPC",
          [options](Context& context) { return CreateSubnetGroup(context, *options); },
          "Examples:\n"
          "  ecctl subnet-group create shop --subnets shop-a,shop-b\n"
          "  ecctl cluster create orders --subnet-group shop --wait\n")
      .Argument("NAME", "NAME", &options->name, "Letters, digits and hyphens")
      .List("--subnets", "SUBNETS", &options->subnets, "Ids or names of its subnets")
      .Option("--description", "TEXT", &options->description, "Default: the name")
      .Repeated("--tag", "KEY=VALUE", &options->tags, "A tag; may be given several times");
  line.AddCommand(group, "list", "List the cache subnet groups", ListSubnetGroups,
                  "Examples:\n"
                  "  ecctl subnet-group list\n");
  line.AddCommand(
          group, "show", "Show a cache subnet group and its subnets",
          [options](Context& context) { return ShowSubnetGroup(context, options->name); },
          "Examples:\n"
          "  ecctl subnet-group show default\n")
      .Argument("NAME", "SUBNET-GROUP", &options->name, "The cache subnet group");
  line.AddCommand(
          group, "modify", "Give a cache subnet group other subnets or another description",
          [options](Context& context) { return ModifySubnetGroup(context, *options); },
          "Examples:\n"
          "  ecctl subnet-group modify shop --subnets shop-a,shop-b,shop-c\n")
      .Argument("NAME", "SUBNET-GROUP", &options->name, "The cache subnet group")
      .List("--subnets", "SUBNETS", &options->subnets, "All that there are to be: ids or names")
      .Option("--description", "TEXT", &options->description, "What it is for");
  line.AddCommand(
          group, "delete", "Delete a cache subnet group that no cluster uses",
          [options](Context& context) { return DeleteSubnetGroup(context, *options); },
          "Examples:\n"
          "  ecctl subnet-group delete shop --yes\n")
      .Argument("NAME", "SUBNET-GROUP", &options->name, "The cache subnet group")
      .Flag("-y,--yes", &options->yes, "Do not ask for confirmation");
}

}  // namespace ec::cli
