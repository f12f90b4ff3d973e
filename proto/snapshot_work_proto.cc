#include "proto/snapshot_work_proto.h"

#include <utility>

namespace ec {

void ToProto(const HostTasks& tasks, v1::HostTasks* out) {
  out->set_revision(tasks.revision);
  for (const SnapshotTask& task : tasks.tasks) {
    v1::SnapshotTask* const added = out->add_tasks();
    added->set_id(task.id);
    added->set_kind(std::string(NameOf(task.kind)));
    added->set_file(task.file);
    added->set_member(task.member);
    added->set_source(task.source);
    added->set_sha256(task.sha256);
    added->set_bucket(task.bucket);
    added->set_key(task.key);
  }
}

// One that cannot be understood is left out: who waits for it will give it up.
HostTasks FromProto(const v1::HostTasks& in) {
  HostTasks tasks;
  tasks.revision = in.revision();
  for (const v1::SnapshotTask& one : in.tasks()) {
    const auto kind = ParseTaskKind(one.kind());
    if (!kind) continue;
    tasks.tasks.push_back({.id = one.id(),
                           .kind = *kind,
                           .file = one.file(),
                           .member = one.member(),
                           .source = one.source(),
                           .sha256 = one.sha256(),
                           .bucket = one.bucket(),
                           .key = one.key()});
  }
  return tasks;
}

void ToProto(const TaskReport& report, v1::TaskReport* out) {
  out->set_id(report.id);
  out->set_phase(static_cast<v1::TaskReport::Phase>(report.phase));
  out->set_percent(report.percent);
  out->set_trouble(report.trouble);
  v1::SnapshotFacts* const facts = out->mutable_facts();
  facts->set_bytes(report.facts.bytes);
  facts->set_memory_bytes(report.facts.memory_bytes);
  facts->set_keys(report.facts.keys);
  facts->set_sha256(report.facts.sha256);
  facts->set_engine_version(report.facts.engine_version);
}

TaskReport FromProto(const v1::TaskReport& in) {
  TaskReport report;
  report.id = in.id();
  report.phase = v1::TaskReport::Phase_IsValid(in.phase()) ? static_cast<TaskPhase>(in.phase())
                                                           : TaskPhase::kFailed;
  report.percent = in.percent();
  report.trouble = in.trouble();
  report.facts = {.bytes = in.facts().bytes(),
                  .memory_bytes = in.facts().memory_bytes(),
                  .keys = in.facts().keys(),
                  .sha256 = in.facts().sha256(),
                  .engine_version = in.facts().engine_version()};
  return report;
}

void ToProto(const Seed& seed, v1::Seed* out) {
  out->set_file(seed.file);
  out->set_sha256(seed.sha256);
  out->set_bucket(seed.bucket);
  out->set_key(seed.key);
  out->set_name(seed.name);
  out->set_memory_max(seed.memory_max);
}

Seed FromProto(const v1::Seed& in) {
  return {.file = in.file(),
          .sha256 = in.sha256(),
          .bucket = in.bucket(),
          .key = in.key(),
          .name = in.name(),
          .memory_max = in.memory_max()};
}

}  // namespace ec
