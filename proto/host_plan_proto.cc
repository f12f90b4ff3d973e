#include "proto/host_plan_proto.h"

#include "proto/snapshot_work_proto.h"
#include "proto/wire_fault_proto.h"

namespace ec {
namespace {

void ToProto(const Address& address, v1::SocketAddress* out) {
  out->set_ip(address.ip.bits);
  out->set_port(address.port);
}

Address FromProto(const v1::SocketAddress& in) {
  return {{in.ip()}, static_cast<uint16_t>(in.port())};
}

void ToProto(const std::vector<Address>& addresses,
             google::protobuf::RepeatedPtrField<v1::SocketAddress>* out) {
  for (const Address& address : addresses) ToProto(address, out->Add());
}

std::vector<Address> FromProto(const google::protobuf::RepeatedPtrField<v1::SocketAddress>& in) {
  std::vector<Address> addresses;
  for (const v1::SocketAddress& address : in) addresses.push_back(FromProto(address));
  return addresses;
}

void ToProto(const ReplicationSpec& spec, v1::ReplicationSpec* out) {
  out->set_epoch(spec.epoch);
  out->set_leads(spec.leads);
  ToProto(spec.leader, out->mutable_leader());
  ToProto(spec.followers, out->mutable_followers());
  out->set_proof(spec.proof);
  out->set_paused(spec.paused);
}

ReplicationSpec FromProto(const v1::ReplicationSpec& in) {
  ReplicationSpec spec;
  spec.epoch = in.epoch();
  spec.leads = in.leads();
  spec.leader = FromProto(in.leader());
  spec.followers = FromProto(in.followers());
  spec.proof = in.proof();
  spec.paused = in.paused();
  return spec;
}

void ToProto(const TlsSpec& spec, v1::TlsSpec* out) {
  for (const std::string& name : spec.names) out->add_names(name);
  out->set_certificate(spec.certificate);
  out->set_key(spec.key);
  out->set_authority(spec.authority);
}

TlsSpec FromProto(const v1::TlsSpec& in) {
  return {{in.names().begin(), in.names().end()}, in.certificate(), in.key(), in.authority()};
}

void ToProto(const EngineAccess& access, v1::EngineAccess* out) {
  out->set_admin_secret(access.admin_secret);
  out->set_replication_secret(access.replication_secret);
  out->set_version(access.version);
  for (const EngineUser& user : access.users) {
    v1::EngineUser* const added = out->add_users();
    added->set_name(user.name);
    added->set_id(user.id);
    for (const std::string& rule : user.rules) added->add_rules(rule);
  }
}

EngineAccess FromProto(const v1::EngineAccess& in) {
  EngineAccess access{in.admin_secret(), in.replication_secret(), {}, in.version()};
  for (const v1::EngineUser& user : in.users()) {
    access.users.push_back({user.name(), user.id(), {user.rules().begin(), user.rules().end()}});
  }
  return access;
}

void ToProto(const MemberSpec& spec, v1::MemberSpec* out) {
  out->set_id(spec.id);
  out->set_engine(std::string(NameOf(spec.engine)));
  out->set_generation(spec.generation);
  out->set_label(spec.label);
  out->set_memory_max_bytes(spec.memory_max_bytes);
  out->set_threads(spec.threads);
  for (const auto& [name, value] : spec.parameters) (*out->mutable_parameters())[name] = value;
  ToProto(spec.address, out->mutable_address());
  out->set_condemned(spec.condemned);
  if (spec.replication) ToProto(*spec.replication, out->mutable_replication());
  if (spec.seed) ec::ToProto(*spec.seed, out->mutable_seed());
  if (spec.tls) ToProto(*spec.tls, out->mutable_tls());
  if (spec.access) ToProto(*spec.access, out->mutable_access());
}

Status UnknownEngine(const std::string& name) {
  return {Fault::kInvalidParameterValue, "unknown engine '" + name + "'"};
}

Result<MemberSpec> FromProto(const v1::MemberSpec& in) {
  const auto engine = ParseEngine(in.engine());
  if (!engine) return UnknownEngine(in.engine());
  MemberSpec spec;
  spec.id = in.id();
  spec.engine = *engine;
  spec.generation = in.generation();
  spec.label = in.label();
  spec.memory_max_bytes = in.memory_max_bytes();
  spec.threads = in.threads();
  spec.parameters.insert(in.parameters().begin(), in.parameters().end());
  spec.address = FromProto(in.address());
  spec.condemned = in.condemned();
  if (in.has_replication()) spec.replication = FromProto(in.replication());
  if (in.has_seed()) spec.seed = ec::FromProto(in.seed());
  if (in.has_tls()) spec.tls = FromProto(in.tls());
  if (in.has_access()) spec.access = FromProto(in.access());
  return spec;
}

void ToProto(const Network& network, v1::AccessNetwork* out) {
  out->set_revision(network.revision);
  for (const auto& [id, group] : network.groups) {
    v1::AccessGroup* const added = out->add_groups();
    added->set_id(id);
    added->set_vpc(group.vpc);
    for (const IngressRule& rule : group.ingress) {
      v1::IngressRule* const rule_out = added->add_ingress();
      rule_out->set_id(rule.id);
      rule_out->set_from_port(rule.from_port);
      rule_out->set_to_port(rule.to_port);
      if (rule.block) rule_out->set_cidr(ToString(*rule.block));
      rule_out->set_group(rule.group);
    }
  }
  for (const Instance& instance : network.instances) {
    v1::AccessInstance* const added = out->add_instances();
    added->set_id(instance.id);
    added->set_vpc(instance.vpc);
    added->set_source(instance.source.bits);
    added->set_address(instance.address.bits);
    for (const std::string& group : instance.groups) added->add_groups(group);
    if (instance.network) added->set_network(ToString(*instance.network));
  }
  for (const auto& [id, blocks] : network.vpcs) {
    v1::AccessVpc* const added = out->add_vpcs();
    added->set_id(id);
    added->set_block(ToString(blocks.block));
    added->set_slice(ToString(blocks.slice));
  }
}

// A rule that cannot be read admits nobody.
Network FromProto(const v1::AccessNetwork& in) {
  Network network;
  network.revision = in.revision();
  for (const v1::AccessGroup& group : in.groups()) {
    SecurityGroup read{group.id(), group.vpc(), {}};
    for (const v1::IngressRule& rule : group.ingress()) {
      IngressRule& added = read.ingress.emplace_back();
      added.id = rule.id();
      added.from_port = static_cast<uint16_t>(rule.from_port());
      added.to_port = static_cast<uint16_t>(rule.to_port());
      if (rule.has_cidr()) added.block = ParseCidr(rule.cidr());
      if (!rule.has_cidr()) added.group = rule.group();
    }
    network.groups[group.id()] = std::move(read);
  }
  for (const v1::AccessInstance& instance : in.instances()) {
    network.instances.push_back({instance.id(),
                                 instance.vpc(),
                                 {instance.source()},
                                 {instance.address()},
                                 {instance.groups().begin(), instance.groups().end()},
                                 std::nullopt});
    if (instance.has_network()) network.instances.back().network = ParseCidr(instance.network());
  }
  for (const v1::AccessVpc& vpc : in.vpcs()) {
    const auto block = ParseCidr(vpc.block());
    const auto slice = ParseCidr(vpc.slice());
    if (block && slice) network.vpcs[vpc.id()] = {*block, *slice};
  }
  return network;
}

void ToProto(const Door& door, v1::Door* out) {
  out->set_vpc(door.vpc);
  for (const std::string& group : door.groups) out->add_groups(group);
  out->set_port(door.port);
  for (const Ip4 peer : door.peers) out->add_peers(peer.bits);
}

Door FromProto(const v1::Door& in) {
  Door door;
  door.vpc = in.vpc();
  door.groups.assign(in.groups().begin(), in.groups().end());
  door.port = static_cast<uint16_t>(in.port());
  for (const uint32_t peer : in.peers()) door.peers.push_back({peer});
  return door;
}

void ToProto(const EndpointSpec& spec, v1::EndpointSpec* out) {
  out->set_id(spec.id);
  ToProto(spec.door, out->mutable_door());
  out->set_relayed(spec.relayed);
  out->set_source(spec.source.bits);
  out->set_encrypted(spec.encrypted);
  ToProto(spec.listen, out->mutable_listen());
  out->set_target(spec.target);
  out->set_leads_since(spec.leads_since);
  ToProto(spec.spread, out->mutable_spread());
  if (!spec.discovery) return;
  out->mutable_discovery()->set_version(spec.discovery->version);
  for (const Discovery::Node& node : spec.discovery->nodes) {
    v1::Discovery::Node* added = out->mutable_discovery()->add_nodes();
    added->set_host(node.host);
    ToProto(node.address, added->mutable_address());
  }
}

EndpointSpec FromProto(const v1::EndpointSpec& in) {
  EndpointSpec spec{in.id(), FromProto(in.listen()), in.target(), std::nullopt};
  spec.leads_since = in.leads_since();
  spec.spread = FromProto(in.spread());
  spec.door = FromProto(in.door());
  spec.relayed = in.relayed();
  spec.source = {in.source()};
  spec.encrypted = in.encrypted();
  if (!in.has_discovery()) return spec;
  spec.discovery.emplace();
  spec.discovery->version = in.discovery().version();
  for (const v1::Discovery::Node& node : in.discovery().nodes()) {
    spec.discovery->nodes.push_back({node.host(), FromProto(node.address())});
  }
  return spec;
}

void ToProto(const OffsetQuestion& question, v1::OffsetQuestion* out) {
  out->set_number(question.number);
  out->set_member(question.member);
  out->set_at_least(question.at_least);
}

// The two enumerations have the same numbers.
static_assert(static_cast<int>(MemberPhase::kStopping) == v1::MemberReport::STOPPING);
static_assert(static_cast<int>(MemberPhase::kFailed) == v1::MemberReport::FAILED);
static_assert(static_cast<int>(EndpointTrouble::kOther) == v1::EndpointReport::OTHER);
static_assert(static_cast<int>(Carry::kFirstBytes) == v1::EndpointReport::FIRST_BYTES);

void ToProto(const ReplicationReport& report, v1::ReplicationReport* out) {
  out->set_epoch(report.epoch);
  out->set_leads(report.leads);
  out->set_link_up(report.link_up);
  out->set_paused(report.paused);
  out->set_proof(report.proof);
  ToProto(report.in_sync, out->mutable_in_sync());
  out->set_answers(report.answers);
  out->set_offset(report.offset);
}

ReplicationReport FromProto(const v1::ReplicationReport& in) {
  ReplicationReport report;
  report.epoch = in.epoch();
  report.leads = in.leads();
  report.link_up = in.link_up();
  report.paused = in.paused();
  report.proof = in.proof();
  report.in_sync = FromProto(in.in_sync());
  report.answers = in.answers();
  report.offset = in.offset();
  return report;
}

void ToProto(const MemberReport& report, v1::MemberReport* out) {
  out->set_id(report.id);
  out->set_generation(report.generation);
  out->set_launch(report.launch);
  out->set_resumed(report.resumed);
  out->set_phase(static_cast<v1::MemberReport::Phase>(report.phase));
  out->set_pid(report.pid);
  out->set_start_time(report.start_time);
  out->set_engine_version(report.engine_version);
  out->set_trouble(report.trouble);
  out->set_unseeded(report.unseeded);
  out->set_access(report.access);
  if (report.replication) ToProto(*report.replication, out->mutable_replication());
}

MemberReport FromProto(const v1::MemberReport& in) {
  MemberReport report;
  report.id = in.id();
  report.generation = in.generation();
  report.launch = in.launch();
  report.resumed = in.resumed();
  report.phase = v1::MemberReport::Phase_IsValid(in.phase()) ? static_cast<MemberPhase>(in.phase())
                                                             : MemberPhase::kDown;
  report.pid = in.pid();
  report.start_time = in.start_time();
  report.engine_version = in.engine_version();
  report.trouble = in.trouble();
  report.unseeded = in.unseeded();
  report.access = in.access();
  if (in.has_replication()) report.replication = FromProto(in.replication());
  return report;
}

void ToProto(const EndpointReport& report, v1::EndpointReport* out) {
  out->set_id(report.id);
  out->set_listening(report.listening);
  out->set_trouble(static_cast<v1::EndpointReport::Trouble>(report.trouble));
  out->set_trouble_text(report.trouble_text);
  out->set_carry(static_cast<v1::EndpointReport::Carry>(report.carry));
  out->set_accepted(report.counts.accepted);
  out->set_refused(report.counts.refused);
  out->set_refused_full(report.counts.refused_full);
  out->set_refused_outside(report.counts.refused_outside);
  out->set_refused_by_rules(report.counts.refused_by_rules);
  out->set_refused_by_fault(report.counts.refused_by_fault);
  out->set_dropped_outside(report.counts.dropped_outside);
  out->set_dropped_by_rules(report.counts.dropped_by_rules);
  out->set_handed_over(report.counts.handed_over);
  out->set_relayed(report.counts.relayed);
  out->set_relayed_bytes_in(report.relayed_bytes.in);
  out->set_relayed_bytes_out(report.relayed_bytes.out);
  out->set_cut(report.counts.cut);
  out->set_open(report.counts.open);
}

EndpointReport FromProto(const v1::EndpointReport& in) {
  EndpointReport report;
  report.id = in.id();
  report.listening = in.listening();
  report.trouble = v1::EndpointReport::Trouble_IsValid(in.trouble())
                       ? static_cast<EndpointTrouble>(in.trouble())
                       : EndpointTrouble::kOther;
  report.trouble_text = in.trouble_text();
  report.carry = v1::EndpointReport::Carry_IsValid(in.carry()) ? static_cast<Carry>(in.carry())
                                                               : Carry::kRelay;
  report.counts = {.accepted = in.accepted(),
                   .refused = in.refused(),
                   .refused_full = in.refused_full(),
                   .refused_outside = in.refused_outside(),
                   .refused_by_rules = in.refused_by_rules(),
                   .refused_by_fault = in.refused_by_fault(),
                   .dropped_outside = in.dropped_outside(),
                   .dropped_by_rules = in.dropped_by_rules(),
                   .handed_over = in.handed_over(),
                   .relayed = in.relayed(),
                   .cut = in.cut(),
                   .open = in.open()};
  report.relayed_bytes = {in.relayed_bytes_in(), in.relayed_bytes_out()};
  return report;
}

}  // namespace

void ToProto(const HostHello& hello, v1::HostHello* out) {
  out->set_host(hello.host);
  out->set_zone(hello.zone);
  out->set_incarnation(hello.incarnation);
  out->set_members_max(hello.members_max);
  out->set_pid(hello.pid);
  out->set_start_time(hello.start_time);
  out->set_boot(hello.boot);
  for (const auto& [engine, version] : hello.engines) {
    (*out->mutable_engines())[std::string(NameOf(engine))] = version;
  }
}

void ToProto(const HostReport& report, v1::HostReport* out) {
  out->set_host(report.host);
  out->set_incarnation(report.incarnation);
  out->set_sequence(report.sequence);
  out->set_base(report.base);
  out->set_plan_revision(report.plan_revision);
  for (const MemberReport& member : report.members) ToProto(member, out->add_members());
  for (const EndpointReport& endpoint : report.endpoints) ToProto(endpoint, out->add_endpoints());
  for (const MemberId id : report.gone_members) out->add_gone_members(id);
  for (const EndpointId id : report.gone_endpoints) out->add_gone_endpoints(id);
  for (const TaskReport& task : report.tasks) ToProto(task, out->add_tasks());
}

void ToProto(const PlanUpdate& update, v1::PlanUpdate* out) {
  out->set_incarnation(update.incarnation);
  out->set_base(update.base);
  out->set_revision(update.revision);
  out->set_answers(update.answers);
  for (const MemberSpec& member : update.members) ToProto(member, out->add_members());
  for (const EndpointSpec& endpoint : update.endpoints) ToProto(endpoint, out->add_endpoints());
  for (const MemberId id : update.gone_members) out->add_gone_members(id);
  for (const EndpointId id : update.gone_endpoints) out->add_gone_endpoints(id);
  for (const OffsetQuestion& question : update.questions) ToProto(question, out->add_questions());
  if (update.network) ToProto(*update.network, out->mutable_network());
  if (update.faults) ToProto(*update.faults, out->mutable_faults());
  if (update.tasks) ToProto(*update.tasks, out->mutable_tasks());
}

void ToProto(const HostPlan& plan, v1::PlanUpdate* out) {
  out->set_revision(plan.revision);
  for (const auto& [id, member] : plan.members) ToProto(member, out->add_members());
  for (const auto& [id, endpoint] : plan.endpoints) ToProto(endpoint, out->add_endpoints());
  if (plan.network) ToProto(*plan.network, out->mutable_network());
  if (plan.faults) ToProto(*plan.faults, out->mutable_faults());
  if (plan.tasks) ToProto(*plan.tasks, out->mutable_tasks());
}

Result<HostHello> FromProto(const v1::HostHello& in) {
  HostHello hello;
  hello.host = in.host();
  hello.zone = in.zone();
  hello.incarnation = in.incarnation();
  hello.members_max = in.members_max();
  hello.pid = in.pid();
  hello.start_time = in.start_time();
  hello.boot = in.boot();
  for (const auto& [name, version] : in.engines()) {
    const auto engine = ParseEngine(name);
    if (!engine) return UnknownEngine(name);
    hello.engines[*engine] = version;
  }
  return hello;
}

HostReport FromProto(const v1::HostReport& in) {
  HostReport report;
  report.host = in.host();
  report.incarnation = in.incarnation();
  report.sequence = in.sequence();
  report.base = in.base();
  report.plan_revision = in.plan_revision();
  for (const v1::MemberReport& member : in.members()) report.members.push_back(FromProto(member));
  for (const v1::EndpointReport& endpoint : in.endpoints()) {
    report.endpoints.push_back(FromProto(endpoint));
  }
  report.gone_members.assign(in.gone_members().begin(), in.gone_members().end());
  report.gone_endpoints.assign(in.gone_endpoints().begin(), in.gone_endpoints().end());
  for (const v1::TaskReport& task : in.tasks()) report.tasks.push_back(FromProto(task));
  return report;
}

Result<PlanUpdate> FromProto(const v1::PlanUpdate& in) {
  PlanUpdate update;
  update.incarnation = in.incarnation();
  update.base = in.base();
  update.revision = in.revision();
  update.answers = in.answers();
  for (const v1::MemberSpec& member : in.members()) {
    Result<MemberSpec> spec = FromProto(member);
    if (!spec.ok()) return spec.status();
    update.members.push_back(std::move(*spec));
  }
  for (const v1::EndpointSpec& endpoint : in.endpoints()) {
    update.endpoints.push_back(FromProto(endpoint));
  }
  update.gone_members.assign(in.gone_members().begin(), in.gone_members().end());
  update.gone_endpoints.assign(in.gone_endpoints().begin(), in.gone_endpoints().end());
  for (const v1::OffsetQuestion& question : in.questions()) {
    update.questions.push_back({question.number(), question.member(), question.at_least()});
  }
  if (in.has_network()) update.network = SharedNetwork(FromProto(in.network()));
  if (in.has_faults()) update.faults = SharedFaults(FromProto(in.faults()));
  if (in.has_tasks()) update.tasks = SharedTasks(FromProto(in.tasks()));
  return update;
}

}  // namespace ec
