// What a Redis is told of its part in a group before it starts.
#include "nodeagent/engine/recipe.h"

#include <gmock/gmock.h>

#include <string>

namespace ec::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Configuration(const MemberSpec& spec) {
  return RecipeFor(spec, Machine{}, std::nullopt).files.at(0).second;
}

MemberSpec AtItsAddress() {
  MemberSpec spec;
  spec.address = {*ParseIp4("127.10.0.4"), 6379};
  return spec;
}

TEST(Recipe, LetsEveryRedisBecomeAFollowerLater) {
  const std::string configuration = Configuration(AtItsAddress());
  EXPECT_THAT(configuration, HasSubstr("\nreplica-announce-ip 127.10.0.4\n"));
  EXPECT_THAT(configuration, HasSubstr("\nreplica-announce-port 6379\n"));
  EXPECT_THAT(configuration, HasSubstr("\nbind-source-addr 127.10.0.4\n"));
  EXPECT_THAT(configuration, HasSubstr("\nrepl-diskless-sync no\n"));
  EXPECT_THAT(configuration, HasSubstr("\nreplica-read-only yes\n"));
  EXPECT_THAT(configuration, Not(HasSubstr("replicaof")));
}

TEST(Recipe, MakesAFollowerOneFromTheFirst) {
  MemberSpec spec = AtItsAddress();
  spec.replication = {.epoch = 3, .leader = {*ParseIp4("127.10.0.5"), 7000}};
  EXPECT_THAT(Configuration(spec), HasSubstr("\nreplicaof 127.10.0.5 7000\n"));
  spec.replication->leads = true;
  EXPECT_THAT(Configuration(spec), Not(HasSubstr("replicaof")));
}

}  // namespace
}  // namespace ec::engine
