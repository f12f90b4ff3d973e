// Instances: how many, under which names, and this machine itself.
#include <gmock/gmock.h>

#include <string>

#include "controlplane/core/default_network.h"
#include "tests/support/control_plane.h"
#include "tests/support/matchers.h"
#include "tests/support/refusals.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using ::testing::HasSubstr;

class InstancesTest : public ::testing::Test {
 protected:
  InstancesTest() {
    plane.AddHosts(1);
    EXPECT_THAT(Ask(CreateVpc{"vpc-1", "sg-default-1", "10.0.0.0/16", {}}), IsOk());
    // Sixteen addresses, of which EC2 keeps five.
    EXPECT_THAT(Ask(CreateSubnet{"subnet-1", "vpc-1", "10.0.1.0/28", std::nullopt, {}}), IsOk());
  }
  Status Ask(const NetworkCommand& command) { return plane.Ask(command); }
  void Refused(const NetworkCommand& command, Fault fault, const std::string& text) {
    ec::testing::ExpectRefused(plane, command, fault, HasSubstr(text));
  }
  static RunInstances Many(int count, size_t least) {
    RunInstances command;
    command.least = least;
    for (int i = 0; i < count; ++i) {
      command.wanted.push_back(
          RunInstance{"i-" + std::to_string(i), "subnet-1", {}, std::nullopt, {}});
    }
    return command;
  }
  const model::Records& records() const { return plane.records(); }

  ControlPlane plane;
};

TEST_F(InstancesTest, AsManyAsThereIsRoomForButNoFewerThanTheLeast) {
  Refused(Many(20, 12), Fault::kInsufficientFreeAddresses, "subnet-1");
  ASSERT_THAT(Ask(Many(20, 11)), IsOk());
  EXPECT_EQ(records().instances.size(), 11u);
  EXPECT_EQ(records().instances.at("i-0").vpc, "vpc-1");
  EXPECT_EQ(records().instances.at("i-0").groups, std::vector<std::string>{"sg-default-1"});
}

TEST_F(InstancesTest, AreTerminatedAllOrNone) {
  ASSERT_THAT(Ask(Many(3, 3)), IsOk());
  Refused(TerminateInstances{{"i-0", "i-9"}}, Fault::kInstanceNotFound, "'i-9'");
  ASSERT_THAT(Ask(TerminateInstances{{"i-0", "i-1", "i-0"}}), IsOk());
  EXPECT_EQ(records().instances.size(), 1u);
}

TEST_F(InstancesTest, HaveNamesOfEc2sFormThatAreTheirOwn) {
  ASSERT_THAT(Ask(Many(1, 1)), IsOk());
  const auto run = [](const std::string& id) {
    return RunInstance{id, "subnet-1", {}, std::nullopt, {}};
  };
  for (const std::string bad : {"", "i-", "web", "i-a_b", "i-localhost"}) {
    Refused(run(bad), Fault::kInvalidParameterValue, "InstanceId");
  }
  Refused(run("i-" + std::string(41, 'a')), Fault::kInvalidParameterValue, "InstanceId");
  Refused(run("i-0"), Fault::kInvalidParameterValue, "already");
  ASSERT_THAT(Ask(run("i-" + std::string(40, 'a'))), IsOk());
}

TEST_F(InstancesTest, ThisMachineIsOneOfTheDefaultVpcUntilItIsNotWanted) {
  ASSERT_THAT(plane.Ask(Prepare{}), IsOk());
  const model::InstanceRow& localhost = records().instances.at("i-localhost");
  EXPECT_EQ(localhost.vpc, plane.DefaultVpc());
  EXPECT_EQ(localhost.groups, std::vector{plane.DefaultGroup()});
  EXPECT_EQ(ToString(model::SourceOf(records().vpcs.at(localhost.vpc), localhost)), "127.0.0.1");
  Refused(TerminateInstance{"i-localhost"}, Fault::kOperationNotPermitted,
          "--no-localhost-instance");
  Refused(TerminateInstances{{"i-localhost"}}, Fault::kOperationNotPermitted,
          "--no-localhost-instance");
  ASSERT_THAT(plane.Ask(Prepare{}), IsOk());
  EXPECT_TRUE(plane.decision.edit.empty()) << "a start that changes nothing";
  ASSERT_THAT(plane.Ask(Prepare{false}), IsOk());
  EXPECT_TRUE(records().instances.empty());
}

TEST_F(InstancesTest, AnAddressRestsBeforeItIsUsedAgain) {
  ASSERT_THAT(Ask(Many(1, 1)), IsOk());
  const Ip4 first = records().instances.at("i-0").address;
  ASSERT_THAT(Ask(TerminateInstance{"i-0"}), IsOk());
  ASSERT_THAT(Ask(Many(1, 1)), IsOk());
  EXPECT_NE(records().instances.at("i-0").address, first);
}

}  // namespace
}  // namespace ec::core
