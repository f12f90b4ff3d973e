#include "tests/cli/network_support.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <filesystem>

#include "common/check.h"

namespace ec::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kPatienceMilliseconds = 10'000;

std::string SourceOf(const sockaddr_in& name) {
  char text[INET_ADDRSTRLEN] = {};
  EC_CHECK(inet_ntop(AF_INET, &name.sin_addr, text, sizeof(text)) != nullptr);
  return text;
}

// A bound TCP socket, and its port.
UniqueFd Bind(const std::string& ip, int* port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  EC_CHECK(inet_pton(AF_INET, ip.c_str(), &name.sin_addr) == 1);
  socklen_t size = sizeof(name);
  EC_CHECK(bind(fd.get(), reinterpret_cast<sockaddr*>(&name), size) == 0);
  EC_CHECK(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0);
  *port = ntohs(name.sin_port);
  return fd;
}

}  // namespace

void AddInstances(FakeService* service) {
  service->instances = [](const auto& request, auto* response) {
    for (const std::string id : {kInstance, "i-gone"}) {
      const bool wanted = request.instance_ids_size() == 0 || request.instance_ids(0) == id;
      if (!wanted) continue;
      v1::Instance* instance = response->add_instances();
      instance->set_instance_id(id);
      instance->mutable_state()->set_name(id == kInstance ? "running" : "terminated");
      instance->set_vpc_id("vpc-1");
      instance->set_private_ip_address("10.0.1.9");
      instance->set_loopback_address(kSource);
    }
    if (response->instances_size() > 0) return grpc::Status::OK;
    return AwsError("InvalidInstanceID.NotFound",
                    "The instance ID '" + request.instance_ids(0) + "' does not exist");
  };
  service->vpcs = [](const auto&, auto* response) {
    v1::Vpc* vpc = response->add_vpcs();
    vpc->set_vpc_id("vpc-1");
    vpc->set_cidr_block("10.0.0.0/16");
    vpc->set_loopback_cidr_block("127.77.0.0/16");
    return grpc::Status::OK;
  };
}

Listener::Listener(const std::string& ip, bool silent) : socket_(Bind(ip, &port_)) {
  if (silent) {
    sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    const sock_fprog program = {1, &drop};
    EC_CHECK(setsockopt(socket_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ==
             0);
  }
  EC_CHECK(listen(socket_.get(), 4096) == 0);
}

std::vector<std::string> Listener::Sources() {
  std::vector<std::string> sources;
  sockaddr_in peer = {};
  socklen_t size = sizeof(peer);
  while (const UniqueFd one{accept(socket_.get(), reinterpret_cast<sockaddr*>(&peer), &size)}) {
    sources.push_back(SourceOf(peer));
  }
  return sources;
}

UniqueFd Listener::Accept(std::string* source) {
  pollfd poller{socket_.get(), POLLIN, 0};
  poll(&poller, 1, kPatienceMilliseconds);
  sockaddr_in peer = {};
  socklen_t size = sizeof(peer);
  UniqueFd one(accept4(socket_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC));
  if (one && source != nullptr) *source = SourceOf(peer);
  return one;
}

std::string ClosedPort(const std::string& ip) {
  int port = 0;
  Bind(ip, &port);
  return std::to_string(port);
}

std::string WhyNoInstanceRun(const std::string& err) {
  for (const char* refusal : {"cannot watch the command's", "cannot take the command's"}) {
    if (err.find(refusal) != std::string::npos) return "the kernel does not allow it: " + err;
  }
  return {};
}

bool IsRunning(const std::string& text) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::string words = ReadAll(entry.path().string() + "/cmdline");
    std::ranges::replace(words, '\0', ' ');
    if (words.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace ec::cli
