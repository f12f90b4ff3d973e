// Encryption in transit: who may have it, what follows from it, and what it does to plans.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/core/group_fixture.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using model::ClusterStatus;
using model::GroupStatus;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

constexpr Fault kValue = Fault::kInvalidParameterValue;
constexpr Fault kCombination = Fault::kInvalidParameterCombination;

class EncryptionTest : public GroupTest {
 protected:
  static CreateGroup Encrypted(const std::string& id, int clusters) {
    CreateGroup request = RedisGroup(id, clusters);
    request.transit_encryption = true;
    return request;
  }
  void MakeEncrypted(int clusters, const std::string& id = "g") {
    CreateGroup request = Encrypted(id, clusters);
    request.automatic_failover = clusters > 1;
    ASSERT_THAT(plane.Ask(request), IsOk());
    plane.Settle();
    ASSERT_EQ(group(id).status, GroupStatus::kAvailable);
    plane.ForgetEvents();
  }
  // A promoted replica of "g", which takes its encryption along.
  void MakePromoted() {
    MakeEncrypted(3);
    ASSERT_THAT(plane.Ask(Promote{"g-003", false}), IsOk());
    plane.Settle();
    ASSERT_EQ(plane.cluster("g-003").group, "");
  }
  const EndpointSpec& EndpointOf(EndpointId id) {
    for (auto& [name, host] : plane.hosts()) {
      const auto found = host.plan.endpoints.find(id);
      if (found != host.plan.endpoints.end()) return found->second;
    }
    static const EndpointSpec kNone;
    return kNone;
  }
};

// --- who has it ------------------------------------------------------------------------------

TEST_F(EncryptionTest, IsTheGroupsAndEveryMembers) {
  MakeEncrypted(3);
  EXPECT_TRUE(group().transit_encryption);
  for (const std::string& id : group().members) {
    EXPECT_TRUE(plane.cluster(id).transit_encryption);
    EXPECT_TRUE(SpecOf(id).tls) << id;
    EXPECT_TRUE(EndpointOf(node(id).id).encrypted) << id;
  }
  EXPECT_TRUE(EndpointOf(group().primary.id).encrypted);
}

TEST_F(EncryptionTest, IsNobodysWithoutBeingAskedFor) {
  Make(2, true);
  EXPECT_FALSE(group().transit_encryption);
  EXPECT_FALSE(SpecOf("g-001").tls);
  EXPECT_FALSE(EndpointOf(node("g-001").id).encrypted);
  EXPECT_FALSE(EndpointOf(group().primary.id).encrypted);
}

TEST_F(EncryptionTest, IsEveryNewReplicas) {
  MakeEncrypted(2);
  IncreaseReplicas more{"g", 2, {}, true};
  ASSERT_THAT(plane.Ask(more), IsOk());
  CreateCluster replica;
  replica.id = "extra";
  replica.replication_group_id = "g";
  plane.Settle();
  ASSERT_THAT(plane.Ask(replica), IsOk());
  plane.Settle();
  EXPECT_TRUE(SpecOf("g-003").tls);
  EXPECT_TRUE(plane.cluster("extra").transit_encryption);
  EXPECT_TRUE(SpecOf("extra").tls);
}

TEST_F(EncryptionTest, OfAReadReplicaIsNotForItsRequestToDecide) {
  MakeEncrypted(2);
  CreateCluster replica;
  replica.id = "extra";
  replica.replication_group_id = "g";
  replica.transit_encryption = false;
  ExpectRefused(replica, kCombination,
                HasSubstr("TransitEncryptionEnabled of replication group g "
                          "is true"));
  replica.transit_encryption = true;
  EXPECT_THAT(plane.Ask(replica), IsOk());
}

TEST_F(EncryptionTest, StaysWithAReplicaThatIsPromotedAndWithARetainedPrimary) {
  MakePromoted();
  EXPECT_TRUE(plane.cluster("g-003").transit_encryption);
  EXPECT_TRUE(SpecOf("g-003").tls);
  ASSERT_THAT(plane.Ask(DeleteGroup{"g", true, std::nullopt}), IsOk());
  plane.Settle();
  EXPECT_TRUE(plane.cluster("g-001").transit_encryption);
  EXPECT_TRUE(SpecOf("g-001").tls);
}

TEST_F(EncryptionTest, OfAGroupAroundACacheClusterIsThatOnes) {
  MakePromoted();
  CreateGroup around;
  around.id = "h";
  around.description = "d";
  around.primary_cluster = "g-003";
  around.transit_encryption = false;
  ExpectRefused(around, kCombination,
                HasSubstr("fixed when a cache cluster is created: g-003 has it"));
  around.transit_encryption.reset();
  ASSERT_THAT(plane.Ask(around), IsOk());
  EXPECT_TRUE(group("h").transit_encryption);
  MakeMaster("plain");
  around.id = "i";
  around.primary_cluster = "plain";
  around.transit_encryption = true;
  ExpectRefused(around, kCombination, HasSubstr("plain does not have it"));
  around.transit_encryption = false;
  EXPECT_THAT(plane.Ask(around), IsOk());
  EXPECT_FALSE(group("i").transit_encryption);
}

TEST_F(EncryptionTest, HasToBeTheSameForADemotion) {
  MakePromoted();
  MakeMaster("plain");
  Demote demote;
  demote.cluster = "plain";
  demote.group = "g";
  demote.accept_data_loss = true;
  ExpectRefused(demote, kCombination,
                Eq("Cache cluster g-001 has encryption in transit, and plain has not: either both "
                   "must have it or neither."));
  demote.cluster = "g-003";
  demote.group.reset();
  demote.master = "plain";
  demote.new_group = "h";
  ExpectRefused(demote, kCombination,
                HasSubstr("g-003 has encryption in transit, and plain has not"));
  demote.master.reset();
  demote.new_group.reset();
  demote.group = "g";
  ASSERT_THAT(plane.Ask(demote), IsOk());
  plane.Settle();
  EXPECT_EQ(plane.cluster("g-003").group, "g");
  EXPECT_TRUE(SpecOf("g-003").tls);
}

// --- refusals --------------------------------------------------------------------------------

TEST_F(EncryptionTest, NeedsAnEngineVersionThatHasIt) {
  CreateGroup request = Encrypted("g", 2);
  for (const std::string version : {"2.8.24", "3.2.4", "3.2.10"}) {
    request.engine_version = version;
    ExpectRefused(request, kCombination,
                  Eq("Encryption in transit needs Redis 3.2.6, or 4.0 and later; it is not "
                     "supported by Redis " +
                     version + "."));
  }
  request.engine_version = "3.2.6";
  ASSERT_THAT(plane.Ask(request), IsOk());
  plane.Settle();
  ModifyGroup modify = Change([](ModifyGroup& r) { r.engine_version = "3.2.10"; });
  ExpectRefused(modify, kCombination, HasSubstr("not supported by Redis 3.2.10"));
  for (auto& [id, host] : plane.hosts()) {
    host.hello.engines[EngineKind::kValkey] = "7.2.5";
    plane.Register(host);
  }
  request.id = "valkey";
  request.engine = "valkey";
  request.engine_version = "7.2";
  EXPECT_THAT(plane.Ask(request), IsOk());
}

TEST_F(EncryptionTest, HasTheModeRequired) {
  CreateGroup request = Encrypted("g", 1);
  request.transit_encryption_mode = "preferred";
  ExpectRefused(request, kValue,
                HasSubstr("Only required is emulated: encrypted endpoints admit TLS alone"));
  request.transit_encryption_mode = "perhaps";
  ExpectRefused(request, kValue, HasSubstr("It must be preferred or required."));
  request.transit_encryption_mode = "required";
  request.transit_encryption = false;
  ExpectRefused(request, kCombination, Eq("TransitEncryptionMode needs TransitEncryptionEnabled."));
  request.transit_encryption = true;
  EXPECT_THAT(plane.Ask(request), IsOk());
}

TEST_F(EncryptionTest, CannotBeTurnedOnOrOff) {
  MakeEncrypted(2);
  ExpectRefused(Change([](ModifyGroup& r) { r.transit_encryption = false; }), kCombination,
                HasSubstr("TransitEncryptionEnabled of replication group g is true and cannot be "
                          "changed"));
  ExpectRefused(Change([](ModifyGroup& r) { r.transit_encryption_mode = "preferred"; }), kValue,
                HasSubstr("Only required"));
  // What is so already is no change.
  EXPECT_THAT(plane.Ask(Change([](ModifyGroup& r) {
    r.transit_encryption = true;
    r.transit_encryption_mode = "required";
    r.description = "new";
  })),
              IsOk());
  EXPECT_EQ(group().description, "new");
  ExpectRefused(Change([](ModifyGroup& r) { r.transit_encryption = true; }), kCombination,
                Eq("No modifications were requested"));
  ASSERT_THAT(plane.Ask(RedisGroup("plain", 1)), IsOk());
  plane.Settle();
  ModifyGroup on = Change([](ModifyGroup& r) { r.transit_encryption = true; });
  on.id = "plain";
  ExpectRefused(on, kCombination, HasSubstr("is false and cannot be changed"));
}

// --- what certificates are for ---------------------------------------------------------------

TEST_F(EncryptionTest, CertificatesAreForAllAddressesThatLeadToTheMember) {
  MakeEncrypted(2);
  for (const std::string id : {"g-001", "g-002"}) {
    EXPECT_THAT(SpecOf(id).tls->names,
                IsSupersetOf({ToString(node(id).address.ip), ToString(group().primary.address.ip),
                              ToString(group().reader.address.ip), std::string("127.0.0.1"),
                              std::string("localhost")}));
  }
  EXPECT_THAT(SpecOf("g-001").tls->names, Not(Contains(ToString(node("g-002").address.ip))));
}

TEST_F(EncryptionTest, CertificatesAreForTheAddressesInsideTheVpcToo) {
  MakeEncrypted(1);
  const model::Vpc& vpc = plane.records().vpcs.at(plane.DefaultVpc());
  const VpcBlocks blocks{vpc.block, vpc.slice};
  for (const Ip4 address : {node("g-001").address.ip, group().primary.address.ip}) {
    EXPECT_THAT(SpecOf("g-001").tls->names, Contains(ToString(*blocks.InBlock(address))));
  }
}

TEST_F(EncryptionTest, CertificatesFollowTheMemberIntoAndOutOfGroups) {
  MakePromoted();
  const std::string own = ToString(node("g-003").address.ip);
  EXPECT_THAT(SpecOf("g-003").tls->names, Contains(own));
  EXPECT_THAT(SpecOf("g-003").tls->names, Not(Contains(ToString(group().primary.address.ip))));
  CreateGroup around;
  around.id = "h";
  around.description = "d";
  around.primary_cluster = "g-003";
  ASSERT_THAT(plane.Ask(around), IsOk());
  plane.Settle();
  EXPECT_THAT(SpecOf("g-003").tls->names,
              IsSupersetOf({own, ToString(group("h").primary.address.ip),
                            ToString(group("h").reader.address.ip)}));
}

}  // namespace
}  // namespace ec::core
