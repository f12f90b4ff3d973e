// Who may connect, in a whole installation: VPCs, security groups, instances.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "common/netns.h"
#include "tests/integration/clients.h"
#include "tests/integration/groups.h"
#include "tests/integration/installation.h"
#include "tests/integration/probes.h"

namespace ec::integration {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

enum class Mode {
  kLoopback,    // an instance is an address of loopback
  kNamespaces,  // an instance is a network namespace: `ecctl up --netns`
};

std::string NetnsPrefixHere() { return NetnsPrefix("/test/" + std::to_string(getpid())); }

// The second mode where this machine lets us.
std::vector<Mode> Modes() {
  if (!MakeNetns()) return {Mode::kLoopback};
  return {Mode::kLoopback, Mode::kNamespaces};
}

class AccessInstallationTest : public InstallationTest, public ::testing::WithParamInterface<Mode> {
 protected:
  InstallationOptions Options() override {
    InstallationOptions options;
    if (GetParam() == Mode::kNamespaces) {
      options.control_plane_flags = {"--netns", NetnsPrefixHere()};
      options.agent_flags = options.control_plane_flags;
    }
    return options;
  }
  void TearDown() override {
    InstallationTest::TearDown();
    for (const std::string& name : NetnsNames(NetnsPrefixHere())) {
      EXPECT_TRUE(UnnameNetns(name)) << name;
    }
  }

  std::string DefaultVpc() {
    grpc::ClientContext context;
    v1::DescribeVpcsResponse response;
    EXPECT_TRUE(network().DescribeVpcs(&context, {}, &response).ok());
    for (const v1::Vpc& vpc : response.vpcs()) {
      if (vpc.is_default()) return vpc.vpc_id();
    }
    return {};
  }
  std::string DefaultGroup(const std::string& vpc) {
    grpc::ClientContext context;
    v1::DescribeSecurityGroupsResponse response;
    EXPECT_TRUE(network().DescribeSecurityGroups(&context, {}, &response).ok());
    for (const v1::Ec2SecurityGroup& group : response.security_groups()) {
      if (group.vpc_id() == vpc && group.group_name() == "default") return group.group_id();
    }
    return {};
  }
  std::string CreateGroup(const std::string& vpc, const std::string& name) {
    grpc::ClientContext context;
    v1::CreateSecurityGroupRequest request;
    request.set_group_name(name);
    request.set_description(name);
    request.set_vpc_id(vpc);
    v1::CreateSecurityGroupResponse response;
    EXPECT_TRUE(network().CreateSecurityGroup(&context, request, &response).ok());
    return response.group_id();
  }
  // An instance in a VPC of its own, with the block of the default one.
  v1::Instance Foreigner() {
    v1::CreateVpcRequest vpc;
    vpc.set_cidr_block("172.31.0.0/16");
    v1::CreateVpcResponse made;
    grpc::ClientContext vpc_context;
    EXPECT_TRUE(network().CreateVpc(&vpc_context, vpc, &made).ok());
    v1::CreateSubnetRequest subnet;
    subnet.set_vpc_id(made.vpc().vpc_id());
    subnet.set_cidr_block("172.31.0.0/20");
    v1::CreateSubnetResponse subnet_made;
    grpc::ClientContext subnet_context;
    EXPECT_TRUE(network().CreateSubnet(&subnet_context, subnet, &subnet_made).ok());
    return Run(subnet_made.subnet().subnet_id(), {});
  }
  // In that subnet (default: of the default VPC), and those groups (default: its default one).
  v1::Instance Run(const std::string& subnet, const std::vector<std::string>& groups) {
    v1::RunInstancesRequest request;
    if (!subnet.empty()) request.set_subnet_id(subnet);
    for (const std::string& group : groups) request.add_security_group_ids(group);
    v1::RunInstancesResponse response;
    grpc::ClientContext context;
    const grpc::Status status = network().RunInstances(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    if (response.instances_size() == 0) return {};
    const std::string& netns = response.instances(0).network_namespace();
    EXPECT_EQ(netns.empty(), GetParam() == Mode::kLoopback);
    const auto is_there = [&] { return netns.empty() || InodeOfNetns(netns); };
    EXPECT_TRUE(WaitUntil(is_there)) << netns;
    return response.instances(0);
  }
  void Authorize(const std::string& group, const std::string& cidr) {
    v1::AuthorizeSecurityGroupIngressRequest request;
    request.set_group_id(group);
    *request.add_ip_permissions() = Everything(cidr);
    v1::AuthorizeSecurityGroupIngressResponse response;
    grpc::ClientContext context;
    const grpc::Status status =
        network().AuthorizeSecurityGroupIngress(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  void Revoke(const std::string& group, const std::string& cidr) {
    v1::RevokeSecurityGroupIngressRequest request;
    request.set_group_id(group);
    *request.add_ip_permissions() = Everything(cidr);
    v1::RevokeSecurityGroupIngressResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(network().RevokeSecurityGroupIngress(&context, request, &response).ok());
  }
  v1::ExplainAccessResponse Explain(const std::string& from, const v1::Endpoint& endpoint) {
    v1::ExplainAccessRequest request;
    request.set_from(from);
    *request.mutable_endpoint() = endpoint;
    v1::ExplainAccessResponse response;
    grpc::ClientContext context;
    const grpc::Status status =
        installation().emulator().ExplainAccess(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  static bool IsAnswered(const v1::Instance& instance, const v1::Endpoint& endpoint) {
    const auto from = ParseIp4(instance.loopback_address());
    const auto port = static_cast<uint16_t>(endpoint.port());
    const Address here{*ParseIp4(endpoint.address()), port};
    if (instance.network_namespace().empty()) return !AnswerTo(*from, here).empty();
    // As the VPC calls it: both of these networks have the same block.
    const Address real{
        {(ParseIp4(instance.private_ip_address())->bits & 0xffff0000u) | (here.ip.bits & 0xffffu)},
        port};
    bool real_answers = false;
    bool here_answers = false;
    InInstance(instance, [&] {
      real_answers = !AnswerTo({}, real).empty();
      here_answers = !AnswerTo({}, here).empty();
    });
    // Whoever lets the VPC in or out opens both.
    return real_answers || here_answers;
  }
  // In its namespace, if it has one.
  static void InInstance(const v1::Instance& instance, const std::function<void()>& work) {
    const std::string& netns = instance.network_namespace();
    if (netns.empty()) return work();
    const UniqueFd space = OpenNetns(netns);
    EXPECT_TRUE(space && InNetns(space.get(), work)) << netns;
  }
  // As that instance.
  static std::unique_ptr<RedisClient> ClientOf(const v1::Instance& instance,
                                               const v1::Endpoint& endpoint) {
    std::unique_ptr<RedisClient> client;
    const bool by_address = instance.network_namespace().empty();
    InInstance(instance, [&] {
      client = std::make_unique<RedisClient>(endpoint, seconds(10),
                                             by_address ? instance.loopback_address() : "");
    });
    return client;
  }

  v1::Network::Stub& network() { return installation().network(); }

 private:
  static v1::IpPermission Everything(const std::string& cidr) {
    v1::IpPermission permission;
    permission.set_ip_protocol("-1");
    permission.add_ip_ranges()->set_cidr_ip(cidr);
    return permission;
  }
};

TEST_P(AccessInstallationTest, NoRuleOpensAnyEndpointToAnotherVpc) {
  Groups groups(installation());
  ASSERT_TRUE(groups.MustCreate("orders", 2));
  const v1::CacheCluster pages = installation().MustCreate("pages", "memcached", 2, "cross-az");
  const v1::Instance foreigner = Foreigner();
  const v1::Instance neighbour = Run({}, {});
  const std::string group = DefaultGroup(DefaultVpc());
  Authorize(group, "0.0.0.0/0");
  const std::vector<v1::Endpoint> endpoints = {
      groups.Primary("orders"), groups.Reader("orders"), groups.Own(groups.Leader("orders")),
      pages.configuration_endpoint(), pages.cache_nodes(0).endpoint()};
  for (const v1::Endpoint& endpoint : endpoints) {
    EXPECT_TRUE(WaitUntil([&] { return IsAnswered(neighbour, endpoint); })) << endpoint.address();
    EXPECT_FALSE(IsAnswered(foreigner, endpoint)) << endpoint.address();
    EXPECT_EQ(Explain(foreigner.instance_id(), endpoint).cause(), "other-vpc");
    EXPECT_EQ(Explain(neighbour.instance_id(), endpoint).cause(), "rule");
  }
}

TEST_P(AccessInstallationTest, ARuleOpensAndClosesAnEndpointWhileClientsAreThere) {
  const v1::Endpoint endpoint =
      installation().MustCreate("cache-1", "redis").cache_nodes(0).endpoint();
  const std::string vpc = DefaultVpc();
  const std::string group = DefaultGroup(vpc);
  const v1::Instance client = Run({}, {CreateGroup(vpc, "clients")});
  EXPECT_FALSE(IsAnswered(client, endpoint));
  EXPECT_EQ(Explain(client.instance_id(), endpoint).cause(), "no-rule");
  const std::string block = client.private_ip_address() + "/32";
  Authorize(group, block);
  ASSERT_TRUE(WaitUntil([&] { return IsAnswered(client, endpoint); }));
  RedisClient stays(endpoint);
  const auto goes = ClientOf(client, endpoint);
  ASSERT_EQ(goes->Do({"PING"}), "PONG");
  ASSERT_EQ(stays.Do({"PING"}), "PONG");
  Revoke(group, block);
  EXPECT_TRUE(WaitUntil([&] { return goes->Do({"PING"}) == "(gone)"; }));
  EXPECT_EQ(stays.Do({"PING"}), "PONG");
  EXPECT_FALSE(IsAnswered(client, endpoint));
}

TEST_P(AccessInstallationTest, RulesHoldWhileTheControlPlaneIsAway) {
  const v1::Endpoint endpoint =
      installation().MustCreate("cache-1", "redis").cache_nodes(0).endpoint();
  const v1::Instance foreigner = Foreigner();
  const v1::Instance neighbour = Run({}, {});
  ASSERT_TRUE(WaitUntil([&] { return IsAnswered(neighbour, endpoint); }));
  // An agent writes down what it knows a moment later.
  const auto remembers = [&](const std::string& zone) {
    std::ifstream plan(installation().host_dir(zone) + "/plan.pb");
    const std::string bytes(std::istreambuf_iterator<char>(plan), {});
    return bytes.find(neighbour.instance_id()) != std::string::npos;
  };
  const std::vector<std::string> zones = {"us-east-1a", "us-east-1b", "us-east-1c"};
  for (const std::string& zone : zones) ASSERT_TRUE(WaitUntil([&] { return remembers(zone); }));
  installation().control_plane().Kill9();
  for (const std::string& zone : zones) {
    installation().agent(zone).Kill9();
    installation().StartAgent(zone);
  }
  EXPECT_TRUE(WaitUntil([&] { return IsAnswered(neighbour, endpoint); }));
  EXPECT_FALSE(IsAnswered(foreigner, endpoint));
}

TEST_P(AccessInstallationTest, AFailoverOpensNothing) {
  Groups groups(installation());
  ASSERT_TRUE(groups.MustCreate("orders", 2));
  const v1::Instance foreigner = Foreigner();
  const v1::Instance neighbour = Run({}, {});
  const std::string leader = groups.Leader("orders");
  ASSERT_TRUE(groups.SignalEngine(leader, SIGKILL));
  ASSERT_TRUE(groups.AwaitOtherLeader("orders", leader));
  EXPECT_TRUE(WaitUntil([&] { return IsAnswered(neighbour, groups.Primary("orders")); }));
  EXPECT_FALSE(IsAnswered(foreigner, groups.Primary("orders")));
  ASSERT_TRUE(groups.AwaitWhole("orders", 2));
  EXPECT_FALSE(IsAnswered(foreigner, groups.Own(leader)));
}

// Like what the engines of ElastiCache are tied together by: no rule of the user's is needed.
TEST_P(AccessInstallationTest, ReplicationNeedsNoRule) {
  Groups groups(installation());
  v1::RevokeSecurityGroupIngressRequest request;
  const std::string group = DefaultGroup(DefaultVpc());
  request.set_group_id(group);
  v1::IpPermission* own = request.add_ip_permissions();
  own->set_ip_protocol("-1");
  own->add_user_id_group_pairs()->set_group_id(group);
  v1::RevokeSecurityGroupIngressResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(network().RevokeSecurityGroupIngress(&context, request, &response).ok());
  EXPECT_TRUE(groups.MustCreate("orders", 3));
}

TEST_P(AccessInstallationTest, ATerminatedInstanceIsNobody) {
  const v1::Endpoint endpoint =
      installation().MustCreate("cache-1", "redis").cache_nodes(0).endpoint();
  const v1::Instance instance = Run({}, {});
  ASSERT_TRUE(WaitUntil([&] { return IsAnswered(instance, endpoint); }));
  const auto client = ClientOf(instance, endpoint);
  ASSERT_EQ(client->Do({"PING"}), "PONG");
  v1::TerminateInstancesRequest request;
  request.add_instance_ids(instance.instance_id());
  v1::TerminateInstancesResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(network().TerminateInstances(&context, request, &response).ok());
  EXPECT_TRUE(WaitUntil([&] { return client->Do({"PING"}) == "(gone)"; }));
  const std::string& netns = instance.network_namespace();
  EXPECT_TRUE(WaitUntil(
      [&] { return netns.empty() ? !IsAnswered(instance, endpoint) : !InodeOfNetns(netns); }));
  EXPECT_THAT(Explain(instance.loopback_address(), endpoint).explanation(),
              HasSubstr("is no instance"));
}

// What it is told is what it can use, wherever it is.
TEST_P(AccessInstallationTest, AnInstanceDiscoversNodesThatItReaches) {
  const v1::CacheCluster pages = installation().MustCreate("pages", "memcached", 2, "cross-az");
  const v1::Instance instance = Run({}, {});
  const v1::Endpoint& endpoint = pages.configuration_endpoint();
  ASSERT_TRUE(WaitUntil([&] { return IsAnswered(instance, endpoint); }));
  InInstance(instance, [&] {
    const Discovered found = Discover(endpoint);
    EXPECT_EQ(found.nodes.size(), 2u);
    for (const v1::Endpoint& node : found.nodes) {
      EXPECT_TRUE(WaitUntil([&] { return MemcachedClient(node).Set("k", "v"); })) << node.address();
      const bool is_real = node.address().starts_with("172.31.");
      EXPECT_EQ(is_real, GetParam() == Mode::kNamespaces) << node.address();
    }
  });
}

class DropInstallationTest : public AccessInstallationTest {
 protected:
  InstallationOptions Options() override {
    InstallationOptions options = AccessInstallationTest::Options();
    for (auto* flags : {&options.control_plane_flags, &options.agent_flags}) {
      flags->insert(flags->end(), {"--deny", "drop"});
    }
    return options;
  }
  static bool IsLeftWaiting(const v1::Instance& instance, const v1::Endpoint& endpoint) {
    const bool by_address = instance.network_namespace().empty();
    const Ip4 from = by_address ? *ParseIp4(instance.loopback_address()) : Ip4{};
    bool waits = false;
    InInstance(instance, [&] {
      waits = integration::IsLeftWaiting(
          from, {*ParseIp4(endpoint.address()), static_cast<uint16_t>(endpoint.port())});
    });
    return waits;
  }
  v1::EndpointStatus CountsOf(const v1::Endpoint& endpoint) {
    grpc::ClientContext context;
    v1::DescribeEndpointsResponse response;
    EXPECT_TRUE(installation().emulator().DescribeEndpoints(&context, {}, &response).ok());
    for (const v1::EndpointStatus& status : response.endpoints()) {
      if (status.endpoint().address() == endpoint.address()) return status;
    }
    return {};
  }
};

TEST_P(DropInstallationTest, WhoMayNotConnectIsLeftWaiting) {
  const v1::Endpoint endpoint =
      installation().MustCreate("cache-1", "redis").cache_nodes(0).endpoint();
  const v1::Instance neighbour = Run({}, {});
  const v1::Instance foreigner = Foreigner();
  const v1::Instance stranger = Run({}, {CreateGroup(DefaultVpc(), "clients")});
  EXPECT_TRUE(WaitUntil([&] { return IsAnswered(neighbour, endpoint); }));
  EXPECT_TRUE(IsLeftWaiting(foreigner, endpoint));
  EXPECT_TRUE(IsLeftWaiting(stranger, endpoint));
  EXPECT_TRUE(WaitUntil([&] { return CountsOf(endpoint).connections_dropped_by_rules() > 0; }));
  // From another namespace nothing arrives that could be counted.
  const bool arrives = GetParam() == Mode::kLoopback;
  EXPECT_TRUE(
      WaitUntil([&] { return !arrives || CountsOf(endpoint).connections_dropped_outside() > 0; }));
}

INSTANTIATE_TEST_SUITE_P(Modes, DropInstallationTest, ::testing::ValuesIn(Modes()),
                         [](const auto& mode) {
                           return mode.param == Mode::kLoopback ? "Loopback" : "Namespaces";
                         });
INSTANTIATE_TEST_SUITE_P(Modes, AccessInstallationTest, ::testing::ValuesIn(Modes()),
                         [](const auto& mode) {
                           return mode.param == Mode::kLoopback ? "Loopback" : "Namespaces";
                         });

}  // namespace
}  // namespace ec::integration
