// The port itself, over real sockets: keep-alive, limits, slow clients; the JSON face and
// signatures as clients send them.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "common/unique_fd.h"
#include "controlplane/gateway/http_server.h"
#include "ec/v1/elasticache.pb.h"
#include "ec/v1/emulator.pb.h"
#include "tests/gateway/fake_api.h"
#include "tests/gateway/rig.h"

namespace ec::gateway {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class HttpTest : public ::testing::Test {
 protected:
  void Serve(HttpLimits limits = {}) {
    auto server = HttpServer::Listen("127.0.0.1", 0, limits);
    ASSERT_TRUE(server.ok()) << server.status().message();
    server_ = std::move(*server);
    auto api = std::make_unique<FakeApi>();
    api_ = api.get();
    server_->Start({}, std::move(api), clock_);
  }
  void TearDown() override {
    if (server_) server_->Stop();
  }

  UniqueFd Connect() {
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_port = htons(server_->port());
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
    return fd;
  }
  static void Say(const UniqueFd& fd, const std::string& text) {
    (void)!send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }
  // What comes until `end` is in it, or the connection ends; 10 s at the most.
  static std::string Hear(const UniqueFd& fd, const std::string& end) {
    std::string heard;
    while (heard.find(end) == std::string::npos) {
      pollfd wait = {fd.get(), POLLIN, 0};
      if (poll(&wait, 1, 10'000) <= 0) return heard + " [nothing more came]";
      char buffer[4096];
      const ssize_t got = recv(fd.get(), buffer, sizeof(buffer), 0);
      if (got <= 0) return heard + " [closed]";
      heard.append(buffer, static_cast<size_t>(got));
    }
    return heard;
  }
  static std::string Post(const std::string& body) {
    return "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }

  SystemClock clock_;
  FakeApi* api_ = nullptr;  // the server's
  std::unique_ptr<HttpServer> server_;
};

constexpr const char* kEnd = "Response>";

TEST_F(HttpTest, AConnectionServesOneRequestAfterTheOther) {
  Serve();
  const UniqueFd fd = Connect();
  for (int i = 0; i < 3; ++i) {
    Say(fd, Post("Action=DescribeCacheClusters&Version=2015-02-02"));
    const std::string answer = Hear(fd, kEnd);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nx-amzn-RequestId: "));
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/xml\r\n"));
  }
  EXPECT_EQ(api_->calls().size(), 3u);
}

TEST_F(HttpTest, WhoAsksWhetherToGoOnIsToldSo) {
  Serve();
  const UniqueFd fd = Connect();
  const std::string body = "Action=DescribeCacheClusters";
  Say(fd, "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n");
  EXPECT_THAT(Hear(fd, "\r\n\r\n"), StartsWith("HTTP/1.1 100 Continue\r\n"));
  Say(fd, body);
  EXPECT_THAT(Hear(fd, kEnd), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpTest, TooMuchIsRefused) {
  HttpLimits limits;
  limits.header_bytes_max = 1000;
  limits.body_bytes_max = 1000;
  Serve(limits);
  const UniqueFd headers = Connect();
  Say(headers, "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(2000, 'x') + "\r\n\r\n");
  EXPECT_THAT(Hear(headers, "ErrorResponse>"), StartsWith("HTTP/1.1 431 "));
  const UniqueFd body = Connect();
  Say(body, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000\r\n\r\n");
  EXPECT_THAT(Hear(body, "ErrorResponse>"), StartsWith("HTTP/1.1 413 "));
  const UniqueFd noise = Connect();
  Say(noise, "\x16\x03\x01 this is TLS\r\n\r\n");
  EXPECT_THAT(Hear(noise, "ErrorResponse>"), StartsWith("HTTP/1.1 400 "));
}

// A client that sends all before it listens must not be told by a reset instead.
TEST_F(HttpTest, WhoSendsTooMuchAtOnceGetsItsAnswerToo) {
  Serve();
  const std::string body(4 << 20, 'x');
  for (int i = 0; i < 5; ++i) {
    const UniqueFd fd = Connect();
    const std::string request = Post(body);
    size_t sent = 0;
    while (sent < request.size()) {
      const ssize_t length =
          send(fd.get(), request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      ASSERT_GT(length, 0) << "reset after " << sent;
      sent += static_cast<size_t>(length);
    }
    EXPECT_THAT(Hear(fd, "ErrorResponse>"), StartsWith("HTTP/1.1 413 "));
  }
}

TEST_F(HttpTest, SlowClientsLoseTheirConnectionAndDelayNobody) {
  HttpLimits limits;
  limits.idle = std::chrono::seconds(1);
  limits.body = std::chrono::seconds(1);
  Serve(limits);
  std::vector<UniqueFd> slow;
  for (int i = 0; i < 50; ++i) {
    slow.push_back(Connect());
    Say(slow.back(), i % 2 == 0 ? "POST / HT" : Post("12345").substr(0, 57));
  }
  const UniqueFd quick = Connect();
  Say(quick, Post("Action=DescribeCacheClusters"));
  EXPECT_THAT(Hear(quick, kEnd), StartsWith("HTTP/1.1 200 OK\r\n"));
  for (const UniqueFd& fd : slow) EXPECT_THAT(Hear(fd, kEnd), HasSubstr("[closed]"));
}

TEST_F(HttpTest, OneConnectionTooManyIsClosed) {
  HttpLimits limits;
  limits.connections_max = 2;
  Serve(limits);
  const UniqueFd first = Connect();
  const UniqueFd second = Connect();
  for (const UniqueFd* fd : {&first, &second}) {
    Say(*fd, Post("Action=DescribeCacheClusters"));
    EXPECT_THAT(Hear(*fd, kEnd), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  EXPECT_THAT(Hear(Connect(), kEnd), HasSubstr("[closed]"));
}

// --- the JSON face: streams -------------------------------------------------------------------

class StreamTest : public HttpTest {
 protected:
  // Asks for a stream of events, all of which are called "now".
  UniqueFd Watch(int events, std::optional<grpc::Status> end, const std::string& version = "1.1") {
    Serve();
    api_->set_stream(events, std::move(end));
    api_->set_answer([](const std::string&, const google::protobuf::Message&,
                        google::protobuf::Message* answer) {
      dynamic_cast<v1::Event*>(answer)->set_message("now");
      return grpc::Status();
    });
    UniqueFd fd = Connect();
    Say(fd, "POST /ec.v1.Emulator/WatchEvents HTTP/" + version +
                "\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                "Content-Length: 2\r\n\r\n{}");
    return fd;
  }
};

TEST_F(StreamTest, IsALineForEachMessage) {
  const std::string answer = Hear(Watch(2, grpc::Status()), "[nothing]");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: application/x-ndjson\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
  const std::string line = "12\r\n{\"message\":\"now\"}\n\r\n";
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n" + line + line + "0\r\n\r\n [closed]"));
}

TEST_F(StreamTest, EndsWithTheErrorIfThereIsOne) {
  const std::string answer = Hear(Watch(1, Refusal("Wrong", 400, "not so")), "[nothing]");
  EXPECT_THAT(answer, HasSubstr("{\"message\":\"now\"}\n"));
  EXPECT_THAT(answer, HasSubstr(R"({"error":{"code":"invalid_argument")"));
  EXPECT_THAT(answer, HasSubstr(R"("message":"not so")"));
  EXPECT_THAT(answer, testing::EndsWith("\n\r\n0\r\n\r\n [closed]"));
}

TEST_F(StreamTest, BeforeHttp11TheConnectionsEndIsItsEnd) {
  const std::string answer = Hear(Watch(1, grpc::Status(), "1.0"), "[nothing]");
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n{\"message\":\"now\"}\n [closed]"));
}

TEST_F(StreamTest, EndsWhenItsClientGoesAway) {
  {
    const UniqueFd fd = Watch(1, std::nullopt);
    EXPECT_THAT(Hear(fd, "now"), HasSubstr("now"));
    EXPECT_FALSE(api_->is_cancelled());
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!api_->is_cancelled() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(api_->is_cancelled());
}

// --- the JSON face --------------------------------------------------------------------------

HttpRequest Json(const std::string& path, const std::string& body) {
  return {"POST", path, {{"host", "localhost"}, {"content-type", "application/json"}}, body};
}

TEST(JsonFace, CallsAMethodByItsName) {
  Rig rig;
  rig.api.set_answer([](const std::string&, const google::protobuf::Message&,
                        google::protobuf::Message* answer) {
    dynamic_cast<v1::DescribeCacheClustersResponse*>(answer)->add_cache_clusters()->set_arn("a");
    return grpc::Status();
  });
  const HttpAnswer answer =
      rig.Send(Json("/ec.v1.ElastiCache/DescribeCacheClusters", R"({"cacheClusterId":"x"})"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(answer.body, R"({"cacheClusters":[{"ARN":"a"}]})");
  EXPECT_EQ(rig.api.calls().front().second, "cache_cluster_id: \"x\"");
}

TEST(JsonFace, SaysErrorsByConnectsConvention) {
  Rig rig;
  rig.api.set_answer([](auto&&...) { return Refusal("CacheClusterNotFound", 404, "not there"); });
  const HttpAnswer refused = rig.Send(Json("/ec.v1.ElastiCache/DescribeCacheClusters", "{}"));
  EXPECT_EQ(refused.status, 400);  // the fake's gRPC code
  EXPECT_THAT(refused.body, HasSubstr(R"("code":"invalid_argument")"));
  EXPECT_THAT(refused.body, HasSubstr(R"("reason":"CacheClusterNotFound")"));
  EXPECT_THAT(refused.body, HasSubstr(R"("type":"google.rpc.ErrorInfo")"));

  const auto status = [&](const HttpRequest& request) { return rig.Send(request).status; };
  EXPECT_EQ(status(Json("/ec.v1.ElastiCache/Nonsense", "{}")), 501);
  EXPECT_EQ(status(Json("/ec.v1.NodeAgent/Connect", "{}")), 501);
  EXPECT_EQ(status(Json("/ec.v1.ElastiCache/DescribeCacheClusters", "{")), 400);
  EXPECT_EQ(status(Json("/ec.v1.ElastiCache/DescribeCacheClusters", R"({"nonsense":1})")), 400);
  HttpRequest form = Json("/ec.v1.ElastiCache/DescribeCacheClusters", "{}");
  form.headers[1].second = "text/plain";
  EXPECT_EQ(status(form), 400);
}

TEST(Metrics, CountRequestsAndNeverAClientsWords) {
  Rig rig;
  rig.Query("Action=DescribeCacheClusters");
  rig.Query("Action=Evil%22Words");
  const HttpAnswer answer = rig.Send({"GET", "/metrics", {{"host", "localhost"}}, ""});
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("emucache_requests_total{action=\"DescribeCacheClusters\","
                                     "code=\"OK\",face=\"elasticache\"} 1"));
  EXPECT_THAT(answer.body, HasSubstr("emucache_requests_total{action=\"unknown\","
                                     "code=\"InvalidAction\",face=\"elasticache\"} 1"));
  EXPECT_THAT(answer.body, testing::Not(HasSubstr("Evil")));
}

TEST(Metrics, ShowWhatGroupsEndpointsAndEnginesSay) {
  Rig rig;
  rig.api.set_answer([](const std::string& method, const google::protobuf::Message&,
                        google::protobuf::Message* answer) {
    if (method == "DescribeReplicationGroups") {
      auto* group =
          dynamic_cast<v1::DescribeReplicationGroupsResponse*>(answer)->add_replication_groups();
      group->set_replication_group_id("carts");
      group->set_failovers(3);
      group->set_planned_failovers(1);
      group->set_last_failover_lost_bytes(120);
      group->set_last_failover_lost_ms(250);
    } else if (method == "DescribeEndpoints") {
      auto* endpoint = dynamic_cast<v1::DescribeEndpointsResponse*>(answer)->add_endpoints();
      endpoint->set_kind("configuration");
      endpoint->set_connections_refused(5);
      endpoint->set_connections_refused_by_fault(2);
      endpoint->set_relayed_bytes_in(17);
      endpoint->set_relayed_bytes_out(4000);
    } else if (method == "DescribeCacheNodeMetrics") {
      auto* node = dynamic_cast<v1::DescribeCacheNodeMetricsResponse*>(answer)->add_cache_nodes();
      node->set_cache_cluster_id("orders");
      node->set_cache_node_id("0001");
      node->set_engine("redis");
      auto* items = node->add_metrics();
      items->set_name("CurrItems");
      items->set_value(12);
      auto* evictions = node->add_metrics();
      evictions->set_name("Evictions");
      evictions->set_value(7);
      evictions->set_rises(true);
    }
    return grpc::Status();
  });
  const std::string text = rig.Send({"GET", "/metrics", {{"host", "localhost"}}, ""}).body;
  const std::string carts = "replication_group=\"carts\"} ";
  EXPECT_THAT(text, HasSubstr("emucache_failovers_total{planned=\"false\"," + carts + "3"));
  EXPECT_THAT(text, HasSubstr("emucache_failovers_total{planned=\"true\"," + carts + "1"));
  EXPECT_THAT(text, HasSubstr("emucache_last_failover_lost_bytes{" + carts + "120"));
  EXPECT_THAT(text, HasSubstr("emucache_last_failover_lost_seconds{" + carts + "0.25"));
  const std::string at = "address=\"\",cache_cluster=\"\",cache_node=\"\",";
  EXPECT_THAT(text,
              HasSubstr("emucache_relayed_bytes_total{" + at +
                        "direction=\"in\",kind=\"configuration\",replication_group=\"\"} 17"));
  EXPECT_THAT(text, HasSubstr("kind=\"configuration\",reason=\"fault\",replication_group=\"\"} 2"));
  EXPECT_THAT(text,
              HasSubstr("kind=\"configuration\",reason=\"no-engine\",replication_group=\"\"} 3"));
  const std::string node =
      "{cache_cluster=\"orders\",cache_node=\"0001\",engine=\"redis\",replication_group=\"\"} ";
  EXPECT_THAT(text,
              HasSubstr("# TYPE elasticache_CurrItems gauge\nelasticache_CurrItems" + node + "12"));
  EXPECT_THAT(text, HasSubstr("# TYPE elasticache_Evictions_total counter\n"
                              "elasticache_Evictions_total" +
                              node + "7"));
}

// --- signatures -----------------------------------------------------------------------------

// AWS's own example of a signed request (IAM, in the documentation of Signature Version 4).
HttpRequest AwsExample() {
  return {"GET",
          "/?Action=ListUsers&Version=2010-05-08",
          {{"host", "iam.amazonaws.com"},
           {"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
           {"x-amz-date", "20150830T123600Z"},
           {"authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date, "
            "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"}},
          ""};
}

std::string Verdict(const HttpRequest& request, const std::string& now) {
  std::optional<Signature> signature;
  if (const auto error = ParseSignature(request, &signature)) return error->code;
  const Credentials credentials = {{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}};
  const auto error = VerifySignature(request, signature, credentials, *ParseWallTime(now));
  return error ? error->code : "good";
}

TEST(Signatures, AreVerifiedAsAwsDocumentsIt) {
  const std::string now = "2015-08-30T12:40:00.000Z";
  EXPECT_EQ(Verdict(AwsExample(), now), "good");
  EXPECT_EQ(Verdict(AwsExample(), "2015-08-30T12:52:00.000Z"), "RequestExpired");
  EXPECT_EQ(Verdict(AwsExample(), "2015-08-30T12:20:00.000Z"), "RequestExpired");
  HttpRequest other = AwsExample();
  other.target += "&UserName=root";
  EXPECT_EQ(Verdict(other, now), "SignatureDoesNotMatch");
  other = AwsExample();
  other.body = "x";
  EXPECT_EQ(Verdict(other, now), "SignatureDoesNotMatch");
  other = AwsExample();
  other.headers[3].second.replace(other.headers[3].second.find("AKIDEXAMPLE"), 11, "AKIDNOBODYS");
  EXPECT_EQ(Verdict(other, now), "InvalidClientTokenId");
  other = AwsExample();
  other.headers.pop_back();
  EXPECT_EQ(Verdict(other, now), "MissingAuthenticationToken");
  other.headers.emplace_back("authorization", "Basic dTpw");
  EXPECT_EQ(Verdict(other, now), "IncompleteSignature");
}

TEST(Signatures, AreAskedOfEverybodyWhereTheyAreRequired) {
  Rig rig({{}, Credentials{{"AKID", "secret"}}});
  EXPECT_EQ(rig.Query("Action=DescribeCacheClusters").status, 403);
  EXPECT_EQ(rig.Send(Json("/ec.v1.ElastiCache/DescribeCacheClusters", "{}")).status, 403);
  EXPECT_EQ(rig.Send({"GET", "/metrics", {{"host", "localhost"}}, ""}).status, 403);
  EXPECT_TRUE(rig.api.calls().empty());
  EXPECT_EQ(rig.Send({"GET", "/healthz", {{"host", "localhost"}}, ""}).status, 200);
}

TEST(Credentials, AreReadFromAwssFileFormat) {
  const auto good = ParseCredentials(
      "# ours\n[default]\naws_access_key_id = A\naws_secret_access_key=b/c+d\n\n[other]\r\n"
      "aws_access_key_id=E\nregion=us-east-1\naws_secret_access_key = f\n");
  ASSERT_TRUE(good.ok()) << good.status().message();
  EXPECT_EQ(*good, (Credentials{{"A", "b/c+d"}, {"E", "f"}}));
  for (const char* bad : {"", "[default]\n", "nonsense", "aws_secret_access_key = x"}) {
    EXPECT_FALSE(ParseCredentials(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace ec::gateway
