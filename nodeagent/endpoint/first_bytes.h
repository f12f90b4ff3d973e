// What a Memcached client's first bytes say about it. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace ec::endpoint {

enum class FirstBytes {
  kUndecided,  // more are needed to tell
  kDiscovers,  // a client that asks for the nodes of the cluster
  kOther,
};

// No more than this many bytes are ever needed.
inline constexpr size_t kFirstBytesMax = 64;

FirstBytes Classify(std::string_view bytes);

}  // namespace ec::endpoint
