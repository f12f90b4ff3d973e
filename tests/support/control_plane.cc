#include "tests/support/control_plane.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "controlplane/core/placement.h"
#include "controlplane/core/plans.h"
#include "controlplane/model/names.h"
#include "controlplane/model/node_types.h"

namespace ec::testing {

void FakeHost::Crash(MemberId id) {
  MemberReport& report = members.at(id);
  ++report.launch;
  report.resumed = false;
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
      Ask(core::Install{std::string(kRegion), std::string(kAccount), *ParseCidr("127.10.0.0/16")})
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
  decision = core::Decide(state, settings, now, inputs);
  if (!decision.edit.empty()) model::Apply(decision.edit, now.instant, &state);
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
  for (const auto& [id, spec] : host.plan.members) {
    MemberReport& report = host.members[id];
    if (report.generation == spec.generation) continue;
    report.id = id;
    report.generation = spec.generation;
    ++report.launch;
    report.resumed = false;
    report.phase = host.first_phase;
    report.trouble = host.first_trouble;
    report.engine_version = host.hello.engines.at(spec.engine);
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

void ControlPlane::Report(FakeHost& host) {
  Obey(host);
  HostReport report;
  report.host = host.hello.host;
  report.incarnation = host.hello.incarnation;
  report.sequence = ++host.sequence;
  report.plan_revision = host.plan.revision;
  for (const auto& [id, member] : host.members) report.members.push_back(member);
  for (const auto& [id, endpoint] : host.endpoints) report.endpoints.push_back(endpoint);
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
  for (int round = 0; round < 100; ++round) {
    const uint64_t before = records().revision;
    for (auto& [id, host] : hosts_) {
      if (!host.silent) Report(host);
    }
    Tick();
    if (records().revision == before) return;
  }
  EC_CHECK(false);  // nothing may go on for ever
}

void ControlPlane::Restart() {
  state = model::Begin(model::Records(state.records), now.instant);
  for (auto& [id, host] : hosts_) {
    if (host.silent) continue;
    EC_CHECK(model::NoteHello(host.hello, now.instant, &state));
    Step({host.hello});
  }
}

const model::Cluster& ControlPlane::cluster(const model::ClusterId& id) const {
  return records().clusters.at(id);
}

bool ControlPlane::has_cluster(const model::ClusterId& id) const {
  return records().clusters.contains(id);
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

std::string ClusterArn(const std::string& id) {
  return model::ToString(model::Arn{std::string(kRegion), std::string(kAccount), "cluster", id});
}

}  // namespace ec::testing
