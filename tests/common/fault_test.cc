#include "common/fault.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ec {
namespace {

struct Row {
  std::string_view name;
  Fault fault;
};
constexpr Row kRows[] = {
#define EC_FAULT(name, wire, http, grpc) {#name, Fault::name},
#include "common/fault.def"
#undef EC_FAULT
};

// What AWS's service model says of its error codes: the code on the wire and the HTTP status.
const std::map<std::string_view, int> kAws = {
    {"APICallRateForCustomerExceeded", 400},
    {"CacheClusterAlreadyExists", 400},
    {"CacheClusterNotFound", 404},
    {"CacheParameterGroupAlreadyExists", 400},
    {"CacheParameterGroupNotFound", 404},
    {"CacheParameterGroupQuotaExceeded", 400},
    {"CacheSecurityGroupAlreadyExists", 400},
    {"CacheSecurityGroupNotFound", 404},
    {"CacheSubnetGroupAlreadyExists", 400},
    {"CacheSubnetGroupInUse", 400},
    {"CacheSubnetGroupNotFoundFault", 400},  // not 404, and with the suffix
    {"CacheSubnetGroupQuotaExceeded", 400},
    {"CacheSubnetQuotaExceededFault", 400},
    {"ClusterQuotaForCustomerExceeded", 400},
    {"DefaultUserAssociatedToUserGroup", 400},
    {"DefaultUserRequired", 400},
    {"DuplicateUserName", 400},
    {"InsufficientCacheClusterCapacity", 400},
    {"InvalidARN", 400},
    {"InvalidCacheClusterState", 400},
    {"InvalidCacheParameterGroupState", 400},
    {"InvalidParameterCombination", 400},
    {"InvalidParameterValue", 400},
    {"InvalidReplicationGroupState", 400},
    {"InvalidSnapshotState", 400},
    {"InvalidSubnet", 400},
    {"InvalidUserGroupState", 400},
    {"InvalidUserState", 400},
    {"InvalidVPCNetworkStateFault", 400},
    {"NoOperationFault", 400},
    {"NodeGroupNotFoundFault", 404},
    {"NodeQuotaForClusterExceeded", 400},
    {"NodeQuotaForCustomerExceeded", 400},
    {"ReplicationGroupAlreadyExists", 400},
    {"ReplicationGroupNotFoundFault", 404},
    {"SnapshotAlreadyExistsFault", 400},
    {"SnapshotFeatureNotSupportedFault", 400},
    {"SnapshotNotFoundFault", 404},
    {"SnapshotQuotaExceededFault", 400},
    {"SubnetInUse", 400},
    {"TagNotFound", 404},
    {"TagQuotaPerResourceExceeded", 400},
    {"UserAlreadyExists", 400},
    {"UserGroupAlreadyExists", 400},
    {"UserGroupNotFound", 404},
    {"UserGroupQuotaExceeded", 400},
    {"UserNotFound", 404},
    {"UserQuotaExceeded", 400},
};

// AWS's common errors, which every operation of every service may give.
const std::map<std::string_view, int> kCommon = {
    {"MissingParameter", 400}, {"ServiceUnavailable", 503}, {"InternalFailure", 500}};

// EC2's, which it documents without a status: it answers 400 for all of them.
const std::set<std::string_view> kEc2 = {"CannotDelete",
                                         "DependencyViolation",
                                         "InsufficientFreeAddressesInSubnet",
                                         "InvalidGroup.Duplicate",
                                         "InvalidGroup.NotFound",
                                         "InvalidGroup.Reserved",
                                         "InvalidID",
                                         "InvalidIPAddress.InUse",
                                         "InvalidInstanceID.NotFound",
                                         "InvalidPermission.Duplicate",
                                         "InvalidPermission.Malformed",
                                         "InvalidPermission.NotFound",
                                         "InvalidSecurityGroupRuleId.NotFound",
                                         "InvalidSubnet.Conflict",
                                         "InvalidNetworkAclID.NotFound",
                                         "InvalidNetworkInterfaceID.NotFound",
                                         "InvalidRouteTableID.NotFound",
                                         "InvalidSubnet.Range",
                                         "InvalidSubnetID.NotFound",
                                         "InvalidVpc.Range",
                                         "InvalidVpcID.NotFound",
                                         "OperationNotPermitted",
                                         "RulesPerSecurityGroupLimitExceeded",
                                         "SecurityGroupLimitExceeded",
                                         "TagLimitExceeded",
                                         "VpcLimitExceeded"};

// Ours, of operations that AWS does not have.
constexpr std::string_view kOurs = "FaultNotFound";

bool Has(std::string_view code, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(
      words, [&](std::string_view word) { return code.find(word) != std::string_view::npos; });
}

TEST(FaultTable, AgreesWithAwsOnEveryCodeAndHttpStatus) {
  for (const auto& [name, fault] : kRows) {
    const FaultInfo info = InfoOf(fault);
    if (info.wire_code == kOurs) continue;
    if (kEc2.contains(info.wire_code)) {
      EXPECT_EQ(info.http_status, 400) << name;
      continue;
    }
    const auto& table = kCommon.contains(info.wire_code) ? kCommon : kAws;
    const auto aws = table.find(info.wire_code);
    ASSERT_NE(aws, table.end()) << name << ": AWS has no code " << info.wire_code;
    EXPECT_EQ(info.http_status, aws->second) << name;
  }
}

// HTTP 404 is "not found"; 400 is anything that the caller has to put right; 5xx is ours.
TEST(FaultTable, HasAGrpcCodeThatMeansTheSame) {
  for (const auto& [name, fault] : kRows) {
    const FaultInfo info = InfoOf(fault);
    if (info.http_status == 404 || info.wire_code.find("NotFound") != std::string_view::npos) {
      EXPECT_EQ(info.grpc_code, GrpcCode::kNotFound) << name;
    } else if (Has(info.wire_code, {"Quota", "CallRate", "Capacity", "Limit", "Insufficient"})) {
      EXPECT_EQ(info.grpc_code, GrpcCode::kResourceExhausted) << name;
    } else if (Has(info.wire_code, {"AlreadyExists", "Duplicate", "Conflict", ".InUse"})) {
      EXPECT_EQ(info.grpc_code, GrpcCode::kAlreadyExists) << name;
    } else if (info.wire_code.ends_with("State") ||
               Has(info.wire_code, {"NotSupported", "InUse", "NoOperation", "CannotDelete",
                                    "DependencyViolation", "NotPermitted", "AssociatedTo"})) {
      EXPECT_EQ(info.grpc_code, GrpcCode::kFailedPrecondition) << name;
    } else if (info.http_status == 400) {
      EXPECT_EQ(info.grpc_code, GrpcCode::kInvalidArgument) << name;
    } else {
      const std::set<GrpcCode> ours = {GrpcCode::kUnavailable, GrpcCode::kUnknown,
                                       GrpcCode::kInternal};
      EXPECT_TRUE(ours.contains(info.grpc_code)) << name;
    }
  }
}

TEST(FaultTable, GivesOneWireCodeToOneFaultOnly) {
  std::map<std::string_view, int> count;
  for (const auto& [name, fault] : kRows) ++count[InfoOf(fault).wire_code];
  for (const auto& [code, times] : count) {
    // Two faults of our own look the same to AWS's clients, and differ by their gRPC code.
    EXPECT_EQ(times, code == "InternalFailure" ? 2 : 1) << code;
  }
}

TEST(FaultTable, SaysNothingOfSuccess) {
  const FaultInfo info = InfoOf(Fault::kOk);
  EXPECT_EQ(info.wire_code, "");
  EXPECT_EQ(info.http_status, 200);
  EXPECT_EQ(info.grpc_code, GrpcCode::kOk);
}

TEST(GrpcCode, HasTheNumbersThatGrpcGivesThem) {
  EXPECT_EQ(static_cast<int>(GrpcCode::kOk), 0);
  EXPECT_EQ(static_cast<int>(GrpcCode::kUnknown), 2);
  EXPECT_EQ(static_cast<int>(GrpcCode::kInvalidArgument), 3);
  EXPECT_EQ(static_cast<int>(GrpcCode::kNotFound), 5);
  EXPECT_EQ(static_cast<int>(GrpcCode::kAlreadyExists), 6);
  EXPECT_EQ(static_cast<int>(GrpcCode::kResourceExhausted), 8);
  EXPECT_EQ(static_cast<int>(GrpcCode::kFailedPrecondition), 9);
  EXPECT_EQ(static_cast<int>(GrpcCode::kInternal), 13);
  EXPECT_EQ(static_cast<int>(GrpcCode::kUnavailable), 14);
}

}  // namespace
}  // namespace ec
