// A few engines that replicate, what can be done to them, and what can be seen of them: once with
// the simulator's engines on fake time, once with real ones. What a script finds out on the one it
// has to find out on the other.
//
// Engines have numbers. A function that does something to an engine takes it for running.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "common/time.h"

namespace ec::integration {

class Rig {
 public:
  enum class Reply { kDone, kReadOnly, kNone };
  using Writes = std::vector<uint64_t>;

  virtual ~Rig() = default;

  // --- processes ---
  // Empty, and a master. One that has been killed comes back at its old address.
  virtual void Start(int engine) = 0;
  // Empty, and never anything but a follower.
  virtual void StartFollowing(int engine, int leader) = 0;
  virtual void Kill(int engine) = 0;
  virtual void Stop(int engine) = 0;  // SIGSTOP
  virtual void GoOn(int engine) = 0;
  virtual bool Answers(int engine) = 0;  // within a moment

  // --- roles ---
  virtual void Follow(int engine, int leader) = 0;
  virtual void Lead(int engine) = 0;
  virtual void PauseWrites(int engine) = 0;
  virtual void ResumeWrites(int engine) = 0;
  // The follower's connection to its leader ends; nobody keeps it from making another.
  virtual void CutLink(int follower) = 0;

  // --- clients ---
  virtual Reply Write(int engine, uint64_t value) = 0;
  // By a client that waits for as long as it takes. IsDone() is asked with the result.
  virtual size_t BeginWrite(int engine, uint64_t value) = 0;
  virtual bool IsDone(size_t write) = 0;
  // What the engine has taken, in its order; nullopt: it does not answer.
  virtual std::optional<Writes> Holds(int engine) = 0;

  // --- what the engine says of itself ---
  virtual int64_t Offset(int engine) = 0;
  virtual bool LinkIsUp(int follower) = 0;
  // Copies of everything that it has begun to give to others since it started.
  virtual int FullCopiesBy(int leader) = 0;

  // --- time ---
  virtual Instant now() = 0;
  // Lets time pass until the condition holds; false if it does not in time.
  virtual bool Await(const std::function<bool()>& condition, Duration limit) = 0;
};

std::unique_ptr<Rig> MakeModelRig(uint64_t seed);
std::unique_ptr<Rig> MakeRedisRig();

}  // namespace ec::integration
