#include "bench/paths.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "common/unique_fd.h"

namespace ec::bench {
namespace {

using integration::Child;
using integration::Installation;
using integration::InstallationOptions;

// A port that was free a moment ago.
uint16_t FreePort() {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(name);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&name), size) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0) {
    throw std::runtime_error("no free port");
  }
  return ntohs(name.sin_port);
}

bool Accepts(const Target& target) {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_port = htons(target.port);
  inet_pton(AF_INET, target.ip.c_str(), &name.sin_addr);
  return connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)) == 0;
}

void AwaitAccept(const Target& target, const std::string& what) {
  if (!integration::WaitUntil([&] { return Accepts(target); })) {
    throw std::runtime_error(what + " did not start");
  }
}

std::string Must(const std::string& program) {
  const auto path = FindProgram(program);
  if (!path) throw std::runtime_error(program + " is not installed");
  return *path;
}

Target TargetOf(const v1::CacheCluster& cluster) {
  if (cluster.cache_nodes().empty()) throw std::runtime_error("a cluster did not come up");
  const v1::Endpoint& endpoint = cluster.cache_nodes(0).endpoint();
  return {endpoint.address(), static_cast<uint16_t>(endpoint.port())};
}

}  // namespace

std::string CarryName(const std::string& carry) { return "emucache, " + carry; }

std::string HaproxyName(int threads) {
  return fmt::format("HAProxy, {} thread{}", threads, threads == 1 ? "" : "s");
}

Paths::Paths(const Options& options, Report* report) {
  StartEngines();
  const bool knows_carry =
      MustRun({OwnProgram("ec-nodeagent"), "--help"}).output.find("--carry") != std::string::npos;
  for (const std::string& carry : options.carries) {
    if (carry == "default" || knows_carry) {
      StartInstallation(carry);
    } else {
      report->AddMissing(CarryName(carry),
                         "this ec-nodeagent has no --carry; its one way is measured as default");
    }
  }
  const auto haproxy = FindProgram("haproxy");
  for (const int threads : {1, 2}) {
    if (haproxy) {
      StartHaproxy(*haproxy, threads);
    } else {
      report->AddMissing(HaproxyName(threads), "haproxy is not installed: ./dev setup --bench");
    }
  }
}

bool Paths::Has(const std::string& name) const {
  return std::ranges::find(paths_, name, &Path::name) != paths_.end();
}

// Straight to engines of the same settings as the agents'. HAProxy has the better second hop, too:
// a unix socket.
void Paths::StartEngines() {
  Path direct{kDirect, {"127.0.0.1", FreePort()}, {"127.0.0.1", FreePort()}};
  const std::string dir = scratch_.path();
  children_.emplace_back(
      Must("redis-server"),
      std::vector<std::string>{"--port", std::to_string(direct.redis.port), "--bind", "127.0.0.1",
                               "--unixsocket", dir + "/redis.sock", "--save", "", "--dir", dir,
                               "--daemonize", "no"},
      dir + "/redis.out");
  AwaitAccept(direct.redis, "redis-server");
  const std::vector<std::string> common = {"-u", "root", "-U", "0", "-m", "512", "-t", "2"};
  std::vector<std::string> tcp = common;
  tcp.insert(tcp.end(), {"-l", "127.0.0.1", "-p", std::to_string(direct.memcached.port)});
  std::vector<std::string> unix_socket = common;
  unix_socket.insert(unix_socket.end(), {"-s", dir + "/memcached.sock"});
  children_.emplace_back(Must("memcached"), tcp, dir + "/memcached.out");
  children_.emplace_back(Must("memcached"), unix_socket, dir + "/memcached.out");
  AwaitAccept(direct.memcached, "memcached");
  paths_.push_back(direct);
}

void Paths::StartInstallation(const std::string& carry) {
  InstallationOptions options;
  options.zones = {"us-east-1a"};
  options.log_level = "info";
  if (carry != "default") options.agent_flags = {"--carry", carry};
  auto installation = std::make_unique<Installation>(options);
  std::string why;
  if (!installation->StartControlPlane(&why)) throw std::runtime_error(why);
  installation->StartAgent("us-east-1a");
  if (!installation->WaitForHosts()) throw std::runtime_error("the agent did not register");
  paths_.push_back({CarryName(carry), TargetOf(installation->MustCreate("r", "redis")),
                    TargetOf(installation->MustCreate("m", "memcached"))});
  installations_.push_back(std::move(installation));
}

void Paths::StartHaproxy(const std::string& program, int threads) {
  Path path{HaproxyName(threads), {"127.0.0.1", FreePort()}, {"127.0.0.1", FreePort()}};
  const std::string name = fmt::format("{}/haproxy-{}", scratch_.path(), threads);
  std::ofstream(name + ".cfg") << fmt::format(
      "global\n  nbthread {}\n  maxconn 4000\n"
      "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n"
      "listen redis\n  bind 127.0.0.1:{}\n  server engine unix@{}/redis.sock\n"
      "listen memcached\n  bind 127.0.0.1:{}\n  server engine unix@{}/memcached.sock\n",
      threads, path.redis.port, scratch_.path(), path.memcached.port, scratch_.path());
  children_.emplace_back(program, std::vector<std::string>{"-db", "-f", name + ".cfg"},
                         name + ".out");
  AwaitAccept(path.redis, "haproxy");
  AwaitAccept(path.memcached, "haproxy");
  paths_.push_back(path);
}

}  // namespace ec::bench
