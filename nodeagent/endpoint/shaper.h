// One direction of a connection on a faulty path: bytes that are under way, and when each of them
// arrives. Pure: it is told the time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "common/time.h"
#include "common/wire_fault.h"

namespace ec::endpoint {

// A late byte holds up those behind it: nothing is ever reordered. Bytes that are under way arrive
// when they were going to, whatever the faults become meanwhile, unless those end (Release).
class Shaper {
 public:
  // How many bytes it takes now. What it holds is bounded: a path that takes no more makes its
  // sender wait, as a full window does.
  size_t room(const WireEffect& effect) const;

  // Bytes set out. `draw` is a random number, for the jitter.
  void Put(Instant now, std::string_view bytes, const WireEffect& effect, uint64_t draw);

  // Whatever is under way arrives at once.
  void Release(Instant now);

  bool empty() const { return pieces_.empty(); }
  // When the next bytes arrive; Instant::max() if none are under way.
  Instant next() const { return pieces_.empty() ? Instant::max() : pieces_.front().due; }
  // Some of the bytes that have arrived by now, `at_most` so many; empty if there are none.
  std::string Take(Instant now, size_t at_most);

 private:
  struct Piece {
    Instant due;
    std::string bytes;
  };
  std::deque<Piece> pieces_;  // due in this order
  size_t held_ = 0;           // bytes in them
  Instant free_at_{};         // when the bytes put so far will all have set out
};

}  // namespace ec::endpoint
