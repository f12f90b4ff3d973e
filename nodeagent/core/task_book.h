// The host's tasks with snapshots: which are to be begun, and what became of them. Pure.
#pragma once

#include <map>
#include <vector>

#include "common/snapshot_work.h"

namespace ec::host {

class TaskBook {
 public:
  // From now on these are the tasks. What is not among them any more is forgotten.
  void Take(const SharedTasks& tasks);

  // Those that have not been begun by this agent; they count as begun.
  std::vector<SnapshotTask> Begin();
  // Those that have been begun and are not wanted any more, once.
  std::vector<uint64_t> End();

  // Whether it is news that hurries a report.
  bool Put(const TaskReport& report);
  std::vector<TaskReport> Reports() const;  // of all that have been begun

 private:
  std::map<uint64_t, SnapshotTask> wanted_;
  std::map<uint64_t, TaskReport> begun_;
  std::vector<uint64_t> ended_;
};

}  // namespace ec::host
