// One relayed connection: a client's socket, the engine's, and the bytes between them. Used by one
// thread, the relay's that owns it.
//
//   held --an engine was found--> carried --both ends, or a failure--> ended
//     \------------- the client went away, or it was held too long ----^
//
// Memory is bounded: from either side no more is read than the other takes, but for one buffer. An
// end passes on like bytes: a client that has shut down its writing side still gets its reply.
//
// While faults act on its path, bytes from and to the client pass through a FaultyWire. In a black
// hole nothing moves at all, whatever becomes of the engine, until the hole is gone.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/time.h"
#include "common/unique_fd.h"
#include "nodeagent/endpoint/discovery_filter.h"
#include "nodeagent/endpoint/endpoint.h"
#include "nodeagent/endpoint/faulty_wire.h"
#include "nodeagent/endpoint/stream.h"

namespace ec::endpoint {

// What a relay's thread lends to the connection that it works on.
struct Workbench {
  std::vector<char> buffer = std::vector<char>(64 * 1024);
  DiscoveryFilter::Scratch scratch;
  const SystemClock clock{};
  // Small pieces are put by, and sent by the next Pump(), which comes soon without this.
  bool gathers = false;
};

class Connection {
 public:
  enum class Progress {
    kWaits,   // for an event
    kGoesOn,  // there is more to do at once, but it is another connection's turn
    kEnded,   // see end()
  };
  enum class End {
    kNone,
    kClientLeft,
    kEngineClosed,  // as engines do after QUIT, for example
    kEngineDied,
    kFault,  // a fault resets it here
  };

  // Held. Looks for discovery commands if the endpoint has answers to them.
  Connection(Ip4 client_ip, bool in_netns, std::shared_ptr<Endpoint> endpoint);

  // Begins to watch the sockets; the epoll events carry &client() or &engine(). False if that
  // cannot be done.
  bool OpenClient(UniqueFd client, int epoll) { return client_.Open(std::move(client), epoll); }
  bool OpenEngine(UniqueFd engine, int epoll) { return engine_.Open(std::move(engine), epoll); }

  // Moves what can be moved, for a bounded time.
  Progress Pump(Workbench* bench);

  // Faults do this to it from now on; false if they already did. Pump() is due then.
  bool SetEffect(WireEffect effect, Instant now);
  bool is_in_blackhole() const { return wire_ && wire_->blackhole(); }
  // When Pump() is to be called again even without an event; Instant::max(): never.
  Instant NextWake() const;
  // Lets go of the engine, without the client's noticing. REQUIRES: is_in_blackhole()
  void Doom();
  bool is_doomed() const { return doomed_; }

  // Closes both sockets. With `reset`, or if the engine has not taken all that the client sent, the
  // client sees a reset.
  void Close(bool reset);

  Stream& client() { return client_; }
  const Stream& client() const { return client_; }
  Stream& engine() { return engine_; }
  bool is_held() const { return !engine_.is_open(); }
  bool is_closed() const { return !client_.is_open(); }
  End end() const { return end_; }
  Ip4 client_ip() const { return client_ip_; }
  const std::shared_ptr<Endpoint>& endpoint() const { return endpoint_; }

  // The relay's own notes.
  std::list<Connection>::iterator place;   // among all of its connections
  Instant held_until;                      // meaningful while it is held
  std::optional<Destination> destination;  // nullopt while it is held
  UniqueFd attempt;  // a connection to `attempted` that is being made, while it is held
  Destination attempted;
  Instant attempt_until;
  bool in_turn = false;           // waits for its next turn
  bool is_waiting = false;        // for an engine, among the held ones
  Instant wake = Instant::max();  // when it is woken

 private:
  using Direction = FaultyWire::Direction;

  bool CanTakeFromClient() const;
  bool IsTakenFromClient() const;
  void TakeFromClient(Workbench* bench);
  std::string_view ReceiveFromClient(std::span<char> buffer);
  bool CanTakeFromEngine() const;
  void TakeFromEngine(Workbench* bench);
  void SendToClient(std::string_view bytes);
  bool CanFeedWire() const;
  void FeedWire(Workbench* bench);
  bool CanDeliver() const;
  bool InIsEmpty() const { return !wire_ || wire_->empty(Direction::kIn); }
  bool ClientHasPending() const {
    return client_.has_pending() || (wire_ && !wire_->empty(Direction::kOut));
  }
  End FindEnd() const;
  void PassEndsOn();

  const Ip4 client_ip_;
  const std::shared_ptr<Endpoint> endpoint_;
  Stream client_{this};
  Stream engine_{this};                      // not open while the connection is held
  std::unique_ptr<DiscoveryFilter> filter_;  // null: the bytes are not looked at
  std::string untaken_;               // received from the client, not yet taken by the filter
  std::unique_ptr<FaultyWire> wire_;  // null: no fault acts on it
  Instant now_;                       // of this Pump(), with a wire
  bool doomed_ = false;
  End end_ = End::kNone;
};

}  // namespace ec::endpoint
