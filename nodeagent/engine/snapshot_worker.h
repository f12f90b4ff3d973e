// Does a host's tasks with snapshots, on threads of its own that yield to everything else.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "nodeagent/core/host_machine.h"
#include "nodeagent/engine/snapshot_files.h"

namespace ec::engine {

// Used on the thread that runs `io`, where `tell` is called, too.
class SnapshotWorker {
 public:
  using Tell = std::function<void(const host::TaskNews&)>;
  // The engine's socket, log and data file, in the member's directory.
  using DirectoryOf = std::function<std::string(MemberId)>;

  SnapshotWorker(boost::asio::io_context& io, SnapshotFiles files, DirectoryOf directory_of,
                 Tell tell);
  ~SnapshotWorker();  // what is under way is given up

  void Start(const SnapshotTask& task);
  void Cancel(uint64_t task);

 private:
  using Cancelled = std::shared_ptr<std::atomic<bool>>;

  void Run(const SnapshotTask& task, const std::string& directory, const Cancelled& cancelled);
  TaskReport Do(const SnapshotTask& task, const std::string& directory,
                const SnapshotFiles::Progress& progress);
  Result<SnapshotFacts> BackUp(const SnapshotTask& task, const std::string& directory,
                               const SnapshotFiles::Progress& progress);
  void Say(TaskReport report);

  boost::asio::io_context& io_;
  const SnapshotFiles files_;
  const DirectoryOf directory_of_;
  const Tell tell_;
  std::map<uint64_t, Cancelled> running_;
  std::mutex files_mutex_;              // guards the next
  std::map<SnapshotFile, int> in_use_;  // by the task that is at it
  std::condition_variable files_freed_;
  boost::asio::thread_pool workers_;
};

}  // namespace ec::engine
