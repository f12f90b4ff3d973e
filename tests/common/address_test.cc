#include "common/address.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace ec {
namespace {

TEST(Ip4, ReadsDottedQuadsAndWritesThemBackTheSame) {
  const struct {
    std::string text;
    uint32_t bits;
  } rows[] = {
      {"0.0.0.0", 0},
      {"127.0.0.1", 0x7f000001},
      {"127.10.0.5", 0x7f0a0005},
      {"1.20.255.9", 0x0114ff09},
      {"255.255.255.255", 0xffffffff},
  };
  for (const auto& row : rows) {
    const auto ip = ParseIp4(row.text);
    ASSERT_TRUE(ip.has_value()) << row.text;
    EXPECT_EQ(ip->bits, row.bits) << row.text;
    EXPECT_EQ(ToString(*ip), row.text);
  }
}

TEST(Ip4, RefusesEverythingElse) {
  const std::vector<std::string> bad = {"",          "1",         "1.2.3",
                                        "1.2.3.",    "1.2.3.4.",  "1.2.3.4.5",
                                        "256.1.1.1", "1.1.1.256", "1.1.1.1000",
                                        "01.2.3.4",  "1.2.3.04",  "1.2.3.00",
                                        "1..3.4",    ".1.2.3.4",  " 1.2.3.4",
                                        "1.2.3.4 ",  "1.2. 3.4",  "-1.2.3.4",
                                        "+1.2.3.4",  "1.2.3.4/8", "0x7f.0.0.1",
                                        "1.2.3.a",   "localhost", "::1",
                                        "1,2,3,4",   "1.2.3.4:5", "99999999999.1.1.1"};
  for (const std::string& text : bad) EXPECT_EQ(ParseIp4(text), std::nullopt) << text;
  EXPECT_EQ(ParseIp4(std::string_view("1.2.3.4\0", 8)), std::nullopt);
}

TEST(Ip4, OrdersByItsNumber) {
  EXPECT_LT(*ParseIp4("9.0.0.0"), *ParseIp4("10.0.0.0"));
  EXPECT_LT(*ParseIp4("127.0.0.1"), *ParseIp4("200.0.0.0"));
}

TEST(Address, IsWrittenWithItsPort) {
  EXPECT_EQ(ToString(Address{*ParseIp4("127.10.0.5"), 6379}), "127.10.0.5:6379");
  EXPECT_EQ(ToString(Address{*ParseIp4("127.10.0.5"), 65535}), "127.10.0.5:65535");
}

TEST(Cidr, ReadsBlocksAndWritesThemBackTheSame) {
  for (const std::string text : {"0.0.0.0/0", "127.0.0.0/8", "127.10.0.0/16", "127.10.16.0/20",
                                 "10.1.2.4/30", "10.1.2.3/32", "128.0.0.0/1"}) {
    const auto cidr = ParseCidr(text);
    ASSERT_TRUE(cidr.has_value()) << text;
    EXPECT_EQ(ToString(*cidr), text);
  }
}

TEST(Cidr, RefusesSetHostBitsAndEverythingMalformed) {
  for (const std::string text :
       {"", "127.0.0.0", "127.0.0.0/", "/8", "127.0.0.1/8", "127.11.0.0/15", "10.1.2.3/31",
        "0.0.0.1/0", "127.0.0.0/33", "127.0.0.0/-1", "127.0.0.0/+8", "127.0.0.0/08", "127.0.0.0/8 ",
        "127.0.0.0/8/8", "127.0.0.0/a", "127.0.0/8", "256.0.0.0/8", "127.0.0.0/99999999999"}) {
    EXPECT_EQ(ParseCidr(text), std::nullopt) << text;
  }
}

TEST(Cidr, ContainsItsFirstAndLastAddressAndNothingBeside) {
  const struct {
    std::string cidr, before, first, last, after;
  } rows[] = {
      {"127.10.16.0/20", "127.10.15.255", "127.10.16.0", "127.10.31.255", "127.10.32.0"},
      {"10.1.2.4/30", "10.1.2.3", "10.1.2.4", "10.1.2.7", "10.1.2.8"},
      {"10.1.2.3/32", "10.1.2.2", "10.1.2.3", "10.1.2.3", "10.1.2.4"},
      {"128.0.0.0/2", "127.255.255.255", "128.0.0.0", "191.255.255.255", "192.0.0.0"},
  };
  for (const auto& row : rows) {
    const Cidr cidr = *ParseCidr(row.cidr);
    EXPECT_EQ(ToString(cidr.First()), row.first);
    EXPECT_EQ(ToString(cidr.Last()), row.last);
    EXPECT_TRUE(cidr.Contains(cidr.First()) && cidr.Contains(cidr.Last())) << row.cidr;
    EXPECT_FALSE(cidr.Contains(*ParseIp4(row.before))) << row.cidr;
    EXPECT_FALSE(cidr.Contains(*ParseIp4(row.after))) << row.cidr;
  }
  const Cidr everything = *ParseCidr("0.0.0.0/0");
  EXPECT_TRUE(everything.Contains(*ParseIp4("255.255.255.255")));
  EXPECT_EQ(ToString(everything.Last()), "255.255.255.255");
}

}  // namespace
}  // namespace ec
