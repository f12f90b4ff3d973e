// The engines of one host: starts them, watches them die, kills them, finds them again.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/process.h"
#include "nodeagent/core/host_machine.h"
#include "nodeagent/engine/member_directory.h"
#include "nodeagent/engine/programs.h"
#include "nodeagent/engine/snapshot_files.h"

namespace ec::engine {

// Used on the thread that runs `io`; what takes time (writing files, forking, removing directories)
// is done on threads of its own. What came of it is told through `tell`, on io's thread.
class EngineHost {
 public:
  using Tell = std::function<void(const host::Input&)>;

  EngineHost(boost::asio::io_context& io, std::string members, Machine machine,
             std::map<EngineKind, Program> programs, SnapshotFiles files, Tell tell);
  ~EngineHost();  // the engines go on

  // What is there at the start of the agent; running engines are watched from then on.
  std::vector<host::Found> Adopt();

  void Start(const host::StartEngine& start);
  void Kill(const host::KillEngine& kill);
  void Pause(const host::PauseEngine& pause);
  void Remove(const host::RemoveMember& removal);

  // Gives a running engine other certificates, if its specification has any; it has to be told to
  // read them. False: they could not be written.
  bool ReplaceCertificate(const MemberSpec& spec) const;

  std::string SocketPath(MemberId id) const;   // any thread
  std::string PassingPath(MemberId id) const;  // any thread
  std::string DirectoryOf(MemberId id) const;  // any thread
  // Processor time used by the member's engine so far, in clock ticks; 0 when there is none.
  uint64_t ProcessorTime(MemberId id) const;

 private:
  struct Watched {
    ProcessId process;
    uint64_t launch = 0;
    std::unique_ptr<boost::asio::posix::stream_descriptor> pidfd;
  };

  Status PlaceSeed(const host::StartEngine& start) const;
  void Watch(MemberId id, uint64_t launch, const ProcessId& process, UniqueFd pidfd);
  void OnExit(MemberId id, uint64_t launch);
  // Nothing happens when that launch is over.
  void Signal(MemberId id, uint64_t launch, int signal, std::string_view what);

  boost::asio::io_context& io_;
  const std::string members_;
  const Machine machine_;
  const std::map<EngineKind, Program> programs_;
  const SnapshotFiles files_;  // what members may begin with
  const Tell tell_;
  std::map<MemberId, Watched> watched_;
  boost::asio::thread_pool workers_;
};

// Stops the engines of a host in order while no agent runs there: a Redis saves its data first,
// which the next launch loads. With `discard` nothing is saved. kUnavailable names the members
// whose engines could not be stopped; those go on running.
Status StopEngines(const std::string& members, bool discard, Duration timeout);

}  // namespace ec::engine
