// `ecctl instance run` where an instance is a network namespace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/netns.h"
#include "tests/cli/network_support.h"

namespace ec::cli {
namespace {

using testing::HasSubstr;

class InstanceNetns : public testing::Test {
 protected:
  void SetUp() override {
    const UniqueFd space = MakeNetns();
    if (!space) GTEST_SKIP() << "no network namespaces here: " << std::strerror(errno);
    ASSERT_TRUE(NameNetns(space.get(), name_)) << std::strerror(errno);
    AddInstances(&service_);
    const auto without = service_.instances;
    service_.instances = [this, without](const auto& request, auto* response) {
      const grpc::Status status = without(request, response);
      for (auto& one : *response->mutable_instances()) one.set_network_namespace(name_);
      return status;
    };
  }
  void TearDown() override { EXPECT_TRUE(UnnameNetns(name_)); }

  Ended Run(std::vector<std::string> command) {
    command.insert(command.begin(), {"instance", "run", kInstance});
    return service_.Ecctl(command);
  }

  FakeService service_;
  const std::string name_ = NetnsName(NetnsPrefix("/test/" + std::to_string(getpid())), kInstance);
};

TEST_F(InstanceNetns, TheCommandIsInTheNamespaceAndUnderNoFilter) {
  const Ended space = Run({"readlink", "/proc/self/ns/net"});
  EXPECT_EQ(space.out, "net:[" + std::to_string(InodeOfNetns(name_).value_or(0)) + "]\n");
  EXPECT_THAT(Run({"grep", "Seccomp:", "/proc/self/status"}).out, HasSubstr("0"));
  EXPECT_EQ(space.err, "");
}

TEST_F(InstanceNetns, ItsExitCodesAreTheCommands) {
  EXPECT_EQ(Run({"sh", "-c", "exit 7"}).exit, 7);
  EXPECT_EQ(Run({"/no/such/program"}).exit, 127);
  EXPECT_EQ(Run({"/tmp"}).exit, 126);
}

TEST_F(InstanceNetns, ANamespaceThatIsNotThereIsNamed) {
  ASSERT_TRUE(UnnameNetns(name_));
  const Ended ended = Run({"true"});
  EXPECT_EQ(ended.exit, 1);
  EXPECT_THAT(ended.err, HasSubstr("the network namespace " + name_ + " of i-web is not there"));
}

}  // namespace
}  // namespace ec::cli
