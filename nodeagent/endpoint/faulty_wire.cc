#include "nodeagent/endpoint/faulty_wire.h"

#include <algorithm>

namespace ec::endpoint {

void FaultyWire::Change(const WireEffect& effect, Instant now) {
  if (effect.reset_after != effect_.reset_after) carried_ = 0;
  const bool slow =
      effect.delay.count() > 0 || effect.jitter.count() > 0 || effect.bytes_per_second > 0;
  effect_ = effect;
  if (slow) return;
  in_.Release(now);
  out_.Release(now);
}

void FaultyWire::Put(Direction direction, Instant now, std::string_view bytes) {
  // Numbers that follow each other without a pattern (a linear congruence).
  draw_ = draw_ * 6364136223846793005u + 1442695040888963407u;
  (direction == Direction::kIn ? in_ : out_).Put(now, bytes, effect_, draw_ >> 33);
}

std::string FaultyWire::Take(Direction direction, Instant now, size_t at_most) {
  if (effect_.reset_after) {
    const uint64_t left = *effect_.reset_after - std::min(carried_, *effect_.reset_after);
    at_most = static_cast<size_t>(std::min<uint64_t>(at_most, left));
  }
  std::string bytes = (direction == Direction::kIn ? in_ : out_).Take(now, at_most);
  if (effect_.reset_after) carried_ += bytes.size();
  return bytes;
}

}  // namespace ec::endpoint
