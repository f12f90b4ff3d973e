// What requests of AWS's protocols mean, by what reaches the API; and who is refused before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/gateway/browser_guard.h"
#include "controlplane/gateway/xml_answer.h"
#include "ec/v1/elasticache.pb.h"
#include "tests/gateway/rig.h"

namespace ec::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string CodeOf(const HttpAnswer& answer) {
  const size_t begin = answer.body.find("<Code>") + 6;
  return answer.body.substr(begin, answer.body.find("</Code>") - begin);
}

// What the API is asked when the body comes; the error's code when it is asked nothing.
std::string Asked(const std::string& body) {
  Rig rig;
  const HttpAnswer answer = rig.Query(body);
  return rig.api.calls().empty() ? CodeOf(answer) : rig.api.calls().front().second;
}

TEST(Request, MembersGetTheirNamesTypesAndPresence) {
  const struct {
    std::string body, asked;
  } rows[] = {
      {"Action=DescribeCacheClusters&Version=2015-02-02&CacheClusterId=a%20b&MaxRecords=20"
       "&ShowCacheNodeInfo=false",
       "cache_cluster_id: \"a b\" max_records: 20 show_cache_node_info: false"},
      {"Action=CreateCacheCluster&CacheClusterId=a+b&AZMode=cross-az&Port=0",
       "cache_cluster_id: \"a b\" az_mode: \"cross-az\" port: 0"},
      // A list: by the element's name, by "member", or by numbers alone; gaps and any order.
      {"Action=CreateCacheCluster&PreferredAvailabilityZones.PreferredAvailabilityZone.2=b"
       "&PreferredAvailabilityZones.PreferredAvailabilityZone.1=a",
       "preferred_availability_zones: \"a\" preferred_availability_zones: \"b\""},
      {"Action=CreateCacheCluster&SecurityGroupIds.member.10=j&SecurityGroupIds.member.9=i",
       "security_group_ids: \"i\" security_group_ids: \"j\""},
      {"Action=CreateCacheCluster&SecurityGroupIds.1=i", "security_group_ids: \"i\""},
      // An empty list is no list of one empty text.
      {"Action=CreateCacheCluster&SecurityGroupIds=", ""},
      {"Action=CreateCacheCluster&Tags.Tag.1.Key=k&Tags.Tag.1.Value=",
       "tags { key: \"k\" value: \"\" }"},
      // What newer clients say besides means nothing.
      {"Action=DescribeCacheClusters&Future.Member.1=x&Other=y", ""},
      {"Action=DescribeEvents&StartTime=2024-01-02T01:04:05.678000Z&EndTime=1704157445",
       "start_time { seconds: 1704157445 nanos: 678000000 } end_time { seconds: 1704157445 }"},
      {"Action=DescribeEvents&StartTime=2024-01-02T01:04:05", "start_time { seconds: 1704157445 }"},
      // EC2's names and its lists without a word before the number.
      {"Action=DescribeVpcs&VpcId.1=vpc-1&Filter.1.Name=state&Filter.1.Value.1=a&Filter.1.Value.2="
       "b",
       "vpc_ids: \"vpc-1\" filters { name: \"state\" values: \"a\" values: \"b\" }"},
      {"Action=AuthorizeSecurityGroupIngress&GroupId=sg-1&IpPermissions.1.IpProtocol=tcp"
       "&IpPermissions.1.FromPort=6379&IpPermissions.1.Groups.1.GroupId=sg-2",
       "group_id: \"sg-1\" ip_permissions { ip_protocol: \"tcp\" from_port: 6379 "
       "user_id_group_pairs { group_id: \"sg-2\" } }"},
      {"Action=ModifyVpcAttribute&VpcId=v&EnableDnsHostnames.Value=true",
       "vpc_id: \"v\" enable_dns_hostnames { value: true }"},
      // Nobody's member but the emulator's.
      {"Action=RunInstances&InstanceId=i-web", ""},
  };
  for (const auto& row : rows) EXPECT_EQ(Asked(row.body), row.asked) << row.body;
}

TEST(Request, WhatCannotBeMeantIsRefused) {
  std::string deep = "Action=DescribeCacheClusters&A";
  for (int i = 0; i < 20; ++i) deep += ".A";
  std::string many = "Action=DescribeCacheClusters";
  for (int i = 0; i < 5000; ++i) many += "&a=b";
  const struct {
    std::string body, code;
  } rows[] = {
      {"Action=DescribeCacheClusters&MaxRecords=many", "InvalidParameterValue"},
      {"Action=DescribeCacheClusters&MaxRecords=", "InvalidParameterValue"},
      {"Action=DescribeCacheClusters&MaxRecords=99999999999", "InvalidParameterValue"},
      {"Action=DescribeCacheClusters&ShowCacheNodeInfo=maybe", "InvalidParameterValue"},
      {"Action=DescribeEvents&StartTime=yesterday", "InvalidParameterValue"},
      {"Action=CreateCacheCluster&SecurityGroupIds=sg-1", "InvalidParameterValue"},
      {"Action=CreateCacheCluster&Tags.Tag.one.Key=k", "InvalidParameterValue"},
      {"Action=CreateCacheCluster&CacheClusterId.1=a", "InvalidParameterValue"},
      {"Version=2015-02-02", "MissingAction"},
      {"Action=Nonsense&Version=2015-02-02", "InvalidAction"},
      {"Action=PromoteCacheCluster", "InvalidAction"},
      {"Action=DescribeCacheClusters&Version=1999-01-01", "InvalidAction"},
      {"Action=%zz", "MalformedQueryString"},
      {"Action=DeleteVpc&VpcId=%ff", "MalformedQueryString"},
      {deep, "MalformedQueryString"},
      {many, "MalformedQueryString"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(Asked(row.body), row.code) << row.body.substr(0, 80);
  }
}

TEST(Request, TheSignaturesScopeSaysWhichServiceIsMeant) {
  const auto signed_for = [](const std::string& service, const std::string& body) {
    Rig rig;
    HttpRequest request = Rig::Post(body);
    request.headers.emplace_back("authorization",
                                 "AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/" + service +
                                     "/aws4_request, SignedHeaders=host, Signature=00");
    const HttpAnswer answer = rig.Send(request);
    return answer.status == 200 ? rig.api.calls().front().first : CodeOf(answer);
  };
  EXPECT_EQ(signed_for("elasticache", "Action=DescribeCacheClusters"), "DescribeCacheClusters");
  EXPECT_EQ(signed_for("ec2", "Action=DescribeVpcs&Version=2016-11-15"), "DescribeVpcs");
  EXPECT_EQ(signed_for("sts", "Action=GetCallerIdentity"), "GetCallerIdentity");
  EXPECT_EQ(signed_for("ec2", "Action=DescribeCacheClusters"), "InvalidAction");
  EXPECT_EQ(signed_for("s3", "Action=DescribeCacheClusters"), "InvalidAction");
}

TEST(Request, AGetSaysTheSameAsAPost) {
  Rig rig;
  HttpRequest request{
      "GET", "/?Action=DescribeCacheClusters&CacheClusterId=x", {{"host", "localhost:1"}}, ""};
  EXPECT_EQ(rig.Send(request).status, 200);
  EXPECT_THAT(rig.api.calls(),
              ElementsAre(Pair("DescribeCacheClusters", "cache_cluster_id: \"x\"")));
}

TEST(Errors, OfEc2HaveItsOwnEnvelope) {
  Rig rig;
  rig.api.set_answer([](auto&&...) {
    return Refusal("InvalidVpcID.NotFound", 400, "The vpc ID 'vpc-1' does not exist");
  });
  const HttpAnswer answer = rig.Query("Action=DescribeVpcs&VpcId.1=vpc-1&Version=2016-11-15");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(Body(answer),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>"
            "<Code>InvalidVpcID.NotFound</Code><Message>The vpc ID 'vpc-1' does not exist</Message>"
            "</Error></Errors><RequestID>ID</RequestID></Response>");
}

TEST(Errors, WithoutADetailAreTheServicesOwn) {
  Rig rig;
  rig.api.set_answer([](auto&&...) { return grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone"); });
  const HttpAnswer answer = rig.Query("Action=DescribeCacheClusters");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("<Type>Receiver</Type><Code>ServiceUnavailable</Code>"));
}

TEST(Replay, TheSameCallIsDoneOnceAndAnsweredTwice) {
  Rig rig;
  HttpRequest request = Rig::Post("Action=CreateCacheSubnetGroup&CacheSubnetGroupName=a");
  request.headers.emplace_back("amz-sdk-invocation-id", "one");
  const HttpAnswer first = rig.Send(request);
  const HttpAnswer second = rig.Send(request);
  EXPECT_EQ(first.body, second.body);
  EXPECT_EQ(rig.api.calls().size(), 1u);
  request.headers.back().second = "two";
  rig.Send(request);
  EXPECT_EQ(rig.api.calls().size(), 2u);
}

TEST(Replay, AFailureOfOursIsTriedAgain) {
  Rig rig;
  rig.api.set_answer([](auto&&...) { return grpc::Status(grpc::StatusCode::UNAVAILABLE, ""); });
  HttpRequest request = Rig::Post("Action=CreateCacheSubnetGroup&CacheSubnetGroupName=a");
  request.headers.emplace_back("amz-sdk-invocation-id", "one");
  EXPECT_EQ(rig.Send(request).status, 503);
  rig.api.set_answer({});
  EXPECT_EQ(rig.Send(request).status, 200);
}

TEST(Settling, ACreationIsAnsweredWhenTheClusterIsThere) {
  Rig rig;
  int looks = 0;
  rig.api.set_answer([&](const std::string& method, const google::protobuf::Message&,
                         google::protobuf::Message* answer) {
    if (method == "DescribeCacheClusters") {
      auto* described = dynamic_cast<v1::DescribeCacheClustersResponse*>(answer);
      described->add_cache_clusters()->set_cache_cluster_status(++looks < 3 ? "creating"
                                                                            : "available");
    } else {
      auto* created = dynamic_cast<v1::CreateCacheClusterResponse*>(answer);
      created->mutable_cache_cluster()->set_cache_cluster_status("creating");
    }
    return grpc::Status();
  });
  const HttpAnswer answer = rig.Query("Action=CreateCacheCluster&CacheClusterId=a");
  EXPECT_EQ(looks, 3);
  EXPECT_THAT(answer.body, HasSubstr("<CacheClusterStatus>creating</CacheClusterStatus>"));
}

TEST(Browsers, OnlyProgramsAndOurOwnPagesMayAsk) {
  const struct {
    Headers headers;
    bool allowed;
  } rows[] = {
      {{{"host", "127.0.0.1:7380"}}, true},
      {{{"host", "127.10.0.1"}}, true},
      {{{"host", "LocalHost:80"}}, true},
      {{{"host", "elasticache.localhost:80"}}, true},
      {{{"host", "[::1]:80"}}, true},
      {{{"host", "elasticache.us-east-1.amazonaws.com"}}, true},
      {{{"host", "cache.test:80"}}, true},  // allowed by the settings
      {{{"host", "evil.example"}}, false},
      {{{"host", "127.0.0.1.evil.example"}}, false},
      {{{"host", "ec2-1-2-3-4.compute-1.amazonaws.com"}}, false},
      {{{"host", "ec2.evil.example"}}, false},
      {{}, false},
      {{{"host", "localhost"}, {"origin", "http://localhost:3000"}}, true},
      {{{"host", "localhost"}, {"origin", "https://evil.example"}}, false},
      {{{"host", "localhost"}, {"origin", "null"}}, false},
      {{{"host", "localhost"}, {"sec-fetch-site", "cross-site"}}, false},
      {{{"host", "localhost"}, {"sec-fetch-site", "none"}}, true},
  };
  for (const auto& row : rows) {
    Rig rig({{"cache.test"}, std::nullopt});
    const HttpAnswer answer =
        rig.Send({"POST", "/", row.headers, "Action=DescribeCacheClusters&Version=2015-02-02"});
    const std::string host = row.headers.empty() ? "" : row.headers.front().second;
    EXPECT_EQ(answer.status, row.allowed ? 200 : 403) << host;
    EXPECT_EQ(rig.api.calls().empty(), !row.allowed) << host;
  }
}

TEST(Xml, SaysAnyTextInAWayThatItsReadersUndo) {
  const struct {
    std::string text, xml;
  } rows[] = {
      {"a<b>&\"c'", "a&lt;b&gt;&amp;&quot;c'"},
      {"\xC3\xA9\xE2\x82\xAC", "\xC3\xA9\xE2\x82\xAC"},
      {"\t\n\r", "\t\n&#13;"},
      {std::string("\0", 1), "\xEF\xBF\xBD"},
      {"\x01", "\xEF\xBF\xBD"},
      {"\xFF", "\xEF\xBF\xBD"},
      {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xEF\xBF\xBE", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
  };
  for (const auto& row : rows) {
    std::string xml;
    AppendEscaped(row.text, &xml);
    EXPECT_EQ(xml, row.xml) << row.text;
  }
}

}  // namespace
}  // namespace ec::gateway
