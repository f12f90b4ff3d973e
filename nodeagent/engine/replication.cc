#include "nodeagent/engine/replication.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "common/engine_login.h"
#include "common/unix_socket.h"
#include "nodeagent/engine/replies.h"

namespace ec::engine {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;

// An engine that has not done all by then counts as not reached.
constexpr Duration kSessionMax = milliseconds(1000);
// The part of that for which an offset is waited for.
constexpr Duration kQuestionMax = milliseconds(400);
constexpr Duration kQuestionEvery = milliseconds(1);
// How long the writes of a paused leader wait: as long as nobody looks at it again, at most.
constexpr int kPauseMs = 3000;
// How long followers are waited for that do not catch up: at first, so that the others are known
// soon, and later, so that those on slow links get their chance.
constexpr int kFirstProofMs = 100;
constexpr int kLaterProofMs = 500;
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
//
//   first look --> role and pause as wanted --> proof --> question --> done
class Replicator::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(asio::io_context& io, host::SyncReplication sync, EngineLogin login, Done done)
      : sync_(std::move(sync)),
        login_(std::move(login)),
        socket_(io),
        deadline_(io),
        pause_(io),
        done_(std::move(done)) {}

  void Begin(UniqueFd socket) {
    const bool is_there = static_cast<bool>(socket);
    deadline_.expires_after(is_there ? kSessionMax : Duration(0));
    deadline_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->Finish(false);
    });
    if (!is_there) return;
    socket_.assign(socket.release());
    LookFirst();
  }

  // Leaves it at that; nobody is told.
  void Cancel() {
    done_ = nullptr;
    Close();
  }

 private:
  using Step = void (Session::*)();

  bool WantsMaster() const { return !sync_.spec || sync_.spec->leads; }
  bool WantsPause() const { return sync_.spec && sync_.spec->leads && sync_.spec->paused; }
  bool IsAsWanted() const {
    if (WantsMaster()) return info_.is_master;
    return !info_.is_master && info_.master == sync_.spec->leader;
  }

  void LookFirst();
  void TakeRole();
  void NoteRole();
  void Prove();
  void NoteProof();
  void Answer();

  // Sends commands of which the last one is a look, takes that look's answer in, and goes on with
  // `next`. A failure is the end.
  void Say(std::string commands, size_t count, Step next);
  void Hear(size_t count, Step next);
  void Finish(bool ok);
  void Close();

  const host::SyncReplication sync_;
  const EngineLogin login_;
  asio::posix::stream_descriptor socket_;
  asio::steady_timer deadline_;
  asio::steady_timer pause_;
  Done done_;
  std::string commands_;
  std::array<char, 4096> buffer_;
  std::string received_;
  std::vector<RedisReply> replies_;  // to what was said last
  ReplicationInfo info_;             // what the engine said last of itself
  ReplicationReport seen_;
  std::optional<asio::steady_timer::time_point> question_end_;
};

// A promotion is one round trip: it is not asked first what the engine is.
void Replicator::Session::LookFirst() {
  if (!sync_.look_only && WantsMaster() && !sync_.seen.leads) {
    Say(fmt::format("{}{} NO ONE\r\n{}", login_.Greeting(), login_.Name("REPLICAOF"), kLook),
        login_.greetings() + 2, &Session::TakeRole);
  } else {
    Say(login_.Greeting() + kLook, login_.greetings() + 1, &Session::TakeRole);
  }
}

void Replicator::Session::TakeRole() {
  std::string commands;
  size_t count = 1;
  if (!sync_.look_only) {
    if (!IsAsWanted()) {
      commands += login_.Name("REPLICAOF");
      commands += WantsMaster() ? " NO ONE\r\n"
                                : fmt::format(" {} {}\r\n", ToString(sync_.spec->leader.ip),
                                              sync_.spec->leader.port);
      ++count;
    }
    if (WantsPause()) {
      commands += fmt::format("CLIENT PAUSE {} WRITE\r\n", kPauseMs);
      ++count;
    } else if (sync_.seen.paused) {
      commands += "CLIENT UNPAUSE\r\n";
      ++count;
    }
  }
  if (count == 1) {
    replies_.clear();
    NoteRole();
    return;
  }
  // The look comes after the pause: the offset stays as it is then.
  Say(commands + kLook, count, &Session::NoteRole);
}

void Replicator::Session::NoteRole() {
  if (!IsAsWanted()) return Finish(false);
  const bool refused = std::ranges::any_of(replies_, &RedisReply::is_error);
  seen_.paused = WantsPause() && !sync_.look_only && !refused;
  seen_.epoch = sync_.spec ? sync_.spec->epoch : 0;
  Prove();
}

// A follower that is "online" may still be without the stream. It is in sync once it has
// acknowledged what the leader sent after having seen it online.
void Replicator::Session::Prove() {
  if (!sync_.spec || !sync_.spec->leads) return Answer();
  const bool same_epoch = sync_.seen.epoch == sync_.spec->epoch;
  size_t online = 0;
  for (const ReplicationInfo::Follower& follower : info_.followers) {
    if (!follower.online || !Contains(sync_.spec->followers, follower.address)) continue;
    ++online;
    if (same_epoch && Contains(sync_.seen.in_sync, follower.address)) {
      seen_.in_sync.push_back(follower.address);
    }
  }
  std::ranges::sort(seen_.in_sync);
  seen_.proof = same_epoch ? sync_.seen.proof : 0;
  const bool asked = sync_.spec->proof > seen_.proof;
  // While writes are paused the message would wait, too.
  if (sync_.look_only || seen_.paused) return Answer();
  if (!asked && seen_.in_sync.size() == online) return Answer();
  if (asked) seen_.in_sync.clear();
  seen_.proof = std::max(sync_.spec->proof, seen_.proof);
  if (online == 0) return Answer();
  Say(fmt::format("PUBLISH {} {}\r\n{}WAIT {} {}\r\n{}", kGateChannel, sync_.spec->proof, kLook,
                  online, asked ? kFirstProofMs : kLaterProofMs, kLook),
      4, &Session::NoteProof);
}

void Replicator::Session::NoteProof() {
  const auto sent = ParseReplicationInfo(replies_[1].text);
  if (!sent || replies_[0].is_error) return Finish(false);
  for (const ReplicationInfo::Follower& follower : info_.followers) {
    if (!follower.online || follower.offset < sent->offset) continue;
    if (!Contains(sync_.spec->followers, follower.address)) continue;
    if (!Contains(seen_.in_sync, follower.address)) seen_.in_sync.push_back(follower.address);
  }
  std::ranges::sort(seen_.in_sync);
  Answer();
}

void Replicator::Session::Answer() {
  if (!IsAsWanted()) return Finish(false);
  seen_.leads = info_.is_master;
  seen_.link_up = info_.link_up;
  seen_.offset = info_.offset;
  const bool arrived = info_.offset >= sync_.at_least;
  if (sync_.ask != 0 && arrived) seen_.answers = sync_.ask;
  // By the clock: on a busy machine each look takes its time.
  const auto now = asio::steady_timer::clock_type::now();
  if (!question_end_) question_end_ = now + kQuestionMax;
  if (sync_.ask == 0 || arrived || now >= *question_end_) return Finish(true);
  pause_.expires_after(kQuestionEvery);
  pause_.async_wait([self = shared_from_this()](error_code error) {
    if (!error && self->done_) self->Say(kLook, 1, &Session::Answer);
  });
}

void Replicator::Session::Say(std::string commands, size_t count, Step next) {
  commands_ = std::move(commands);
  replies_.clear();
  asio::async_write(socket_, asio::buffer(commands_),
                    [self = shared_from_this(), count, next](error_code error, size_t) {
                      if (error) return self->Finish(false);
                      self->Hear(count, next);
                    });
}

void Replicator::Session::Hear(size_t count, Step next) {
  socket_.async_read_some(asio::buffer(buffer_),
                          [self = shared_from_this(), count, next](error_code error, size_t got) {
                            if (error || self->received_.size() > kReplyBytesMax)
                              return self->Finish(false);
                            self->received_.append(self->buffer_.data(), got);
                            std::string_view rest = self->received_;
                            while (self->replies_.size() < count) {
                              std::optional<RedisReply> reply = TakeRedisReply(&rest);
                              if (!reply) break;
                              self->replies_.push_back(std::move(*reply));
                            }
                            self->received_ = std::string(rest);
                            if (self->replies_.size() < count) return self->Hear(count, next);
                            const auto info = ParseReplicationInfo(self->replies_.back().text);
                            if (!info) return self->Finish(false);
                            self->info_ = *info;
                            ((*self).*next)();
                          });
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
  const auto session =
      std::make_shared<Session>(io_, sync, LoginBeside(socket_path), std::move(done));
  slot = session;
  session->Begin(ConnectUnix(socket_path));
}

}  // namespace ec::engine
