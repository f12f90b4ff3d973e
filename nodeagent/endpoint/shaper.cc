#include "nodeagent/endpoint/shaper.h"

#include <algorithm>
#include <utility>

namespace ec::endpoint {
namespace {

constexpr size_t kHeldMax = 1024 * 1024;
constexpr size_t kHeldMin = 4 * 1024;
// On a slow path bytes set out in pieces that take this long, so that they flow.
constexpr uint64_t kPiecesPerSecond = 50;
constexpr uint64_t kMicroseconds = 1'000'000;

size_t PieceSize(const WireEffect& effect, size_t bytes) {
  if (effect.bytes_per_second == 0) return bytes;
  return std::min<size_t>(bytes, std::max<uint64_t>(effect.bytes_per_second / kPiecesPerSecond, 1));
}

Duration TimeToSend(const WireEffect& effect, size_t bytes) {
  if (effect.bytes_per_second == 0) return Duration(0);
  const double seconds = static_cast<double>(bytes) / static_cast<double>(effect.bytes_per_second);
  return Duration(static_cast<int64_t>(seconds * static_cast<double>(kMicroseconds)));
}

// From -jitter to +jitter.
Duration JitterOf(const WireEffect& effect, uint64_t draw) {
  const int64_t jitter = effect.jitter.count();
  if (jitter <= 0) return Duration(0);
  return Duration(static_cast<int64_t>(draw % static_cast<uint64_t>(2 * jitter + 1)) - jitter);
}

}  // namespace

size_t Shaper::room(const WireEffect& effect) const {
  size_t most = kHeldMax;
  if (effect.bytes_per_second > 0) {
    const Duration under_way = effect.delay + std::chrono::milliseconds(250);
    const double seconds = static_cast<double>(under_way.count()) / kMicroseconds;
    const double bytes = static_cast<double>(effect.bytes_per_second) * seconds;
    most = static_cast<size_t>(std::clamp(bytes, double{kHeldMin}, double{kHeldMax}));
  }
  return held_ >= most ? 0 : most - held_;
}

void Shaper::Put(Instant now, std::string_view bytes, const WireEffect& effect, uint64_t draw) {
  const Duration late = std::max(effect.delay + JitterOf(effect, draw), Duration(0));
  while (!bytes.empty()) {
    const size_t size = PieceSize(effect, bytes.size());
    free_at_ = std::max(free_at_, now) + TimeToSend(effect, size);
    Instant due = free_at_ + late;
    if (!pieces_.empty()) due = std::max(due, pieces_.back().due);
    pieces_.push_back({due, std::string(bytes.substr(0, size))});
    held_ += size;
    bytes.remove_prefix(size);
  }
}

void Shaper::Release(Instant now) {
  free_at_ = now;
  for (Piece& piece : pieces_) piece.due = std::min(piece.due, now);
}

std::string Shaper::Take(Instant now, size_t at_most) {
  std::string taken;
  while (!pieces_.empty() && pieces_.front().due <= now && taken.size() < at_most) {
    std::string& bytes = pieces_.front().bytes;
    const size_t size = std::min(bytes.size(), at_most - taken.size());
    if (taken.empty() && size == bytes.size()) {
      taken = std::move(bytes);
      bytes.clear();
    } else {
      taken += bytes.substr(0, size);
      bytes.erase(0, size);
    }
    held_ -= size;
    if (bytes.empty()) pieces_.pop_front();
  }
  return taken;
}

}  // namespace ec::endpoint
