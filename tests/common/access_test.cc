#include "common/access.h"

#include <gtest/gtest.h>

#include <random>

namespace ec {
namespace {

using Cause = Judgement::Cause;

Ip4 Ip(const char* text) { return *ParseIp4(text); }

IngressRule FromBlock(std::string id, const char* block, uint16_t from = 0, uint16_t to = 65535) {
  return {std::move(id), from, to, *ParseCidr(block), {}};
}
IngressRule FromGroup(std::string id, std::string group, uint16_t from = 0, uint16_t to = 65535) {
  return {std::move(id), from, to, std::nullopt, std::move(group)};
}

class AccessTest : public ::testing::Test {
 protected:
  AccessTest() {
    network_.groups["sg-cache"] = {"sg-cache", "vpc-1", {}};
    network_.groups["sg-web"] = {"sg-web", "vpc-1", {}};
    network_.groups["sg-other"] = {"sg-other", "vpc-2", {FromBlock("sgr-o", "0.0.0.0/0")}};
    network_.instances = {
        {"i-web", "vpc-1", Ip("127.1.0.10"), Ip("10.0.1.5"), {"sg-web"}},
        {"i-batch", "vpc-1", Ip("127.1.0.11"), Ip("10.0.2.5"), {"sg-cache"}},
        {"i-foreign", "vpc-2", Ip("127.2.0.10"), Ip("10.0.1.5"), {"sg-other"}},
    };
  }
  void Admit(const std::string& group, IngressRule rule) {
    network_.groups.at(group).ingress.push_back(std::move(rule));
  }
  Cause Asks(const char* source) { return Judge(source).cause; }
  // The gate is kept, since the judgement's texts are its own.
  Judgement Judge(const char* source) {
    gate_ = std::make_unique<Gate>(network_, std::make_shared<Sources>(network_), door_);
    return gate_->Judge(Ip(source));
  }

  Network network_;
  Door door_{"vpc-1", {"sg-cache"}, 6379};
  std::unique_ptr<Gate> gate_;
};

TEST_F(AccessTest, NobodyIsAdmittedWithoutARule) {
  EXPECT_EQ(Asks("127.1.0.10"), Cause::kNoRule);
  EXPECT_EQ(Asks("127.1.0.11"), Cause::kNoRule) << "being in the same group is no rule";
}

TEST_F(AccessTest, NoRuleLetsAnybodyInFromOutsideTheVpc) {
  Admit("sg-cache", FromBlock("sgr-1", "0.0.0.0/0"));
  Admit("sg-cache", FromGroup("sgr-2", "sg-other"));
  door_.groups = {"sg-cache", "sg-other"};
  EXPECT_EQ(Asks("127.2.0.10"), Cause::kOtherVpc);
  EXPECT_EQ(Asks("192.0.2.1"), Cause::kNoInstance);
  EXPECT_EQ(Asks("10.0.1.5"), Cause::kNoInstance) << "a private address is not a source";
  EXPECT_EQ(Asks("127.1.0.10"), Cause::kAdmitted);
}

TEST_F(AccessTest, ABlockSpeaksOfTheAddressInTheVpc) {
  Admit("sg-cache", FromBlock("sgr-1", "10.0.1.0/24"));
  EXPECT_EQ(Asks("127.1.0.10"), Cause::kAdmitted);
  EXPECT_EQ(Asks("127.1.0.11"), Cause::kNoRule);
}

TEST_F(AccessTest, ANetworkCountsAsItsInstance) {
  network_.instances[0].network = *ParseCidr("172.18.0.0/16");
  network_.instances[2].network = *ParseCidr("172.18.7.0/24");
  Admit("sg-cache", FromBlock("sgr-1", "10.0.1.0/24"));
  EXPECT_EQ(Asks("172.18.0.9"), Cause::kAdmitted);
  EXPECT_EQ(Asks("172.18.7.9"), Cause::kOtherVpc) << "the narrower network has it";
  EXPECT_EQ(Asks("172.19.0.9"), Cause::kNoInstance);
  EXPECT_EQ(Asks("127.1.0.10"), Cause::kAdmitted);
}

TEST_F(AccessTest, AGroupSpeaksOfItsMembers) {
  Admit("sg-cache", FromGroup("sgr-1", "sg-web"));
  EXPECT_EQ(Asks("127.1.0.10"), Cause::kAdmitted);
  EXPECT_EQ(Asks("127.1.0.11"), Cause::kNoRule);
}

TEST_F(AccessTest, ARuleHoldsForItsPortsAlone) {
  Admit("sg-cache", FromBlock("sgr-1", "0.0.0.0/0", 6380, 6390));
  EXPECT_EQ(Asks("127.1.0.10"), Cause::kNoRule);
  Admit("sg-cache", FromBlock("sgr-2", "0.0.0.0/0", 6379, 6379));
  EXPECT_EQ(Asks("127.1.0.10"), Cause::kAdmitted);
}

TEST_F(AccessTest, AGroupThatIsUnknownOrOfAnotherVpcAdmitsNobody) {
  door_.groups = {"sg-gone", "sg-other"};
  EXPECT_EQ(Asks("127.1.0.10"), Cause::kNoRule);
}

TEST_F(AccessTest, AJudgementNamesTheFirstRuleThatMatches) {
  Admit("sg-cache", FromGroup("sgr-1", "sg-nobody"));
  Admit("sg-cache", FromGroup("sgr-2", "sg-web"));
  Admit("sg-cache", FromBlock("sgr-3", "10.0.1.5/32"));
  const Judgement judgement = Judge("127.1.0.10");
  EXPECT_EQ(judgement.instance, "i-web");
  EXPECT_EQ(judgement.group, "sg-cache");
  EXPECT_EQ(judgement.rule, "sgr-2");
}

// The rules once more, as slowly and plainly as they are written.
Cause Plainly(const Network& network, const Door& door, Ip4 source) {
  const Instance* instance = nullptr;
  for (const Instance& one : network.instances) {
    if (one.source == source) instance = &one;
  }
  if (instance == nullptr) return Cause::kNoInstance;
  if (instance->vpc != door.vpc) return Cause::kOtherVpc;
  for (const std::string& id : door.groups) {
    const auto group = network.groups.find(id);
    if (group == network.groups.end() || group->second.vpc != door.vpc) continue;
    for (const IngressRule& rule : group->second.ingress) {
      if (door.port < rule.from_port || door.port > rule.to_port) continue;
      if (rule.block && rule.block->Contains(instance->address)) return Cause::kAdmitted;
      for (const std::string& own : instance->groups) {
        if (!rule.block && own == rule.group) return Cause::kAdmitted;
      }
    }
  }
  return Cause::kNoRule;
}

class RandomNetwork {
 public:
  explicit RandomNetwork(uint32_t seed) : random_(seed) {
    for (int g = 0; g < 6; ++g) {
      const std::string id = Group(g);
      network.groups[id] = {id, Vpc(g), {}};
      const int rules = Below(5);
      for (int r = 0; r < rules; ++r) network.groups[id].ingress.push_back(Rule());
    }
    for (int i = 0; i < 12; ++i) {
      Instance instance{"i-" + std::to_string(i), Vpc(Below(2)), Source(i), Private(), {}};
      for (int g = Below(3); g > 0; --g) instance.groups.push_back(Group(Below(6)));
      network.instances.push_back(std::move(instance));
    }
  }
  Door SomeDoor() {
    Door door{Vpc(Below(2)), {}, Port()};
    for (int g = Below(4); g > 0; --g) door.groups.push_back(Group(Below(7)));
    return door;
  }
  static Ip4 Source(int number) { return {0x7f010000u + static_cast<uint32_t>(number)}; }

  Network network;

 private:
  int Below(int bound) { return static_cast<int>(random_() % static_cast<uint32_t>(bound)); }
  static std::string Group(int number) { return "sg-" + std::to_string(number); }
  static std::string Vpc(int number) { return "vpc-" + std::to_string(number % 2); }
  Ip4 Private() { return {0x0a000000u + static_cast<uint32_t>(Below(4) << 8 | Below(4))}; }
  uint16_t Port() { return static_cast<uint16_t>(6377 + Below(5)); }
  IngressRule Rule() {
    IngressRule rule{"sgr-" + std::to_string(Below(1000)), Port(), Port(), std::nullopt, {}};
    if (Below(2) == 0) {
      rule.group = Group(Below(6));
    } else {
      const int prefix = Below(4) == 0 ? 0 : 20 + Below(13);
      const uint32_t mask = prefix == 0 ? 0 : ~uint32_t{0} << (32 - prefix);
      rule.block = Cidr{{Private().bits & mask}, prefix};
    }
    return rule;
  }

  std::mt19937 random_;
};

TEST(VpcBlocks, AnAddressKeepsItsLastBitsBetweenBlockAndSlice) {
  const VpcBlocks vpc{*ParseCidr("10.0.16.0/20"), *ParseCidr("127.7.0.0/16")};
  EXPECT_EQ(vpc.InSlice(*ParseIp4("10.0.17.5")), ParseIp4("127.7.17.5"));
  EXPECT_EQ(vpc.InBlock(*ParseIp4("127.7.17.5")), ParseIp4("10.0.17.5"));
  for (const char* outside : {"10.0.32.5", "10.1.17.5", "127.0.0.1", "127.7.17.5"}) {
    EXPECT_EQ(vpc.InSlice(*ParseIp4(outside)), std::nullopt) << outside;
  }
  for (const char* outside : {"127.7.32.5", "127.8.17.5", "10.0.17.5", "127.0.0.1"}) {
    EXPECT_EQ(vpc.InBlock(*ParseIp4(outside)), std::nullopt) << outside;
  }
}

TEST(Access, AgreesWithThePlainRulesOnRandomNetworks) {
  std::map<Cause, int> seen;
  for (uint32_t seed = 1; seed <= 400; ++seed) {
    RandomNetwork random(seed);
    const auto sources = std::make_shared<Sources>(random.network);
    for (int d = 0; d < 5; ++d) {
      const Door door = random.SomeDoor();
      const Gate gate(random.network, sources, door);
      for (int i = 0; i < 13; ++i) {
        const Ip4 source = RandomNetwork::Source(i);
        const Cause cause = gate.Judge(source).cause;
        ASSERT_EQ(cause, Plainly(random.network, door, source)) << "seed " << seed;
        ++seen[cause];
      }
    }
  }
  for (const Cause cause :
       {Cause::kAdmitted, Cause::kNoInstance, Cause::kOtherVpc, Cause::kNoRule}) {
    EXPECT_GT(seen[cause], 500);
  }
}

}  // namespace
}  // namespace ec
