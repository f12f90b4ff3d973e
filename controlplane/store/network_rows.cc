#include "controlplane/store/network_rows.h"

#include <string>
#include <utility>

#include "controlplane/store/columns.h"

namespace ec::store {
namespace {

using SQLite::Database;
using SQLite::Statement;

using Tags = std::map<std::string, std::string>;

// --- reading --------------------------------------------------------------------------------

void ReadVpcs(Database& db, model::Records* records) {
  Statement rows(db,
                 "SELECT id, cidr, slice_cidr, is_default, revision, dns_support, dns_hostnames, "
                 "usage_metrics FROM vpc ORDER BY id");
  while (rows.executeStep()) {
    Reader read(rows);
    model::Vpc vpc;
    vpc.id = read.Text();
    vpc.block = CidrOf(read.Text());
    vpc.slice = CidrOf(read.Text());
    vpc.is_default = read.Bool();
    vpc.revision = read.UInt64();
    vpc.dns_support = read.Bool();
    vpc.dns_hostnames = read.Bool();
    vpc.usage_metrics = read.Bool();
    records->vpcs.emplace(vpc.id, std::move(vpc));
  }
}

void ReadSubnets(Database& db, model::Records* records) {
  Statement rows(db,
                 "SELECT id, vpc, zone, cidr, is_default, next_offset, revision, "
                 "public_ip_on_launch FROM subnet "
                 "ORDER BY id");
  while (rows.executeStep()) {
    Reader read(rows);
    model::Subnet subnet;
    subnet.id = read.Text();
    subnet.vpc = read.Text();
    subnet.zone = read.Text();
    subnet.block = CidrOf(read.Text());
    subnet.is_default = read.Bool();
    subnet.next_offset = static_cast<uint32_t>(read.Int64());
    subnet.revision = read.UInt64();
    subnet.public_ip_on_launch = read.Bool();
    records->subnets.emplace(subnet.id, std::move(subnet));
  }
}

void ReadSecurityGroups(Database& db, model::Records* records) {
  Statement rows(db, "SELECT id, name, description, vpc, revision FROM security_group ORDER BY id");
  while (rows.executeStep()) {
    Reader read(rows);
    model::SecurityGroupRow group;
    group.id = read.Text();
    group.name = read.Text();
    group.description = read.Text();
    group.vpc = read.Text();
    group.revision = read.UInt64();
    records->security_groups.emplace(group.id, std::move(group));
  }
  Statement rules(db,
                  "SELECT security_group, egress, id, protocol, from_port, to_port, cidr, "
                  "source_group, description FROM security_group_rule "
                  "ORDER BY security_group, egress, position");
  while (rules.executeStep()) {
    Reader read(rules);
    model::SecurityGroupRow& group = records->security_groups.at(read.Text());
    auto& list = read.Bool() ? group.egress : group.ingress;
    model::SecurityGroupRule rule;
    rule.id = read.Text();
    rule.protocol = read.Text();
    rule.from_port = read.Int();
    rule.to_port = read.Int();
    if (!read.SkipNull()) rule.block = CidrOf(read.Text());
    if (!read.SkipNull()) rule.group = read.Text();
    rule.description = read.Text();
    list.push_back(std::move(rule));
  }
}

void ReadInstances(Database& db, model::Records* records) {
  Statement rows(
      db, "SELECT id, subnet, vpc, ip, network, launched, revision FROM instance ORDER BY id");
  while (rows.executeStep()) {
    Reader read(rows);
    model::InstanceRow instance;
    instance.id = read.Text();
    if (!read.SkipNull()) instance.subnet = read.Text();
    instance.vpc = read.Text();
    instance.address = IpOf(read.Text());
    if (!read.SkipNull()) instance.network = CidrOf(read.Text());
    instance.launched = TimeOf(read.Text());
    instance.revision = read.UInt64();
    records->instances.emplace(instance.id, std::move(instance));
  }
  Statement groups(db,
                   "SELECT instance, security_group FROM instance_group "
                   "ORDER BY instance, position");
  while (groups.executeStep()) {
    Reader read(groups);
    model::InstanceRow& instance = records->instances.at(read.Text());
    instance.groups.push_back(read.Text());
  }
}

void ReadSubnetGroups(Database& db, model::Records* records) {
  Statement rows(db,
                 "SELECT name, description, vpc, revision FROM cache_subnet_group ORDER BY name");
  while (rows.executeStep()) {
    Reader read(rows);
    model::CacheSubnetGroup group;
    group.name = read.Text();
    group.description = read.Text();
    group.vpc = read.Text();
    group.revision = read.UInt64();
    records->subnet_groups.emplace(group.name, std::move(group));
  }
  Statement subnets(db,
                    "SELECT cache_subnet_group, subnet FROM cache_subnet_group_subnet "
                    "ORDER BY cache_subnet_group, position");
  while (subnets.executeStep()) {
    Reader read(subnets);
    model::CacheSubnetGroup& group = records->subnet_groups.at(read.Text());
    group.subnets.push_back(read.Text());
  }
  Statement tags(db,
                 "SELECT cache_subnet_group, key, value FROM cache_subnet_group_tag "
                 "ORDER BY cache_subnet_group, key");
  while (tags.executeStep()) {
    Reader read(tags);
    model::CacheSubnetGroup& group = records->subnet_groups.at(read.Text());
    const std::string key = read.Text();
    group.tags[key] = read.Text();
  }
}

Tags* TagsOf(const std::string& resource, model::Records* records) {
  const auto in = [&](auto& rows) -> Tags* {
    const auto found = rows.find(resource);
    return found == rows.end() ? nullptr : &found->second.tags;
  };
  if (Tags* tags = in(records->vpcs)) return tags;
  if (Tags* tags = in(records->subnets)) return tags;
  if (Tags* tags = in(records->security_groups)) return tags;
  if (Tags* tags = in(records->instances)) return tags;
  for (auto& [id, group] : records->security_groups) {
    for (auto* rules : {&group.ingress, &group.egress}) {
      for (model::SecurityGroupRule& rule : *rules) {
        if (rule.id == resource) return &rule.tags;
      }
    }
  }
  return nullptr;
}

void ReadTags(Database& db, model::Records* records) {
  Statement rows(db, "SELECT resource, key, value FROM network_tag ORDER BY resource, key");
  while (rows.executeStep()) {
    Reader read(rows);
    const std::string resource = read.Text();
    Tags* const tags = TagsOf(resource, records);
    if (tags == nullptr) Malformed("tagged resource", resource);
    const std::string key = read.Text();
    (*tags)[key] = read.Text();
  }
}

// --- writing --------------------------------------------------------------------------------

void DropTags(Statements& statements, const std::string& resource) {
  Writer(statements, "DELETE FROM network_tag WHERE resource = ?").operator<<(resource).Run();
}

void WriteTags(Statements& statements, const std::string& resource, const Tags& tags) {
  DropTags(statements, resource);
  Writer put(statements, "INSERT INTO network_tag VALUES (?, ?, ?)");
  for (const auto& [key, value] : tags) (put << resource << key << value).Run();
}

// REQUIRES: the group's rules are still there.
void DropRuleTags(Statements& statements, const std::string& group) {
  Writer(statements,
         "DELETE FROM network_tag WHERE resource IN "
         "(SELECT id FROM security_group_rule WHERE security_group = ?)")
      .
      operator<<(group)
      .Run();
}

// Drops the rows that the edit drops.
template <typename Row>
void DropRows(Statements& statements, const std::map<std::string, std::optional<Row>>& changes,
              std::string_view sql) {
  for (const auto& [id, change] : changes) {
    if (change) continue;
    Writer(statements, sql).operator<<(id).Run();
    DropTags(statements, id);
  }
}

void WriteVpcs(Statements& statements, const model::Edit& edit) {
  Writer put(statements,
             "INSERT INTO vpc (id, cidr, slice_cidr, is_default, revision, dns_support, "
             "dns_hostnames, usage_metrics) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
             "ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, "
             "dns_support = excluded.dns_support, dns_hostnames = excluded.dns_hostnames, "
             "usage_metrics = excluded.usage_metrics");
  for (const auto& [id, vpc] : edit.vpcs) {
    if (!vpc) continue;
    (put << id << ToString(vpc->block) << ToString(vpc->slice) << vpc->is_default << vpc->revision
         << vpc->dns_support << vpc->dns_hostnames << vpc->usage_metrics)
        .Run();
    WriteTags(statements, id, vpc->tags);
  }
}

void WriteSubnets(Statements& statements, const model::Edit& edit) {
  Writer put(statements,
             "INSERT INTO subnet (id, vpc, zone, cidr, is_default, next_offset, revision, "
             "public_ip_on_launch) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
             "next_offset = excluded.next_offset, revision = excluded.revision, "
             "public_ip_on_launch = excluded.public_ip_on_launch");
  for (const auto& [id, subnet] : edit.subnets) {
    if (!subnet) continue;
    (put << id << subnet->vpc << subnet->zone << ToString(subnet->block) << subnet->is_default
         << subnet->next_offset << subnet->revision << subnet->public_ip_on_launch)
        .Run();
    WriteTags(statements, id, subnet->tags);
  }
}

void WriteRules(Statements& statements, const std::string& group, bool egress,
                const std::vector<model::SecurityGroupRule>& rules) {
  Writer put(statements, "INSERT INTO security_group_rule VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  int position = 0;
  for (const model::SecurityGroupRule& rule : rules) {
    std::optional<std::string> block;
    if (rule.block) block = ToString(*rule.block);
    std::optional<std::string> source;
    if (!rule.block) source = rule.group;
    (put << group << egress << position++ << rule.id << rule.protocol << rule.from_port
         << rule.to_port << block << source << rule.description)
        .Run();
    WriteTags(statements, rule.id, rule.tags);
  }
}

void WriteSecurityGroups(Statements& statements, const model::Edit& edit) {
  Writer put(statements,
             "INSERT INTO security_group (id, name, description, vpc, revision) "
             "VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET revision = excluded.revision");
  for (const auto& [id, group] : edit.security_groups) {
    if (!group) continue;
    (put << id << group->name << group->description << group->vpc << group->revision).Run();
    DropRuleTags(statements, id);
    Writer(statements, "DELETE FROM security_group_rule WHERE security_group = ?")
        .
        operator<<(id)
        .Run();
    WriteRules(statements, id, false, group->ingress);
    WriteRules(statements, id, true, group->egress);
    WriteTags(statements, id, group->tags);
  }
}

void WriteInstances(Statements& statements, const model::Edit& edit) {
  Writer put(statements,
             "INSERT INTO instance (id, subnet, vpc, ip, network, launched, revision) "
             "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
             "subnet = excluded.subnet, vpc = excluded.vpc, ip = excluded.ip, "
             "network = excluded.network, launched = excluded.launched, "
             "revision = excluded.revision");
  Writer put_group(statements, "INSERT INTO instance_group VALUES (?, ?, ?)");
  for (const auto& [id, instance] : edit.instances) {
    if (!instance) continue;
    std::optional<std::string> subnet;  // this machine itself is in none
    if (!instance->subnet.empty()) subnet = instance->subnet;
    std::optional<std::string> network;
    if (instance->network) network = ToString(*instance->network);
    (put << id << subnet << instance->vpc << ToString(instance->address) << network
         << instance->launched << instance->revision)
        .Run();
    Writer(statements, "DELETE FROM instance_group WHERE instance = ?").operator<<(id).Run();
    int position = 0;
    for (const std::string& group : instance->groups)
      (put_group << id << position++ << group).Run();
    WriteTags(statements, id, instance->tags);
  }
}

void WriteSubnetGroups(Statements& statements, const model::Edit& edit) {
  Writer put(statements,
             "INSERT INTO cache_subnet_group (name, description, vpc, revision) "
             "VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET description = "
             "excluded.description, vpc = excluded.vpc, revision = excluded.revision");
  Writer drop_subnets(statements,
                      "DELETE FROM cache_subnet_group_subnet WHERE cache_subnet_group = ?");
  Writer put_subnet(statements, "INSERT INTO cache_subnet_group_subnet VALUES (?, ?, ?)");
  Writer drop_tags(statements, "DELETE FROM cache_subnet_group_tag WHERE cache_subnet_group = ?");
  Writer put_tag(statements, "INSERT INTO cache_subnet_group_tag VALUES (?, ?, ?)");
  for (const auto& [name, group] : edit.subnet_groups) {
    if (!group) continue;
    (put << name << group->description << group->vpc << group->revision).Run();
    (drop_subnets << name).Run();
    int position = 0;
    for (const model::SubnetId& subnet : group->subnets) {
      (put_subnet << name << position++ << subnet).Run();
    }
    (drop_tags << name).Run();
    for (const auto& [key, value] : group->tags) (put_tag << name << key << value).Run();
  }
}

}  // namespace

void ReadNetwork(Database& db, model::Records* records) {
  ReadVpcs(db, records);
  ReadSubnets(db, records);
  ReadSecurityGroups(db, records);
  ReadInstances(db, records);
  ReadSubnetGroups(db, records);
  ReadTags(db, records);
  Statement ports(db, "SELECT endpoint, port FROM outside_port");
  while (ports.executeStep()) {
    Reader read(ports);
    const EndpointId id = read.UInt64();
    records->outside_ports[id] = static_cast<uint16_t>(read.Int());
  }
}

namespace {

// A port may go from one endpoint to another.
void WriteOutsidePorts(Statements& statements, const model::Edit& edit) {
  for (const auto& [id, port] : edit.outside_ports) {
    Writer(statements, "DELETE FROM outside_port WHERE endpoint = ?").operator<<(id).Run();
  }
  Writer put(statements, "INSERT INTO outside_port VALUES (?, ?)");
  for (const auto& [id, port] : edit.outside_ports) {
    if (port) (put << id << *port).Run();
  }
}

}  // namespace

// Who refers to others goes before them, and comes after them.
void DropNetwork(Statements& statements, const model::Edit& edit) {
  DropRows(statements, edit.subnet_groups, "DELETE FROM cache_subnet_group WHERE name = ?");
  DropRows(statements, edit.instances, "DELETE FROM instance WHERE id = ?");
  for (const auto& [id, group] : edit.security_groups) {
    if (!group) DropRuleTags(statements, id);
  }
  DropRows(statements, edit.security_groups, "DELETE FROM security_group WHERE id = ?");
  DropRows(statements, edit.subnets, "DELETE FROM subnet WHERE id = ?");
  DropRows(statements, edit.vpcs, "DELETE FROM vpc WHERE id = ?");
}

void WriteNetwork(Statements& statements, const model::Edit& edit) {
  WriteVpcs(statements, edit);
  WriteSubnets(statements, edit);
  WriteSecurityGroups(statements, edit);
  WriteInstances(statements, edit);
  WriteSubnetGroups(statements, edit);
  WriteOutsidePorts(statements, edit);
}

}  // namespace ec::store
