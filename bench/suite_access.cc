// Who may connect: how long a verdict takes, and how soon a changed rule holds on every host.
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <memory>
#include <random>
#include <stdexcept>

#include "bench/run.h"
#include "common/access.h"
#include "common/tcp_socket.h"
#include "tests/integration/installation.h"

namespace ec::bench {
namespace {

using integration::Installation;
using integration::InstallationOptions;

constexpr int kRulesPerGroup = 50;

void MustBeOk(const grpc::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.error_message());
}

// --- the verdict alone ------------------------------------------------------------------------

Network LargeNetwork(int rules, int instances) {
  Network network;
  for (int i = 0; i < rules; ++i) {
    const std::string id = fmt::format("sg-{}", i / kRulesPerGroup);
    SecurityGroup& group = network.groups[id];
    group.id = id;
    group.vpc = "vpc-1";
    IngressRule& rule = group.ingress.emplace_back();
    rule.id = fmt::format("sgr-{}", i);
    if (i % 5 == 0) {
      rule.group = fmt::format("sg-{}", i % 97);
    } else {
      rule.block = Cidr{{0x0a000000u + static_cast<uint32_t>(i)}, 32};
    }
  }
  for (int i = 0; i < instances; ++i) {
    const auto number = static_cast<uint32_t>(i);
    network.instances.push_back({fmt::format("i-{}", i),
                                 "vpc-1",
                                 {0x7f0b0000u + number},
                                 {0x0a000000u + number * 7},
                                 {fmt::format("sg-{}", i % 200)}});
  }
  return network;
}

double MicrosecondsPerVerdict(const Network& network) {
  const auto sources = std::make_shared<const Sources>(network);
  Door door{"vpc-1", {}, 6379, {}};
  for (const char* const group : {"sg-1", "sg-7", "sg-40", "sg-120", "sg-199"}) {
    door.groups.emplace_back(group);
  }
  const Gate gate(network, sources, door);
  constexpr int kVerdicts = 200'000;
  std::minstd_rand random(1);
  size_t admitted = 0;
  const Stopwatch watch;
  for (int i = 0; i < kVerdicts; ++i) {
    const auto number = static_cast<uint32_t>(random() % network.instances.size());
    admitted += gate.Judge({0x7f0b0000u + number}).admitted() ? 1 : 0;
  }
  const double seconds = watch.seconds();
  if (admitted == 0) throw std::runtime_error("nobody was admitted");
  return seconds * 1e6 / kVerdicts;
}

// --- a change of rules, from the call to its effect ---------------------------------------------

class Changes {
 public:
  explicit Changes(int rules, int instances) : installation_(Settings()) {
    std::string why;
    if (!installation_.StartControlPlane(&why)) throw std::runtime_error(why);
    for (const char* const zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
      installation_.StartAgent(zone);
    }
    if (!installation_.WaitForHosts()) throw std::runtime_error("the agents did not register");
    for (const char* const zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
      CreateCluster(zone);
    }
    client_ = RunInstances(1).front();
    Fill(rules, instances);
  }

  // Milliseconds until the instance is admitted on all three hosts, and until none of its three
  // connections stands any more, each time from the call.
  void Round(std::vector<double>* opened, std::vector<double>* closed) {
    Stopwatch watch;
    Authorize();
    std::vector<UniqueFd> connections;
    for (const Address endpoint : endpoints_) {
      while (true) {
        CheckInterrupted();
        UniqueFd connection = Attempt(endpoint);
        if (connection) {
          connections.push_back(std::move(connection));
          break;
        }
      }
    }
    opened->push_back(watch.milliseconds());
    watch.Restart();
    Revoke();
    for (const UniqueFd& connection : connections) {
      char byte = 0;
      pollfd ended{.fd = connection.get(), .events = POLLIN, .revents = 0};
      if (poll(&ended, 1, 5000) != 1 || recv(connection.get(), &byte, 1, 0) > 0) {
        throw std::runtime_error("a connection was not closed");
      }
    }
    closed->push_back(watch.milliseconds());
  }

 private:
  static InstallationOptions Settings() {
    InstallationOptions options;
    options.log_level = "info";
    return options;
  }

  void CreateCluster(const std::string& zone) {
    v1::CreateCacheClusterRequest request;
    const std::string id = "cache-" + zone;
    request.set_cache_cluster_id(id);
    request.set_engine("redis");
    request.set_cache_node_type("cache.t3.micro");
    request.set_num_cache_nodes(1);
    request.set_preferred_availability_zone(zone);
    MustBeOk(installation_.Create(request));
    if (!installation_.WaitForStatus(id, "available")) throw std::runtime_error("no cluster");
    const auto cluster = installation_.Describe(id);
    const v1::Endpoint& endpoint = cluster->cache_nodes(0).endpoint();
    endpoints_.push_back({*ParseIp4(endpoint.address()), static_cast<uint16_t>(endpoint.port())});
  }

  // In a group of their own, so that they are admitted by no rule.
  std::vector<v1::Instance> RunInstances(int count) {
    if (group_.empty()) group_ = CreateGroup("clients");
    v1::RunInstancesRequest request;
    request.add_security_group_ids(group_);
    request.set_min_count(count);
    request.set_max_count(count);
    v1::RunInstancesResponse response;
    grpc::ClientContext context;
    MustBeOk(installation_.network().RunInstances(&context, request, &response));
    return {response.instances().begin(), response.instances().end()};
  }

  std::string CreateGroup(const std::string& name) {
    v1::CreateSecurityGroupRequest request;
    request.set_group_name(name);
    request.set_description("bench");
    v1::CreateSecurityGroupResponse response;
    grpc::ClientContext context;
    MustBeOk(installation_.network().CreateSecurityGroup(&context, request, &response));
    return response.group_id();
  }

  void Fill(int rules, int instances) {
    for (int done = 0; done < instances; done += 100) RunInstances(std::min(100, instances - done));
    for (int done = 0; done < rules; done += kRulesPerGroup) {
      v1::AuthorizeSecurityGroupIngressRequest request;
      request.set_group_id(CreateGroup(fmt::format("group-{}", done)));
      for (int i = done; i < std::min(rules, done + kRulesPerGroup); ++i) {
        v1::IpPermission* permission = request.add_ip_permissions();
        permission->set_ip_protocol("tcp");
        permission->set_from_port(6379);
        permission->set_to_port(6379);
        permission->add_ip_ranges()->set_cidr_ip(fmt::format("10.1.{}.{}/32", i / 256, i % 256));
      }
      v1::AuthorizeSecurityGroupIngressResponse response;
      grpc::ClientContext context;
      MustBeOk(installation_.network().AuthorizeSecurityGroupIngress(&context, request, &response));
    }
  }

  v1::IpPermission Rule() {
    v1::IpPermission permission;
    permission.set_ip_protocol("tcp");
    permission.set_from_port(6379);
    permission.set_to_port(6379);
    permission.add_ip_ranges()->set_cidr_ip(client_.private_ip_address() + "/32");
    return permission;
  }
  std::string DefaultGroup() {
    if (!default_group_.empty()) return default_group_;
    v1::DescribeSecurityGroupsRequest request;
    request.add_group_names("default");
    v1::DescribeSecurityGroupsResponse response;
    grpc::ClientContext context;
    MustBeOk(installation_.network().DescribeSecurityGroups(&context, request, &response));
    default_group_ = response.security_groups(0).group_id();
    return default_group_;
  }
  void Authorize() {
    v1::AuthorizeSecurityGroupIngressRequest request;
    request.set_group_id(DefaultGroup());
    *request.add_ip_permissions() = Rule();
    v1::AuthorizeSecurityGroupIngressResponse response;
    grpc::ClientContext context;
    MustBeOk(installation_.network().AuthorizeSecurityGroupIngress(&context, request, &response));
  }
  void Revoke() {
    v1::RevokeSecurityGroupIngressRequest request;
    request.set_group_id(DefaultGroup());
    *request.add_ip_permissions() = Rule();
    v1::RevokeSecurityGroupIngressResponse response;
    grpc::ClientContext context;
    MustBeOk(installation_.network().RevokeSecurityGroupIngress(&context, request, &response));
  }

  // A connection on which a PING was answered; empty: refused.
  UniqueFd Attempt(Address endpoint) {
    UniqueFd socket = ConnectTcp(endpoint, *ParseIp4(client_.loopback_address()));
    if (!socket) return socket;
    pollfd ready{.fd = socket.get(), .events = POLLOUT, .revents = 0};
    poll(&ready, 1, 1000);
    send(socket.get(), "PING\r\n", 6, MSG_NOSIGNAL);
    ready.events = POLLIN;
    poll(&ready, 1, 1000);
    char answer[16];
    if (recv(socket.get(), answer, sizeof(answer), 0) <= 0) socket.reset();
    return socket;
  }

  Installation installation_;
  std::vector<Address> endpoints_;
  std::string group_;
  std::string default_group_;
  v1::Instance client_;
};

}  // namespace

void RunAccess(const Options& options, Report* report) {
  const int rules = options.Size(10'000, 100);
  const int instances = options.Size(1000, 20);
  const Network network = LargeNetwork(10'000, 1000);
  std::vector<double> verdicts;
  for (int i = 0; i < options.Size(11, 1); ++i) verdicts.push_back(MicrosecondsPerVerdict(network));
  report->Add("verdict, with 10,000 rules and 1,000 instances", "us", verdicts, AtMost(5));
  const auto measure = [&](const std::string& of, int with_rules, int with_instances) {
    Changes changes(with_rules, with_instances);
    std::vector<double> opened;
    std::vector<double> closed;
    for (int i = 0; i < options.Size(50, 2); ++i) changes.Round(&opened, &closed);
    report->Add("rule added: admitted on all three hosts, " + of, "ms", opened, AtMost(50));
    report->Add("rule removed: all connections closed, " + of, "ms", closed, AtMost(50));
  };
  measure("nothing else", 0, 0);
  measure(fmt::format("with {} rules and {} instances", rules, instances), rules, instances);
  report->AddNote(
      "From the gRPC call to the effect that a client sees, on three hosts with a Redis each.");
}

}  // namespace ec::bench
