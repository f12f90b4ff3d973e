// Answers Memcached's discovery commands in the middle of a relayed connection. Pure: takes bytes,
// gives bytes.
//
// A discovery command may stand anywhere in a pipeline, and its answer must come in its place among
// the engine's replies, which are not parsed. So the engine gets a sentinel in the command's place,
//
//   md emucache:<random> O<random>       delete a key that cannot exist; O is an opaque token
//
// and answers `NF O<random>`. The token is fresh and unguessable, and nobody but the engine has
// seen it, so where these bytes turn up in its stream is where the answer belongs. (The engine
// counts a delete miss.) While no sentinel is on its way, the engine's bytes are not looked at.
// Before anything was sent to the engine no reply can be due, so the answer is given without the
// engine.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nodeagent/endpoint/discovery_reply.h"
#include "nodeagent/endpoint/memcached_framing.h"

namespace ec::endpoint {

class DiscoveryFilter {
 public:
  // At most this many discovery commands of one connection wait for the engine.
  static constexpr size_t kSentinelsMax = 32;
  // At most this many answers come out of one call of FromClient().
  static constexpr size_t kAnswersMax = 32;

  // What FromClient() and FromEngine() work in: one per thread, not one per connection.
  struct Scratch {
    std::string to_engine;
    std::string to_client;
    std::string from_engine;
  };

  // What became of some bytes. The views point into these bytes or into the scratch.
  struct Passage {
    size_t taken = 0;  // the others are to be given again later
    std::string_view to_engine;
    std::string_view to_client;
  };

  // `replies_now` gives the present answers, or null if there is no list; the commands are then the
  // engine's, which refuses them. `draw_token` gives 22 fresh unguessable letters.
  DiscoveryFilter(std::function<std::shared_ptr<const DiscoveryReplies>()> replies_now,
                  std::function<std::string()> draw_token);

  // Takes at least one byte. REQUIRES: !full() && !bytes.empty()
  Passage FromClient(std::string_view bytes, Scratch* scratch);

  // What the client gets of these bytes from the engine; may keep a few of them back.
  std::string_view FromEngine(std::string_view bytes, Scratch* scratch);

  // What was kept back from the client, when the engine's bytes have ended.
  std::string TakeKeptBack() { return std::move(kept_back_); }

  // No more bytes can be taken from the client until the engine has answered a sentinel.
  bool full() const { return sentinels_.size() >= kSentinelsMax; }

 private:
  struct Sentinel {
    std::string reply;  // the engine's, with its end of line
    std::shared_ptr<const std::string> answer;
  };

  // Where a sentinel's reply stands in some bytes, or else where one may begin: at their end at the
  // latest.
  struct Find {
    std::vector<Sentinel>::iterator sentinel;  // end(): none that is complete
    size_t at = 0;
  };

  void Forward(std::string_view bytes, Scratch* scratch);
  // Returns whether the answer was given at once.
  bool Answer(std::shared_ptr<const std::string> answer, Scratch* scratch);
  Find FindReply(std::string_view bytes);

  const std::function<std::shared_ptr<const DiscoveryReplies>()> replies_now_;
  const std::function<std::string()> draw_token_;
  MemcachedFraming framing_;
  std::string undecided_;            // from the client: the beginning of a line
  bool forwarded_ = false;           // the engine has been sent something
  std::vector<Sentinel> sentinels_;  // in the order in which they were sent
  std::string kept_back_;  // from the engine: the beginning of a sentinel's reply, perhaps
};

// 22 letters, each one of 64: 132 bits from the kernel.
std::string DrawToken();

}  // namespace ec::endpoint
