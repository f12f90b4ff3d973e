#include "nodeagent/endpoint/connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

namespace ec::endpoint {
namespace {

// Buffers that a connection may move in one direction before another one gets its turn.
constexpr int kBuffersPerTurn = 4;

// Whether the process that listened on the other end of this unix socket is dead or just dying.
// Of a TCP connection's other end nothing is known.
bool PeerIsDead(int socket) {
  ucred peer{};
  socklen_t length = sizeof(peer);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return true;
  if (peer.pid == 0) return false;
  // A dying process gives up its memory, and with it the link to its program, before its files,
  // and it was the closing of its files that has brought us here.
  char letter = 0;
  const std::string program = "/proc/" + std::to_string(peer.pid) + "/exe";
  return readlink(program.c_str(), &letter, sizeof(letter)) < 0 && errno != EACCES;
}

}  // namespace

Connection::Connection(Ip4 client_ip, bool in_netns, std::shared_ptr<Endpoint> endpoint)
    : client_ip_(client_ip), endpoint_(std::move(endpoint)) {
  if (endpoint_->replies() == nullptr) return;
  filter_ = std::make_unique<DiscoveryFilter>(
      [this, in_netns] { return endpoint_->replies(in_netns); }, DrawToken);
}

bool Connection::SetEffect(WireEffect effect, Instant now) {
  effect.refuse = false;  // that is for those to come
  if (effect == (wire_ ? wire_->effect() : WireEffect())) return false;
  if (wire_) {
    wire_->Change(effect, now);
  } else {
    wire_ = std::make_unique<FaultyWire>(effect, static_cast<uint64_t>(client_.fd()));
  }
  return true;
}

Connection::Progress Connection::Pump(Workbench* bench) {
  if (wire_) now_ = bench->clock.now().instant;
  if (is_in_blackhole()) {
    if (client_.PeerIsGone()) end_ = End::kClientLeft;
    return end_ == End::kNone ? Progress::kWaits : Progress::kEnded;
  }
  client_.Flush();
  engine_.Flush();
  for (int i = 0; i < kBuffersPerTurn && CanFeedWire(); ++i) FeedWire(bench);
  for (int i = 0; i < kBuffersPerTurn && CanTakeFromClient(); ++i) TakeFromClient(bench);
  for (int i = 0; i < kBuffersPerTurn && CanTakeFromEngine(); ++i) TakeFromEngine(bench);
  for (int i = 0; i < kBuffersPerTurn && CanDeliver(); ++i) {
    client_.Send(wire_->Take(Direction::kOut, now_, bench->buffer.size()));
  }
  end_ = FindEnd();
  if (end_ != End::kNone) return Progress::kEnded;
  PassEndsOn();
  if (wire_ && wire_->is_over()) wire_.reset();
  const bool goes_on = CanFeedWire() || CanTakeFromClient() || CanTakeFromEngine() || CanDeliver();
  return goes_on ? Progress::kGoesOn : Progress::kWaits;
}

Instant Connection::NextWake() const {
  if (!wire_ || wire_->blackhole()) return Instant::max();
  const Instant in = IsTakenFromClient() ? wire_->next(Direction::kIn) : Instant::max();
  const Instant out = client_.has_pending() ? Instant::max() : wire_->next(Direction::kOut);
  return std::min(in, out);
}

void Connection::Doom() {
  doomed_ = true;
  engine_.Close();
  attempt.reset();
}

// Whether bytes of the client's, if there were any, could go on.
bool Connection::IsTakenFromClient() const {
  if (engine_.has_pending() || engine_.peer_closed()) return false;
  // Without a filter, the bytes of a held connection stay where they are, in the kernel.
  if (filter_ == nullptr) return engine_.is_open();
  // The filter may have an answer for the client.
  return !filter_->full() && (wire_ ? wire_->room(Direction::kOut) > 0 : !client_.has_pending());
}

bool Connection::CanTakeFromClient() const {
  if (!IsTakenFromClient()) return false;
  if (!untaken_.empty()) return true;
  return wire_ ? wire_->HasArrived(Direction::kIn, now_) : client_.can_receive();
}

void Connection::TakeFromClient(Workbench* bench) {
  std::string arrived;
  std::string_view bytes = untaken_;
  if (bytes.empty() && wire_) {
    bytes = arrived = wire_->Take(Direction::kIn, now_, bench->buffer.size());
  } else if (bytes.empty()) {
    bytes = ReceiveFromClient(bench->buffer);
  }
  if (bytes.empty()) return;
  if (filter_ == nullptr) {
    bench->gathers ? engine_.SendSoon(bytes) : engine_.Send(bytes);
    return;
  }
  const DiscoveryFilter::Passage passage = filter_->FromClient(bytes, &bench->scratch);
  SendToClient(passage.to_client);
  engine_.Send(passage.to_engine);
  untaken_ = std::string(bytes.substr(passage.taken));
}

std::string_view Connection::ReceiveFromClient(std::span<char> buffer) {
  const std::string_view bytes = client_.Receive(buffer);
  endpoint_->tally().relayed_bytes_in.fetch_add(bytes.size(), std::memory_order_relaxed);
  return bytes;
}

bool Connection::CanTakeFromEngine() const {
  if (!engine_.is_open() || !engine_.can_receive()) return false;
  return wire_ ? wire_->room(Direction::kOut) > 0 : !client_.has_pending();
}

void Connection::TakeFromEngine(Workbench* bench) {
  std::span<char> buffer = bench->buffer;
  if (wire_) buffer = buffer.first(std::min(buffer.size(), wire_->room(Direction::kOut)));
  const std::string_view bytes = engine_.Receive(buffer);
  endpoint_->tally().relayed_bytes_out.fetch_add(bytes.size(), std::memory_order_relaxed);
  if (filter_ == nullptr && bench->gathers && !wire_) return client_.SendSoon(bytes);
  SendToClient(filter_ == nullptr ? bytes : filter_->FromEngine(bytes, &bench->scratch));
  if (engine_.ended() && filter_ != nullptr) SendToClient(filter_->TakeKeptBack());
}

void Connection::SendToClient(std::string_view bytes) {
  if (wire_) {
    wire_->Put(Direction::kOut, now_, bytes);
  } else {
    client_.Send(bytes);
  }
}

bool Connection::CanFeedWire() const {
  return wire_ && client_.can_receive() && (engine_.is_open() || filter_ != nullptr) &&
         wire_->room(Direction::kIn) > 0;
}

void Connection::FeedWire(Workbench* bench) {
  std::span<char> buffer = bench->buffer;
  buffer = buffer.first(std::min(buffer.size(), wire_->room(Direction::kIn)));
  wire_->Put(Direction::kIn, now_, ReceiveFromClient(buffer));
}

bool Connection::CanDeliver() const {
  return wire_ && !client_.has_pending() && wire_->HasArrived(Direction::kOut, now_);
}

Connection::End Connection::FindEnd() const {
  if (client_.failed()) return End::kClientLeft;
  if (wire_ && wire_->is_worn_out() && !client_.has_pending() && !engine_.has_pending()) {
    return End::kFault;
  }
  const bool client_served =
      client_.ended() && InIsEmpty() && untaken_.empty() && !engine_.has_pending();
  if (!engine_.is_open()) {
    // A client that has gone is not worth waiting for an engine, unless it has left commands. Then
    // it may only have shut down its writing side, and may wait for the reply.
    const bool gone = filter_ == nullptr ? client_.PeerIsGone() : client_served;
    return gone && !ClientHasPending() ? End::kClientLeft : End::kNone;
  }
  if (!engine_.ended() || ClientHasPending()) return End::kNone;
  if (client_served) return End::kClientLeft;
  if (!engine_.peer_closed()) return End::kNone;  // it has shut down its writing side only
  return PeerIsDead(engine_.fd()) ? End::kEngineDied : End::kEngineClosed;
}

void Connection::PassEndsOn() {
  if (!engine_.is_open()) return;
  if (client_.ended() && InIsEmpty() && untaken_.empty() && !engine_.has_pending()) {
    engine_.SendEnd();
  }
  if (engine_.ended() && !ClientHasPending()) client_.SendEnd();
}

void Connection::Close(bool reset) {
  const bool lost = engine_.failed() || engine_.has_pending() || !untaken_.empty() || !InIsEmpty();
  engine_.Close();
  attempt.reset();
  client_.Close(reset || lost);
}

}  // namespace ec::endpoint
