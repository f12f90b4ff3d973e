#include "nodeagent/endpoint/discovery_filter.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

namespace ec::endpoint {
namespace {

// Tokens are numbered, so that a test can write them down.
class DiscoveryFilterTest : public testing::Test {
 protected:
  DiscoveryFilterTest()
      : replies_(std::make_shared<const DiscoveryReplies>(DiscoveryReplies{
            .config = "<config>", .legacy = "<get>", .legacy_with_cas = "<gets>"})),
        filter_([this] { return replies_; }, [this] { return std::to_string(++tokens_); }) {}

  // The bytes go in `chunk` at a time; all are taken.
  void FromClient(std::string_view bytes, size_t chunk = 10'000) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(chunk, bytes.size()))) {
      std::string_view rest = bytes.substr(0, chunk);
      while (!rest.empty()) {
        const DiscoveryFilter::Passage passage = filter_.FromClient(rest, &scratch_);
        to_engine_ += passage.to_engine;
        to_client_ += passage.to_client;
        rest.remove_prefix(passage.taken);
      }
    }
  }
  void FromEngine(std::string_view bytes, size_t chunk = 10'000) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(chunk, bytes.size()))) {
      to_client_ += filter_.FromEngine(bytes.substr(0, chunk), &scratch_);
    }
  }

  int tokens_ = 0;
  std::shared_ptr<const DiscoveryReplies> replies_;
  DiscoveryFilter filter_;
  DiscoveryFilter::Scratch scratch_;
  std::string to_engine_;
  std::string to_client_;
};

TEST_F(DiscoveryFilterTest, AnswersWithoutTheEngineBeforeAnythingWasSentToIt) {
  FromClient("config get cluster\r\nget AmazonElastiCache:cluster\r\nconfig get cluster\n");
  EXPECT_EQ(to_engine_, "");
  EXPECT_EQ(to_client_, "<config><get><config>");
}

TEST_F(DiscoveryFilterTest, SendsASentinelInTheCommandsPlace) {
  FromClient("get a\r\nconfig get cluster\r\nget b\r\n");
  EXPECT_EQ(to_engine_, "get a\r\nmd emucache:2 O1\r\nget b\r\n");
  EXPECT_EQ(to_client_, "");
}

TEST_F(DiscoveryFilterTest, PutsTheAnswerInTheSentinelsPlace) {
  FromClient("get a\r\nconfig get cluster\r\nget b\r\n");
  FromEngine("VALUE a 0 1\r\nx\r\nEND\r\nNF O1\r\nEND\r\n");
  EXPECT_EQ(to_client_, "VALUE a 0 1\r\nx\r\nEND\r\n<config>END\r\n");
}

TEST_F(DiscoveryFilterTest, FindsTheSentinelInAnyChunking) {
  for (const size_t chunk : {1, 2, 3, 5}) {
    FromClient("get a\r\nconfig get cluster\r\ngets AmazonElastiCache:cluster\r\nmn\r\n", chunk);
    const std::string first = std::to_string(tokens_ - 3);
    const std::string second = std::to_string(tokens_ - 1);
    FromEngine("NF O\r\nN\r\nNF O" + first + "\r\nNF O" + second + "\r\nMN\r\n", chunk);
    EXPECT_EQ(to_client_, "NF O\r\nN\r\n<config><gets>MN\r\n");
    to_client_.clear();
  }
}

TEST_F(DiscoveryFilterTest, GivesNoAnswerWhereMemcachedHasThrownTheReplyAway) {
  FromClient("mn\r\nconfig get cluster\r\nget <too long>\r\ngets AmazonElastiCache:cluster\r\n");
  FromEngine("CLIENT_ERROR bad command line format\r\nNF O3\r\nNF O1\r\n", 3);
  EXPECT_EQ(to_client_, "CLIENT_ERROR bad command line format\r\n<gets>NF O1\r\n");
}

TEST_F(DiscoveryFilterTest, KeepsBackOnlyWhatMayBeTheSentinel) {
  FromClient("get a\r\nconfig get cluster\r\n");
  FromEngine("END\r\nNF");
  EXPECT_EQ(to_client_, "END\r\n");
  FromEngine("\r\n");
  EXPECT_EQ(to_client_, "END\r\nNF\r\n");
  FromEngine("NF O1\r");
  EXPECT_EQ(to_client_, "END\r\nNF\r\n");
  EXPECT_EQ(filter_.TakeKeptBack(), "NF O1\r");
}

TEST_F(DiscoveryFilterTest, PassesEverythingWhileNoSentinelIsOnItsWay) {
  FromClient("get a\r\nconfig get cluster\r\n");
  FromEngine("END\r\nNF O1\r\n");
  to_client_.clear();
  FromEngine("NF O1\r\nNF");
  EXPECT_EQ(to_client_, "NF O1\r\nNF");
}

TEST_F(DiscoveryFilterTest, SendsOnWhatTurnsOutToBeNoDiscoveryCommand) {
  FromClient("config get clusters\r\nge", 1);
  EXPECT_EQ(to_engine_, "config get clusters\r\n");
  FromClient("t a\r\n", 1);
  EXPECT_EQ(to_engine_, "config get clusters\r\nget a\r\n");
}

TEST_F(DiscoveryFilterTest, TakesTheAnswerThatHoldsWhenTheCommandComes) {
  FromClient("mn\r\nconfig get cluster\r\n");
  replies_ = std::make_shared<const DiscoveryReplies>(DiscoveryReplies{.config = "<newer>"});
  FromClient("config get cluster\r\n");
  FromEngine("MN\r\nNF O1\r\nNF O3\r\n");
  EXPECT_EQ(to_client_, "MN\r\n<config><newer>");
}

TEST_F(DiscoveryFilterTest, LeavesTheCommandsToTheEngineWhenThereIsNoList) {
  replies_ = nullptr;
  FromClient("config get cluster\r\nget AmazonElastiCache:cluster\r\n", 4);
  EXPECT_EQ(to_engine_, "config get cluster\r\nget AmazonElastiCache:cluster\r\n");
}

TEST_F(DiscoveryFilterTest, TakesNoMoreWhenTooManySentinelsAreOnTheirWay) {
  std::string commands = "mn\r\n";
  for (size_t i = 0; i < 2 * DiscoveryFilter::kSentinelsMax; ++i)
    commands += "config get cluster\n";
  const DiscoveryFilter::Passage passage = filter_.FromClient(commands, &scratch_);
  EXPECT_TRUE(filter_.full());
  EXPECT_EQ(commands.size() - passage.taken, DiscoveryFilter::kSentinelsMax * 19);
  FromEngine("MN\r\nNF O1\r\n");
  EXPECT_FALSE(filter_.full());
}

TEST_F(DiscoveryFilterTest, GivesABoundedNumberOfAnswersAtATime) {
  std::string commands;
  for (size_t i = 0; i < 2 * DiscoveryFilter::kAnswersMax; ++i) commands += "config get cluster\n";
  const DiscoveryFilter::Passage passage = filter_.FromClient(commands, &scratch_);
  EXPECT_EQ(passage.to_client.size(), DiscoveryFilter::kAnswersMax * replies_->config.size());
  EXPECT_EQ(passage.taken, commands.size() / 2);
}

TEST_F(DiscoveryFilterTest, CopiesNothingWhenThereIsNothingToDo) {
  const std::string bytes = "get a\r\nset k 0 0 20\r\nconfig get cluster\r\n\r\n";
  const DiscoveryFilter::Passage passage = filter_.FromClient(bytes, &scratch_);
  EXPECT_EQ(passage.to_engine.data(), bytes.data());
  EXPECT_EQ(passage.to_engine.size(), bytes.size());
  EXPECT_EQ(filter_.FromEngine(bytes, &scratch_).data(), bytes.data());
}

TEST(DrawToken, GivesLettersThatMemcachedTakesAsAnOpaqueTokenAndNeverTheSame) {
  std::set<std::string> tokens;
  for (int i = 0; i < 1000; ++i) {
    const std::string token = DrawToken();
    EXPECT_EQ(token.size(), 22u);
    EXPECT_EQ(token.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "abcdefghijklmnopqrstuvwxyz-_"),
              std::string::npos);
    EXPECT_TRUE(tokens.insert(token).second);
  }
}

}  // namespace
}  // namespace ec::endpoint
