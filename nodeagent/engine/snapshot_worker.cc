#include "nodeagent/engine/snapshot_worker.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <thread>
#include <utility>

#include "common/clock.h"
#include "common/crash_point.h"
#include "common/log.h"
#include "common/process.h"
#include "nodeagent/engine/recipe.h"
#include "nodeagent/engine/redis_talk.h"

namespace ec::engine {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

// Most of a task is waiting: for an engine that writes, or for the disk.
constexpr size_t kWorkers = 4;
// An engine that answers later than this, or gets nothing done for that long, is given up.
constexpr Duration kAnswerMax = std::chrono::seconds(10);
constexpr Duration kStandstillMax = std::chrono::minutes(2);
constexpr milliseconds kLookFirst{5};
constexpr milliseconds kLookEvery{100};
// Progress is told in steps of this many percent. Writing is the first part of a backup, and
// checking the second.
constexpr int kTellStep = 5;
constexpr int kWritingPercent = 60;

Status Unavailable(std::string message) { return {Fault::kUnavailable, std::move(message)}; }

int64_t NumberIn(const std::map<std::string, std::string>& fields, const std::string& name) {
  const auto found = fields.find(name);
  return found == fields.end() ? 0 : std::strtoll(found->second.c_str(), nullptr, 10);
}

// Why the engine could not write, as it says itself in its log.
std::string CauseIn(const std::string& log) {
  const std::string text = ReadFile(log).value_or("");
  for (const std::string_view mark :
       {"error saving DB on disk: ", "Failed opening the temp RDB file "}) {
    const size_t at = text.rfind(mark);
    if (at == std::string::npos) continue;
    const size_t begin = at + (mark.front() == 'e' ? mark.size() : 0);
    return text.substr(begin, text.find('\n', begin) - begin);
  }
  return "the engine's log says why";
}

// Has the engine write its data file, once, from a moment after this call on.
class Writing {
 public:
  Writing(const std::string& directory, const SnapshotFiles::Progress& progress)
      : log_(directory + "/engine.log"),
        talk_(directory + "/" + kSocketName),
        progress_(progress) {}

  Status Run() {
    moved_at_ = clock_.now().instant;
    EC_RETURN_IF_ERROR(Begin());
    CrashPoint("snapshot-begun");
    milliseconds pause = kLookFirst;
    for (;;) {
      EC_RETURN_IF_ERROR(Look());
      if (!busy_) break;
      EC_RETURN_IF_ERROR(Pause(pause));
      pause = std::min(pause * 2, kLookEvery);
    }
    if (saves_ > saves_before_ && ok_) return {};
    return Unavailable(fmt::format("the engine could not write it: {}", CauseIn(log_)));
  }

 private:
  // The engine may be at it already, for a replica: then this comes next.
  Status Begin() {
    for (;;) {
      EC_RETURN_IF_ERROR(Look());
      if (!busy_) {
        saves_before_ = saves_;
        Result<RedisReply> reply = talk_.Ask("BGSAVE", kAnswerMax);
        if (!reply.ok()) return reply.status();
        if (!reply->is_error) return {};
        const bool is_busy = reply->text.find("progress") != std::string::npos ||
                             reply->text.find("active") != std::string::npos;
        if (!is_busy) return Unavailable(fmt::format("the engine says: {}", reply->text));
      }
      EC_RETURN_IF_ERROR(Pause(kLookEvery / 2));
    }
  }

  Status Look() {
    Result<std::map<std::string, std::string>> info = talk_.Info("persistence", kAnswerMax);
    if (!info.ok()) return info.status();
    busy_ = NumberIn(*info, "rdb_bgsave_in_progress") != 0 || NumberIn(*info, "loading") != 0;
    saves_ = NumberIn(*info, "rdb_saves");
    ok_ = info->contains("rdb_last_bgsave_status") && info->at("rdb_last_bgsave_status") == "ok";
    const int64_t done = NumberIn(*info, "current_save_keys_processed");
    const int64_t total = std::max<int64_t>(NumberIn(*info, "current_save_keys_total"), 1);
    const int64_t moved = done + NumberIn(*info, "current_cow_size_age");
    const Instant now = clock_.now().instant;
    if (std::exchange(moved_, moved) != moved || !busy_) moved_at_ = now;
    if (now > moved_at_ + kStandstillMax) return Unavailable("the engine does not get on with it");
    if (progress_(static_cast<int>(std::min(done, total) * kWritingPercent / total))) return {};
    return Unavailable("it was given up");
  }

  Status Pause(milliseconds time) {
    std::this_thread::sleep_for(time);
    if (progress_(-1)) return {};
    return Unavailable("it was given up");
  }

  const SystemClock clock_;
  const std::string log_;
  RedisTalk talk_;
  const SnapshotFiles::Progress& progress_;
  bool busy_ = false;
  bool ok_ = false;
  int64_t saves_ = 0;
  int64_t saves_before_ = 0;
  int64_t moved_ = -1;
  Instant moved_at_;
};

TaskReport Ended(uint64_t id, const Result<SnapshotFacts>& result) {
  TaskReport report{.id = id, .phase = TaskPhase::kDone};
  if (result.ok()) {
    report.percent = 100;
    report.facts = *result;
  } else {
    report.phase = TaskPhase::kFailed;
    report.trouble = result.status().message();
  }
  return report;
}

}  // namespace

SnapshotWorker::SnapshotWorker(asio::io_context& io, SnapshotFiles files, DirectoryOf directory_of,
                               Tell tell)
    : io_(io),
      files_(std::move(files)),
      directory_of_(std::move(directory_of)),
      tell_(std::move(tell)),
      workers_(kWorkers) {
  files_.Sweep();
}

SnapshotWorker::~SnapshotWorker() {
  for (const auto& [id, cancelled] : running_) *cancelled = true;
  workers_.join();
}

void SnapshotWorker::Start(const SnapshotTask& task) {
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  running_[task.id] = cancelled;
  LogInfo("snapshot task begins",
          {{"task", task.id}, {"kind", NameOf(task.kind)}, {"file", task.file}});
  const std::string directory = task.member == 0 ? "" : directory_of_(task.member);
  asio::post(workers_, [this, task, directory, cancelled] { Run(task, directory, cancelled); });
}

void SnapshotWorker::Cancel(uint64_t task) {
  const auto found = running_.find(task);
  if (found == running_.end()) return;
  *found->second = true;
  running_.erase(found);
}

void SnapshotWorker::Run(const SnapshotTask& task, const std::string& directory,
                         const Cancelled& cancelled) {
  // On Linux this is about the calling thread alone.
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 19);
  // What is being given up lets go of the file before the next task takes it.
  {
    std::unique_lock lock(files_mutex_);
    files_freed_.wait(lock, [&] { return in_use_[task.file] == 0; });
    in_use_[task.file] = 1;
  }
  int told = 0;
  const SnapshotFiles::Progress progress = [&](int percent) {
    if (percent >= told + kTellStep) {
      told = percent;
      Say({.id = task.id, .percent = percent});
    }
    return !*cancelled;
  };
  const TaskReport report =
      *cancelled ? Ended(task.id, Unavailable("it was given up")) : Do(task, directory, progress);
  {
    const std::lock_guard lock(files_mutex_);
    in_use_.erase(task.file);
  }
  files_freed_.notify_all();
  Say(report);
}

void SnapshotWorker::Say(TaskReport report) {
  asio::post(io_, [this, report = std::move(report)] {
    if (report.phase != TaskPhase::kRunning) {
      running_.erase(report.id);
      LogInfo("snapshot task ends", {{"task", report.id},
                                     {"trouble", report.trouble},
                                     {"bytes", report.facts.bytes},
                                     {"keys", report.facts.keys}});
    }
    tell_(host::TaskNews{report});
  });
}

Result<SnapshotFacts> SnapshotWorker::BackUp(const SnapshotTask& task, const std::string& directory,
                                             const SnapshotFiles::Progress& progress) {
  // An earlier agent was done with it, and could not say so any more.
  if (const auto facts = files_.Find(task.file)) return *facts;
  EC_RETURN_IF_ERROR(Writing(directory, progress).Run());
  return files_.TakeIn(task.file, directory + "/" + kDataName, [&](int percent) {
    return progress(kWritingPercent + percent * (95 - kWritingPercent) / 100);
  });
}

TaskReport SnapshotWorker::Do(const SnapshotTask& task, const std::string& directory,
                              const SnapshotFiles::Progress& progress) {
  switch (task.kind) {
    case TaskKind::kBackup:
      return Ended(task.id, BackUp(task, directory, progress));
    case TaskKind::kCopy:
      return Ended(task.id, files_.Copy(task.file, task.source, task.sha256, progress));
    case TaskKind::kImport:
      return Ended(task.id, files_.Import(task.file, task.bucket, task.key, progress));
    case TaskKind::kExport: {
      const Status status = files_.Export(task.file, task.sha256, task.bucket, task.key, progress);
      return Ended(task.id, status.ok() ? Result<SnapshotFacts>(SnapshotFacts()) : status);
    }
    case TaskKind::kDrop:
      break;
  }
  const Status dropped = files_.Drop(task.file);
  return Ended(task.id, dropped.ok() ? Result<SnapshotFacts>(SnapshotFacts()) : dropped);
}

}  // namespace ec::engine
