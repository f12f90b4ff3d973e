// The simulated hosts' work on snapshot files, and what engines begin with.
#include <fmt/format.h>

#include "tests/sim/world.h"

namespace ec::sim {

using std::chrono::milliseconds;

namespace {

// Stands for a SHA-256: different for whatever differs.
std::string DigestOf(const std::vector<uint64_t>& writes, const std::string& data) {
  uint64_t hash = 1469598103934665603u;
  const auto add = [&](uint64_t value) { hash = (hash ^ value) * 1099511628211u; };
  for (const uint64_t write : writes) add(write);
  for (const char c : data) add(static_cast<unsigned char>(c));
  return fmt::format("{:064x}", hash);
}

}  // namespace

// A task takes its time; what it makes is there at its end, or not at all. An agent that dies in
// between may have made it, and not have said so.
void World::BeginTask(SimHost& host, const SnapshotTask& task) {
  const HostId id = host.id;
  const uint64_t incarnation = host.incarnation;
  Trace(fmt::format("{} begins {} of file {}", id, NameOf(task.kind), task.file));
  File file;
  std::string trouble;
  const auto there = files.find(task.file);
  if (there != files.end() && task.kind == TaskKind::kBackup) {
    file = there->second;
  } else if (task.kind == TaskKind::kBackup) {
    const auto directory = host.disk.find(task.member);
    if (directory == host.disk.end() || !directory->second.process ||
        !directory->second.process->Answers(clock_.instant)) {
      trouble = "the engine does not run";
    } else {
      const Engine& engine = *directory->second.process;
      file = {engine.writes, engine.data, engine.stream_base, DigestOf(engine.writes, engine.data)};
    }
  } else if (task.kind == TaskKind::kCopy) {
    const auto source = files.find(task.source);
    const bool sound = source != files.end() && source->second.sha256 == task.sha256;
    if (sound) file = source->second;
    if (!sound) trouble = "the file of its source is damaged";
  } else if (task.kind != TaskKind::kDrop) {
    trouble = "there is no bucket";
  }
  if (trouble.empty() && task.kind != TaskKind::kDrop &&
      random_.Chance(faults_.disk_full_percent)) {
    trouble = "No space left on device";
  }
  const bool dies_silently = random_.Chance(50);
  const uint64_t launch =
      task.kind == TaskKind::kBackup && trouble.empty() ? host.disk.at(task.member).launch : 0;
  After(milliseconds(random_.Between(1, random_.Chance(80) ? 50 : 3000)), [=, this] {
    SimHost& h = hosts_.at(id);
    const bool lives = h.agent && h.incarnation == incarnation;
    if (!lives && !dies_silently) return;
    EndTask(h, task, launch, file, trouble);
  });
}

void World::EndTask(SimHost& host, const SnapshotTask& task, uint64_t launch, const File& file,
                    std::string trouble) {
  if (cancelled_tasks_.contains(task.id)) return;
  if (task.kind == TaskKind::kBackup && trouble.empty() && !files.contains(task.file)) {
    const auto directory = host.disk.find(task.member);
    const bool same = directory != host.disk.end() && directory->second.process &&
                      directory->second.launch == launch;
    if (!same) trouble = "the engine has gone";
  }
  TaskReport report{.id = task.id, .phase = TaskPhase::kDone};
  if (!trouble.empty()) {
    report.phase = TaskPhase::kFailed;
    report.trouble = trouble;
  } else if (task.kind == TaskKind::kDrop) {
    files.erase(task.file);
  } else if (task.kind != TaskKind::kExport) {
    files[task.file] = file;
    report.facts = {.bytes = static_cast<int64_t>(file.writes.size()) * 100,
                    .memory_bytes = static_cast<int64_t>(file.writes.size()) * 100,
                    .keys = static_cast<int64_t>(file.writes.size()),
                    .sha256 = file.sha256};
  }
  OnAgent(host.id, host.incarnation,
          [this, report](SimHost& h) { StepAgent(h, host::TaskNews{report}); });
}

// What the file has, if it is what was written once; nullptr otherwise.
const World::File* World::FindSeed(const Seed& seed) const {
  const auto found = files.find(seed.file);
  if (found == files.end()) return nullptr;
  const File& file = found->second;
  return DigestOf(file.writes, file.data) == seed.sha256 ? &file : nullptr;
}

bool World::Damage(SnapshotFile file) {
  const auto found = files.find(file);
  if (found == files.end()) return false;
  found->second.data += "!";
  return true;
}

}  // namespace ec::sim
