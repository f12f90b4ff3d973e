// Makes the connections of the processes behind a connect filter, so that they come from an
// instance.
//
// connect() to an address of a VPC is made here, on the process's own socket (pidfd_getfd), from
// the instance's address, and its result is handed back. So nothing that the process does to its
// memory meanwhile can lead the connection elsewhere. All other calls are left to the kernel, as
// they stand: this gives a process its place in the network, and is no wall around it.
//
// Nothing here waits for a connection: a blocking socket's connect() is begun without blocking,
// and the process waits until it has come to an end.
#pragma once

#include <linux/seccomp.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/instance_route.h"
#include "common/clock.h"
#include "common/unique_fd.h"

namespace ec::cli {

class ConnectSupervisor {
 public:
  // `note` is given what the user should know, each thing once.
  ConnectSupervisor(InstanceNetwork network, UniqueFd listener,
                    std::function<void(const std::string&)> note);

  // Readable when Turn() has something to do.
  int fd() const { return epoll_.get(); }
  // Whether Turn() has to be called every few milliseconds, too.
  bool is_waiting() const { return !pending_.empty(); }
  // Does what has come up. Never blocks.
  void Turn();

 private:
  // One call of connect().
  struct Call {
    uint64_t id = 0;
    pid_t thread = 0;
    int fd = -1;
    uint64_t address = 0;
    uint64_t size = 0;
  };
  // One that has begun, on a blocking socket.
  struct Attempt {
    UniqueFd socket;
    Route route;
    pid_t thread = 0;
    Instant deadline;  // by the socket's own SO_SNDTIMEO
  };

  void TakeCall();
  void Serve(const Call& call);
  UniqueFd SocketOf(const Call& call, int* error);
  int BindTo(const Route& route, const Call& call, int socket);
  void Begin(const Call& call, Attempt attempt);
  void GoOn(uint64_t id);
  void End(uint64_t id, int error);
  void LookThrough();

  bool IsAlive(uint64_t id) const;
  void LetContinue(uint64_t id);
  void Finish(uint64_t id, int error);
  void Send(seccomp_notif_resp response) const;
  void Listen(bool on);
  void NoteOnce(const std::string& text);

  const InstanceNetwork network_;
  const UniqueFd listener_;
  const std::function<void(const std::string&)> note_;
  const SystemClock clock_;
  size_t pending_max_ = 0;
  UniqueFd epoll_;
  std::vector<char> buffer_;             // as large as the kernel makes its notifications
  std::map<uint64_t, Attempt> pending_;  // by the id of the call
  Instant looked_;
  std::vector<std::string> notes_;
};

}  // namespace ec::cli
