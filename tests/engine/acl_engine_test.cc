// Real Redis engines and what their users may do: whatever is kept from customers is refused, and
// changes reach engines as they run.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "common/digest.h"
#include "common/restricted_commands.h"
#include "common/unix_socket.h"
#include "controlplane/model/access_string.h"
#include "controlplane/model/names.h"
#include "nodeagent/engine/acl.h"
#include "nodeagent/engine/member_directory.h"
#include "nodeagent/engine/programs.h"
#include "nodeagent/engine/redis_talk.h"
#include "nodeagent/engine/replies.h"
#include "nodeagent/engine/tuner.h"
#include "tests/endpoint/support.h"

namespace ec::engine {
namespace {

using endpoint::Eventually;
using endpoint::Socket;
using endpoint::TempDir;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr Duration kPatience = std::chrono::seconds(5);
constexpr char kPassword[] = "a-password-of-24-letters";

EngineUser Everybody() { return {"default", "default", {"on", "nopass", "~*", "&*", "+@all"}}; }
EngineUser Named(const std::string& name, std::vector<std::string> rules,
                 const std::string& password = kPassword) {
  rules.insert(rules.begin(), "#" + Sha256Hex(password));
  return {name, name, std::move(rules)};
}

// One engine, launched as the agent launches it; dies with the test.
class AclEngine : public ::testing::Test {
 protected:
  ~AclEngine() override {
    if (!spawned_.pidfd) return;
    SendSignal(spawned_.pidfd, SIGKILL);
    pollfd gone{.fd = spawned_.pidfd.get(), .events = POLLIN, .revents = 0};
    poll(&gone, 1, 20'000);
    waitpid(spawned_.id.pid, nullptr, 0);
  }

  static EngineAccess Access(std::vector<EngineUser> users, uint64_t version = 1) {
    return {"admin-secret", "replication-secret", std::move(users), version};
  }
  void Start(std::optional<EngineAccess> access) {
    spec_.id = 1;
    spec_.access = std::move(access);
    Result<Spawned> spawned =
        MemberDirectory(members_.path(), 1)
            .Start({.spec = spec_, .launch = 1}, FindPrograms("").at(EngineKind::kRedis), {});
    ASSERT_TRUE(spawned.ok()) << spawned.status().message();
    spawned_ = std::move(*spawned);
    ASSERT_TRUE(Eventually([&] { return !Ask(Client(), {"PING"}).empty(); }));
  }
  // What the running engine is told from now on; whether it took all of it.
  bool Tune(EngineAccess access) {
    spec_.access = std::move(access);
    std::optional<bool> done;
    TuneRedis(io_, spec_, Path(), [&](bool ok) { done = ok; });
    io_.restart();
    while (!done) io_.run_one();
    return *done;
  }
  std::string Path() const { return MemberDirectory(members_.path(), 1).socket_path(); }
  uint64_t VersionNoted() const { return MemberDirectory(members_.path(), 1).Look()->access; }

  Socket Client() const { return endpoint::ConnectToUnix(Path()); }
  // The first line of the reply; empty when the connection has ended.
  static std::string Ask(const Socket& client, const std::vector<std::string>& words) {
    std::string request = fmt::format("*{}\r\n", words.size());
    for (const std::string& word : words) {
      request += fmt::format("${}\r\n{}\r\n", word.size(), word);
    }
    Socket& socket = const_cast<Socket&>(client);
    if (!socket || !socket.Send(request)) return "";
    const std::string line = socket.ReceiveUntil("\r\n");
    return line.ends_with("\r\n") ? line.substr(0, line.size() - 2) : "";
  }
  Socket LoggedIn(const std::string& name, const std::string& password = kPassword) const {
    Socket client = Client();
    EXPECT_EQ(Ask(client, {"AUTH", name, password}), "+OK") << name;
    return client;
  }
  // As the agent asks.
  std::string AskAsAgent(const std::string& command) {
    RedisTalk talk(Path());
    const Result<RedisReply> reply = talk.Ask(command, kPatience);
    return reply.ok() ? reply->text : reply.status().message();
  }

  TempDir members_;
  MemberSpec spec_;
  Spawned spawned_;
  boost::asio::io_context io_;
};

std::vector<std::vector<std::string>> RestrictedCalls() {
  std::vector<std::vector<std::string>> calls = {{"BGREWRITEAOF"},
                                                 {"BGSAVE"},
                                                 {"CONFIG", "GET", "maxmemory"},
                                                 {"DEBUG", "SLEEP", "0"},
                                                 {"FAILOVER"},
                                                 {"MODULE", "LIST"},
                                                 {"SAVE"},
                                                 {"SHUTDOWN", "SAVE"},
                                                 {"REPLICAOF", "NO", "ONE"},
                                                 {"SLAVEOF", "NO", "ONE"},
                                                 {"PSYNC", "?", "-1"},
                                                 {"SYNC"},
                                                 {"MIGRATE", "127.0.0.1", "1", "k", "0", "1"}};
  // With as many words as each takes: an engine counts them before it asks who calls.
  const std::map<std::string_view, size_t> more = {
      {"acl|deluser", 1},       {"acl|setuser", 1},
      {"cluster|addslots", 1},  {"cluster|addslotsrange", 2},
      {"cluster|delslots", 1},  {"cluster|delslotsrange", 2},
      {"cluster|forget", 1},    {"cluster|meet", 2},
      {"cluster|replicate", 1}, {"cluster|set-config-epoch", 1},
      {"cluster|setslot", 2}};
  for (const std::string_view name : kRestrictedSubcommands) {
    const size_t bar = name.find('|');
    std::vector<std::string> call = {std::string(name.substr(0, bar)),
                                     std::string(name.substr(bar + 1))};
    const auto words = more.find(name);
    if (words != more.end()) call.resize(2 + words->second, "1");
    calls.push_back(std::move(call));
  }
  return calls;
}

// An engine has its own word on DEBUG before it asks who calls.
const auto kRefused = AnyOf(StartsWith("-ERR unknown command '"), StartsWith("-NOPERM"),
                            StartsWith("-ERR DEBUG command not allowed."));

TEST_F(AclEngine, KeepsRestrictedCommandsFromEveryUser) {
  Start(Access({Everybody(), Named("root", {"on", "~*", "&*", "+@all"}),
                Named("selective", {"on", "(~* &* +@all)"})}));
  std::vector<Socket> clients;
  clients.push_back(Client());
  clients.push_back(LoggedIn("root"));
  clients.push_back(LoggedIn("selective"));
  for (const Socket& client : clients) {
    for (std::vector<std::string> call : RestrictedCalls()) {
      EXPECT_THAT(Ask(client, call), kRefused) << call[0];
      call[0] = call[0].substr(0, 1) + model::Lower(call[0].substr(1));
      EXPECT_THAT(Ask(client, call), kRefused) << call[0] << ", in other letters";
      // By the names that engines know them by.
      call[0] = LoginBeside(Path()).Name(call[0]);
      EXPECT_THAT(Ask(client, call), kRefused) << call[0];
    }
    EXPECT_EQ(Ask(client, {"SET", "key", "value"}), "+OK");
    EXPECT_EQ(Ask(client, {"ACL", "WHOAMI"}).substr(0, 1), "$");
  }
}

TEST_F(AclEngine, SaysThatHiddenCommandsAreUnknown) {
  Start(Access({Everybody()}));
  EXPECT_EQ(Ask(Client(), {"CONFIG", "GET", "x"}),
            "-ERR unknown command 'CONFIG', with args beginning with: 'GET' 'x' ");
  EXPECT_THAT(Ask(Client(), {"SYNC"}), StartsWith("-NOPERM"));
}

TEST_F(AclEngine, KeepsThemInTransactionsScriptsAndFunctions) {
  Start(Access({Everybody()}));
  const std::string hidden = LoginBeside(Path()).Name("config");
  for (const std::string& name : {std::string("CONFIG"), hidden}) {
    const Socket client = Client();
    EXPECT_EQ(Ask(client, {"MULTI"}), "+OK");
    EXPECT_THAT(Ask(client, {name, "GET", "maxmemory"}), kRefused);
    EXPECT_THAT(Ask(client, {"EXEC"}), StartsWith("-EXECABORT"));
    EXPECT_THAT(Ask(client, {"EVAL", "return redis.call('" + name + "','GET','maxmemory')", "0"}),
                StartsWith("-"));
    const std::string library = "#!lua name=" + std::string(name == hidden ? "b" : "a") +
                                "\nredis.register_function('f" + (name == hidden ? "b" : "a") +
                                "', function() return redis.call('" + name +
                                "','GET','maxmemory') end)";
    EXPECT_THAT(Ask(client, {"FUNCTION", "LOAD", library}), StartsWith("$"));
    (void)const_cast<Socket&>(client).ReceiveUntil("\r\n");
    EXPECT_THAT(Ask(client, {"FCALL", name == hidden ? "fb" : "fa", "0"}), StartsWith("-"));
  }
}

TEST_F(AclEngine, LetsTheAgentDoThem) {
  Start(Access({Named("default", {"on", "~*", "+@all"})}));
  EXPECT_THAT(Ask(Client(), {"PING"}), StartsWith("-NOAUTH"));
  EXPECT_THAT(AskAsAgent("BGSAVE"), HasSubstr("aving started"));
  EXPECT_EQ(AskAsAgent("CONFIG SET slowlog-max-len 77"), "OK");
  EXPECT_EQ(AskAsAgent("PING"), "PONG");
}

TEST_F(AclEngine, LimitsUsersToTheirKeys) {
  Start(Access({Everybody(), Named("alice", {"on", "~alice:*", "+@all"}),
                Named("reader", {"on", "~*", "+@read", "(~mine:* +set)"}),
                Named("off", {"off", "~*", "+@all"})}));
  const Socket alice = LoggedIn("alice");
  EXPECT_EQ(Ask(alice, {"SET", "alice:1", "x"}), "+OK");
  EXPECT_THAT(Ask(alice, {"SET", "bob:1", "x"}), StartsWith("-NOPERM"));
  const Socket reader = LoggedIn("reader");
  EXPECT_THAT(Ask(reader, {"SET", "alice:1", "x"}), StartsWith("-NOPERM"));
  EXPECT_EQ(Ask(reader, {"SET", "mine:1", "x"}), "+OK");
  EXPECT_THAT(Ask(Client(), {"AUTH", "off", kPassword}), StartsWith("-WRONGPASS"));
  EXPECT_THAT(Ask(Client(), {"AUTH", "alice", "another-password-of-24"}), StartsWith("-WRONGPASS"));
}

TEST_F(AclEngine, TakesNewPasswordsWithoutCuttingAnybody) {
  Start(Access({Everybody(), Named("alice", {"on", "~*", "+@all"})}));
  const Socket other = Client();
  const Socket alice = LoggedIn("alice");
  ASSERT_TRUE(
      Tune(Access({Everybody(), Named("alice", {"on", "~*", "+get"}, "the-new-password")}, 2)));
  EXPECT_EQ(VersionNoted(), 2u);
  EXPECT_EQ(Ask(other, {"PING"}), "+PONG");
  EXPECT_EQ(Ask(alice, {"GET", "key"}), "$-1");
  EXPECT_THAT(Ask(alice, {"SET", "key", "x"}), StartsWith("-NOPERM"));
  EXPECT_THAT(Ask(Client(), {"AUTH", "alice", kPassword}), StartsWith("-WRONGPASS"));
  LoggedIn("alice", "the-new-password");
}

TEST_F(AclEngine, CutsThoseWhoAreTakenOutOrReplaced) {
  Start(Access(
      {Everybody(), Named("alice", {"on", "~*", "+@all"}), Named("bob", {"on", "~*", "+@all"})}));
  const Socket nobody = Client();
  const Socket alice = LoggedIn("alice");
  const Socket bob = LoggedIn("bob");
  EngineUser own = Everybody();
  own.id = "own";
  ASSERT_TRUE(Tune(Access({own, Named("bob", {"on", "~*", "+@all"})}, 2)));
  EXPECT_EQ(Ask(alice, {"PING"}), "");
  EXPECT_EQ(Ask(nobody, {"PING"}), "");
  EXPECT_EQ(Ask(bob, {"PING"}), "+PONG");
  EXPECT_THAT(Ask(Client(), {"AUTH", "alice", kPassword}), StartsWith("-WRONGPASS"));
}

TEST_F(AclEngine, OneThatLetEverybodyInGetsItsUsersAsItRuns) {
  Start(std::nullopt);
  EXPECT_EQ(VersionNoted(), 0u);
  EXPECT_THAT(Ask(Client(), {"CONFIG", "GET", "maxmemory"}), StartsWith("*"));
  EXPECT_EQ(AskAsAgent("CONFIG SET slowlog-max-len 77"), "OK");
  ASSERT_TRUE(Tune(Access({Everybody(), Named("alice", {"on", "~*", "+@all"})}, 3)));
  EXPECT_EQ(VersionNoted(), 3u);
  EXPECT_THAT(Ask(Client(), {"CONFIG", "GET", "maxmemory"}), StartsWith("-NOPERM"));
  EXPECT_THAT(Ask(LoggedIn("alice"), {"BGSAVE"}), StartsWith("-NOPERM"));
  EXPECT_EQ(AskAsAgent("CONFIG SET slowlog-max-len 78"), "OK");
  ASSERT_TRUE(Tune(Access({Everybody()}, 4)));
  EXPECT_THAT(Ask(Client(), {"AUTH", "alice", kPassword}), StartsWith("-WRONGPASS"));
}

// Whatever the control plane takes, an engine takes too, and no restricted command passes.
TEST_F(AclEngine, TakesEveryAccessStringThatTheControlPlaneTakes) {
  Start(Access({Everybody()}));
  const char* const kPieces[] = {"on",
                                 "off",
                                 "~*",
                                 "~a*",
                                 "%R~b*",
                                 "%W~*",
                                 "%RW~c",
                                 "allkeys",
                                 "resetkeys",
                                 "&*",
                                 "&n*",
                                 "allchannels",
                                 "resetchannels",
                                 "+@all",
                                 "-@all",
                                 "+@read",
                                 "-@dangerous",
                                 "+get",
                                 "-config",
                                 "+select|0",
                                 "+client|getname",
                                 "-acl|setuser",
                                 "allcommands",
                                 "nocommands",
                                 "(~* +@all)",
                                 "(&* allcommands",
                                 "~x*)",
                                 "()",
                                 "+acl",
                                 "+cluster",
                                 "+get|x",
                                 "~\"quoted",
                                 "~back\\slash",
                                 "~'single"};
  std::mt19937 dice(20260101);
  int taken = 0;
  for (int round = 0; round < 400; ++round) {
    std::string text = "on";
    for (unsigned i = dice() % 8; i > 0; --i) {
      text += fmt::format(" {}", kPieces[dice() % std::size(kPieces)]);
    }
    const Result<model::AccessRules> rules = model::ParseAccessString(text);
    if (!rules.ok()) continue;
    ++taken;
    ASSERT_TRUE(
        Tune(Access({Everybody(), Named("u", rules->rules)}, 100 + static_cast<uint64_t>(round))))
        << text;
    for (const std::string call :
         {"bgsave", "config get x", "psync ? -1", "acl setuser x", "cluster reset"}) {
      const size_t word = std::min(call.find(' '), call.size());
      const std::string name = LoginBeside(Path()).Name(call.substr(0, word));
      EXPECT_THAT(AskAsAgent("ACL DRYRUN u " + name + call.substr(word)),
                  HasSubstr("no permissions to"))
          << text << ": " << call;
    }
  }
  EXPECT_GT(taken, 50);
}

}  // namespace
}  // namespace ec::engine
