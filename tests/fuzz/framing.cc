// The first byte is the length of the pieces in which the rest arrives. No chunking of the stream
// changes what is found in it.
#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "common/check.h"
#include "nodeagent/endpoint/memcached_framing.h"
#include "tests/fuzz/targets.h"

namespace ec::fuzz {
namespace {

using Kind = endpoint::MemcachedFraming::Kind;
// Each kind with where it ends; neighbours that pass are one.
using Pieces = std::vector<std::pair<Kind, size_t>>;

Pieces Divide(std::string_view stream, size_t chunk) {
  endpoint::MemcachedFraming framing;
  Pieces pieces;
  size_t at = 0;
  bool decided = true;
  while (at < stream.size()) {
    const size_t chunk_end = std::min(stream.size(), (at / chunk + 1) * chunk);
    const auto piece = framing.Next(stream.substr(at, chunk_end - at));
    EC_CHECK(piece.length > 0 && piece.length <= chunk_end - at);
    at += piece.length;
    decided = piece.kind != Kind::kUndecided;
    if (!decided) continue;
    if (piece.kind == Kind::kPass && !pieces.empty() && pieces.back().first == Kind::kPass) {
      pieces.back().second = at;
    } else {
      pieces.emplace_back(piece.kind, at);
    }
  }
  if (!decided) pieces.emplace_back(Kind::kUndecided, at);
  return pieces;
}

}  // namespace

void Framing(std::string_view bytes) {
  if (bytes.empty()) return;
  const size_t chunk = static_cast<unsigned char>(bytes.front()) + size_t{1};
  bytes.remove_prefix(1);
  EC_CHECK(Divide(bytes, chunk) == Divide(bytes, bytes.size() + 1));
}

}  // namespace ec::fuzz
