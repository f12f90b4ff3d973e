#include "bench/paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace ec::bench {
namespace {

using integration::Child;
using integration::Installation;
using integration::InstallationOptions;
using integration::Session;

Target TargetOf(const v1::CacheCluster& cluster) {
  if (cluster.cache_nodes().empty()) throw std::runtime_error("a cluster did not come up");
  const v1::Endpoint& endpoint = cluster.cache_nodes(0).endpoint();
  return {endpoint.address(), static_cast<uint16_t>(endpoint.port())};
}

std::string Threads(int count) { return fmt::format("{} thread{}", count, count == 1 ? "" : "s"); }

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> ArgumentsOf(pid_t pid) {
  std::istringstream line(ReadAll(fmt::format("/proc/{}/cmdline", pid)));
  std::vector<std::string> arguments;
  for (std::string one; std::getline(line, one, '\0');) arguments.push_back(one);
  return arguments;
}

}  // namespace

std::string RelayName(int threads) { return "emucache, relay, " + Threads(threads); }
std::string HaproxyName(int threads) { return "HAProxy, " + Threads(threads); }

Paths::Paths(Report* report) {
  StartInstallation(kDefault, {});
  for (const int threads : {1, 2}) {
    StartInstallation(RelayName(threads),
                      {"--carry", "relay", "--relay-threads", std::to_string(threads)});
  }
  StartEngines();
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

void Paths::StartInstallation(const std::string& name, std::vector<std::string> agent_flags) {
  InstallationOptions options;
  options.zones = {"us-east-1a"};
  options.log_level = "info";
  options.session = Session::kOwn;
  options.agent_flags = std::move(agent_flags);
  auto installation = std::make_unique<Installation>(options);
  std::string why;
  if (!installation->StartControlPlane(&why)) throw std::runtime_error(why);
  installation->StartAgent("us-east-1a");
  if (!installation->WaitForHosts()) throw std::runtime_error("the agent did not register");
  paths_.push_back({name, TargetOf(installation->MustCreate("r", "redis")),
                    TargetOf(installation->MustCreate("m", "memcached"))});
  installations_.push_back(std::move(installation));
}

// Straight to engines with the very settings of the agent's: what the comparison shows is the way
// to them alone. HAProxy has the better second hop, too: a unix socket.
void Paths::StartEngines() {
  Path direct{kDirect, {"127.0.0.1", FreePort()}, {"127.0.0.1", FreePort()}};
  Installation& model = *installations_.front();
  const auto memcached = model.EngineOf("m", "0001");
  if (!memcached) throw std::runtime_error("there is no memcached to take the settings from");
  StartRedis(ReadAll(model.MemberDirectoryOf("r", "0001") + "/engine.conf"), direct.redis.port);
  StartMemcached(ArgumentsOf(memcached->pid), direct.memcached.port);
  AwaitAccept(direct.redis, "redis-server");
  AwaitAccept(direct.memcached, "memcached");
  paths_.insert(paths_.begin(), direct);
}

// Of a directive that is there twice, Redis takes the last.
void Paths::StartRedis(const std::string& configuration, uint16_t port) {
  const std::string& dir = scratch_.path();
  std::ofstream(dir + "/redis.conf")
      << configuration
      << fmt::format("bind 127.0.0.1\nport {}\nunixsocket {}/redis.sock\ndir {}\n", port, dir, dir);
  children_.emplace_back(Must("redis-server"), std::vector<std::string>{dir + "/redis.conf"},
                         dir + "/redis.out", Session::kOwn);
}

// Memcached listens on TCP or on a unix socket, not on both: there are two.
void Paths::StartMemcached(const std::vector<std::string>& arguments, uint16_t port) {
  std::vector<std::string> common;
  for (size_t i = 1; i < arguments.size(); ++i) {
    const bool listens = arguments[i] == "-p" || arguments[i] == "-l" || arguments[i] == "-s" ||
                         arguments[i] == "-a";
    if (listens) {
      ++i;
    } else {
      common.push_back(arguments[i]);
    }
  }
  std::vector<std::string> tcp = common;
  tcp.insert(tcp.end(), {"-l", "127.0.0.1", "-p", std::to_string(port)});
  std::vector<std::string> unix_socket = common;
  unix_socket.insert(unix_socket.end(), {"-s", scratch_.path() + "/memcached.sock"});
  for (const auto& one : {tcp, unix_socket}) {
    children_.emplace_back(Must("memcached"), one, scratch_.path() + "/memcached.out",
                           Session::kOwn);
  }
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
                         name + ".out", Session::kOwn);
  AwaitAccept(path.redis, "haproxy");
  AwaitAccept(path.memcached, "haproxy");
  paths_.push_back(path);
}

}  // namespace ec::bench
