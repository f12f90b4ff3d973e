#include "tests/support/control_plane.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "common/check.h"
#include "controlplane/core/placement.h"
#include "controlplane/core/plans.h"
#include "controlplane/model/names.h"
#include "controlplane/model/node_types.h"

namespace ec::testing {

namespace {

// A process of its own for every start of an engine.
void Start(MemberReport& report) {
  ++report.launch;
  report.resumed = false;
  report.pid = static_cast<int64_t>(report.id * 1000 + report.launch);
  report.start_time = report.launch;
}

void Replicate(const FakeHost& host, const ReplicationSpec& spec,
               const std::function<bool(const Address&)>& runs, MemberReport* report) {
  if (report->phase != MemberPhase::kServing) {
    report->replication.reset();
    return;
  }
  if (!report->replication) report->replication.emplace();
  ReplicationReport& seen = *report->replication;
  if (!host.stubborn.contains(report->id)) {
    seen.epoch = spec.epoch;
    seen.leads = spec.leads;
    seen.link_up = !spec.leads;
    seen.paused = spec.paused;
    seen.proof = spec.proof;
    seen.in_sync.clear();
    std::ranges::copy_if(spec.followers, std::back_inserter(seen.in_sync),
                         [&](const Address& a) { return runs(a) && !host.unproved.contains(a); });
  }
  const auto offset = host.offsets.find(report->id);
  seen.offset = offset == host.offsets.end() ? 100 : offset->second;
  const auto question = host.asked.find(report->id);
  if (question == host.asked.end() || host.mute.contains(report->id)) return;
  if (seen.offset >= question->second.at_least) seen.answers = question->second.number;
}

}  // namespace

void FakeHost::Crash(MemberId id) { Start(members.at(id)); }

void FakeHost::Kill(MemberId id) {
  MemberReport& report = members.at(id);
  report.phase = MemberPhase::kDown;
  report.pid = 0;
  report.start_time = 0;
  report.trouble = "the engine was killed by signal 9";
  report.replication.reset();
  offsets.erase(id);
  killed.insert(id);
}

ControlPlane::ControlPlane(core::Settings with) : settings(std::move(with)) {
  now.instant = Instant(std::chrono::hours(1));
  now.wall = std::chrono::sys_days(std::chrono::year{2014} / 9 / 30) + std::chrono::hours(12);
  model::Records records;
  for (const model::NodeType& type : model::NodeTypeCatalogue()) {
    records.node_types.emplace(type.name, type);
  }
  state = model::Begin(std::move(records), now.instant);
  EC_CHECK(
      Ask(core::Install{std::string(kRegion), std::string(kAccount), *ParseCidr("127.10.0.0/16"),
                        model::EngineSecrets{"admin-secret", "replication-secret"}})
          .ok());
}

void ControlPlane::MoveClocks(Duration time) {
  now.instant += time;
  now.wall += std::chrono::duration_cast<std::chrono::milliseconds>(time);
}

void ControlPlane::Pass(Duration time) {
  MoveClocks(time);
  for (auto& [id, host] : hosts_) {
    if (!host.silent) state.sightings.at(id).heard = now.instant;  // and all the while before
  }
  for (auto& [id, host] : hosts_) {
    if (!host.silent) Report(host);
  }
  Tick();
}

std::vector<Status> ControlPlane::Step(const std::vector<core::Input>& inputs) {
  model::NoteTime(now, &state);
  decision = core::Decide(state, settings, now, inputs);
  if (!decision.edit.empty()) model::Apply(decision.edit, now.instant, &state);
  for (const core::Question& question : decision.questions) {
    ++questions_;
    model::NoteQuestion(question.question, question.epoch, now.instant, &state);
    hosts_.at(question.host).asked[question.question.member] = question.question;
  }
  return decision.verdicts;
}

Status ControlPlane::Ask(const core::Command& command) { return Step({command}).front(); }

void ControlPlane::Tick(bool everything) { Step({core::Tick{everything}}); }

FakeHost& ControlPlane::AddHost(const HostId& id, char zone, int members_max) {
  FakeHost& host = hosts_[id];
  host.hello.host = id;
  host.hello.zone = std::string(kRegion) + zone;
  host.hello.members_max = members_max;
  host.hello.engines = {{EngineKind::kMemcached, "1.6.18"}, {EngineKind::kRedis, "7.0.15"}};
  Register(host);
  Report(host);
  return host;
}

void ControlPlane::AddHosts(int count, int zones) {
  for (int i = 0; i < count; ++i) {
    AddHost("host-" + std::to_string(i), static_cast<char>('a' + i % zones));
  }
}

void ControlPlane::Register(FakeHost& host) {
  ++host.hello.incarnation;
  host.sequence = 0;
  host.plan = {};
  EC_CHECK(model::NoteHello(host.hello, now.instant, &state));
  const std::vector<Status> verdicts = Step({host.hello});
  EC_CHECK(verdicts.front().ok());
}

void ControlPlane::Obey(FakeHost& host) const {
  const model::Sighting& sighting = state.sightings.at(host.hello.host);
  Merge(core::PlanSince(state, host.hello.host, sighting.plan_revision), &host.plan);
  const auto runs = [&](const Address& address) {
    return std::ranges::any_of(hosts_, [&](const auto& other) {
      return std::ranges::any_of(other.second.plan.members, [&](const auto& member) {
        const auto report = other.second.members.find(member.first);
        return member.second.address == address && report != other.second.members.end() &&
               report->second.pid != 0;
      });
    });
  };
  for (const auto& [id, spec] : host.plan.members) {
    MemberReport& report = host.members[id];
    const bool leads_others = spec.replication && !spec.replication->followers.empty();
    const bool again = host.killed.contains(id) && !leads_others && !host.kept_down.contains(id);
    if (report.generation != spec.generation || again) {
      report.id = id;
      report.generation = spec.generation;
      Start(report);
      report.phase = host.first_phase;
      report.trouble = host.first_trouble;
      report.engine_version = host.hello.engines.at(spec.engine);
      if (spec.seed && host.seeds_are_damaged) {
        report.phase = MemberPhase::kFailed;
        report.unseeded = true;
        report.pid = 0;
        report.trouble = "its SHA-256 is not what it was";
      }
      host.killed.erase(id);
    }
    if (spec.condemned != 0 && spec.condemned == report.launch && report.pid != 0) host.Kill(id);
    if (!host.deaf.contains(id)) report.access = spec.access ? spec.access->version : 0;
    if (spec.replication) {
      Replicate(host, *spec.replication, runs, &report);
    } else {
      report.replication.reset();
    }
  }
  if (!host.keeps_removed) {
    std::erase_if(host.members,
                  [&](const auto& member) { return !host.plan.members.contains(member.first); });
  }
  host.endpoints.clear();
  for (const auto& [id, spec] : host.plan.endpoints) {
    EndpointReport& report = host.endpoints[id];
    report.id = id;
    report.listening = !host.taken.contains(spec.listen.ip);
    if (report.listening) continue;
    report.trouble = EndpointTrouble::kAddressInUse;
    report.trouble_text = "the address " + ToString(spec.listen) + " is in use";
  }
}

void ControlPlane::DoTasks(FakeHost& host) {
  std::map<uint64_t, TaskReport> before = std::exchange(host.tasks, {});
  if (!host.plan.tasks) return;
  for (const SnapshotTask& task : host.plan.tasks->tasks) {
    TaskReport& report = host.tasks[task.id];
    report = before[task.id];
    report.id = task.id;
    if (host.holds_tasks || report.phase != TaskPhase::kRunning) continue;
    const bool fails = !host.task_trouble.empty() && task.kind != TaskKind::kDrop;
    report.phase = fails ? TaskPhase::kFailed : TaskPhase::kDone;
    report.trouble = host.task_trouble;
    if (!fails) report.facts = host.facts;
  }
}

void ControlPlane::Report(FakeHost& host) {
  Obey(host);
  DoTasks(host);
  HostReport report;
  report.host = host.hello.host;
  report.incarnation = host.hello.incarnation;
  report.sequence = ++host.sequence;
  report.plan_revision = host.plan.revision;
  for (const auto& [id, member] : host.members) report.members.push_back(member);
  for (const auto& [id, endpoint] : host.endpoints) report.endpoints.push_back(endpoint);
  for (const auto& [id, task] : host.tasks) report.tasks.push_back(task);
  EC_CHECK(Hear(report));
}

bool ControlPlane::Hear(const HostReport& report) {
  const bool was_silent = now.instant >= core::SilentAt(state, settings, report.host);
  const auto before = model::NoteReport(report, now.instant, &state);
  if (!before) return false;
  Step({core::Reported{report, was_silent ? 0 : *before}});
  return true;
}

void ControlPlane::Settle() {
  int quiet = 0;  // a leader sees in the round after it what a follower has become
  for (int round = 0; round < 100; ++round) {
    const auto before = std::pair(records().revision, questions_);
    for (auto& [id, host] : hosts_) {
      if (!host.silent) Report(host);
    }
    Tick();
    quiet = std::pair(records().revision, questions_) == before ? quiet + 1 : 0;
    if (quiet == 2) return;
  }
  EC_CHECK(false);  // nothing may go on for ever
}

void ControlPlane::SeeEnd(MemberId id) {
  const model::Member& member = records().members.at(id);
  const auto report = state.sightings.at(member.host).members.find(id);
  EC_CHECK(report != state.sightings.at(member.host).members.end());
  const model::Ended ended{report->second.pid, report->second.start_time};
  model::NoteEnded(id, ended, &state);
  Step({core::EngineEnded{id, ended.pid, ended.start_time}});
}

void ControlPlane::Restart() {
  state = model::Begin(model::Records(state.records), now.instant);
  for (auto& [id, host] : hosts_) {
    if (host.silent) continue;
    EC_CHECK(model::NoteHello(host.hello, now.instant, &state));
    Step({host.hello});
  }
}

void ControlPlane::AddSecurityGroup(const model::SecurityGroupId& id) {
  const core::NetworkCommand create =
      core::CreateSecurityGroup{id, "group " + id, "of a test", std::nullopt, {}};
  EC_CHECK(Ask(create).ok());
}

model::VpcId ControlPlane::DefaultVpc() const {
  for (const auto& [id, vpc] : records().vpcs) {
    if (vpc.is_default) return id;
  }
  return {};
}

model::SecurityGroupId ControlPlane::DefaultGroup() const {
  for (const auto& [id, group] : records().security_groups) {
    if (group.vpc == DefaultVpc() && group.name == model::kDefaultGroupName) return id;
  }
  return {};
}

model::Subnet ControlPlane::DefaultSubnet(const std::string& zone) const {
  for (const auto& [id, subnet] : records().subnets) {
    if (subnet.is_default && subnet.zone == zone) return subnet;
  }
  EC_CHECK(false);
  return {};
}

const model::Cluster& ControlPlane::cluster(const model::ClusterId& id) const {
  return records().clusters.at(id);
}

bool ControlPlane::has_cluster(const model::ClusterId& id) const {
  return records().clusters.contains(id);
}

const model::Group& ControlPlane::group(const model::GroupId& id) const {
  return records().groups.at(id);
}

bool ControlPlane::has_group(const model::GroupId& id) const {
  return records().groups.contains(id);
}

const model::Member& ControlPlane::node(const model::ClusterId& id,
                                        const std::string& node_id) const {
  for (const MemberId member : cluster(id).members) {
    if (records().members.at(member).node_id == node_id) return records().members.at(member);
  }
  EC_CHECK(false);
}

std::vector<model::Member> ControlPlane::nodes(const model::ClusterId& id) const {
  std::vector<model::Member> nodes;
  for (const MemberId member : cluster(id).members) nodes.push_back(records().members.at(member));
  std::ranges::sort(nodes, {}, &model::Member::node_id);
  return nodes;
}

std::vector<std::string> ControlPlane::NewEvents() {
  std::vector<std::string> messages;
  const auto& events = records().events;
  for (auto it = events.upper_bound(seen_event_); it != events.end(); ++it) {
    seen_event_ = it->first;
    messages.push_back(it->second.message);
  }
  return messages;
}

core::CreateCluster Memcached(const std::string& id, int nodes) {
  core::CreateCluster request;
  request.id = id;
  request.engine = "memcached";
  request.node_type = "cache.t3.micro";
  request.nodes = nodes;
  return request;
}

core::CreateCluster Redis(const std::string& id) {
  core::CreateCluster request;
  request.id = id;
  request.engine = "redis";
  request.node_type = "cache.t3.micro";
  return request;
}

core::CreateGroup RedisGroup(const std::string& id, int clusters) {
  core::CreateGroup request;
  request.id = id;
  request.description = "a group of the tests";
  request.clusters = clusters;
  request.node_type = "cache.t3.micro";
  return request;
}

std::string ClusterArn(const std::string& id) {
  return model::ToString(model::Arn{std::string(kRegion), std::string(kAccount), "cluster", id});
}

}  // namespace ec::testing
