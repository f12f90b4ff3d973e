#include "controlplane/model/names.h"

#include <gmock/gmock.h>

#include <string>

#include "tests/support/matchers.h"

namespace ec::model {
namespace {

using ec::testing::Fails;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Lower, TouchesAsciiLettersOnly) {
  EXPECT_EQ(Lower("AbC-19z_@[`{"), "abc-19z_@[`{");
  EXPECT_EQ(Lower("\xc3\x84"), "\xc3\x84");
}

TEST(ClusterId, IsTakenInLowerCase) {
  for (const std::string text : {"a", "Z", "my-cluster", "a1", "A-1-b", "abc123"}) {
    const Result<std::string> id = ParseClusterId(text);
    ASSERT_TRUE(id.ok()) << text;
    EXPECT_EQ(*id, Lower(text));
  }
}

TEST(ClusterId, IsRefusedWithAwsTextWhenMalformed) {
  for (const std::string text : {"", "1a", "-a", "a-", "a--b", "a_b", "fake_cluster", "a.b", "a b",
                                 "a/b", "\xc3\xa4", "a\n", "--", "-"}) {
    EXPECT_THAT(ParseClusterId(text),
                Fails(Fault::kInvalidParameterValue,
                      StartsWith("The parameter CacheClusterIdentifier is not a valid "
                                 "identifier. ")))
        << text;
  }
}

TEST(ClusterId, HasUpToFiftyCharacters) {
  EXPECT_TRUE(ParseClusterId(std::string(50, 'a')).ok());
  EXPECT_THAT(ParseClusterId(std::string(51, 'a')),
              Fails(Fault::kInvalidParameterValue,
                    AllOf(HasSubstr("CacheClusterIdentifier"), HasSubstr("50"), HasSubstr("51"))));
}

TEST(NodeId, HasFourDigits) {
  EXPECT_EQ(NodeId(1), "0001");
  EXPECT_EQ(NodeId(40), "0040");
  EXPECT_EQ(NodeId(300), "0300");
}

TEST(Arn, IsWrittenAndReadAsAwsWritesIt) {
  const Arn arn{"eu-west-1", "123456789012", "cluster", "my-cluster"};
  const std::string text = "arn:aws:elasticache:eu-west-1:123456789012:cluster:my-cluster";
  EXPECT_EQ(ToString(arn), text);
  const Result<Arn> parsed = ParseArn(text);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->region, arn.region);
  EXPECT_EQ(parsed->account, arn.account);
  EXPECT_EQ(parsed->kind, arn.kind);
  EXPECT_EQ(parsed->name, arn.name);
}

TEST(Arn, NamesAThingInAnyLetterCase) {
  EXPECT_EQ(ParseArn("arn:aws:elasticache:us-east-1:1:cluster:My-Cluster")->name, "my-cluster");
}

TEST(Arn, MayBeOfAnotherPartitionAndWithoutARegion) {
  EXPECT_TRUE(ParseArn("arn:aws-cn:elasticache:cn-north-1:1:cluster:a").ok());
  const Result<Arn> global = ParseArn("arn:aws:elasticache::1:globalreplicationgroup:g");
  ASSERT_TRUE(global.ok());
  EXPECT_EQ(global->region, "");
}

TEST(Arn, IsRefusedWhenMalformedOrOfAnotherService) {
  for (const std::string text :
       {"", "my-cluster", "arn", "arn:aws:elasticache:us-east-1:1:cluster",
        "arn:aws:elasticache:us-east-1:1:cluster:", "arn:aws:elasticache:us-east-1:1::a",
        "arn:aws:rds:us-east-1:1:cluster:a", "urn:aws:elasticache:us-east-1:1:cluster:a",
        "arn:gcp:elasticache:us-east-1:1:cluster:a", ":::::::"}) {
    EXPECT_THAT(ParseArn(text), Fails(Fault::kInvalidArn, HasSubstr("'" + text + "'"))) << text;
  }
}

TEST(SourceType, IsOneOfTheNineThatEventsHave) {
  for (const std::string type : {"cache-cluster", "cache-parameter-group", "cache-security-group",
                                 "cache-subnet-group", "replication-group", "serverless-cache",
                                 "serverless-cache-snapshot", "user", "user-group"}) {
    EXPECT_TRUE(IsSourceType(type)) << type;
  }
  for (const std::string type : {"", "cluster", "Cache-Cluster", "cache-cluster ", "snapshot"}) {
    EXPECT_FALSE(IsSourceType(type)) << type;
  }
}

}  // namespace
}  // namespace ec::model
