// Whether a file is a sound RDB file, and what is in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"

namespace ec::engine {

struct RdbContents {
  int64_t keys = 0;
  int64_t memory_bytes = 0;    // that the data took in the engine that wrote it; 0: not said
  std::string engine_version;  // the same; empty: not said
};

// Has the engine's own checker (`server` under another name) read all of it: structure, versions,
// checksum. It runs with nothing but the file: no new privileges, bounded memory and time, nothing
// to write to, and it dies with us. kUnavailable, with why: it is no sound RDB file.
Result<RdbContents> CheckRdb(const std::string& server, const std::string& path);

// Whether a file that begins so may be one. Pure.
Status CheckRdbHeader(std::string_view first_bytes);
inline constexpr size_t kRdbHeaderBytes = 9;

// What the checker has printed. Pure.
Result<RdbContents> ParseRdbCheck(std::string_view output, bool is_sound);

}  // namespace ec::engine
