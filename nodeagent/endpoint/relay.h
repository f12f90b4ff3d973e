// Carries connections by copying bytes between the client's socket and the engine's: one thread,
// with an epoll of its own.
//
// A connection that finds no engine is held: every few milliseconds, and whenever its endpoint
// changes, the engine is looked for again, until the connection has been held for too long and is
// reset. One in a black hole (common/wire_fault.h) is neither served nor reset.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <latch>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "common/clock.h"
#include "common/host_plan.h"
#include "common/time.h"
#include "common/unique_fd.h"
#include "nodeagent/endpoint/connection.h"
#include "nodeagent/endpoint/endpoint.h"
#include "nodeagent/endpoint/inbox.h"
#include "nodeagent/endpoint/open_connections.h"
#include "nodeagent/endpoint/passer.h"

namespace ec::endpoint {

class Relay {
 public:
  // `engine_path` gives the path of an engine's unix socket; called on the relay's thread. By way
  // of `passer`, which outlives the relay, it reaches engines that speak TLS.
  Relay(Duration hold_max, EnginePath engine_path, Passer* passer);
  ~Relay();  // closes all connections
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Carries a client's connection until it ends. Any thread.
  void Carry(Client client, std::shared_ptr<Endpoint> endpoint);

  // Resets those connections of these endpoints that Carry() was called for before and that their
  // endpoint does not keep, then counts `done` down; from then on none of their bytes moves. The
  // held ones look for an engine at once. Any thread.
  void Cut(std::vector<std::shared_ptr<Endpoint>> endpoints, std::shared_ptr<std::latch> done);

  // What relays are asked to fill in: the clients of endpoints that have faults.
  struct Listing {
    explicit Listing(std::ptrdiff_t relays) : done(relays) {}
    std::latch done;
    std::mutex mutex;
    std::set<OpenConnection> clients;  // guarded by mutex
  };
  // Enters those of the connections that Carry() was called for before, then counts down. Any
  // thread.
  void List(std::shared_ptr<Listing> listing);

  // The connections that it carries or holds. Any thread.
  size_t open() const { return open_; }

 private:
  // Bounded by the server: one arrival for each connection that it has room for, and one call of
  // Conform() at a time.
  struct Arrival {
    Client client;
    std::shared_ptr<Endpoint> endpoint;
  };
  struct CutCommand {
    std::vector<std::shared_ptr<Endpoint>> endpoints;
    std::shared_ptr<std::latch> done;
  };
  struct StopCommand {};
  using Message = std::variant<Arrival, CutCommand, std::shared_ptr<Listing>, StopCommand>;

  void Run();
  int WaitMilliseconds();
  void ReadInbox();
  void Admit(Arrival arrival);
  // Looks for its engine, and holds it while there is none.
  void Seek(Connection& connection);
  void CutAll(const CutCommand& command);
  void CutOrKeep(Connection& connection);
  void Enter(Listing* listing) const;
  void GiveTurns();
  void Pump(Connection& connection);
  void SetWake(Connection& connection, Instant wake);
  void WakeDue();

  // Whether the engine was found, and is now connected.
  bool FindEngine(Connection& connection);
  bool TryToReach(Connection& connection, const Destination& destination);
  // A new connection to the engine that takes what the endpoint's clients send; empty: none.
  UniqueFd Reach(const Endpoint& endpoint, MemberId target);
  bool TakeAttempt(Connection& connection);
  void RetryHeld();
  void Refuse(Connection& connection);
  void Bury(Connection& connection, bool reset);
  void ForgetBuried();

  const Duration hold_max_;
  const EnginePath engine_path_;
  Passer* const passer_;
  const SystemClock clock_;
  Inbox<Message> inbox_;
  std::atomic<size_t> open_ = 0;

  // State below belongs to the thread.
  UniqueFd epoll_;
  bool stopping_ = false;
  Workbench bench_;
  std::list<Connection> connections_;
  std::list<Connection> buried_;       // closed, but perhaps still named by an event or a list
  std::vector<Connection*> held_;      // the oldest first
  std::vector<Connection*> in_turn_;   // have more to do
  std::vector<Connection*> gathered_;  // may have put bytes by
  Instant next_retry_;
  std::set<std::pair<Instant, Connection*>> wakes_;  // of those with something under way

  std::thread thread_;
};

}  // namespace ec::endpoint
