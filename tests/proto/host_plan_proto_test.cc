#include "proto/host_plan_proto.h"

#include <gmock/gmock.h>

#include <limits>
#include <string>

#include "proto/engine_figures_proto.h"
#include "tests/sim/random.h"
#include "tests/support/matchers.h"

namespace ec {
namespace {

using ec::testing::Fails;
using ::testing::HasSubstr;

// Draws messages with every field set, most of them to values that nothing else has.
class Author {
 public:
  explicit Author(uint64_t seed) : dice_(seed) {}

  HostHello Hello() {
    HostHello hello;
    hello.host = Text();
    hello.zone = Text();
    hello.incarnation = Number();
    hello.members_max = static_cast<int>(dice_.Between(0, std::numeric_limits<int>::max()));
    hello.pid = Signed();
    hello.start_time = Number();
    hello.boot = Text();
    for (const EngineKind engine : kAllEngines) {
      if (dice_.Chance(60)) hello.engines[engine] = Text();
    }
    return hello;
  }

  PlanUpdate Update() {
    PlanUpdate update;
    update.incarnation = Number();
    update.base = Number();
    update.revision = Number();
    update.answers = Number();
    for (int64_t i = Few(); i > 0; --i) update.members.push_back(Member());
    for (int64_t i = Few(); i > 0; --i) update.endpoints.push_back(Endpoint());
    for (int64_t i = Few(); i > 0; --i) update.gone_members.push_back(Number());
    for (int64_t i = Few(); i > 0; --i) update.gone_endpoints.push_back(Number());
    for (int64_t i = Few(); i > 0; --i) {
      update.questions.push_back({Number(), Number(), Signed()});
    }
    if (dice_.Chance(50)) update.network = SharedNetwork(Access());
    if (dice_.Chance(50)) update.faults = SharedFaults(Faults());
    if (dice_.Chance(50)) update.tasks = SharedTasks(Tasks());
    return update;
  }

  HostPlan Plan() {
    HostPlan plan;
    plan.revision = Number();
    for (int64_t i = Few(); i > 0; --i) {
      const MemberSpec member = Member();
      plan.members[member.id] = member;
      const EndpointSpec endpoint = Endpoint();
      plan.endpoints[endpoint.id] = endpoint;
    }
    if (dice_.Chance(50)) plan.network = SharedNetwork(Access());
    if (dice_.Chance(50)) plan.faults = SharedFaults(Faults());
    if (dice_.Chance(50)) plan.tasks = SharedTasks(Tasks());
    return plan;
  }

  HostReport Report() {
    HostReport report;
    report.host = Text();
    report.incarnation = Number();
    report.sequence = Number();
    report.base = Number();
    report.plan_revision = Number();
    for (int64_t i = Few(); i > 0; --i) report.members.push_back(MemberSaid());
    for (int64_t i = Few(); i > 0; --i) report.endpoints.push_back(EndpointSaid());
    for (int64_t i = Few(); i > 0; --i) report.gone_members.push_back(Number());
    for (int64_t i = Few(); i > 0; --i) report.gone_endpoints.push_back(Number());
    for (int64_t i = Few(); i > 0; --i) {
      report.tasks.push_back({Number(),
                              static_cast<TaskPhase>(dice_.Between(0, 2)),
                              static_cast<int>(dice_.Between(0, 100)),
                              Text(),
                              {Signed(), Signed(), Signed(), Text(), Text()}});
    }
    return report;
  }

  HostFigures Figures() {
    HostFigures figures{Number(), {}};
    for (int64_t i = Few(); i > 0; --i) {
      EngineFigures& member = figures.members[Number()];
      for (int64_t k = Few(); k > 0; --k) {
        member.push_back({Text(), static_cast<double>(Signed()) / 7, dice_.Chance(50)});
      }
    }
    return figures;
  }

 private:
  int64_t Few() { return dice_.Between(0, 4); }
  uint64_t Number() { return dice_.OneIn(4) ? 0 : dice_.Next(); }
  int64_t Signed() { return static_cast<int64_t>(dice_.Next()); }
  std::string Text() {
    std::string text;
    for (int64_t i = Few() * 5; i > 0; --i) text += static_cast<char>(dice_.Between(1, 127));
    return text;
  }
  Address SomeAddress() {
    return {Ip4{static_cast<uint32_t>(dice_.Next())}, static_cast<uint16_t>(dice_.Next())};
  }
  std::vector<Address> Addresses() {
    std::vector<Address> addresses;
    for (int64_t i = Few(); i > 0; --i) addresses.push_back(SomeAddress());
    return addresses;
  }
  std::vector<std::string> Texts() {
    std::vector<std::string> texts;
    for (int64_t i = Few(); i > 0; --i) texts.push_back(Text());
    return texts;
  }
  Cidr Block() {
    const int prefix = static_cast<int>(dice_.Between(0, 32));
    const uint32_t mask = prefix == 0 ? 0 : ~uint32_t{0} << (32 - prefix);
    return {{SomeAddress().ip.bits & mask}, prefix};
  }
  IngressRule Rule() {
    IngressRule rule{.id = Text(), .from_port = SomeAddress().port, .to_port = SomeAddress().port};
    if (dice_.Chance(50)) {
      rule.block = Block();
    } else {
      rule.group = Text();
    }
    return rule;
  }
  Network Access() {
    Network network;
    network.revision = Number();
    for (int64_t i = Few(); i > 0; --i) {
      SecurityGroup group{Text(), Text(), {}};
      for (int64_t j = Few(); j > 0; --j) group.ingress.push_back(Rule());
      network.groups[group.id] = group;
    }
    for (int64_t i = Few(); i > 0; --i) {
      network.instances.push_back({Text(), Text(), SomeAddress().ip, SomeAddress().ip, Texts()});
      if (dice_.Chance(50)) network.instances.back().network = Block();
    }
    for (int i = 0; i < 2; ++i) network.vpcs[Text()] = {Block(), Block()};
    return network;
  }
  HostTasks Tasks() {
    HostTasks tasks;
    tasks.revision = Number();
    for (int64_t i = Few(); i > 0; --i) {
      tasks.tasks.push_back({Number(), static_cast<TaskKind>(dice_.Between(0, 4)), Number(),
                             Number(), Number(), Text(), Text(), Text()});
    }
    return tasks;
  }

  HostFaults Faults() {
    HostFaults faults;
    faults.revision = Number();
    for (int64_t i = Few(); i > 0; --i) {
      HostFault fault{.id = Text()};
      fault.kind = static_cast<FaultKind>(dice_.Between(0, static_cast<int>(FaultKind::kHostLoss)));
      for (int64_t j = Few(); j > 0; --j) fault.endpoints.push_back(Number());
      for (int64_t j = Few(); j > 0; --j) fault.sources.push_back(Cidr{SomeAddress().ip, 32});
      for (int64_t j = Few(); j > 0; --j) fault.members.push_back(Number());
      fault.delay = Duration(Signed());
      fault.jitter = Duration(Signed());
      fault.bytes = Number();
      faults.faults.push_back(std::move(fault));
    }
    return faults;
  }
  EngineKind Engine() { return kAllEngines[static_cast<size_t>(dice_.Between(0, 2))]; }

  MemberSpec Member() {
    MemberSpec spec;
    spec.id = Number();
    spec.engine = Engine();
    spec.generation = Number();
    spec.label = Text();
    spec.memory_max_bytes = Signed();
    spec.threads = static_cast<int>(dice_.Between(0, 1000));
    for (int64_t i = Few(); i > 0; --i) spec.parameters[Text()] = Text();
    spec.address = SomeAddress();
    if (dice_.Chance(50)) spec.replication = Part();
    if (dice_.Chance(50)) {
      spec.seed = Seed{Number(), Text(), Text(), Text(), Text(), Signed()};
    }
    if (dice_.Chance(50)) spec.tls = TlsSpec{Texts(), Text(), Text(), Text()};
    if (dice_.Chance(50)) {
      spec.access = EngineAccess{Text(), Text(), {}, Number()};
      for (int64_t i = Few(); i > 0; --i) {
        spec.access->users.push_back({Text(), Text(), Texts()});
      }
    }
    return spec;
  }

  ReplicationSpec Part() {
    ReplicationSpec part;
    part.epoch = Number();
    part.leads = dice_.Chance(50);
    part.leader = SomeAddress();
    part.followers = Addresses();
    part.proof = Number();
    part.paused = dice_.Chance(50);
    return part;
  }

  ReplicationReport PartSeen() {
    ReplicationReport part;
    part.epoch = Number();
    part.leads = dice_.Chance(50);
    part.link_up = dice_.Chance(50);
    part.paused = dice_.Chance(50);
    part.proof = Number();
    part.in_sync = Addresses();
    part.answers = Number();
    part.offset = Signed();
    return part;
  }

  EndpointSpec Endpoint() {
    EndpointSpec spec{Number(), SomeAddress(), Number(), std::nullopt};
    spec.leads_since = Number();
    spec.spread = Addresses();
    spec.relayed = dice_.Chance(50);
    spec.encrypted = dice_.Chance(50);
    spec.source = SomeAddress().ip;
    spec.door.vpc = Text();
    spec.door.groups = Texts();
    spec.door.port = SomeAddress().port;
    for (const Address& peer : Addresses()) spec.door.peers.push_back(peer.ip);
    if (dice_.Chance(50)) return spec;
    spec.discovery.emplace();  // an empty list of nodes is not the same as none
    spec.discovery->version = Number();
    for (int64_t i = Few(); i > 0; --i) spec.discovery->nodes.push_back({Text(), SomeAddress()});
    return spec;
  }

  MemberReport MemberSaid() {
    MemberReport report;
    report.id = Number();
    report.generation = Number();
    report.launch = Number();
    report.resumed = dice_.Chance(50);
    report.phase = static_cast<MemberPhase>(dice_.Between(0, 4));
    report.pid = Signed();
    report.engine_version = Text();
    report.trouble = Text();
    report.start_time = Number();
    if (dice_.Chance(50)) report.replication = PartSeen();
    report.unseeded = dice_.Chance(50);
    report.access = Number();
    return report;
  }

  EndpointReport EndpointSaid() {
    EndpointReport report;
    report.id = Number();
    report.listening = dice_.Chance(50);
    report.trouble = static_cast<EndpointTrouble>(dice_.Between(0, 3));
    report.trouble_text = Text();
    report.counts = {Number(), Number(), Number(), Number(), Number(), Number(),
                     Number(), Number(), Number(), Number(), Number()};
    report.relayed_bytes = {Number(), Number()};
    report.carry = static_cast<Carry>(dice_.Between(0, 2));
    return report;
  }

  sim::Random dice_;
};

// There and back, through the bytes on the wire.
template <typename Message, typename Value>
Message Carried(const Value& value) {
  Message message;
  ToProto(value, &message);
  Message carried;
  EXPECT_TRUE(carried.ParseFromString(message.SerializeAsString()));
  return carried;
}

TEST(HostPlanProto, CarriesEveryMessageUnchanged) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    Author author(seed);
    const HostHello hello = author.Hello();
    EXPECT_EQ(*FromProto(Carried<v1::HostHello>(hello)), hello) << "seed " << seed;
    const HostReport report = author.Report();
    EXPECT_EQ(FromProto(Carried<v1::HostReport>(report)), report) << "seed " << seed;
    const PlanUpdate update = author.Update();
    EXPECT_EQ(*FromProto(Carried<v1::PlanUpdate>(update)), update) << "seed " << seed;
    const HostFigures figures = author.Figures();
    EXPECT_EQ(FromProto(Carried<v1::HostFigures>(figures)), figures) << "seed " << seed;
  }
}

TEST(HostPlanProto, StoresAPlanAsAnUpdateThatCarriesEverything) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const HostPlan plan = Author(seed).Plan();
    const Result<PlanUpdate> update = FromProto(Carried<v1::PlanUpdate>(plan));
    ASSERT_TRUE(update.ok());
    EXPECT_EQ(update->base, 0u);
    HostPlan merged;
    ASSERT_TRUE(Merge(*update, &merged));
    EXPECT_EQ(merged, plan) << "seed " << seed;
  }
}

TEST(HostPlanProto, GivesEveryPhaseAndTroubleItsOwnName) {
  const std::pair<MemberPhase, v1::MemberReport::Phase> phases[] = {
      {MemberPhase::kStarting, v1::MemberReport::STARTING},
      {MemberPhase::kServing, v1::MemberReport::SERVING},
      {MemberPhase::kDown, v1::MemberReport::DOWN},
      {MemberPhase::kFailed, v1::MemberReport::FAILED},
      {MemberPhase::kStopping, v1::MemberReport::STOPPING},
  };
  for (const auto& [phase, name] : phases) {
    HostReport report;
    report.members = {{.id = 1, .phase = phase}};
    EXPECT_EQ(Carried<v1::HostReport>(report).members(0).phase(), name);
  }
  const std::pair<EndpointTrouble, v1::EndpointReport::Trouble> troubles[] = {
      {EndpointTrouble::kNone, v1::EndpointReport::NONE},
      {EndpointTrouble::kAddressInUse, v1::EndpointReport::ADDRESS_IN_USE},
      {EndpointTrouble::kAddressNotAvailable, v1::EndpointReport::ADDRESS_NOT_AVAILABLE},
      {EndpointTrouble::kOther, v1::EndpointReport::OTHER},
  };
  for (const auto& [trouble, name] : troubles) {
    HostReport report;
    report.endpoints = {{.id = 1, .trouble = trouble}};
    EXPECT_EQ(Carried<v1::HostReport>(report).endpoints(0).trouble(), name);
  }
}

// From a newer program than this one.
TEST(HostPlanProto, TakesUnknownPhasesAndTroublesForTheWorst) {
  v1::HostReport report;
  report.add_members()->set_phase(static_cast<v1::MemberReport::Phase>(77));
  report.add_endpoints()->set_trouble(static_cast<v1::EndpointReport::Trouble>(77));
  EXPECT_EQ(FromProto(report).members.at(0).phase, MemberPhase::kDown);
  EXPECT_EQ(FromProto(report).endpoints.at(0).trouble, EndpointTrouble::kOther);
}

TEST(HostPlanProto, RefusesAnEngineThatItDoesNotKnow) {
  v1::PlanUpdate update;
  update.add_members()->set_engine("keydb");
  EXPECT_THAT(FromProto(update), Fails(Fault::kInvalidParameterValue, HasSubstr("'keydb'")));
  v1::HostHello hello;
  (*hello.mutable_engines())["keydb"] = "6.3";
  EXPECT_THAT(FromProto(hello), Fails(Fault::kInvalidParameterValue, HasSubstr("'keydb'")));
}

}  // namespace
}  // namespace ec
