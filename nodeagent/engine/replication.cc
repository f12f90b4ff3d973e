#include "nodeagent/engine/replication.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>
#include <vector>

#include "common/unix_socket.h"
#include "nodeagent/engine/replies.h"

namespace ec::engine {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;
using std::chrono::milliseconds;

// An engine that has not done all by then counts as not reached.
constexpr Duration kSessionMax = milliseconds(1000);
// The part of that for which an offset is waited for.
constexpr Duration kQuestionMax = milliseconds(400);
constexpr Duration kQuestionEvery = milliseconds(1);
// How long the writes of a paused leader wait: as long as nobody looks at it again, at most.
constexpr int kPauseMs = 3000;
// How long followers are waited for that do not catch up.
constexpr int kProofMs = 100;
constexpr size_t kReplyBytesMax = 1 << 20;

constexpr const char* kLook = "INFO replication\r\n";
// Nobody listens there. A message is the one thing that moves the offset and writes no key.
constexpr const char* kGateChannel = "__emucache_gate__";

bool Contains(const std::vector<Address>& addresses, const Address& address) {
  return std::ranges::find(addresses, address) != addresses.end();
}

}  // namespace

// One look at one engine, over a connection of its own. An engine works through its connections in
// the order in which they spoke, so that what a cancelled session has asked for comes first.
class Replicator::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(asio::io_context& io, host::SyncReplication sync, Done done)
      : sync_(std::move(sync)), socket_(io), deadline_(io), pause_(io), done_(std::move(done)) {}

  void Begin(asio::io_context& io, UniqueFd socket) {
    const bool is_there = static_cast<bool>(socket);
    if (is_there) socket_.assign(socket.release());
    deadline_.expires_after(is_there ? kSessionMax : Duration(0));
    deadline_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->Finish(false);
    });
    if (!is_there) return;
    const auto self = shared_from_this();
    asio::co_spawn(
        io, [self]() -> awaitable<void> { self->Finish(co_await self->Run()); }, asio::detached);
  }

  // Leaves it at that; nobody is told.
  void Cancel() {
    done_ = nullptr;
    Close();
  }

 private:
  bool WantsMaster() const { return !sync_.spec || sync_.spec->leads; }
  bool WantsPause() const { return sync_.spec && sync_.spec->leads && sync_.spec->paused; }
  bool IsAsWanted() const {
    if (WantsMaster()) return info_.is_master;
    return !info_.is_master && info_.master == sync_.spec->leader;
  }

  // Each gives back whether it has succeeded.
  awaitable<bool> Run();
  awaitable<bool> TakeRole();
  awaitable<bool> Prove();
  awaitable<bool> Answer();
  // Sends commands of which the last one is a look, and takes that look's answer in.
  awaitable<bool> Say(std::string commands, size_t count);
  awaitable<bool> Hear(size_t count);

  void Finish(bool ok);
  void Close();

  const host::SyncReplication sync_;
  asio::posix::stream_descriptor socket_;
  asio::steady_timer deadline_;
  asio::steady_timer pause_;
  Done done_;
  std::array<char, 4096> buffer_;
  std::string received_;
  std::vector<RedisReply> replies_;  // to what was said last
  ReplicationInfo info_;             // what the engine said last of itself
  ReplicationReport seen_;
};

awaitable<bool> Replicator::Session::Run() {
  if (!co_await TakeRole() || !IsAsWanted()) co_return false;
  seen_.epoch = sync_.spec ? sync_.spec->epoch : 0;
  if (!co_await Prove() || !co_await Answer() || !IsAsWanted()) co_return false;
  seen_.leads = info_.is_master;
  seen_.link_up = info_.link_up;
  seen_.offset = info_.offset;
  co_return true;
}

// A promotion is one round trip: it is not asked first what the engine is.
awaitable<bool> Replicator::Session::TakeRole() {
  const bool promotes = !sync_.look_only && WantsMaster() && !sync_.seen.leads;
  if (promotes) {
    if (!co_await Say(fmt::format("REPLICAOF NO ONE\r\n{}", kLook), 2)) co_return false;
  } else {
    if (!co_await Say(kLook, 1)) co_return false;
  }
  if (sync_.look_only) co_return true;
  std::string commands;
  size_t count = 1;
  if (!IsAsWanted()) {
    const Address leader = WantsMaster() ? Address{} : sync_.spec->leader;
    commands += WantsMaster()
                    ? std::string("REPLICAOF NO ONE\r\n")
                    : fmt::format("REPLICAOF {} {}\r\n", ToString(leader.ip), leader.port);
    ++count;
  }
  if (WantsPause()) {
    commands += fmt::format("CLIENT PAUSE {} WRITE\r\n", kPauseMs);
    ++count;
  } else if (sync_.seen.paused) {
    commands += "CLIENT UNPAUSE\r\n";
    ++count;
  }
  if (count == 1) co_return true;
  // The look comes after the pause: the offset stays as it is then.
  if (!co_await Say(commands + kLook, count)) co_return false;
  seen_.paused = WantsPause() && !replies_[count - 2].is_error;
  co_return true;
}

// A follower that is "online" may still be without the stream. It is in sync once it has
// acknowledged what the leader sent after having seen it online.
awaitable<bool> Replicator::Session::Prove() {
  if (!sync_.spec || !sync_.spec->leads) co_return true;
  const bool same_epoch = sync_.seen.epoch == sync_.spec->epoch;
  const uint64_t proved = same_epoch ? sync_.seen.proof : 0;
  std::vector<Address> in_sync;
  size_t online = 0;
  for (const ReplicationInfo::Follower& follower : info_.followers) {
    if (!follower.online || !Contains(sync_.spec->followers, follower.address)) continue;
    ++online;
    if (same_epoch && Contains(sync_.seen.in_sync, follower.address)) {
      in_sync.push_back(follower.address);
    }
  }
  const bool asked = sync_.spec->proof > proved;
  seen_.proof = proved;
  if (!sync_.look_only && !seen_.paused && (asked || in_sync.size() < online)) {
    // While writes are paused the message would wait, too.
    int64_t mark = info_.offset;
    if (online > 0) {
      const std::string commands = fmt::format("PUBLISH {} {}\r\n{}WAIT {} {}\r\n{}", kGateChannel,
                                               sync_.spec->proof, kLook, online, kProofMs, kLook);
      if (!co_await Say(commands, 4)) co_return false;
      const auto before = ParseReplicationInfo(replies_[1].text);
      if (!before || replies_[0].is_error) co_return false;
      mark = before->offset;
    }
    if (asked) in_sync.clear();
    seen_.proof = std::max(sync_.spec->proof, proved);
    for (const ReplicationInfo::Follower& follower : info_.followers) {
      if (!follower.online || follower.offset < mark) continue;
      if (!Contains(sync_.spec->followers, follower.address)) continue;
      if (!Contains(in_sync, follower.address)) in_sync.push_back(follower.address);
    }
  }
  std::ranges::sort(in_sync);
  seen_.in_sync = std::move(in_sync);
  co_return true;
}

awaitable<bool> Replicator::Session::Answer() {
  if (sync_.ask == 0) co_return true;
  const int looks_max = static_cast<int>(kQuestionMax / kQuestionEvery);
  for (int i = 0; info_.offset < sync_.at_least && i < looks_max; ++i) {
    pause_.expires_after(kQuestionEvery);
    error_code error;
    co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error || !co_await Say(kLook, 1)) co_return false;
  }
  if (info_.offset >= sync_.at_least) seen_.answers = sync_.ask;
  co_return true;
}

awaitable<bool> Replicator::Session::Say(std::string commands, size_t count) {
  error_code error;
  co_await asio::async_write(socket_, asio::buffer(commands),
                             asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return false;
  replies_.clear();
  if (!co_await Hear(count)) co_return false;
  const auto info = ParseReplicationInfo(replies_.back().text);
  if (info) info_ = *info;
  co_return info.has_value();
}

awaitable<bool> Replicator::Session::Hear(size_t count) {
  while (replies_.size() < count) {
    error_code error;
    const size_t got = co_await socket_.async_read_some(
        asio::buffer(buffer_), asio::redirect_error(asio::use_awaitable, error));
    if (error || received_.size() > kReplyBytesMax) co_return false;
    received_.append(buffer_.data(), got);
    std::string_view rest = received_;
    while (replies_.size() < count) {
      std::optional<RedisReply> reply = TakeRedisReply(&rest);
      if (!reply) break;
      replies_.push_back(std::move(*reply));
    }
    received_ = std::string(rest);
  }
  co_return true;
}

void Replicator::Session::Finish(bool ok) {
  const Done done = std::exchange(done_, nullptr);
  Close();
  if (!done) return;
  host::ReplicationSynced synced{sync_.id, sync_.launch, sync_.turn, ok, {}};
  if (ok) synced.seen = seen_;
  done(synced);
}

void Replicator::Session::Close() {
  deadline_.cancel();
  pause_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

Replicator::~Replicator() {
  for (const auto& [id, session] : sessions_) {
    if (const auto running = session.lock()) running->Cancel();
  }
}

void Replicator::Sync(const host::SyncReplication& sync, const std::string& socket_path,
                      Done done) {
  std::weak_ptr<Session>& slot = sessions_[sync.id];
  if (const auto old = slot.lock()) old->Cancel();
  const auto session = std::make_shared<Session>(io_, sync, std::move(done));
  slot = session;
  session->Begin(io_, ConnectUnix(socket_path));
}

}  // namespace ec::engine
