#include "controlplane/server/namespace_keeper.h"

#include <pthread.h>

#include <chrono>
#include <map>
#include <utility>

#include "common/log.h"

namespace ec::server {
namespace {

constexpr auto kLookEvery = std::chrono::seconds(3);

}  // namespace

std::vector<netns::VpcSpace> NamespacesOf(const model::Records& records) {
  std::map<std::string, netns::VpcSpace> spaces;
  for (const auto& [id, vpc] : records.vpcs) spaces[id] = {id, {vpc.block, vpc.slice}, {}};
  for (const auto& [id, instance] : records.instances) {
    if (id != model::kLocalhostInstance) {
      spaces.at(instance.vpc).instances.push_back({id, instance.address});
    }
  }
  std::vector<netns::VpcSpace> list;
  for (auto& [id, space] : spaces) list.push_back(std::move(space));
  return list;
}

NamespaceKeeper::NamespaceKeeper(std::string prefix, netns::Beyond beyond)
    : prefix_(std::move(prefix)), beyond_(beyond) {}

NamespaceKeeper::~NamespaceKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Status NamespaceKeeper::Begin(const model::State& state) {
  if (prefix_.empty()) return {};
  noted_ = state.access->revision;
  wanted_ = NamespacesOf(state.records);
  if (Status made = netns::Conform(prefix_, wanted_, beyond_); !made.ok()) return made;
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "namespaces");
  return {};
}

void NamespaceKeeper::Note(const model::State& state) {
  if (prefix_.empty() || state.access->revision == noted_) return;
  noted_ = state.access->revision;
  std::vector<netns::VpcSpace> wanted = NamespacesOf(state.records);
  {
    const std::lock_guard lock(mutex_);
    if (wanted == wanted_) return;
    wanted_ = std::move(wanted);
    is_new_ = true;
  }
  changed_.notify_one();
}

void NamespaceKeeper::Run() {
  std::string trouble;  // what was said last
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait_for(lock, kLookEvery, [this] { return is_new_ || stopping_; });
    if (stopping_) return;
    is_new_ = false;
    const std::vector<netns::VpcSpace> wanted = wanted_;
    lock.unlock();
    const std::string now = netns::Conform(prefix_, wanted, beyond_).message();
    if (now != trouble && !now.empty()) LogWarning("network namespaces", {{"why", now}});
    trouble = now;
    lock.lock();
  }
}

}  // namespace ec::server
