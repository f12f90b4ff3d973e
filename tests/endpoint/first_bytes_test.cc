#include "nodeagent/endpoint/first_bytes.h"

#include <gtest/gtest.h>

#include <string>

namespace ec::endpoint {
namespace {

TEST(FirstBytes, OfADiscoveryCommandAreKnownAsSoonAsTheyCanBe) {
  for (const std::string command :
       {"config", "get AmazonElastiCache:cluster", "gets AmazonElastiCache:cluster"}) {
    for (size_t length = 0; length < command.size(); ++length) {
      EXPECT_EQ(Classify(command.substr(0, length)), FirstBytes::kUndecided) << length;
    }
    EXPECT_EQ(Classify(command), FirstBytes::kDiscovers);
    EXPECT_EQ(Classify(command + " get cluster\r\nget k\r\n"), FirstBytes::kDiscovers);
    EXPECT_LE(command.size(), kFirstBytesMax);
  }
}

TEST(FirstBytes, OfAnythingElseAreOthersAtTheFirstByteThatDiffers) {
  for (const std::string bytes : {"s", "x", "\x80", "\r\n", "conf g", "get k\r\n", "gat 1 k\r\n",
                                  "get AmazonElastiCache:clustes", "Config get cluster\r\n"}) {
    EXPECT_EQ(Classify(bytes), FirstBytes::kOther) << bytes;
  }
  EXPECT_EQ(Classify(std::string(1, '\0')), FirstBytes::kOther);
}

}  // namespace
}  // namespace ec::endpoint
