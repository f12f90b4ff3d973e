#include "nodeagent/core/task_book.h"

#include <utility>

namespace ec::host {

void TaskBook::Take(const SharedTasks& tasks) {
  wanted_.clear();
  if (tasks) {
    for (const SnapshotTask& task : tasks->tasks) wanted_[task.id] = task;
  }
  for (auto it = begun_.begin(); it != begun_.end();) {
    if (wanted_.contains(it->first)) {
      ++it;
      continue;
    }
    if (it->second.phase == TaskPhase::kRunning) ended_.push_back(it->first);
    it = begun_.erase(it);
  }
}

std::vector<SnapshotTask> TaskBook::Begin() {
  std::vector<SnapshotTask> tasks;
  for (const auto& [id, task] : wanted_) {
    if (begun_.contains(id)) continue;
    begun_[id].id = id;
    tasks.push_back(task);
  }
  return tasks;
}

std::vector<uint64_t> TaskBook::End() { return std::exchange(ended_, {}); }

bool TaskBook::Put(const TaskReport& report) {
  const auto found = begun_.find(report.id);
  if (found == begun_.end()) return false;  // nobody wants to know any more
  const bool news = found->second.phase != report.phase;
  found->second = report;
  return news;
}

std::vector<TaskReport> TaskBook::Reports() const {
  std::vector<TaskReport> reports;
  for (const auto& [id, report] : begun_) reports.push_back(report);
  return reports;
}

}  // namespace ec::host
