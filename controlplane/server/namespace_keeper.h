// Keeps the network namespaces as the records' VPCs and instances are (controlplane/netns), on a
// thread of its own: what somebody else takes away comes back a few seconds later.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/status.h"
#include "controlplane/model/state.h"
#include "controlplane/netns/namespaces.h"

namespace ec::server {

// What there should be. i-localhost is this machine, in its own namespace.
std::vector<netns::VpcSpace> NamespacesOf(const model::Records& records);

class NamespaceKeeper {
 public:
  // With an empty prefix it does nothing, ever.
  NamespaceKeeper(std::string prefix, netns::Beyond beyond);
  ~NamespaceKeeper();  // leaves the namespaces as they are

  // Makes them, and returns when they are there or cannot be made. Call once, before the rest.
  Status Begin(const model::State& state);

  // To be called after every change; quick. One thread at a time.
  void Note(const model::State& state);

 private:
  void Run();

  const std::string prefix_;
  const netns::Beyond beyond_;
  uint64_t noted_ = 0;  // the revision of the newest network that has been looked at
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<netns::VpcSpace> wanted_;  // guarded by mutex_
  bool is_new_ = false;                  // the same
  bool stopping_ = false;                // the same
  std::thread thread_;
};

}  // namespace ec::server
