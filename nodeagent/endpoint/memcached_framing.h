// Finds the discovery commands in what a client sends to memcached: tells command lines from stored
// values, which may contain the very same bytes. Pure: no I/O, and no chunking of the stream
// changes what is found in it.
//
// It divides the stream as memcached 1.6.18 does, also where a command is malformed: a storage
// command has a data block exactly if memcached would read one after it. A connection whose first
// byte is 0x80 speaks the binary protocol, which has no discovery commands, and passes whole.
//
//   kFirstByte --0x80--> kOpaque
//       |
//       v        no newline yet
//     kLine ---------------------> kStorageLine   may be a storage command, cannot be discovery
//      ^ | \---------------------> kRestOfLine    can be neither
//      | v storage command's line ends
//     kData
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ec::endpoint {

class MemcachedFraming {
 public:
  enum class Kind {
    kPass,              // for the engine
    kUndecided,         // the beginning of a line that may become a discovery command: see Next()
    kConfigGet,         // a whole line: config get cluster
    kLegacyGet,         // a whole line: get AmazonElastiCache:cluster
    kLegacyGetWithCas,  // a whole line: gets AmazonElastiCache:cluster
  };
  struct Piece {
    Kind kind = Kind::kPass;
    size_t length = 0;  // at least one
    friend bool operator==(const Piece&, const Piece&) = default;
  };

  // The piece at the front of `bytes`, which go on where the last piece ended. Bytes of an
  // undecided piece must be kept: the next piece that is not undecided says what they were as well.
  // REQUIRES: !bytes.empty()
  Piece Next(std::string_view bytes);

 private:
  enum class State { kFirstByte, kLine, kStorageLine, kRestOfLine, kData, kOpaque };

  // The piece at the front of `bytes`, as far as one state sees it. If it is not to be passed and
  // `passed` bytes come before it, nothing changes: it is looked at again when these are away.
  Piece Step(std::string_view bytes, size_t passed);
  Piece StepLine(std::string_view bytes, size_t passed);
  Piece StepUnfinishedLine(std::string_view bytes, size_t passed);
  Piece StepStorageLine(std::string_view bytes);
  Piece StepRestOfLine(std::string_view bytes);
  Piece StepData(std::string_view bytes);
  void EndLine(std::string_view line);

  State state_ = State::kFirstByte;
  uint64_t data_left_ = 0;  // of the data block, with its \r\n
  std::string line_;        // what earlier pieces held of the present line; not in kRestOfLine
};

}  // namespace ec::endpoint
