#include "nodeagent/endpoint/discovery_filter.h"

#include <sys/random.h>

#include <array>
#include <utility>

#include "common/check.h"

namespace ec::endpoint {
namespace {

using Kind = MemcachedFraming::Kind;

// The answer to a discovery command, sharing ownership of all of them; null if there is none.
std::shared_ptr<const std::string> AnswerTo(Kind kind,
                                            std::shared_ptr<const DiscoveryReplies> replies) {
  if (replies == nullptr) return nullptr;
  switch (kind) {
    case Kind::kConfigGet:
      return {replies, &replies->config};
    case Kind::kLegacyGet:
      return {replies, &replies->legacy};
    case Kind::kLegacyGetWithCas:
      return {replies, &replies->legacy_with_cas};
    case Kind::kPass:
    case Kind::kUndecided:
      break;
  }
  EC_CHECK(false);
}

// What all replies to sentinels begin with.
constexpr std::string_view kReplyBeginning = "NF O";

}  // namespace

DiscoveryFilter::DiscoveryFilter(
    std::function<std::shared_ptr<const DiscoveryReplies>()> replies_now,
    std::function<std::string()> draw_token)
    : replies_now_(std::move(replies_now)), draw_token_(std::move(draw_token)) {}

DiscoveryFilter::Passage DiscoveryFilter::FromClient(std::string_view bytes, Scratch* scratch) {
  EC_CHECK(!full() && !bytes.empty());
  scratch->to_engine.clear();
  scratch->to_client.clear();
  size_t taken = 0;
  size_t answers = 0;
  while (taken < bytes.size() && !full() && answers < kAnswersMax) {
    const MemcachedFraming::Piece piece = framing_.Next(bytes.substr(taken));
    const std::string_view text = bytes.substr(taken, piece.length);
    taken += piece.length;
    if (piece.kind == Kind::kUndecided) {
      undecided_ += text;
      continue;
    }
    if (piece.kind == Kind::kPass) {
      if (text.size() == bytes.size() && undecided_.empty()) {
        // The whole of it, which is what nearly always happens: no copy.
        forwarded_ = true;
        return {.taken = taken, .to_engine = text, .to_client = {}};
      }
      Forward(text, scratch);
    } else if (auto answer = AnswerTo(piece.kind, replies_now_())) {
      undecided_.clear();
      if (Answer(std::move(answer), scratch)) ++answers;
    } else {
      Forward(text, scratch);
    }
  }
  return {.taken = taken, .to_engine = scratch->to_engine, .to_client = scratch->to_client};
}

void DiscoveryFilter::Forward(std::string_view bytes, Scratch* scratch) {
  scratch->to_engine += undecided_;
  scratch->to_engine += bytes;
  undecided_.clear();
  forwarded_ = true;
}

bool DiscoveryFilter::Answer(std::shared_ptr<const std::string> answer, Scratch* scratch) {
  if (!forwarded_) {
    scratch->to_client += *answer;
    return true;
  }
  const std::string token = draw_token_();
  scratch->to_engine += "md emucache:" + draw_token_() + " O" + token + "\r\n";
  sentinels_.push_back({.reply = "NF O" + token + "\r\n", .answer = std::move(answer)});
  return false;
}

std::string_view DiscoveryFilter::FromEngine(std::string_view bytes, Scratch* scratch) {
  if (sentinels_.empty()) return bytes;
  scratch->to_client.clear();
  scratch->from_engine = std::exchange(kept_back_, {});
  scratch->from_engine += bytes;
  std::string_view rest = scratch->from_engine;
  while (!sentinels_.empty()) {
    const Find found = FindReply(rest);
    if (found.sentinel == sentinels_.end()) {
      kept_back_ = rest.substr(found.at);
      rest = rest.substr(0, found.at);
      break;
    }
    scratch->to_client += rest.substr(0, found.at);
    scratch->to_client += *found.sentinel->answer;
    rest.remove_prefix(found.at + found.sentinel->reply.size());
    // Replies to earlier ones will not come: memcached throws away the replies of a pipeline that
    // it has not yet sent when it meets a get whose key is too long.
    sentinels_.erase(sentinels_.begin(), found.sentinel + 1);
  }
  scratch->to_client += rest;
  return scratch->to_client;
}

DiscoveryFilter::Find DiscoveryFilter::FindReply(std::string_view bytes) {
  for (size_t at = bytes.find('N'); at != std::string_view::npos; at = bytes.find('N', at + 1)) {
    const std::string_view rest = bytes.substr(at);
    if (!rest.starts_with(kReplyBeginning.substr(0, rest.size()))) continue;
    for (auto sentinel = sentinels_.begin(); sentinel != sentinels_.end(); ++sentinel) {
      if (rest.starts_with(sentinel->reply)) return {sentinel, at};
      if (sentinel->reply.starts_with(rest)) return {sentinels_.end(), at};
    }
  }
  return {sentinels_.end(), bytes.size()};
}

std::string DrawToken() {
  constexpr std::string_view kLetters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
  static_assert(kLetters.size() == 64);
  std::array<unsigned char, 22> random{};
  // Fewer than 256 bytes come whole and uninterrupted.
  EC_CHECK(getrandom(random.data(), random.size(), 0) == std::ssize(random));
  std::string token;
  for (const unsigned char byte : random) token += kLetters[byte % kLetters.size()];
  return token;
}

}  // namespace ec::endpoint
