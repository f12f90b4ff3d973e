// Where an instance's connections go: values in, values out.
#include "cli/instance_route.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include "cli/instance_keeper.h"

namespace ec::cli {
namespace {

const InstanceNetwork kWeb = {"i-web", *ParseCidr("10.0.0.0/16"), *ParseCidr("127.77.0.0/16"),
                              *ParseIp4("127.77.1.9")};

std::string Bytes(const SocketAddress& address) {
  return {reinterpret_cast<const char*>(&address.bytes), address.size};
}

std::string Found(const std::string& dialled, const InstanceNetwork& network = kWeb) {
  const auto found = LoopbackOf(network, *ParseIp4(dialled));
  return found ? ToString(*found) : "-";
}

TEST(LoopbackOf, KeepsTheLastBitsOfAnAddressOfTheVpc) {
  EXPECT_EQ(Found("10.0.1.5"), "127.77.1.5");
  EXPECT_EQ(Found("10.0.0.0"), "127.77.0.0");
  EXPECT_EQ(Found("10.0.255.255"), "127.77.255.255");
  InstanceNetwork small = kWeb;
  small.block = *ParseCidr("10.0.64.0/20");
  EXPECT_EQ(Found("10.0.65.3", small), "127.77.65.3");
  EXPECT_EQ(Found("10.0.1.5", small), "-");
}

TEST(LoopbackOf, TakesAnAddressOfLoopbackAsItIs) {
  EXPECT_EQ(Found("127.77.1.5"), "127.77.1.5");
  EXPECT_EQ(Found("127.78.1.5"), "127.78.1.5");  // another VPC's, which has to refuse us
  EXPECT_EQ(Found("127.255.255.254"), "127.255.255.254");
}

TEST(LoopbackOf, LeavesTheMachineAndTheWorldAlone) {
  EXPECT_EQ(Found("127.0.0.1"), "-");
  EXPECT_EQ(Found("127.0.0.53"), "-");
  EXPECT_EQ(Found("127.0.1.1"), "-");
  EXPECT_EQ(Found("10.1.0.1"), "-");
  EXPECT_EQ(Found("9.255.255.255"), "-");
  EXPECT_EQ(Found("93.184.216.34"), "-");
  EXPECT_EQ(Found("0.0.0.0"), "-");
}

TEST(RouteOf, NamesSourceAndDestinationInTheFamilyOfTheCall) {
  const Address dialled{*ParseIp4("10.0.1.5"), 6379};
  const Address found{*ParseIp4("127.77.1.5"), 6379};
  const Address source{kWeb.source, 0};
  const auto plain = RouteOf(kWeb, Bytes(ToSocketAddress(dialled)));
  ASSERT_TRUE(plain);
  EXPECT_EQ(Bytes(plain->destination), Bytes(ToSocketAddress(found)));
  EXPECT_EQ(Bytes(plain->source), Bytes(ToSocketAddress(source)));
  const auto mapped = RouteOf(kWeb, Bytes(ToMappedAddress(dialled)));
  ASSERT_TRUE(mapped);
  EXPECT_EQ(Bytes(mapped->destination), Bytes(ToMappedAddress(found)));
  EXPECT_EQ(Bytes(mapped->source), Bytes(ToMappedAddress(source)));
}

TEST(RouteOf, LeavesAloneWhatIsNoAddressOfIts) {
  const std::string good = Bytes(ToSocketAddress({*ParseIp4("10.0.1.5"), 6379}));
  EXPECT_TRUE(RouteOf(kWeb, good + "more"));
  EXPECT_FALSE(RouteOf(kWeb, ""));
  EXPECT_FALSE(RouteOf(kWeb, good.substr(0, 1)));
  EXPECT_FALSE(RouteOf(kWeb, good.substr(0, good.size() - 1)));
  EXPECT_FALSE(RouteOf(kWeb, Bytes(ToMappedAddress({*ParseIp4("10.0.1.5"), 1})).substr(0, 20)));
  sockaddr_storage other = {};
  const std::string_view bytes(reinterpret_cast<const char*>(&other), sizeof(other));
  for (const int family : {AF_UNSPEC, AF_UNIX, AF_INET6, AF_NETLINK}) {
    other.ss_family = static_cast<sa_family_t>(family);
    EXPECT_FALSE(RouteOf(kWeb, bytes)) << family;
  }
}

TEST(AddressOf, ReadsWhatWasWritten) {
  const Address address{*ParseIp4("10.0.1.5"), 6379};
  EXPECT_EQ(AddressOf(Bytes(ToSocketAddress(address))), address);
  EXPECT_EQ(AddressOf(Bytes(ToMappedAddress(address))), address);
}

TEST(Order, IsUnpackedAsItWasPacked) {
  const std::vector<std::string> command = {"redis-cli", "", "two words\n", "-h"};
  const std::string bytes = PackOrder(kWeb, command);
  InstanceNetwork network;
  std::vector<std::string> words;
  ASSERT_TRUE(UnpackOrder(bytes, &network, &words));
  EXPECT_EQ(network, kWeb);
  EXPECT_EQ(words, command);
  for (size_t size = 0; size < bytes.size(); ++size) {
    // Cut off in the middle of a word, or before the command; else it is a shorter command.
    const bool whole = size > 0 && bytes[size - 1] == '\0' && size > PackOrder(kWeb, {}).size();
    EXPECT_EQ(UnpackOrder(bytes.substr(0, size), &network, &words), whole) << size;
  }
}

}  // namespace
}  // namespace ec::cli
