// A simulated engine's process and, where it is a Redis, as much of a Redis as groups are concerned
// with: roles, full and partial copies, the time between "online" and the stream, paused writes,
// offsets. Pure: time and chance are arguments. tests/integration/replication_model_test.cc holds
// it to the real one.
//
// A write is a number, and what an engine holds is the list of those that it has taken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/address.h"
#include "common/time.h"
#include "tests/sim/random.h"

namespace ec::sim {

struct Engine {
  uint64_t launch = 0;
  uint64_t generation = 0;
  Instant ready_at;
  bool stopped = false;     // SIGSTOP: there, but does not answer
  std::string data;         // "" is empty; anything else was written by a client
  uint64_t pid = 0;         // used again when the process has ended
  uint64_t start_time = 0;  // never used again

  // --- of a Redis ---
  std::optional<Address> follows;  // empty: a master
  std::vector<uint64_t> writes;    // what it holds, in the order of its stream
  int64_t stream_base = 0;         // bytes before the first of `writes`
  uint64_t streams = 0;       // that it has had: with a new one its followers have to come anew
  uint64_t synced_with = 0;   // the stream that it has joined; 0: none
  uint64_t syncing_with = 0;  // the same, while the first copy is on its way
  bool copy_is_full = false;  // what that copy is
  Instant synced_at;          // when it will be complete
  Instant stream_from;        // "online", but nothing flows before
  Instant paused_until;       // CLIENT PAUSE WRITE
  int full_copies = 0;        // that it has begun to take
  std::vector<std::string> names;  // that its certificate is for; none: it speaks plainly

  // What its followers are connected to; never used again.
  uint64_t stream() const { return start_time << 16 | streams; }
  int64_t offset() const { return stream_base + static_cast<int64_t>(writes.size()) * 100; }

  // It takes a connection and replies to it.
  bool Answers(Instant now) const { return !stopped && now >= ready_at; }

  // --- what it is told ---
  enum class Reply {
    kDone,
    kHeld,      // none, until writes go on
    kReadOnly,  // READONLY
  };
  // REQUIRES: Answers(now), as for all that follow
  Reply Write(uint64_t write, Instant now);
  void Follow(const Address& leader);  // REPLICAOF; the same one again changes nothing
  void Lead();                         // REPLICAOF NO ONE
  void PauseWrites(Instant now);       // for three seconds, or for three more
  void ResumeWrites(Instant now) { paused_until = now; }

  // --- what it does by itself ---
  // One step of following: begins a copy, ends one, or takes what has come since. nullptr: no
  // process can be reached where it follows.
  void Pull(const Engine* leader, Instant now, Random& random);
  // Whether it gets all that the leader sends.
  bool Streams(const Engine& leader, Instant now) const;
  // What WAIT waits for, at a follower that streams: it has what the leader had.
  void CatchUp(const Engine& leader);
};

}  // namespace ec::sim
