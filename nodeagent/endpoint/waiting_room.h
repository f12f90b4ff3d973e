// Where admitted connections wait that cannot be handed over at once, on one thread:
//
//   first bytes --other than a discovery command--> held --the engine takes it--> handed over
//        \------- a discovery command ------\          \--it takes no sockets--> relayed
//                                            relayed     \--none for too long--> reset
//
// What a client sends meanwhile stays in the kernel: first bytes are looked at and not taken. A
// client that sends nothing waits as long as it likes; Memcached does not speak first either. A
// connection for which there is no engine is held for a limited time; one that finds the engine's
// queue full waits until there is room, as it would in a listener's backlog. One that comes under a
// fault goes to the relay, which acts it out.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <latch>
#include <list>
#include <memory>
#include <thread>
#include <variant>
#include <vector>

#include "common/clock.h"
#include "common/host_plan.h"
#include "common/time.h"
#include "common/unique_fd.h"
#include "nodeagent/endpoint/endpoint.h"
#include "nodeagent/endpoint/inbox.h"
#include "nodeagent/endpoint/passer.h"

namespace ec::endpoint {

class WaitingRoom {
 public:
  using ToRelay = std::function<void(Client, std::shared_ptr<Endpoint>)>;

  // `engine_path` gives the path of an engine's own unix socket, by which one is known that runs
  // but takes no sockets. `passer` outlives the room. `to_relay` is called on the room's thread.
  WaitingRoom(Duration hold_max, Passer* passer, EnginePath engine_path, ToRelay to_relay);
  ~WaitingRoom();  // resets all that wait
  WaitingRoom(const WaitingRoom&) = delete;
  WaitingRoom& operator=(const WaitingRoom&) = delete;

  // Any thread, as the following.
  void Enter(Client client, std::shared_ptr<Endpoint> endpoint);

  // Resets all connections of these endpoints that Enter() was called for before, that still wait
  // and that their endpoint does not keep, then counts `done` down. The others try their luck.
  void Cut(std::vector<std::shared_ptr<Endpoint>> endpoints, std::shared_ptr<std::latch> done);

  size_t open() const { return open_; }

 private:
  struct Guest {
    UniqueFd client;  // empty: it has left
    Ip4 ip;
    std::shared_ptr<Endpoint> endpoint;
    bool held = false;   // its first bytes are known, or do not matter
    bool ended = false;  // the client has sent its end
    Instant held_until = Instant::max();
    std::list<Guest>::iterator place;
  };
  // Bounded by the server, as the relay's.
  struct Arrival {
    Client client;
    std::shared_ptr<Endpoint> endpoint;
  };
  struct CutCommand {
    std::vector<std::shared_ptr<Endpoint>> endpoints;
    std::shared_ptr<std::latch> done;
  };
  struct StopCommand {};
  using Message = std::variant<Arrival, CutCommand, StopCommand>;

  void Run();
  int WaitMilliseconds();
  void ReadInbox();
  void Admit(Arrival arrival);
  void CutAll(const CutCommand& command);
  void OnEvent(Guest& guest, uint32_t events);
  void LookAtFirstBytes(Guest& guest);

  // From now on it waits for its engine.
  void Hold(Guest& guest);
  // Tries to get rid of a guest that is held. What the engine was like: with kPassed it has left.
  Passer::Outcome TryToPass(Guest& guest);
  // Where it is to go at this moment; 0: nowhere.
  static MemberId TargetOf(const Guest& guest);
  // Whether an engine runs there.
  bool EngineAnswers(MemberId target) const;
  void RetryHeld();

  void Relay(Guest& guest);
  void Leave(Guest& guest, bool reset);

  const Duration hold_max_;
  Passer* const passer_;
  const EnginePath engine_path_;
  const ToRelay to_relay_;
  const SystemClock clock_;
  Inbox<Message> inbox_;
  std::atomic<size_t> open_ = 0;

  // State below belongs to the thread.
  UniqueFd epoll_;
  bool stopping_ = false;
  std::list<Guest> guests_;
  std::list<Guest> gone_;     // left, but perhaps still named by an event or a list
  std::vector<Guest*> held_;  // the oldest first
  bool room_again_ = false;   // an engine has taken a socket after its queue was full
  Instant next_retry_;

  std::thread thread_;
};

}  // namespace ec::endpoint
