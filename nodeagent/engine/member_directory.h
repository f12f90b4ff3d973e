// One member's directory: the engine's files, who runs in it, and what was kept.
//
//   members/17/  engine.conf engine.sock engine.log dump.rdb   the engine's
//                login          how the agent logs in to a Redis
//                netcard.sock   where accepted connections are passed to it
//                netcard.so     the library that does so, a link
//                tls.pem ca.pem key and certificate of an engine that speaks TLS; who signed it
//                launch.json    the newest launch: engine, generation, number, resumed
//                process        "pid start-time" of its process, written by the process itself
//                seed.rdb       what the next launch begins with, if anything
//                kept.json      the launch that was stopped in order; consumed by the next one
//
// Who runs is also told by two things that no lost file can take away: a lock on the directory that
// lasts as long as the engine or a child of it, and a tag in the process's environment. So there
// are never two engines in one directory, and a running one is always found again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/host_plan.h"
#include "common/process.h"
#include "common/status.h"
#include "nodeagent/core/host_machine.h"
#include "nodeagent/engine/programs.h"
#include "nodeagent/engine/recipe.h"
#include "nodeagent/engine/spawn.h"

namespace ec::engine {

class MemberDirectory {
 public:
  // `members` is the directory of all members. Nothing is touched yet.
  MemberDirectory(const std::string& members, MemberId id);

  const std::string& path() const { return path_; }
  std::string socket_path() const { return path_ + "/" + kSocketName; }
  std::string passing_path() const { return path_ + "/" + kPassingName; }

  // Launches the engine. Without `load_kept` whatever data lies there is removed first, and a seed,
  // if its specification has one, takes its place: it must have been put there.
  // kUnavailable: the program cannot be started, the disk is full, or an engine runs here already;
  // or it is to speak TLS, and cannot be made to speak nothing else.
  Result<Spawned> Start(const host::StartEngine& start, const Program& program,
                        const Machine& machine);

  // Puts other certificates in the place of a running engine's, which it has yet to be told.
  bool ReplaceCertificate(const TlsSpec& tls) const;

  // The engine that runs here, if any; nullopt also while only a leftover child of one does.
  std::optional<ProcessId> FindEngine() const;

  // What an agent that has just started should know of it; nullopt when it holds nothing.
  std::optional<host::Found> Look() const;

  // Notes that the engine of the newest launch was stopped in order. Durable.
  Status MarkKept();

  // Removes the directory. False when something runs in it still, or it cannot be removed.
  bool Remove();

 private:
  struct Launch {
    EngineKind engine = EngineKind::kRedis;
    uint64_t generation = 0;
    uint64_t launch = 0;
    bool resumed = false;
  };

  Status WriteFiles(const host::StartEngine& start, const Recipe& recipe) const;
  std::optional<Launch> ReadLaunch() const;
  std::optional<Launch> LaunchOf(pid_t pid) const;  // from the tag in its environment
  std::vector<pid_t> Tagged() const;                // processes that carry this directory's tag
  std::string DirectoryTag() const;
  UniqueFd TryLock() const;  // a descriptor of the directory with its lock; empty when it is held

  const MemberId id_;
  const std::string path_;
};

// The members that have a directory.
std::vector<MemberId> ListMembers(const std::string& members);

}  // namespace ec::engine
