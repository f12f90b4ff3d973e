// `ecctl security-group`.
#include <fmt/format.h>

#include <charconv>
#include <map>
#include <memory>

#include "cli/commands.h"
#include "cli/network_lookup.h"
#include "common/address.h"

namespace ec::cli {
namespace {

struct GroupOptions {
  std::string word;  // an id or a name
  std::optional<std::string> vpc, description;
  std::vector<std::string> tags;
  bool yes = false;
};

struct RuleOptions {
  std::string group;
  std::optional<std::string> vpc, port, description;
  std::string protocol = "tcp";
  std::vector<std::string> from, rules;
  bool egress = false;
};

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

Outcome FindGroup(Context& context, const std::string& word, const std::optional<std::string>& vpc,
                  v1::Ec2SecurityGroup* group) {
  std::string vpc_id;
  if (vpc) EC_RETURN_UNLESS_OK(FindVpcId(context, *vpc, &vpc_id));
  return FindSecurityGroup(context, word, vpc_id, group);
}

Outcome FindRules(Context& context, const std::string& group,
                  v1::DescribeSecurityGroupRulesResponse* response) {
  v1::DescribeSecurityGroupRulesRequest request;
  v1::Filter* filter = request.add_filters();
  filter->set_name("group-id");
  filter->add_values(group);
  return context.Call(&v1::Network::Stub::DescribeSecurityGroupRules, request, response);
}

std::string FormatPorts(const v1::SecurityGroupRule& rule) {
  if (rule.from_port() < 0) return "all";
  if (rule.from_port() == rule.to_port()) return std::to_string(rule.from_port());
  return fmt::format("{}-{}", rule.from_port(), rule.to_port());
}

template <typename Rules>
Table RuleTable(const Rules& rules) {
  Table table({"RULE", "DIRECTION", "PROTOCOL", "PORTS", "SOURCE", "DESCRIPTION"});
  for (const v1::SecurityGroupRule& rule : rules) {
    table.Add({rule.security_group_rule_id(), rule.is_egress() ? "egress" : "ingress",
               rule.ip_protocol() == "-1" ? "all" : rule.ip_protocol(), FormatPorts(rule),
               rule.has_cidr_ipv4() ? rule.cidr_ipv4() : rule.referenced_group_id(),
               OrDash(rule.description())});
  }
  return table;
}

Outcome CreateGroup(Context& context, const GroupOptions& options) {
  v1::CreateSecurityGroupRequest request;
  request.set_group_name(options.word);
  request.set_description(options.description.value_or(options.word));
  if (options.vpc) EC_RETURN_UNLESS_OK(FindVpcId(context, *options.vpc, request.mutable_vpc_id()));
  EC_RETURN_UNLESS_OK(SetTags(options.tags, {}, request.mutable_tags()));
  v1::CreateSecurityGroupResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::CreateSecurityGroup, request, &response));
  if (context.json()) {
    context.Print(response);
  } else {
    PrintLine(fmt::format("Security group {} ({}) has been created; it admits nobody yet.",
                          options.word, response.group_id()));
  }
  return {};
}

Outcome ListGroups(Context& context, const GroupOptions& options) {
  v1::DescribeSecurityGroupsRequest request;
  if (options.vpc) {
    v1::Filter* filter = request.add_filters();
    filter->set_name("vpc-id");
    EC_RETURN_UNLESS_OK(FindVpcId(context, *options.vpc, filter->add_values()));
  }
  v1::DescribeSecurityGroupsResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::DescribeSecurityGroups, request, &response));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  Table table({"GROUP", "NAME", "VPC", "INGRESS", "DESCRIPTION"});
  for (const v1::Ec2SecurityGroup& group : response.security_groups()) {
    int rules = 0;
    for (const v1::IpPermission& permission : group.ip_permissions()) {
      rules += permission.ip_ranges_size() + permission.user_id_group_pairs_size();
    }
    table.Add({group.group_id(), group.group_name(), group.vpc_id(), std::to_string(rules),
               group.description()});
  }
  context.Print(table, "There are no security groups.");
  return {};
}

Outcome ShowGroup(Context& context, const GroupOptions& options) {
  v1::DescribeSecurityGroupsResponse response;
  EC_RETURN_UNLESS_OK(
      FindGroup(context, options.word, options.vpc, response.add_security_groups()));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  const v1::Ec2SecurityGroup& group = response.security_groups(0);
  v1::DescribeSecurityGroupRulesResponse rules;
  EC_RETURN_UNLESS_OK(FindRules(context, group.group_id(), &rules));
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("{:<24}{}\n", name, value);
  };
  line("Security group", group.group_id());
  line("Name", group.group_name());
  line("Description", group.description());
  line("VPC", group.vpc_id());
  line("ARN", group.security_group_arn());
  for (const v1::Tag& tag : group.tags()) line("Tag " + tag.key(), tag.value());
  const Table table = RuleTable(rules.security_group_rules());
  if (!table.empty()) out += fmt::format("\nRules\n{}", table.Text(context.color()));
  out.pop_back();
  PrintLine(out);
  return {};
}

Outcome DeleteGroup(Context& context, const GroupOptions& options) {
  v1::Ec2SecurityGroup group;
  EC_RETURN_UNLESS_OK(FindGroup(context, options.word, options.vpc, &group));
  EC_RETURN_UNLESS_OK(
      Confirm(fmt::format("Delete security group {} ({})?", group.group_name(), group.group_id()),
              options.yes));
  v1::DeleteSecurityGroupRequest request;
  request.set_group_id(group.group_id());
  v1::DeleteSecurityGroupResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::DeleteSecurityGroup, request, &response));
  if (context.json()) {
    context.Print(response);
  } else {
    PrintLine(fmt::format("Security group {} has been deleted.", group.group_id()));
  }
  return {};
}

// --- rules ----------------------------------------------------------------------------------

bool ParsePort(std::string_view text, int* port) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *port);
  return error == std::errc() && stop == end && *port >= 0 && *port <= 65535;
}

// "6379", "6000-6100" or "all".
Outcome SetPorts(const std::string& text, v1::IpPermission* permission) {
  if (text == "all") return {};
  const size_t dash = text.find('-');
  int from = 0;
  int to = 0;
  const bool good = dash == std::string::npos
                        ? ParsePort(text, &from) && ParsePort(text, &to)
                        : ParsePort(text.substr(0, dash), &from) &&
                              ParsePort(text.substr(dash + 1), &to) && from <= to;
  if (!good) return UsageError(fmt::format("'{}' is not a port such as 6379 or 6000-6100", text));
  permission->set_from_port(from);
  permission->set_to_port(to);
  return {};
}

// A block, an address, or a security group of the same VPC.
Outcome AddSource(Context& context, const std::string& word, const std::string& vpc,
                  const std::string& description, v1::IpPermission* permission) {
  const bool is_block = word.find('/') != std::string::npos || ParseIp4(word).has_value();
  if (is_block) {
    v1::IpRange* range = permission->add_ip_ranges();
    range->set_cidr_ip(ParseIp4(word) ? word + "/32" : word);
    if (!description.empty()) range->set_description(description);
    return {};
  }
  v1::UserIdGroupPair* pair = permission->add_user_id_group_pairs();
  if (!description.empty()) pair->set_description(description);
  return FindSecurityGroupId(context, word, vpc, pair->mutable_group_id());
}

Outcome ToPermission(Context& context, const RuleOptions& options, const std::string& vpc,
                     v1::IpPermission* permission) {
  permission->set_ip_protocol(options.protocol == "all" ? "-1" : options.protocol);
  if (options.port) EC_RETURN_UNLESS_OK(SetPorts(*options.port, permission));
  for (const std::string& word : options.from) {
    EC_RETURN_UNLESS_OK(
        AddSource(context, word, vpc, options.description.value_or(""), permission));
  }
  return {};
}

template <typename Request, typename Response>
Outcome CallAuthorize(Context& context, const RuleOptions& options,
                      grpc::Status (v1::Network::Stub::*method)(grpc::ClientContext*,
                                                                const Request&, Response*)) {
  v1::Ec2SecurityGroup group;
  EC_RETURN_UNLESS_OK(FindGroup(context, options.group, options.vpc, &group));
  Request request;
  request.set_group_id(group.group_id());
  EC_RETURN_UNLESS_OK(ToPermission(context, options, group.vpc_id(), request.add_ip_permissions()));
  Response response;
  EC_RETURN_UNLESS_OK(context.Call(method, request, &response));
  if (context.json()) {
    context.Print(response);
  } else {
    context.Print(RuleTable(response.security_group_rules()), "No rule was added.");
  }
  return {};
}

Outcome Authorize(Context& context, const RuleOptions& options) {
  if (options.from.empty()) return UsageError("--from is missing: a block or a security group");
  return options.egress
             ? CallAuthorize(context, options, &v1::Network::Stub::AuthorizeSecurityGroupEgress)
             : CallAuthorize(context, options, &v1::Network::Stub::AuthorizeSecurityGroupIngress);
}

template <typename Request, typename Response>
Outcome CallRevoke(Context& context, const RuleOptions& options,
                   grpc::Status (v1::Network::Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*)) {
  v1::Ec2SecurityGroup group;
  EC_RETURN_UNLESS_OK(FindGroup(context, options.group, options.vpc, &group));
  Request request;
  request.set_group_id(group.group_id());
  for (const std::string& rule : options.rules) request.add_security_group_rule_ids(rule);
  if (!options.from.empty()) {
    EC_RETURN_UNLESS_OK(
        ToPermission(context, options, group.vpc_id(), request.add_ip_permissions()));
  }
  Response response;
  EC_RETURN_UNLESS_OK(context.Call(method, request, &response));
  if (context.json()) {
    context.Print(response);
  } else {
    PrintLine(
        fmt::format("Security group {}: the rules are revoked; connections that nothing "
                    "admits any more are closed.",
                    group.group_id()));
  }
  return {};
}

Outcome Revoke(Context& context, const RuleOptions& options) {
  if (options.from.empty() && options.rules.empty()) {
    return UsageError("say which rules are to go: --from as it was authorized, or --rule");
  }
  return options.egress
             ? CallRevoke(context, options, &v1::Network::Stub::RevokeSecurityGroupEgress)
             : CallRevoke(context, options, &v1::Network::Stub::RevokeSecurityGroupIngress);
}

void AddRuleOptions(Command command, RuleOptions* options) {
  command.Argument("GROUP", "SECURITY-GROUP", &options->group, "Its id or name")
      .Option("--port", "PORT", &options->port, "6379, 6000-6100 or all (default: all)")
      .List("--from", "CIDR|SECURITY-GROUPS", &options->from,
            "Blocks such as 10.0.1.0/24, addresses, or security groups (of egress: to)")
      .Option("--protocol", "PROTOCOL", &options->protocol,
              "tcp, udp, icmp, a number or all (default tcp)")
      .Option("--vpc", "VPC", &options->vpc, "Where to look for the group's name")
      .Flag("--egress", &options->egress, "Outwards: recorded, and judges nothing");
}

void AddRuleCommands(CommandLine& line, CLI::App* group) {
  auto options = std::make_shared<RuleOptions>();
  Command authorize = line.AddCommand(
      group, "authorize", "Add rules to a security group, with effect at once",
      [options](Context& context) { return Authorize(context, *options); },
      "Examples:\n"
      "  ecctl security-group authorize cache --port 6379 --from 10.0.1.0/24\n"
      "  ecctl security-group authorize cache --port 6379 --from sg-0123456789abcdef0\n"
      "  ecctl security-group authorize cache --port 6379 --from web --description 'web "
      "servers'\n");
  AddRuleOptions(authorize, options.get());
  authorize.Option("--description", "TEXT", &options->description, "What the rules are for");
  Command revoke = line.AddCommand(
      group, "revoke", "Take rules away from a security group, with effect at once",
      [options](Context& context) { return Revoke(context, *options); },
      "Connections that no rule admits any more are closed.\n\n"
      "Examples:\n"
      "  ecctl security-group revoke cache --port 6379 --from 10.0.1.0/24\n"
      "  ecctl security-group revoke cache --rule sgr-0123456789abcdef0\n");
  AddRuleOptions(revoke, options.get());
  revoke.List("--rule", "RULES", &options->rules, "Ids of rules, as 'show' lists them");
}

}  // namespace

void AddSecurityGroupCommands(CommandLine& line) {
  CLI::App* group =
      line.AddGroup(kNetworkSection, "security-group", "Security groups: who may connect to what");
  auto options = std::make_shared<GroupOptions>();
  line.AddCommand(
          group, "create", "Create a security group, which admits nobody yet",
          [options](Context& context) { return CreateGroup(context, *options); },
          "Examples:\n"
          "  ecctl security-group create cache --vpc shop --description 'the caches'\n")
      .Argument("NAME", "NAME", &options->word, "1 to 255 characters, not sg-...")
      .Option("--vpc", "VPC", &options->vpc, "Id or name (default: the default VPC)")
      .Option("--description", "TEXT", &options->description, "Default: the name")
      .Repeated("--tag", "KEY=VALUE", &options->tags, "A tag; may be given several times");
  line.AddCommand(
          group, "list", "List the security groups",
          [options](Context& context) { return ListGroups(context, *options); },
          "Examples:\n"
          "  ecctl security-group list --vpc shop\n")
      .Option("--vpc", "VPC", &options->vpc, "Only those of this VPC");
  line.AddCommand(
          group, "show", "Show a security group and its rules",
          [options](Context& context) { return ShowGroup(context, *options); },
          "Examples:\n"
          "  ecctl security-group show default --vpc shop\n"
          "  ecctl security-group show cache -o json\n")
      .Argument("GROUP", "SECURITY-GROUP", &options->word, "Its id or name")
      .Option("--vpc", "VPC", &options->vpc, "Where to look for the name");
  line.AddCommand(
          group, "delete", "Delete a security group that nothing uses any more",
          [options](Context& context) { return DeleteGroup(context, *options); },
          "Examples:\n"
          "  ecctl security-group delete cache --yes\n")
      .Argument("GROUP", "SECURITY-GROUP", &options->word, "Its id or name")
      .Option("--vpc", "VPC", &options->vpc, "Where to look for the name")
      .Flag("-y,--yes", &options->yes, "Do not ask for confirmation");
  AddRuleCommands(line, group);
}

}  // namespace ec::cli
