// The path between a client and its endpoint while faults act on it: what a relayed connection has
// on top of its two sockets. Pure: it is told the time.
//
//   client --> in --> relay --> engine
//   client <-- out <-- relay <-- engine
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/time.h"
#include "common/wire_fault.h"
#include "nodeagent/endpoint/shaper.h"

namespace ec::endpoint {

class FaultyWire {
 public:
  enum class Direction { kIn, kOut };

  // Of a connection whose jitter is drawn beginning with `seed`.
  FaultyWire(const WireEffect& effect, uint64_t seed) : effect_(effect), draw_(seed) {}

  // The faults have become these. With another limit of bytes, or the first, the count begins anew.
  void Change(const WireEffect& effect, Instant now);

  const WireEffect& effect() const { return effect_; }
  bool blackhole() const { return effect_.blackhole; }
  // It has nothing to do, and nothing more under way.
  bool is_over() const { return !effect_.acts_on_bytes() && in_.empty() && out_.empty(); }
  // It has carried as many bytes as it may before the connection is to be reset.
  bool is_worn_out() const { return effect_.reset_after && carried_ >= *effect_.reset_after; }

  size_t room(Direction direction) const { return of(direction).room(effect_); }
  bool empty(Direction direction) const { return of(direction).empty(); }
  void Put(Direction direction, Instant now, std::string_view bytes);
  bool HasArrived(Direction direction, Instant now) const { return next(direction) <= now; }
  // See Shaper::Take().
  std::string Take(Direction direction, Instant now, size_t at_most);

  // When bytes arrive next.
  Instant next(Direction direction) const {
    return effect_.blackhole || is_worn_out() ? Instant::max() : of(direction).next();
  }

 private:
  const Shaper& of(Direction direction) const { return direction == Direction::kIn ? in_ : out_; }

  WireEffect effect_;
  Shaper in_;
  Shaper out_;
  uint64_t carried_ = 0;  // bytes, of both directions together, since there is a limit
  uint64_t draw_;
};

}  // namespace ec::endpoint
