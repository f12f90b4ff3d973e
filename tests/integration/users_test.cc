// Users, tokens and restricted commands in a whole installation: what the API says of them, and
// what real engines then let real clients do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/integration/clients.h"
#include "tests/integration/groups.h"
#include "tests/integration/installation.h"
#include "tests/integration/tls_client.h"

namespace ec::integration {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kPassword[] = "a-password-of-24-letters";
constexpr char kNewPassword[] = "another-password-of-hers";
constexpr char kFirst[] = "the-first-token-of-all";
constexpr char kSecond[] = "the-second-token-here";

class UsersTest : public InstallationTest {
 protected:
  Groups groups() { return Groups(installation()); }
  v1::ElastiCache::Stub& api() { return installation().elasticache(); }

  grpc::Status CreateUser(const std::string& id, const std::string& access,
                          const std::string& name = "") {
    v1::CreateUserRequest request;
    request.set_user_id(id);
    request.set_user_name(name.empty() ? id : name);
    request.set_engine("redis");
    request.set_access_string(access);
    request.add_passwords(kPassword);
    grpc::ClientContext context;
    v1::User user;
    return api().CreateUser(&context, request, &user);
  }
  grpc::Status ModifyUser(v1::ModifyUserRequest request) {
    grpc::ClientContext context;
    v1::User user;
    return api().ModifyUser(&context, request, &user);
  }
  std::string UserStatus(const std::string& id) {
    v1::DescribeUsersRequest request;
    request.set_user_id(id);
    grpc::ClientContext context;
    v1::DescribeUsersResponse response;
    if (!api().DescribeUsers(&context, request, &response).ok()) return "";
    return response.users(0).status();
  }
  grpc::Status CreateUserGroup(const std::string& id, const std::vector<std::string>& users) {
    v1::CreateUserGroupRequest request;
    request.set_user_group_id(id);
    request.set_engine("redis");
    for (const std::string& user : users) request.add_user_ids(user);
    grpc::ClientContext context;
    v1::UserGroup group;
    return api().CreateUserGroup(&context, request, &group);
  }
  v1::UserGroup DescribeUserGroup(const std::string& id) {
    v1::DescribeUserGroupsRequest request;
    request.set_user_group_id(id);
    grpc::ClientContext context;
    v1::DescribeUserGroupsResponse response;
    if (!api().DescribeUserGroups(&context, request, &response).ok()) return {};
    return response.user_groups(0);
  }
  bool AwaitUserGroup(const std::string& id) {
    return WaitUntil([&] { return DescribeUserGroup(id).status() == "active"; });
  }
  bool AwaitUser(const std::string& id) {
    return WaitUntil([&] { return UserStatus(id) == "active"; });
  }
  // A group of so many clusters, with a token or a user group.
  bool MustCreateGroup(const std::string& id, int clusters, const std::string& token,
                       const std::string& user_group) {
    v1::CreateReplicationGroupRequest request;
    request.set_replication_group_id(id);
    request.set_replication_group_description(id);
    request.set_num_cache_clusters(clusters);
    request.set_automatic_failover_enabled(clusters > 1);
    request.set_cache_node_type("cache.t3.micro");
    request.set_engine("redis");
    request.set_transit_encryption_enabled(true);
    if (!token.empty()) request.set_auth_token(token);
    if (!user_group.empty()) request.add_user_group_ids(user_group);
    grpc::ClientContext context;
    v1::CreateReplicationGroupResponse response;
    const grpc::Status status = api().CreateReplicationGroup(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return groups().AwaitWhole(id, clusters);
  }
  grpc::Status Rotate(const std::string& id, const std::string& token,
                      const std::string& strategy) {
    v1::ModifyReplicationGroupRequest request;
    request.set_replication_group_id(id);
    request.set_apply_immediately(true);
    request.set_auth_token(token);
    request.set_auth_token_update_strategy(strategy);
    grpc::ClientContext context;
    v1::ModifyReplicationGroupResponse response;
    return api().ModifyReplicationGroup(&context, request, &response);
  }
  bool AwaitAvailable(const std::string& id) {
    return WaitUntil([&] { return groups().Describe(id).status() == "available"; });
  }
  // Primary, reader and every member's own.
  std::vector<v1::Endpoint> EndpointsOf(const std::string& id) {
    std::vector<v1::Endpoint> endpoints = {groups().Primary(id), groups().Reader(id),
                                           groups().Own(groups().Leader(id))};
    for (const std::string& replica : groups().Replicas(id)) {
      endpoints.push_back(groups().Own(replica));
    }
    return endpoints;
  }
  // Where there are users or a token, there is encryption in transit.
  TlsClient Open(const v1::Endpoint& endpoint) {
    grpc::ClientContext context;
    v1::GetCertificateAuthorityResponse authority;
    EXPECT_TRUE(installation().emulator().GetCertificateAuthority(&context, {}, &authority).ok());
    return TlsClient(endpoint, authority.certificate());
  }
  static std::string Auth(TlsClient& client, const std::string& user, const std::string& password) {
    return client.Do({"AUTH", user, password});
  }
};

std::vector<std::string> FilesBelow(const std::string& dir) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir, error)) {
    if (entry.is_regular_file(error)) files.push_back(entry.path());
  }
  EXPECT_FALSE(files.empty());
  return files;
}

const std::vector<std::vector<std::string>> kRestricted = {{"BGREWRITEAOF"},
                                                           {"BGSAVE"},
                                                           {"CONFIG", "GET", "maxmemory"},
                                                           {"DEBUG", "SLEEP", "0"},
                                                           {"MODULE", "LIST"},
                                                           {"SAVE"},
                                                           {"SHUTDOWN", "NOSAVE"},
                                                           {"FAILOVER"},
                                                           {"REPLICAOF", "NO", "ONE"},
                                                           {"SLAVEOF", "NO", "ONE"},
                                                           {"SYNC"},
                                                           {"PSYNC", "?", "-1"},
                                                           {"ACL", "SETUSER", "x"},
                                                           {"CLUSTER", "RESET"}};
const auto kRefused = AnyOf(StartsWith("ERR unknown command"), StartsWith("NOPERM"));

TEST_F(UsersTest, RestrictedCommandsAreRefusedEverywhere) {
  ASSERT_TRUE(CreateUser("root", "on ~* &* +@all (~* &* +@all)").ok());
  ASSERT_TRUE(CreateUserGroup("ug", {"default", "root"}).ok());
  ASSERT_TRUE(AwaitUserGroup("ug"));
  ASSERT_TRUE(MustCreateGroup("g", 2, "", "ug"));
  ASSERT_TRUE(groups().MustCreate("open", 2));
  std::vector<v1::Endpoint> endpoints = EndpointsOf("open");
  endpoints.push_back(installation().MustCreate("alone", "redis").cache_nodes(0).endpoint());
  for (const v1::Endpoint& endpoint : endpoints) {
    for (const auto& call : kRestricted) {
      RedisClient client(endpoint);
      EXPECT_THAT(client.Do(call), kRefused) << call[0] << " at " << endpoint.address();
      EXPECT_EQ(client.Do({"PING"}), "PONG");
    }
  }
  for (const v1::Endpoint& endpoint : EndpointsOf("g")) {
    TlsClient client = Open(endpoint);
    ASSERT_EQ(Auth(client, "root", kPassword), "OK");
    for (const auto& call : kRestricted) EXPECT_THAT(client.Do(call), kRefused) << call[0];
    EXPECT_THAT(client.Do({"EVAL", "return redis.call('CONFIG','GET','save')", "0"}),
                HasSubstr("ERR"));
    EXPECT_EQ(client.Do({"PING"}), "PONG");
  }
}

TEST_F(UsersTest, UsersAreLimitedToTheirKeysAndChangeAsTheEnginesRun) {
  ASSERT_TRUE(CreateUser("alice", "on ~alice:* +@all").ok());
  ASSERT_TRUE(CreateUser("bob", "on ~* +@read").ok());
  ASSERT_TRUE(CreateUserGroup("ug", {"default", "alice", "bob"}).ok());
  ASSERT_TRUE(AwaitUserGroup("ug"));
  ASSERT_TRUE(MustCreateGroup("g", 2, "", "ug"));
  EXPECT_THAT(groups().Describe("g").user_group_ids(), ElementsAre("ug"));
  EXPECT_THAT(DescribeUserGroup("ug").replication_groups(), ElementsAre("g"));
  TlsClient alice = Open(groups().Primary("g"));
  TlsClient bob = Open(groups().Primary("g"));
  ASSERT_EQ(Auth(alice, "alice", kPassword), "OK");
  ASSERT_EQ(Auth(bob, "bob", kPassword), "OK");
  EXPECT_EQ(alice.Do({"SET", "alice:1", "x"}), "OK");
  EXPECT_THAT(alice.Do({"SET", "bob:1", "x"}), StartsWith("NOPERM"));
  EXPECT_EQ(bob.Do({"GET", "alice:1"}), "x");
  EXPECT_THAT(bob.Do({"SET", "alice:1", "y"}), StartsWith("NOPERM"));

  v1::ModifyUserRequest change;
  change.set_user_id("alice");
  change.set_access_string("on ~other:* +@all");
  change.add_passwords(kNewPassword);
  ASSERT_TRUE(ModifyUser(change).ok());
  ASSERT_TRUE(AwaitUser("alice"));
  // Once the user is active every engine knows.
  for (const v1::Endpoint& endpoint : EndpointsOf("g")) {
    TlsClient client = Open(endpoint);
    EXPECT_THAT(Auth(client, "alice", kPassword), StartsWith("WRONGPASS"));
    EXPECT_EQ(Auth(client, "alice", kNewPassword), "OK");
  }
  EXPECT_THAT(alice.Do({"SET", "alice:1", "x"}), StartsWith("NOPERM")) << "its connection stays";
  EXPECT_EQ(alice.Do({"SET", "other:1", "x"}), "OK");
  EXPECT_EQ(bob.Do({"GET", "alice:1"}), "x") << "nobody else is cut";

  v1::ModifyUserGroupRequest leave;
  leave.set_user_group_id("ug");
  leave.add_user_ids_to_remove("alice");
  grpc::ClientContext context;
  v1::UserGroup group;
  ASSERT_TRUE(api().ModifyUserGroup(&context, leave, &group).ok());
  ASSERT_TRUE(AwaitUserGroup("ug"));
  EXPECT_EQ(alice.Do({"PING"}), "(gone)");
  EXPECT_EQ(bob.Do({"GET", "alice:1"}), "x");
}

TEST_F(UsersTest, AFailoverANewReplicaAndARestartKeepTheUsers) {
  ASSERT_TRUE(CreateUser("alice", "on ~* +@all").ok());
  ASSERT_TRUE(CreateUser("shut", "off -@all", "default").ok());
  ASSERT_TRUE(CreateUserGroup("ug", {"shut", "alice"}).ok());
  ASSERT_TRUE(AwaitUserGroup("ug"));
  ASSERT_TRUE(MustCreateGroup("g", 2, "", "ug"));
  {
    TlsClient alice = Open(groups().Primary("g"));
    ASSERT_EQ(Auth(alice, "alice", kPassword), "OK");
    ASSERT_EQ(alice.Do({"SET", "k", "v"}), "OK");
  }
  const std::string before = groups().Leader("g");
  ASSERT_TRUE(groups().SignalEngine(before, SIGKILL));
  ASSERT_TRUE(groups().AwaitOtherLeader("g", before));
  ASSERT_TRUE(groups().AwaitWhole("g", 2));
  for (const std::string zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
    installation().agent(zone).Kill9();
  }
  installation().control_plane().Kill9();
  ASSERT_TRUE(installation().StartControlPlane());
  for (const std::string zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
    installation().StartAgent(zone);
  }
  ASSERT_TRUE(installation().WaitForHosts());
  ASSERT_TRUE(groups().AwaitWhole("g", 2));
  // The agents have to prove anew who has everything; until then nobody could lead.
  ASSERT_TRUE(WaitUntil([&] { return groups().SwitchOver("g").ok(); }));
  ASSERT_TRUE(groups().AwaitOtherLeader("g", groups().Replicas("g").front()));
  ASSERT_TRUE(groups().AwaitWhole("g", 2));
  v1::IncreaseReplicaCountRequest more;
  more.set_replication_group_id("g");
  more.set_new_replica_count(2);
  more.set_apply_immediately(true);
  grpc::ClientContext context;
  v1::IncreaseReplicaCountResponse response;
  ASSERT_TRUE(api().IncreaseReplicaCount(&context, more, &response).ok());
  ASSERT_TRUE(groups().AwaitWhole("g", 3));
  for (const v1::Endpoint& endpoint : EndpointsOf("g")) {
    TlsClient client = Open(endpoint);
    EXPECT_THAT(client.Do({"GET", "k"}), StartsWith("NOAUTH"));
    EXPECT_EQ(Auth(client, "alice", kPassword), "OK");
    EXPECT_EQ(client.Do({"GET", "k"}), "v");
    EXPECT_THAT(client.Do({"CONFIG", "GET", "save"}), kRefused);
  }
}

TEST_F(UsersTest, ATokenIsRotatedAndThenSet) {
  ASSERT_TRUE(MustCreateGroup("g", 2, kFirst, ""));
  const v1::ReplicationGroup described = groups().Describe("g");
  EXPECT_TRUE(described.auth_token_enabled());
  EXPECT_TRUE(described.has_auth_token_last_modified_date());
  TlsClient held = Open(groups().Primary("g"));
  EXPECT_THAT(held.Do({"SET", "k", "v"}), StartsWith("NOAUTH"));
  ASSERT_EQ(held.Do({"AUTH", kFirst}), "OK");
  EXPECT_EQ(held.Do({"SET", "k", "v"}), "OK");
  EXPECT_THAT(held.Do({"CONFIG", "GET", "save"}), kRefused);

  ASSERT_TRUE(Rotate("g", kSecond, "ROTATE").ok());
  ASSERT_TRUE(AwaitAvailable("g"));
  for (const v1::Endpoint& endpoint : EndpointsOf("g")) {
    for (const char* token : {kFirst, kSecond}) {
      TlsClient client = Open(endpoint);
      EXPECT_EQ(client.Do({"AUTH", token}), "OK");
    }
  }
  ASSERT_TRUE(Rotate("g", kSecond, "SET").ok());
  ASSERT_TRUE(AwaitAvailable("g"));
  for (const v1::Endpoint& endpoint : EndpointsOf("g")) {
    TlsClient client = Open(endpoint);
    EXPECT_THAT(client.Do({"AUTH", kFirst}), StartsWith("WRONGPASS"));
    EXPECT_EQ(client.Do({"AUTH", kSecond}), "OK");
  }
  EXPECT_EQ(held.Do({"GET", "k"}), "v") << "who has logged in stays";
}

TEST_F(UsersTest, AnAgentThatIsStartedAgainTellsEnginesWhatTheyHaveMissed) {
  ASSERT_TRUE(CreateUser("alice", "on ~* +@all").ok());
  ASSERT_TRUE(CreateUserGroup("ug", {"default", "alice"}).ok());
  ASSERT_TRUE(AwaitUserGroup("ug"));
  ASSERT_TRUE(MustCreateGroup("g", 1, "", "ug"));
  const std::vector<pid_t> engines = installation().Engines();
  for (const std::string zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
    installation().agent(zone).Kill9();
  }
  v1::ModifyUserRequest change;
  change.set_user_id("alice");
  change.add_passwords(kNewPassword);
  ASSERT_TRUE(ModifyUser(change).ok());
  for (const std::string zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
    installation().StartAgent(zone);
  }
  ASSERT_TRUE(AwaitUser("alice"));
  ASSERT_TRUE(WaitUntil([&] {
    TlsClient client = Open(groups().Primary("g"));
    return Auth(client, "alice", kNewPassword) == "OK";
  }));
  EXPECT_EQ(installation().Engines(), engines);
}

TEST_F(UsersTest, SecretsStandInNoLogAndNoDatabase) {
  ASSERT_TRUE(CreateUser("alice", "on ~* +@all").ok());
  ASSERT_TRUE(CreateUserGroup("ug", {"default", "alice"}).ok());
  ASSERT_TRUE(AwaitUserGroup("ug"));
  ASSERT_TRUE(MustCreateGroup("g", 1, "", "ug"));
  ASSERT_TRUE(MustCreateGroup("h", 1, kFirst, ""));
  for (const std::string& file : FilesBelow(installation().dir())) {
    const auto content = ReadFile(file);
    if (!content) continue;
    EXPECT_EQ(content->find(kPassword), std::string::npos) << file;
    EXPECT_EQ(content->find(kFirst), std::string::npos) << file;
  }
}

}  // namespace
}  // namespace ec::integration
