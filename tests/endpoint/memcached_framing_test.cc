#include "nodeagent/endpoint/memcached_framing.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace ec::endpoint {
namespace {

using Kind = MemcachedFraming::Kind;

// The stream as the framing divides it, with what was undecided joined to what it turned out to be,
// and neighbours that pass joined.
using Pieces = std::vector<std::pair<Kind, std::string>>;

Pieces Divide(const std::string& stream, size_t chunk) {
  MemcachedFraming framing;
  Pieces pieces;
  std::string undecided;
  for (size_t begin = 0; begin < stream.size(); begin += chunk) {
    std::string_view bytes = std::string_view(stream).substr(begin, chunk);
    while (!bytes.empty()) {
      const MemcachedFraming::Piece piece = framing.Next(bytes);
      EXPECT_GT(piece.length, 0u);
      undecided += bytes.substr(0, piece.length);
      bytes.remove_prefix(piece.length);
      if (piece.kind == Kind::kUndecided) continue;
      if (piece.kind == Kind::kPass && !pieces.empty() && pieces.back().first == Kind::kPass) {
        pieces.back().second += undecided;
      } else {
        pieces.emplace_back(piece.kind, undecided);
      }
      undecided.clear();
    }
  }
  if (!undecided.empty()) pieces.emplace_back(Kind::kUndecided, undecided);
  return pieces;
}

constexpr char kConfig[] = "config get cluster\r\n";

// Whether the discovery command after `text` is seen as one, whatever the chunking.
bool FindsCommandAfter(const std::string& text) {
  const Pieces found = {{Kind::kPass, text}, {Kind::kConfigGet, kConfig}};
  const Pieces whole = Divide(text + kConfig, text.size() + sizeof(kConfig));
  for (const size_t chunk : {1, 2, 3, 7}) EXPECT_EQ(Divide(text + kConfig, chunk), whole) << text;
  return whole == found;
}

// Whether `line` has a data block of `length` bytes and their end.
bool HasData(const std::string& line, size_t length) {
  // The block consists of what would be a command, repeated.
  std::string block;
  while (block.size() < length) block += kConfig;
  block.resize(length);
  return FindsCommandAfter(line + "\r\n" + block + "\r\n");
}
bool HasNoData(const std::string& line) { return FindsCommandAfter(line + "\r\n"); }

TEST(MemcachedFraming, FindsTheConfigCommand) {
  const Pieces config = {{Kind::kConfigGet, "config get cluster\r\n"}};
  EXPECT_EQ(Divide("config get cluster\r\n", 100), config);
  EXPECT_EQ(Divide("config get cluster\r\n", 1), config);
}

TEST(MemcachedFraming, FindsTheConfigCommandWithABareNewline) {
  const Pieces config = {{Kind::kConfigGet, "config get cluster\n"}};
  EXPECT_EQ(Divide("config get cluster\n", 100), config);
  EXPECT_EQ(Divide("config get cluster\n", 1), config);
}

TEST(MemcachedFraming, FindsTheLegacyGets) {
  const std::string stream =
      "get AmazonElastiCache:cluster\r\ngets AmazonElastiCache:cluster\nget a\r\n";
  const Pieces pieces = {{Kind::kLegacyGet, "get AmazonElastiCache:cluster\r\n"},
                         {Kind::kLegacyGetWithCas, "gets AmazonElastiCache:cluster\n"},
                         {Kind::kPass, "get a\r\n"}};
  EXPECT_EQ(Divide(stream, 1000), pieces);
  EXPECT_EQ(Divide(stream, 1), pieces);
  EXPECT_EQ(Divide(stream, 5), pieces);
}

TEST(MemcachedFraming, DividesWordsAtAnyNumberOfSpacesAsMemcachedDoes) {
  const Pieces config = {{Kind::kConfigGet, "  config  get   cluster \r\n"}};
  EXPECT_EQ(Divide("  config  get   cluster \r\n", 100), config);
  EXPECT_EQ(Divide("  config  get   cluster \r\n", 1), config);
}

TEST(MemcachedFraming, LeavesWhatOnlyLooksLikeADiscoveryCommandToTheEngine) {
  for (const std::string line :
       {"config get cluster2", "config get", "config get cluster now", "config\tget cluster",
        "Config get cluster", "config set cluster", "config get cluster\r", "configget cluster",
        "get AmazonElastiCache:cluster a", "get a AmazonElastiCache:cluster",
        "gat AmazonElastiCache:cluster", "get AmazonElastiCache:Cluster",
        "mg config get cluster"}) {
    EXPECT_TRUE(FindsCommandAfter(line + "\r\n")) << line;
  }
}

TEST(MemcachedFraming, LeavesDiscoveryCommandsOfAbsurdLengthToTheEngine) {
  const std::string line = "config" + std::string(300, ' ') + "get cluster\r\n";
  EXPECT_TRUE(FindsCommandAfter(line));
}

TEST(MemcachedFraming, KeepsOnlyWhatMayBecomeADiscoveryCommand) {
  const Pieces kept = {{Kind::kPass, "get a\r\n"}, {Kind::kUndecided, "config get clu"}};
  EXPECT_EQ(Divide("get a\r\nconfig get clu", 100), kept);
  for (const std::string line : {"set", "get a", "ca", "delete", "config set", "gat", "mg"}) {
    EXPECT_EQ(Divide(line, 100), (Pieces{{Kind::kPass, line}}));
    EXPECT_EQ(Divide(line, 1), (Pieces{{Kind::kPass, line}}));
  }
}

TEST(MemcachedFraming, FindsCommandsBehindOtherCommands) {
  for (const std::string line : {"get a", "", "x", "mn", "mg a v", "delete a", "incr a 1", "stats",
                                 "version", "verbosity 1 noreply", "get config get cluster"}) {
    EXPECT_TRUE(HasNoData(line)) << line;
    EXPECT_TRUE(FindsCommandAfter(line + "\n")) << line;
  }
}

TEST(MemcachedFraming, FindsNoCommandInAValue) {
  for (const std::string name : {"set", "add", "replace", "append", "prepend"}) {
    EXPECT_TRUE(HasData(name + " k 0 0 20", 20)) << name;
    EXPECT_TRUE(HasData(name + " k 0 0 45 noreply", 45)) << name;
    EXPECT_TRUE(HasData(name + " k 0 0 0", 0)) << name;
  }
  EXPECT_TRUE(HasData("cas k 0 0 20 7", 20));
  EXPECT_TRUE(HasData("cas k 0 0 20 7 noreply", 20));
  EXPECT_TRUE(HasData("ms k 20", 20));
  EXPECT_TRUE(HasData("ms k 41 T0 F1 c", 41));
}

TEST(MemcachedFraming, FindsNoCommandInAValueThatIsTooLargeForAnItem) {
  EXPECT_TRUE(HasData("set k 0 0 3000000", 3'000'000));
}

TEST(MemcachedFraming, CountsAValueByItsLengthEvenIfItsEndIsMissing) {
  EXPECT_TRUE(FindsCommandAfter("set k 0 0 3\r\nabcde"));
  EXPECT_TRUE(FindsCommandAfter("set k 0 0 18\r\nconfig get cluster\n\n"));
}

TEST(MemcachedFraming, GivesARefusedStorageCommandNoValue) {
  const std::string long_key(251, 'k');
  for (const std::string& line :
       std::vector<std::string>{"set",
                                "set k",
                                "set k 0 0",
                                "set k 0 0 5 noreply more",
                                "set k x 0 5",
                                "set k 0 x 5",
                                "set k 0 0 x",
                                "set k 0 0 5x",
                                "set k 0 0 -1",
                                "set k 0 0 noreply",
                                "set k -1 0 5",
                                "set k 0 0 2147483646",
                                "set k 0 0 99999999999999999999",
                                "set " + long_key + " 0 0 5",
                                "cas k 0 0 5",
                                "cas k 0 0 5 x",
                                "cas k 0 0 5 1 noreply more",
                                "SET k 0 0 5",
                                "sets k 0 0 5",
                                "ms",
                                "ms k",
                                "ms k x",
                                "ms k -1",
                                "ms k S5",
                                "ms " + long_key + " 5",
                                "ms k 5 a b c d e f g h i j k l m n o p q",
                                "mset k 5",
                                "set\tk 0 0 5"}) {
    EXPECT_TRUE(HasNoData(line)) << line;
  }
}

TEST(MemcachedFraming, ReadsNumbersAsMemcachedDoes) {
  const std::string key(250, 'k');
  EXPECT_TRUE(HasData("set " + key + " 0 0 5", 5));
  EXPECT_TRUE(HasData("set k 0 0 +5", 5));
  EXPECT_TRUE(HasData("set k 0 0 005", 5));
  EXPECT_TRUE(HasData("set k 0 0 5\tx", 5));
  EXPECT_TRUE(HasData("set k 0 0 \t5", 5));
  EXPECT_TRUE(HasData("set k 0 0 5\r", 5));
  EXPECT_TRUE(HasData("set k 0 0 -0", 0));
  EXPECT_TRUE(HasData("set k 0 0 4294967301", 5));  // 2^32 + 5, cut to 32 bits
  EXPECT_TRUE(HasData("set k 0 -1 5", 5));
  EXPECT_TRUE(HasData("set k 99999999999 0 5", 5));
  EXPECT_TRUE(HasData("set k -0 0 5", 5));
  EXPECT_TRUE(HasData("set k -18446744073709551615 0 5", 5));  // is 1 in 64 bits
  EXPECT_TRUE(HasNoData("set k 0 0 \t"));
  EXPECT_TRUE(HasNoData("set k 0 0 - 5"));
  EXPECT_TRUE(HasNoData("set k 0 0 +-5"));
  EXPECT_TRUE(HasNoData("set k 18446744073709551616 0 5"));
}

TEST(MemcachedFraming, TakesTheDataOfAMetaSetWhoseFlagsAreWrong) {
  EXPECT_TRUE(HasData("ms k 20 !", 20));
  EXPECT_TRUE(HasData("ms k 20 T T", 20));
  EXPECT_TRUE(HasData("ms k 20 MX", 20));
  EXPECT_TRUE(HasData("ms k 20 b", 20));
  EXPECT_TRUE(HasData("ms k 20 a b c d e f g h i j k l m n o p", 20));  // 19 words
}

TEST(MemcachedFraming, SeesNothingOfALineAfterANul) {
  const std::string nul(1, '\0');
  EXPECT_TRUE(HasData("set k 0 0 5" + nul + " and more", 5));
  EXPECT_TRUE(HasNoData("set k 0 0" + nul + " 5"));
}

TEST(MemcachedFraming, LetsABinaryConnectionPassWhole) {
  const std::string stream = std::string("\x80") + "\r\nconfig get cluster\r\n";
  EXPECT_EQ(Divide(stream, 1), (Pieces{{Kind::kPass, stream}}));
  EXPECT_EQ(Divide(stream, 100), (Pieces{{Kind::kPass, stream}}));
}

TEST(MemcachedFraming, KnowsTheBinaryProtocolByTheFirstByteOnly) {
  EXPECT_TRUE(FindsCommandAfter("\r\n\x80\r\n"));
}

TEST(MemcachedFraming, GivesUpOnAStorageLineThatMemcachedClosesTheConnectionFor) {
  const std::string stream =
      "set k 0 0 " + std::string(16 * 1024, ' ') + "5\r\nabcde\r\n" + kConfig;
  for (const size_t chunk : {size_t{1}, size_t{1000}, stream.size()}) {
    EXPECT_EQ(Divide(stream, chunk), (Pieces{{Kind::kPass, stream}}));
  }
}

}  // namespace
}  // namespace ec::endpoint
