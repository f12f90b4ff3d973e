// What hosts are asked to do with snapshot files, and what they say came of it. Like all of a plan:
// a task is there until it is not needed any more, and doing it twice is harmless.
//
// A snapshot's file has a number that is never used again. Files lie in one directory that all
// hosts of the machine share, as S3 is shared by all of AWS's; buckets are directories beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/shared.h"

namespace ec {

using SnapshotFile = uint64_t;  // drawn from the counter of members and endpoints

enum class TaskKind {
  kBackup,  // a member's data becomes the file
  kCopy,    // another snapshot's file becomes the file
  kImport,  // an object of a bucket becomes the file
  kExport,  // the file becomes an object of a bucket
  kDrop,    // the file is removed, and what is left of an attempt to make it
};

std::string_view NameOf(TaskKind kind);  // "backup"
std::optional<TaskKind> ParseTaskKind(std::string_view name);

struct SnapshotTask {
  uint64_t id = 0;  // never used again
  TaskKind kind = TaskKind::kBackup;
  SnapshotFile file = 0;
  uint64_t member = 0;      // of kBackup
  SnapshotFile source = 0;  // of kCopy
  std::string sha256;       // of kCopy and kExport: what is read must have it
  std::string bucket;       // of kImport and kExport
  std::string key;          // the same
  friend bool operator==(const SnapshotTask&, const SnapshotTask&) = default;
};

// All of a host's tasks. Numbered: of two lists, the higher one is newer.
struct HostTasks {
  uint64_t revision = 0;
  std::vector<SnapshotTask> tasks;
  friend bool operator==(const HostTasks&, const HostTasks&) = default;
};
using SharedTasks = Shared<HostTasks>;

// What is known of a file that has been checked.
struct SnapshotFacts {
  int64_t bytes = 0;         // of the file
  int64_t memory_bytes = 0;  // that its data took in the engine
  int64_t keys = 0;
  std::string sha256;          // in hexadecimal
  std::string engine_version;  // of the engine that wrote it; empty when it does not say
  friend bool operator==(const SnapshotFacts&, const SnapshotFacts&) = default;
};

enum class TaskPhase { kRunning, kDone, kFailed };

struct TaskReport {
  uint64_t id = 0;
  TaskPhase phase = TaskPhase::kRunning;
  int percent = 0;      // of kRunning
  std::string trouble;  // of kFailed: why, in words that go on after a colon
  SnapshotFacts facts;  // of kDone, where a file was made
  friend bool operator==(const TaskReport&, const TaskReport&) = default;
};

// What a member begins with, instead of nothing: a snapshot's file, or an object of a bucket.
struct Seed {
  SnapshotFile file = 0;  // 0: the object
  std::string sha256;     // of the file; it is not loaded unless it has this
  std::string bucket;
  std::string key;
  std::string name;        // as people call it, for events and logs
  int64_t memory_max = 0;  // more than this is not taken
  friend bool operator==(const Seed&, const Seed&) = default;
};

}  // namespace ec
