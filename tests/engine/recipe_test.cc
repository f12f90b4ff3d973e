// What a Redis is told of its part in a group before it starts.
#include "nodeagent/engine/recipe.h"

#include <gmock/gmock.h>

#include <string>

#include "common/engine_login.h"

namespace ec::engine {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

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

// --- encryption in transit ---------------------------------------------------------------------

MemberSpec Encrypted() {
  MemberSpec spec = AtItsAddress();
  spec.tls = TlsSpec{{"127.10.0.4"}, "certificate\n", "key\n", "authority\n"};
  return spec;
}

TEST(Recipe, OfAnEncryptedRedisHasNoPlainPort) {
  const MemberSpec spec = Encrypted();
  const Recipe recipe = RecipeFor(spec, Machine{}, spec.address);
  const std::string configuration = recipe.files.at(0).second;
  EXPECT_THAT(configuration, HasSubstr("\nport 0\ntls-port 6379\n"));
  EXPECT_THAT(configuration, HasSubstr("\ntls-replication yes\n"));
  EXPECT_THAT(configuration, HasSubstr("\ntls-auth-clients no\n"));
  EXPECT_THAT(configuration, HasSubstr("\ntls-ca-cert-file ca.pem\n"));
  EXPECT_THAT(recipe.files, Contains(Pair("tls.pem", "key\ncertificate\n")));
  EXPECT_THAT(recipe.files, Contains(Pair("ca.pem", "authority\n")));
}

TEST(Recipe, OfAPlainRedisKnowsNothingOfTls) {
  const MemberSpec spec = AtItsAddress();
  const Recipe recipe = RecipeFor(spec, Machine{}, spec.address);
  EXPECT_THAT(recipe.files.at(0).second, Not(HasSubstr("tls")));
  EXPECT_EQ(recipe.files.size(), 1u);
}

TEST(Recipe, HasARunningRedisReadItsCertificateAnew) {
  EXPECT_THAT(LiveSettings(Encrypted()), Contains(Pair("tls-cert-file", "tls.pem")));
  EXPECT_THAT(LiveSettings(AtItsAddress()), Not(Contains(Pair("tls-cert-file", "tls.pem"))));
}

// --- users ------------------------------------------------------------------------------------

TEST(Recipe, TellsARedisOfItsUsersAndTheAgentHowToLogIn) {
  MemberSpec spec = AtItsAddress();
  EXPECT_THAT(Configuration(spec), Not(HasSubstr("\nuser ")));
  spec.access = EngineAccess{"admin", "replication", {{"default", "default", {"on", "nopass"}}}, 7};
  const Recipe recipe = RecipeFor(spec, Machine{}, std::nullopt);
  ASSERT_EQ(recipe.files.size(), 2u);
  const std::string& configuration = recipe.files.at(0).second;
  EXPECT_THAT(configuration, HasSubstr("\nmasteruser __emucache_replication\n"));
  EXPECT_THAT(configuration, HasSubstr("\nmasterauth \"replication\"\n"));
  EXPECT_THAT(configuration, HasSubstr("\nuser \"__emucache_admin\" \"reset\" \"on\" \"#"));
  EXPECT_THAT(configuration, HasSubstr("\nuser \"default\" \"reset\" \"on\" \"nopass\" \"-"));
  EXPECT_THAT(configuration, HasSubstr("\nrename-command config ec-"));
  EXPECT_EQ(recipe.files.at(1).first, kLoginName);
  const auto login = ParseEngineLogin(recipe.files.at(1).second);
  ASSERT_TRUE(login.has_value());
  EXPECT_EQ(login->secret, "admin");
  EXPECT_EQ(login->version, 7u);
}

}  // namespace
}  // namespace ec::engine
