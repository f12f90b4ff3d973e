#include "tests/integration/role_watch.h"

#include <poll.h>

#include <chrono>
#include <utility>

namespace ec::integration {
namespace {

constexpr size_t kConnections = 6;
constexpr std::chrono::milliseconds kPatience(200);

std::string RunId(RedisClient& client) {
  const std::string server = client.Do({"INFO", "server"});
  const size_t at = server.find("run_id:");
  return at == std::string::npos ? std::string() : server.substr(at + 7, 40);
}

}  // namespace

RoleWatch::RoleWatch(v1::Endpoint primary)
    : primary_(std::move(primary)), thread_([this] { Run(); }) {}

void RoleWatch::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void RoleWatch::Run() {
  while (!stopping_ && violation_.empty()) {
    Open();
    Look();
    ++looks_;
    poll(nullptr, 0, 3);
  }
}

void RoleWatch::Open() {
  Connection fresh{std::make_unique<RedisClient>(primary_, kPatience), {}};
  fresh.engine = RunId(*fresh.client);
  if (fresh.engine.empty()) return;
  if (connections_.size() >= kConnections) connections_.pop_back();
  // The oldest one stays in the back.
  connections_.push_front(std::move(fresh));
  if (connections_.size() == kConnections) {
    std::swap(connections_[kConnections - 2], connections_[kConnections - 1]);
  }
}

bool RoleWatch::Writes(Connection& connection) {
  return connection.client->Do({"SET", "role-watch", connection.engine}) == "OK";
}

// The newest first: an older engine that still takes a write after a newer one has taken one is a
// second leader. The other way round it is a change of leader between two looks.
void RoleWatch::Look() {
  std::string newest;
  for (auto it = connections_.begin(); it != connections_.end();) {
    if (!Writes(*it)) {
      it = connections_.erase(it);
      continue;
    }
    if (newest.empty()) newest = it->engine;
    if (it->engine != newest) {
      violation_ = "engine " + it->engine + " takes writes after engine " + newest;
      return;
    }
    ++it;
  }
}

}  // namespace ec::integration
