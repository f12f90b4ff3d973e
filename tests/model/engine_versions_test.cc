#include "controlplane/model/engine_versions.h"

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <vector>

#include "controlplane/model/parameters.h"

namespace ec::model {
namespace {

constexpr EngineKind kM = EngineKind::kMemcached;
constexpr EngineKind kR = EngineKind::kRedis;
constexpr EngineKind kV = EngineKind::kValkey;

// Every version that AWS is known to have, or to accept: as asked for, as reported, the family.
const struct {
  EngineKind engine;
  std::string asked, reported, family;
} kRows[] = {
    {kM, "1.4.5", "1.4.5", "memcached1.4"},   {kM, "1.4.14", "1.4.14", "memcached1.4"},
    {kM, "1.4.24", "1.4.24", "memcached1.4"}, {kM, "1.4.33", "1.4.33", "memcached1.4"},
    {kM, "1.4.34", "1.4.34", "memcached1.4"}, {kM, "1.5.10", "1.5.10", "memcached1.5"},
    {kM, "1.5.16", "1.5.16", "memcached1.5"}, {kM, "1.6.6", "1.6.6", "memcached1.6"},
    {kM, "1.6.12", "1.6.12", "memcached1.6"}, {kM, "1.6.17", "1.6.17", "memcached1.6"},
    {kM, "1.6.22", "1.6.22", "memcached1.6"}, {kR, "2.6.13", "2.6.13", "redis2.6"},
    {kR, "2.8.6", "2.8.6", "redis2.8"},       {kR, "2.8.19", "2.8.19", "redis2.8"},
    {kR, "2.8.21", "2.8.21", "redis2.8"},     {kR, "2.8.22", "2.8.22", "redis2.8"},
    {kR, "2.8.23", "2.8.23", "redis2.8"},     {kR, "2.8.24", "2.8.24", "redis2.8"},
    {kR, "3.2.4", "3.2.4", "redis3.2"},       {kR, "3.2.6", "3.2.6", "redis3.2"},
    {kR, "3.2.10", "3.2.10", "redis3.2"},     {kR, "4.0.10", "4.0.10", "redis4.0"},
    {kR, "5.0.0", "5.0.0", "redis5.0"},       {kR, "5.0.3", "5.0.3", "redis5.0"},
    {kR, "5.0.4", "5.0.4", "redis5.0"},       {kR, "5.0.5", "5.0.5", "redis5.0"},
    {kR, "5.0.6", "5.0.6", "redis5.0"},       {kR, "6.0", "6.0.5", "redis6.x"},
    {kR, "6.2", "6.2.6", "redis6.x"},         {kR, "6.2.6", "6.2.6", "redis6.x"},
    {kR, "6.x", "6.2.6", "redis6.x"},         {kR, "7.0", "7.0.7", "redis7"},
    {kR, "7.0.7", "7.0.7", "redis7"},         {kR, "7.0.5", "7.0.5", "redis7"},
    {kR, "7.1", "7.1.0", "redis7"},           {kR, "7.1.0", "7.1.0", "redis7"},
    {kV, "7.2", "7.2.6", "valkey7"},          {kV, "8.0", "8.0.1", "valkey8"},
};

TEST(EngineVersion, ResolvesEveryVersionThatAwsKnows) {
  for (const auto& row : kRows) {
    const auto version = ResolveVersion(row.engine, row.asked);
    ASSERT_TRUE(version.has_value()) << NameOf(row.engine) << " " << row.asked;
    EXPECT_EQ(version->engine, row.engine);
    EXPECT_EQ(version->reported, row.reported) << row.asked;
    EXPECT_EQ(version->family, row.family) << row.asked;
  }
}

TEST(EngineVersion, KnowsNoOther) {
  const std::pair<EngineKind, std::string> unknown[] = {
      {kR, ""},    {kR, "4.0.13"}, {kR, "5.0.1"}, {kR, "5.0.2"}, {kR, "7"},    {kR, "7.2"},
      {kR, "7.x"}, {kR, "6.2.7"},  {kR, "8.0"},   {kR, "redis"}, {kR, "7.1 "}, {kM, "6.x"},
      {kM, "1.4"}, {kM, "7.1"},    {kM, ""},      {kV, "6.x"},   {kV, "7.1"}};
  for (const auto& [engine, asked] : unknown) {
    EXPECT_FALSE(ResolveVersion(engine, asked).has_value()) << NameOf(engine) << " " << asked;
  }
}

TEST(EngineVersion, IsReportedInThreePartsAndHasAKnownFamily) {
  for (const EngineKind engine : kAllEngines) {
    for (const EngineVersion& version : VersionsOf(engine)) {
      EXPECT_EQ(std::ranges::count(version.reported, '.'), 2) << version.reported;
      EXPECT_TRUE(IsFamily(version.family)) << version.family;
      EXPECT_TRUE(version.family.starts_with(NameOf(engine))) << version.family;
    }
  }
}

TEST(EngineVersion, IsListedOnceFromTheOldestToTheNewest) {
  for (const EngineKind engine : kAllEngines) {
    const std::vector<EngineVersion> versions = VersionsOf(engine);
    for (size_t i = 1; i < versions.size(); ++i) {
      EXPECT_LT(CompareVersions(versions[i - 1].reported, versions[i].reported), 0);
    }
    for (const EngineVersion& version : versions) EXPECT_FALSE(version.offered.empty());
    EXPECT_EQ(NewestVersion(engine).reported, versions.back().reported);
  }
  EXPECT_EQ(VersionsOf(kM).size(), 11u);
  EXPECT_EQ(NewestVersion(kR).reported, "7.1.0");
  EXPECT_EQ(NewestVersion(kM).reported, "1.6.22");
}

TEST(CompareVersions, LooksAtNumbersPartByPart) {
  const struct {
    std::string left, right;
    int sign;
  } rows[] = {
      {"1.4.5", "1.4.14", -1}, {"3.2.10", "3.2.6", 1}, {"7.1.0", "7.1.0", 0},
      {"6.2.6", "7.0.4", -1},  {"10.0.0", "9.9.9", 1}, {"7.0", "7.0.0", -1},
  };
  for (const auto& row : rows) {
    const int order = CompareVersions(row.left, row.right);
    EXPECT_EQ(order < 0 ? -1 : order > 0 ? 1 : 0, row.sign) << row.left << " " << row.right;
  }
}

TEST(SameMinor, ComparesTheFirstTwoNumbers) {
  EXPECT_TRUE(SameMinor("7.0.7", "7.0.15"));
  EXPECT_TRUE(SameMinor("1.6.22", "1.6.18"));
  EXPECT_FALSE(SameMinor("7.1.0", "7.0.15"));
  EXPECT_FALSE(SameMinor("6.0.5", "7.0.5"));
  EXPECT_FALSE(SameMinor("7", "7.0.15"));
  EXPECT_FALSE(SameMinor("7.0.7", ""));
  EXPECT_TRUE(SameMinor("8.0.1", "8.0.1-rc1"));
}

TEST(DescriptionOf, IsAwsWord) {
  EXPECT_EQ(DescriptionOf(kM), "memcached");
  EXPECT_EQ(DescriptionOf(kR), "Redis");
  EXPECT_EQ(DescriptionOf(kV), "Valkey");
}

}  // namespace
}  // namespace ec::model
