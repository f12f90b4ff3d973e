// Random conversations with memcached, through the relay and directly, must not differ but in the
// answers to discovery commands.
//
// Which discovery commands are genuine, and which lie in a value, memcached itself tells: in the
// direct conversation each is replaced by a marker of the same length,
//
//   md none O000000017     which memcached answers, if it is a command, with: NF O000000017
//
// and in memcached's bytes each such reply is replaced by the discovery answer, and each marker
// that comes back in a value by the text that it stands for.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "nodeagent/endpoint/discovery_reply.h"
#include "nodeagent/endpoint/endpoint_server.h"
#include "tests/endpoint/support.h"

namespace ec::endpoint {
namespace {

// All that conversations contain; the spaces before and after do not matter.
constexpr std::string_view kDiscoveryTexts[] = {
    "config get cluster", "config  get cluster", "get AmazonElastiCache:cluster",
    "gets AmazonElastiCache:cluster", "gets  AmazonElastiCache:cluster"};

// --- random conversations ---------------------------------------------------------------------

// Values are never cut in the middle of a discovery command, lest half a marker be stored.
class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  std::string Conversation();
  size_t Below(size_t limit) {
    return std::uniform_int_distribution<size_t>(0, limit - 1)(random_);
  }

 private:
  bool OneIn(size_t n) { return Below(n) == 0; }
  template <typename T, size_t kSize>
  const T& Pick(const T (&choices)[kSize]) {
    return choices[Below(kSize)];
  }

  std::string LineEnd() { return OneIn(4) ? "\n" : "\r\n"; }
  std::string Spaces() { return std::string(1 + (OneIn(10) ? Below(4) : 0), ' '); }
  std::string Key();
  std::string Value(size_t length);
  std::string Block(size_t length);
  std::string Discovery();
  std::string ClassicStorage();
  std::string MetaStorage();
  std::string OddStorage();
  std::string OtherCommand();
  std::string Garbage();

  std::mt19937 random_;
};

std::string Generator::Key() {
  static const std::string kKeys[] = {"a", "b", "c", "d", std::string(250, 'k')};
  return OneIn(30) ? std::string(251 + Below(3), 'k') : Pick(kKeys);
}

std::string Generator::Value(size_t length) {
  static const std::string kTexts[] = {"config get cluster\r\n",
                                       "config get cluster\n",
                                       "get AmazonElastiCache:cluster\r\n",
                                       "gets AmazonElastiCache:cluster\r\n",
                                       "set a 0 0 x\r\n",
                                       "set a 0 0 1\r\nx\r\n",
                                       "END\r\n",
                                       "NF O",
                                       "\r\n",
                                       "\n",
                                       "x",
                                       "\x80",
                                       std::string(1, '\0')};
  std::string value;
  while (value.size() < length) {
    const std::string& text = Pick(kTexts);
    if (value.size() + text.size() <= length) value += text;
    // Near the end only short ones fit.
    if (length - value.size() < 40 && OneIn(4)) value.resize(length, 'x');
  }
  return value;
}

// A value and its end, which is counted and not looked for.
std::string Generator::Block(size_t length) {
  static const std::string kWrongEnds[] = {"xx", "\n\n", "x\n", "\r\r"};
  return Value(length) + (OneIn(10) ? Pick(kWrongEnds) : "\r\n");
}

std::string Generator::Discovery() {
  static const std::string kCommands[] = {"config get cluster", "  config  get cluster ",
                                          "get AmazonElastiCache:cluster",
                                          "gets  AmazonElastiCache:cluster"};
  return Pick(kCommands) + LineEnd();
}

std::string Generator::ClassicStorage() {
  static const std::string kNames[] = {"set", "set", "add", "replace", "append", "prepend", "cas"};
  const size_t length = OneIn(20) ? Below(70'000) : OneIn(50) ? 1'100'000 : Below(60);
  const std::string& name = Pick(kNames);
  std::string line = name + Spaces() + Key() + " " + std::to_string(Below(99)) + Spaces() + "0 " +
                     std::to_string(length);
  if (name == "cas") line += " " + std::to_string(Below(50));
  if (OneIn(5)) line += " noreply";
  return line + LineEnd() + Block(length);
}

std::string Generator::MetaStorage() {
  static const std::string kFlags[] = {"c",  "k",  "F5", "T0", "Oabc", "q", "MA", "MX", "I",
                                       "MP", "ME", "b",  "!",  "C3",   "k", "Tx", "M"};
  const size_t length = Below(60);
  std::string line = "ms" + Spaces() + Key() + Spaces() + std::to_string(length);
  for (size_t i = Below(4); i > 0; --i) line += " " + Pick(kFlags);
  return line + LineEnd() + Block(length);
}

// Whatever may be wrong with a storage command, followed by what would be its value.
std::string Generator::OddStorage() {
  static const std::string kNames[] = {"set", "add", "replace", "append", "prepend",
                                       "cas", "ms",  "SET",     "sets",   "m"};
  // As expiry times, they mean never, at once, or days from now: no item goes while the test runs.
  static const std::string kWords[] = {"0",
                                       "100000",
                                       "noreply",
                                       "x",
                                       "-1",
                                       "-0",
                                       "100000\tx",
                                       "\t100000",
                                       "\t",
                                       "4295067296",
                                       "18446744073709551615",
                                       "18446744073709551616",
                                       "-18446744073709551615",
                                       "9223372036854775807",
                                       "9223372036854775808",
                                       "-9223372036854775808"};
  struct Length {
    std::string text;
    size_t length = 0;
  };
  static const Length kLengths[] = {{"0", 0},
                                    {"1", 1},
                                    {"20", 20},
                                    {"+31", 31},
                                    {"0020", 20},
                                    {"-0", 0},
                                    {"20\tx", 20},
                                    {"\t20", 20},
                                    {"20\r", 20},
                                    {"4294967316", 20},
                                    {"-4294967276", 20},
                                    {"-1", 20},
                                    {"x", 20},
                                    {"20x", 20},
                                    {"2147483646", 20},
                                    {"2147483648", 20},
                                    {"9223372036854775808", 20},
                                    {"noreply", 20}};
  const Length& length = Pick(kLengths);
  const std::string& name = Pick(kNames);
  std::string line = name + Spaces() + Key();
  const size_t words_before = name == "ms" ? 0 : OneIn(6) ? Below(2) : 2;
  for (size_t i = words_before; i > 0; --i) line += Spaces() + Pick(kWords);
  line += Spaces() + length.text;
  // With too few words before it, none may follow: it would be the length, and far too large.
  const size_t words_after = words_before < 2 && name != "ms" ? 0 : Below(4);
  for (size_t i = words_after; i > 0; --i) line += Spaces() + Pick(kWords);
  if (OneIn(20)) line += std::string(1, '\0') + "more";
  if (OneIn(20)) line += " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23";
  return line + LineEnd() + Block(length.length);
}

std::string Generator::OtherCommand() {
  static const std::string kBeginnings[] = {"get ",
                                            "gets ",
                                            "mg ",
                                            "mg a v ",
                                            "delete ",
                                            "incr ",
                                            "touch ",
                                            "gat 0 ",
                                            "get a b c ",
                                            "mn",
                                            "version",
                                            "md ",
                                            "ma ",
                                            "verbosity 1",
                                            "config",
                                            "config get",
                                            "config get cluster now",
                                            "ge",
                                            "get",
                                            "mg a q ",
                                            "get AmazonElastiCache:cluster a",
                                            "config get clusters",
                                            "incr a 1 noreply"};
  // No key is too long: a get of one makes memcached throw away replies that it has not yet sent,
  // and which these are is a matter of time.
  static const std::string kKeys[] = {"a", "b", "c", "d"};
  return (OneIn(8) ? Spaces() : "") + Pick(kBeginnings) + (OneIn(3) ? "" : Pick(kKeys)) + LineEnd();
}

std::string Generator::Garbage() {
  static const std::string kGarbage[] = {"\r\n",
                                         "\n",
                                         "\r\r\n",
                                         " \r\n",
                                         "\x80\r\n",
                                         "CONFIG GET CLUSTER\r\n",
                                         "config\tget\tcluster\r\n",
                                         "config get cluster\r\r\n"};
  return OneIn(2) ? Pick(kGarbage) : Value(Below(80)) + "\r\n";
}

std::string Generator::Conversation() {
  std::string bytes = "mn\r\n";  // nothing that would make it a binary conversation
  for (size_t i = 5 + Below(60); i > 0; --i) {
    switch (Below(8)) {
      case 0:
      case 1:
        bytes += Discovery();
        break;
      case 2:
      case 3:
        bytes += ClassicStorage();
        break;
      case 4:
        bytes += MetaStorage();
        break;
      case 5:
        bytes += OddStorage();
        break;
      case 6:
        bytes += OtherCommand();
        break;
      case 7:
        bytes += Garbage();
        break;
    }
  }
  return bytes;
}

// --- markers ----------------------------------------------------------------------------------

// Kept over all conversations: a value may come back in a later one.
class Markers {
 public:
  explicit Markers(DiscoveryReplies replies) : replies_(std::move(replies)) {}

  // The conversation with a marker in each discovery command's place.
  std::string PutInto(const std::string& conversation);
  // What the client must get, given what memcached sends in a conversation with markers.
  std::string TakeFrom(const std::string& reply);

  size_t put() const { return texts_.size(); }
  size_t answered() const { return answered_; }  // as commands
  size_t returned() const { return returned_; }  // in values

 private:
  const DiscoveryReplies replies_;
  std::map<std::string, std::string> texts_;    // by marker: what it stands for
  std::map<std::string, std::string> answers_;  // by memcached's reply to the marker
  size_t answered_ = 0;
  size_t returned_ = 0;
};

// The next discovery command at or after `at`; its line goes on with spaces at most.
struct Occurrence {
  size_t at = std::string::npos;
  std::string_view text;
};
Occurrence FindDiscovery(std::string_view bytes, size_t at) {
  for (at = bytes.find_first_of("cg", at); at != std::string_view::npos;
       at = bytes.find_first_of("cg", at + 1)) {
    for (const std::string_view text : kDiscoveryTexts) {
      if (!bytes.substr(at).starts_with(text)) continue;
      const size_t end = bytes.find_first_not_of(' ', at + text.size());
      const std::string_view rest = bytes.substr(std::min(end, bytes.size()));
      if (rest.starts_with("\r\n") || rest.starts_with("\n")) return {at, text};
    }
  }
  return {};
}

std::string Markers::PutInto(const std::string& conversation) {
  std::string bytes;
  size_t at = 0;
  for (Occurrence found = FindDiscovery(conversation, 0); found.at != std::string::npos;
       found = FindDiscovery(conversation, at)) {
    const std::string number = std::to_string(texts_.size());
    const std::string token =
        "O" + std::string(found.text.size() - 9 - number.size(), '0') + number;
    bytes.append(conversation, at, found.at - at);
    bytes += "md none " + token;
    at = found.at + found.text.size();
    texts_["md none " + token] = found.text;
    answers_["NF " + token + "\r\n"] = found.text.starts_with("config") ? replies_.config
                                       : found.text.starts_with("gets") ? replies_.legacy_with_cas
                                                                        : replies_.legacy;
  }
  bytes.append(conversation, at);
  EXPECT_EQ(bytes.size(), conversation.size());
  return bytes;
}

// Replaces each `beginning` that goes on, after digits, with `end`, by what the whole of it means.
std::string Replace(const std::string& bytes, std::string_view beginning, std::string_view end,
                    const std::map<std::string, std::string>& meanings, size_t* count) {
  std::string result;
  size_t at = 0;
  for (size_t found = bytes.find(beginning); found != std::string::npos;
       found = bytes.find(beginning, found + 1)) {
    const size_t digits_end = bytes.find_first_not_of("0123456789", found + beginning.size());
    const size_t length = std::min(digits_end, bytes.size()) - found + end.size();
    const auto meaning = meanings.find(bytes.substr(found, length));
    if (meaning == meanings.end()) continue;
    result.append(bytes, at, found - at);
    result += meaning->second;
    at = found + length;
    ++*count;
  }
  return result.append(bytes, at);
}

std::string Markers::TakeFrom(const std::string& reply) {
  return Replace(Replace(reply, "NF O", "\r\n", answers_, &answered_), "md none O", "", texts_,
                 &returned_);
}

// --- the comparison ---------------------------------------------------------------------------

// What a conversation ends with. Lines that fill a block whose announced length was more than its
// value, and a command whose reply shows that all before it have been replied to: at the end of a
// client's bytes, memcached may throw away replies that it has not yet sent.
const std::string& LastCommand() {
  static const std::string kCommand = [] {
    std::string lines;
    for (int i = 0; i < 40; ++i) lines += "\r\n";
    return lines + "mg none Olast\r\n";
  }();
  return kCommand;
}
constexpr std::string_view kLastReply = "EN Olast\r\n";

// Sends the bytes in pieces of up to `piece_max`, and receives everything meanwhile.
std::string Converse(Socket client, const std::string& bytes, size_t piece_max, Generator& dice) {
  std::thread sends([&] {
    const std::string all = bytes + LastCommand();
    for (std::string_view rest = all; !rest.empty();) {
      const size_t length = std::min(1 + dice.Below(piece_max), rest.size());
      if (!client.Send(rest.substr(0, length))) break;
      rest.remove_prefix(length);
    }
  });
  std::string received;
  while (!received.ends_with(kLastReply) && client.ending() == Socket::Ending::kNone) {
    received += client.ReceiveSome();
  }
  sends.join();
  client.SendEnd();
  received += client.ReceiveToEnd();
  EXPECT_EQ(client.ending(), Socket::Ending::kEnd);
  return received;
}

// The neighbourhood of the first difference, to read.
std::string Difference(const std::string& expected, const std::string& received) {
  const auto at = static_cast<size_t>(
      std::mismatch(expected.begin(), expected.end(), received.begin(), received.end()).first -
      expected.begin());
  const size_t begin = at < 200 ? 0 : at - 200;
  return "at " + std::to_string(at) + "\n--- expected\n" + expected.substr(begin, 400) +
         "\n--- received\n" + received.substr(std::min(begin, received.size()), 400);
}

TEST(MemcachedComparison, TheRelayDiffersFromMemcachedOnlyInDiscoveryAnswers) {
  constexpr MemberId kMember = 7;
  const Discovery nodes{.version = 3,
                        .nodes = {{.host = "one", .address = {.ip = {0x7f0a0004}, .port = 11211}}}};
  Markers markers(RepliesFor(nodes));
  TempDir directory;
  const std::string relayed_path = EngineSocket(directory, kMember);
  const std::string direct_path = EngineSocket(directory, kMember + 1);
  const auto relayed = StartMemcached(relayed_path);
  const auto direct = StartMemcached(direct_path);
  const Address address = FreshAddress();
  OpenServer server({}, [&](MemberId) { return relayed_path; });
  server.Conform({Spec(1, address, kMember, nodes)});

  for (uint32_t seed = 1; seed <= 150; ++seed) {
    Generator generator(seed);
    const std::string bytes = generator.Conversation();
    const std::string expected = markers.TakeFrom(
        Converse(ConnectToUnix(direct_path), markers.PutInto(bytes), bytes.size(), generator));
    const size_t piece_max = generator.Below(3) == 0 ? 40 : bytes.size();
    const std::string received = Converse(Connect(address), bytes, piece_max, generator);
    ASSERT_TRUE(received == expected) << "seed " << seed << " " << Difference(expected, received);
  }
  // The conversations were worth it: commands that were answered, values that came back, and texts
  // that were neither, all in numbers.
  EXPECT_GT(markers.answered(), 1'000u);
  EXPECT_GT(markers.returned(), 100u);
  EXPECT_GT(markers.put(), markers.answered() + 100);
}

}  // namespace
}  // namespace ec::endpoint
