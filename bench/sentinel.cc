#include "bench/sentinel.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/integration/clients.h"

namespace ec::bench {
namespace {

using integration::Child;
using integration::RedisClient;
using std::chrono::milliseconds;

constexpr size_t kCount = 3;

v1::Endpoint Local(uint16_t port) {
  v1::Endpoint endpoint;
  endpoint.set_address("127.0.0.1");
  endpoint.set_port(port);
  return endpoint;
}

size_t Count(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

}  // namespace

std::vector<std::string> SentinelGroup::Settings() {
  return {"down-after-milliseconds 300", "failover-timeout 1000", "parallel-syncs 2"};
}

SentinelGroup::SentinelGroup() {
  servers_.resize(kCount);
  sentinels_.resize(kCount);
  for (Server& server : servers_) server.endpoint = Local(FreePort());
  for (Server& sentinel : sentinels_) sentinel.endpoint = Local(FreePort());
  for (size_t i = 0; i < kCount; ++i) {
    StartServer(i, i == 0 ? std::nullopt : std::optional(servers_[0].endpoint));
  }
  for (size_t i = 0; i < kCount; ++i) StartSentinel(i);
  if (!AwaitWhole()) throw std::runtime_error("the Sentinels did not agree on a master");
}

void SentinelGroup::StartServer(size_t index, const std::optional<v1::Endpoint>& master) {
  Server& server = servers_[index];
  const std::string dir = fmt::format("{}/server-{}", scratch_.path(), index);
  std::filesystem::create_directories(dir);
  // The same as in emucache's engines, as far as replication goes.
  std::vector<std::string> arguments = {"--port",
                                        std::to_string(server.endpoint.port()),
                                        "--bind",
                                        "127.0.0.1",
                                        "--dir",
                                        dir,
                                        "--save",
                                        "",
                                        "--repl-diskless-sync",
                                        "no",
                                        "--repl-diskless-sync-delay",
                                        "0"};
  if (master) {
    arguments.insert(arguments.end(), {"--replicaof", fmt::format("127.0.0.1 {}", master->port())});
  }
  server.process = Child(Must("redis-server"), arguments, dir + "/out");
}

void SentinelGroup::StartSentinel(size_t index) {
  Server& sentinel = sentinels_[index];
  const std::string file = fmt::format("{}/sentinel-{}.conf", scratch_.path(), index);
  std::ofstream conf(file);
  conf << fmt::format("port {}\nbind 127.0.0.1\ndir {}\n", sentinel.endpoint.port(),
                      scratch_.path());
  conf << fmt::format("sentinel monitor m 127.0.0.1 {} 2\n", servers_[0].endpoint.port());
  for (const std::string& setting : Settings()) {
    const size_t space = setting.find(' ');
    conf << fmt::format("sentinel {} m {}\n", setting.substr(0, space), setting.substr(space + 1));
  }
  conf.close();
  sentinel.process = Child(Must("redis-server"), {file, "--sentinel"}, file + ".out");
}

std::optional<v1::Endpoint> SentinelGroup::Master() const {
  for (const Server& sentinel : sentinels_) {
    RedisClient client(sentinel.endpoint, milliseconds(500));
    const std::string answer = client.Do({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", "m"});
    for (const Server& server : servers_) {
      if (answer.find(std::to_string(server.endpoint.port())) != std::string::npos) {
        return server.endpoint;
      }
    }
  }
  return std::nullopt;
}

bool SentinelGroup::IsWhole() const {
  const auto master = Master();
  if (!master) return false;
  const std::string roles = RedisClient(*master, milliseconds(500)).Do({"INFO", "replication"});
  if (roles.find("role:master") == std::string::npos || Count(roles, "state=online") != 2) {
    return false;
  }
  for (const Server& sentinel : sentinels_) {
    RedisClient client(sentinel.endpoint, milliseconds(500));
    const std::string view = client.Do({"INFO", "sentinel"});
    const bool agrees = view.find(fmt::format("status=ok,address=127.0.0.1:{},slaves=2,sentinels=3",
                                              master->port())) != std::string::npos;
    if (!agrees) return false;
  }
  return true;
}

bool SentinelGroup::AwaitWhole() {
  return integration::WaitUntil(
      [this] {
        CheckInterrupted();
        return IsWhole();
      },
      std::chrono::seconds(40));
}

Child& SentinelGroup::MasterProcess() {
  const auto master = Master();
  if (!master) throw std::runtime_error("the Sentinels know no master");
  for (Server& server : servers_) {
    if (server.endpoint.port() == master->port()) return server.process;
  }
  throw std::runtime_error("the Sentinels name a master that is none of ours");
}

void SentinelGroup::Repair() {
  for (size_t i = 0; i < kCount; ++i) {
    if (!servers_[i].process.running()) StartServer(i, Master());
  }
}

}  // namespace ec::bench
