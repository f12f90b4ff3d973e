#include "nodeagent/endpoint/connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
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

Connection::Connection(Ip4 client_ip, std::shared_ptr<Endpoint> endpoint)
    : client_ip_(client_ip), endpoint_(std::move(endpoint)) {
  if (endpoint_->replies() == nullptr) return;
  filter_ = std::make_unique<DiscoveryFilter>([this] { return endpoint_->replies(); }, DrawToken);
}

Connection::Progress Connection::Pump(Workbench* bench) {
  client_.Flush();
  engine_.Flush();
  for (int i = 0; i < kBuffersPerTurn && CanTakeFromClient(); ++i) TakeFromClient(bench);
  for (int i = 0; i < kBuffersPerTurn && CanTakeFromEngine(); ++i) TakeFromEngine(bench);
  end_ = FindEnd();
  if (end_ != End::kNone) return Progress::kEnded;
  PassEndsOn();
  return CanTakeFromClient() || CanTakeFromEngine() ? Progress::kGoesOn : Progress::kWaits;
}

bool Connection::CanTakeFromClient() const {
  if (engine_.has_pending() || engine_.peer_closed()) return false;
  // Without a filter, the bytes of a held connection stay where they are, in the kernel.
  if (filter_ == nullptr) return engine_.is_open() && client_.can_receive();
  // The filter may have an answer for the client.
  if (client_.has_pending() || filter_->full()) return false;
  return !untaken_.empty() || client_.can_receive();
}

void Connection::TakeFromClient(Workbench* bench) {
  std::string_view bytes = untaken_;
  if (bytes.empty()) bytes = client_.Receive(bench->buffer);
  if (bytes.empty()) return;
  if (filter_ == nullptr) {
    engine_.Send(bytes);
    return;
  }
  const DiscoveryFilter::Passage passage = filter_->FromClient(bytes, &bench->scratch);
  client_.Send(passage.to_client);
  engine_.Send(passage.to_engine);
  untaken_ = std::string(bytes.substr(passage.taken));
}

bool Connection::CanTakeFromEngine() const {
  return engine_.is_open() && engine_.can_receive() && !client_.has_pending();
}

void Connection::TakeFromEngine(Workbench* bench) {
  const std::string_view bytes = engine_.Receive(bench->buffer);
  client_.Send(filter_ == nullptr ? bytes : filter_->FromEngine(bytes, &bench->scratch));
  if (engine_.ended() && filter_ != nullptr) client_.Send(filter_->TakeKeptBack());
}

Connection::End Connection::FindEnd() const {
  if (client_.failed()) return End::kClientLeft;
  const bool client_served = client_.ended() && untaken_.empty() && !engine_.has_pending();
  if (!engine_.is_open()) {
    // A client that has gone is not worth waiting for an engine, unless it has left commands. Then
    // it may only have shut down its writing side, and may wait for the reply.
    const bool gone = filter_ == nullptr ? client_.PeerIsGone() : client_served;
    return gone && !client_.has_pending() ? End::kClientLeft : End::kNone;
  }
  if (!engine_.ended() || client_.has_pending()) return End::kNone;
  if (client_served) return End::kClientLeft;
  if (!engine_.peer_closed()) return End::kNone;  // it has shut down its writing side only
  return PeerIsDead(engine_.fd()) ? End::kEngineDied : End::kEngineClosed;
}

void Connection::PassEndsOn() {
  if (!engine_.is_open()) return;
  if (client_.ended() && untaken_.empty() && !engine_.has_pending()) engine_.SendEnd();
  if (engine_.ended() && !client_.has_pending()) client_.SendEnd();
}

void Connection::Close(bool reset) {
  const bool lost = engine_.failed() || engine_.has_pending() || !untaken_.empty();
  engine_.Close();
  attempt.reset();
  client_.Close(reset || lost);
}

}  // namespace ec::endpoint
