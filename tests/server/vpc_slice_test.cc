// Slices of loopback, which no two installations share.
#include "controlplane/server/vpc_slice.h"

#include <gtest/gtest.h>

#include "controlplane/model/access.h"

namespace ec::server {
namespace {

// One that no installation of the machine has at the moment.
Cidr FreeSlice() {
  Result<VpcSlice> free = VpcSlice::Choose("/test");
  EXPECT_TRUE(free.ok());
  return free->cidr();
}

model::State StateWith(const Cidr& slice) {
  model::Records records;
  records.vpcs["vpc-1"] = {.id = "vpc-1", .block = *ParseCidr("10.0.0.0/16"), .slice = slice};
  return model::Begin(std::move(records), Instant());
}

TEST(SliceHolder, HoldsTheSlicesOfItsVpcsForAsLongAsTheyAreThere) {
  const Cidr slice = FreeSlice();
  {
    SliceHolder holder;
    ASSERT_TRUE(holder.Begin(StateWith(slice)).ok());
    EXPECT_TRUE(SlicesHeld().contains(slice));
    EXPECT_FALSE(VpcSlice::Hold(slice).ok());
    SliceHolder other;
    EXPECT_FALSE(other.Begin(StateWith(slice)).ok());
  }
  EXPECT_FALSE(SlicesHeld().contains(slice));
}

TEST(SliceHolder, LetsGoOfAVpcThatIsDeleted) {
  const Cidr slice = FreeSlice();
  SliceHolder holder;
  ASSERT_TRUE(holder.Begin(StateWith(slice)).ok());
  model::Records without;
  without.revision = 1;
  holder.Note(model::Begin(std::move(without), Instant()));
  EXPECT_TRUE(VpcSlice::Hold(slice).ok());
}

}  // namespace
}  // namespace ec::server
