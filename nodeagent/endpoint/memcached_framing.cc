#include "nodeagent/endpoint/memcached_framing.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <span>
#include <system_error>

#include "common/check.h"

namespace ec::endpoint {
namespace {

using Kind = MemcachedFraming::Kind;

constexpr char kBinaryRequest = '\x80';
constexpr size_t kKeyMax = 250;
// Memcached closes a connection that fills its 16 KiB read buffer without a newline, unless the
// line is a get.
constexpr size_t kLineMax = 16 * 1024 - 1;
// Longer lines are no discovery commands, however many spaces they consist of: this bounds what
// is kept from the engine.
constexpr size_t kDiscoveryLineMax = 256;

// --- words ------------------------------------------------------------------------------------

// The first words of a line, as memcached divides it: at spaces only, and at most 23 of them.
struct Words {
  std::array<std::string_view, 23> word;
  size_t count = 0;
};

Words Split(std::string_view line) {
  Words words;
  while (words.count < words.word.size()) {
    const size_t begin = line.find_first_not_of(' ');
    if (begin == std::string_view::npos) break;
    line.remove_prefix(begin);
    const size_t end = std::min(line.find(' '), line.size());
    words.word[words.count++] = line.substr(0, end);
    line.remove_prefix(end);
  }
  return words;
}

// What memcached sees of a line without its newline: one \r less, unless it is all there is, and
// nothing after a NUL.
std::string_view Visible(std::string_view line) {
  if (line.size() > 1 && line.back() == '\r') line.remove_suffix(1);
  return line.substr(0, line.find('\0'));
}

// --- numbers ----------------------------------------------------------------------------------

constexpr std::string_view kWhitespace = " \t\n\v\f\r";

// A number as strtoul() and its sisters read one: white space, a sign, digits; then the word must
// end or white space must follow.
struct Number {
  bool negative = false;
  uint64_t magnitude = 0;
};

std::optional<Number> ReadNumber(std::string_view word) {
  Number number;
  word.remove_prefix(std::min(word.find_first_not_of(kWhitespace), word.size()));
  if (!word.empty() && (word.front() == '-' || word.front() == '+')) {
    number.negative = word.front() == '-';
    word.remove_prefix(1);
  }
  const char* const word_end = word.data() + word.size();
  const auto [end, error] = std::from_chars(word.data(), word_end, number.magnitude);
  if (error != std::errc()) return std::nullopt;
  if (end != word_end && kWhitespace.find(*end) == std::string_view::npos) return std::nullopt;
  return number;
}

// A signed 64-bit number, cut to its low 32 bits without a look at the rest, as memcached does it.
std::optional<int32_t> ReadInt32(std::string_view word) {
  const std::optional<Number> number = ReadNumber(word);
  if (!number) return std::nullopt;
  const uint64_t limit = uint64_t{std::numeric_limits<int64_t>::max()} + (number->negative ? 1 : 0);
  if (number->magnitude > limit) return std::nullopt;
  const uint64_t value = number->negative ? -number->magnitude : number->magnitude;
  return static_cast<int32_t>(static_cast<uint32_t>(value));
}

// Memcached looks for a minus only in numbers that would be negative as signed ones.
bool IsUnsigned(std::string_view word) {
  const std::optional<Number> number = ReadNumber(word);
  if (!number) return false;
  const uint64_t value = number->negative ? -number->magnitude : number->magnitude;
  return static_cast<int64_t>(value) >= 0 || word.find('-') == std::string_view::npos;
}

// --- commands ---------------------------------------------------------------------------------

// The commands of the classic protocol that a data block follows:
// <command> <key> <flags> <exptime> <bytes> [noreply], with the cas after the bytes.
struct StorageCommand {
  std::string_view name;
  size_t words = 0;  // one more is allowed
};
constexpr StorageCommand kStorageCommands[] = {{"set", 5},    {"add", 5},     {"replace", 5},
                                               {"append", 5}, {"prepend", 5}, {"cas", 6}};
constexpr std::string_view kMetaSet = "ms";
constexpr size_t kMetaWordsMax = 19;

// The length of a data block with its end, from the number that announces it.
std::optional<uint64_t> DataLength(std::string_view word) {
  const std::optional<int32_t> bytes = ReadInt32(word);
  if (!bytes || *bytes < 0 || *bytes > std::numeric_limits<int32_t>::max() - 2) {
    return std::nullopt;
  }
  return static_cast<uint64_t>(*bytes) + 2;
}

// How many bytes of data follow this line; none if it is not a storage command, or one that
// memcached refuses before it has understood how much data there is.
std::optional<uint64_t> DataAfter(std::string_view line) {
  const Words words = Split(line);
  const auto& word = words.word;
  if (words.count < 3 || word[1].size() > kKeyMax) return std::nullopt;
  if (word[0] == kMetaSet) {
    // Whatever is wrong with the flags, the data is swallowed.
    return words.count <= kMetaWordsMax ? DataLength(word[2]) : std::nullopt;
  }
  const auto* const command = std::ranges::find(kStorageCommands, word[0], &StorageCommand::name);
  if (command == std::end(kStorageCommands)) return std::nullopt;
  if (words.count != command->words && words.count != command->words + 1) return std::nullopt;
  if (!IsUnsigned(word[2]) || !ReadInt32(word[3])) return std::nullopt;
  if (command->words > 5 && !IsUnsigned(word[5])) return std::nullopt;
  return DataLength(word[4]);
}

struct DiscoveryCommand {
  Kind kind = Kind::kPass;
  std::array<std::string_view, 3> word;
  size_t count = 0;
};
constexpr std::string_view kLegacyKey = "AmazonElastiCache:cluster";
constexpr DiscoveryCommand kDiscoveryCommands[] = {
    {Kind::kConfigGet, {"config", "get", "cluster"}, 3},
    {Kind::kLegacyGet, {"get", kLegacyKey}, 2},
    {Kind::kLegacyGetWithCas, {"gets", kLegacyKey}, 2},
};

// kPass if the line is none.
Kind DiscoveryIn(std::string_view line) {
  if (line.size() > kDiscoveryLineMax) return Kind::kPass;
  const Words words = Split(Visible(line));
  for (const DiscoveryCommand& command : kDiscoveryCommands) {
    if (std::ranges::equal(std::span(words.word).first(words.count),
                           std::span(command.word).first(command.count))) {
      return command.kind;
    }
  }
  return Kind::kPass;
}

// --- beginnings of lines ----------------------------------------------------------------------

// Whether `beginning` may go on to become this command.
bool MayBecome(const DiscoveryCommand& command, std::string_view beginning) {
  const Words words = Split(beginning);
  if (words.count > command.count) return false;
  for (size_t i = 0; i < words.count; ++i) {
    const bool last = i + 1 == words.count && beginning.back() != ' ';
    if (last ? !command.word[i].starts_with(words.word[i]) : command.word[i] != words.word[i]) {
      return false;
    }
  }
  return true;
}

bool MayBecomeDiscovery(std::string_view beginning) {
  if (beginning.size() > kDiscoveryLineMax) return false;
  return std::ranges::any_of(kDiscoveryCommands, [&](const DiscoveryCommand& command) {
    return MayBecome(command, Visible(beginning));
  });
}

bool MayBecomeStorage(std::string_view beginning) {
  const std::string_view visible = Visible(beginning);
  const Words words = Split(visible);
  if (words.count == 0) return true;
  const std::string_view name = words.word[0];
  if (words.count > 1 || visible.back() == ' ') {
    return name == kMetaSet || std::ranges::find(kStorageCommands, name, &StorageCommand::name) !=
                                   std::end(kStorageCommands);
  }
  return kMetaSet.starts_with(name) ||
         std::ranges::any_of(kStorageCommands, [&](const StorageCommand& command) {
           return command.name.starts_with(name);
         });
}

}  // namespace

MemcachedFraming::Piece MemcachedFraming::Next(std::string_view bytes) {
  EC_CHECK(!bytes.empty());
  if (state_ == State::kFirstByte) {
    state_ = bytes.front() == kBinaryRequest ? State::kOpaque : State::kLine;
  }
  size_t passed = 0;
  while (passed < bytes.size()) {
    const Piece piece = Step(bytes.substr(passed), passed);
    if (piece.kind != Kind::kPass) return passed == 0 ? piece : Piece{Kind::kPass, passed};
    passed += piece.length;
  }
  return {Kind::kPass, passed};
}

MemcachedFraming::Piece MemcachedFraming::Step(std::string_view bytes, size_t passed) {
  switch (state_) {
    case State::kFirstByte:
      break;  // Next() has left it
    case State::kLine:
      return StepLine(bytes, passed);
    case State::kStorageLine:
      return StepStorageLine(bytes);
    case State::kRestOfLine:
      return StepRestOfLine(bytes);
    case State::kData:
      return StepData(bytes);
    case State::kOpaque:
      return {Kind::kPass, bytes.size()};
  }
  EC_CHECK(false);
}

MemcachedFraming::Piece MemcachedFraming::StepLine(std::string_view bytes, size_t passed) {
  const size_t newline = bytes.find('\n');
  if (newline == std::string_view::npos) return StepUnfinishedLine(bytes, passed);
  // Lines that lie whole in `bytes`, which is nearly all of them, are not copied.
  std::string_view line = bytes.substr(0, newline);
  if (!line_.empty()) line = line_.append(line);
  const Kind kind = DiscoveryIn(line);
  if (kind == Kind::kPass) {
    EndLine(line);
  } else if (passed == 0) {
    line_.clear();
  }
  return {kind, newline + 1};
}

MemcachedFraming::Piece MemcachedFraming::StepUnfinishedLine(std::string_view bytes,
                                                             size_t passed) {
  std::string line = line_;
  line += bytes;
  if (MayBecomeDiscovery(line)) {
    if (passed == 0) line_ = std::move(line);
    return {Kind::kUndecided, bytes.size()};
  }
  if (MayBecomeStorage(line)) {
    state_ = State::kStorageLine;
    return StepStorageLine(bytes);
  }
  state_ = State::kRestOfLine;
  line_.clear();
  return {Kind::kPass, bytes.size()};
}

MemcachedFraming::Piece MemcachedFraming::StepStorageLine(std::string_view bytes) {
  const size_t newline = bytes.find('\n');
  line_ += bytes.substr(0, newline);
  if (newline != std::string_view::npos) {
    EndLine(line_);
    return {Kind::kPass, newline + 1};
  }
  if (line_.size() > kLineMax) {
    state_ = State::kOpaque;
    line_.clear();
  }
  return {Kind::kPass, bytes.size()};
}

MemcachedFraming::Piece MemcachedFraming::StepRestOfLine(std::string_view bytes) {
  const size_t newline = bytes.find('\n');
  if (newline == std::string_view::npos) return {Kind::kPass, bytes.size()};
  state_ = State::kLine;
  return {Kind::kPass, newline + 1};
}

MemcachedFraming::Piece MemcachedFraming::StepData(std::string_view bytes) {
  const uint64_t length = std::min<uint64_t>(data_left_, bytes.size());
  data_left_ -= length;
  if (data_left_ == 0) state_ = State::kLine;
  return {Kind::kPass, length};
}

// `line` may be line_ itself.
void MemcachedFraming::EndLine(std::string_view line) {
  state_ = State::kLine;
  if (const std::optional<uint64_t> data = DataAfter(Visible(line))) {
    state_ = line.size() > kLineMax ? State::kOpaque : State::kData;
    data_left_ = *data;
  }
  line_.clear();
}

}  // namespace ec::endpoint
