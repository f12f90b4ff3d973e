// Watches the processes of leaders whose hosts are not heard, and ends them when it is told to:
// with the certainty that an engine has ended, another one may lead.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "common/process.h"
#include "common/unique_fd.h"
#include "controlplane/core/commands.h"
#include "controlplane/core/fencing.h"

namespace ec::server {

class ProcessWatch {
 public:
  using Tell = std::function<void(const core::EngineEnded&)>;

  // `tell` is called on the watch's own thread, once for each process that has ended.
  explicit ProcessWatch(Tell tell);
  ~ProcessWatch();
  ProcessWatch(const ProcessWatch&) = delete;
  ProcessWatch& operator=(const ProcessWatch&) = delete;

  // Watches exactly these from now on. Any thread; cheap when nothing changes.
  void Conform(const std::vector<core::Fence>& fences);

 private:
  struct Watched {
    core::Fence fence;
    UniqueFd process;  // empty: it was gone when it was looked for
    bool told = false;
  };

  void Run();
  // Tells of those that have ended. Returns the descriptors of the others.
  std::vector<int> TellEnded();

  const Tell tell_;
  UniqueFd wake_;  // an eventfd: something has changed
  std::mutex mutex_;
  bool stopping_ = false;  // guarded by mutex_, as the following
  std::map<MemberId, Watched> watched_;
  std::thread thread_;
};

}  // namespace ec::server
