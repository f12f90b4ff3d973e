#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "common/clock.h"
#include "tests/integration/clients.h"
#include "tests/integration/installation.h"
#include "tests/integration/replication_rig.h"

namespace ec::integration {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

// The list in which an engine's writes are kept.
constexpr const char* kList = "writes";

// An address of loopback that no other process uses: nobody can take a port of it away while an
// engine is between two lives.
std::string OwnAddress() {
  const auto pid = static_cast<unsigned>(getpid());
  return fmt::format("127.{}.{}.{}", 128 + (pid >> 16) % 127, (pid >> 8) & 255, 1 + pid % 254);
}

int FreePort(const std::string& address) {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  inet_pton(AF_INET, address.c_str(), &at.sin_addr);
  socklen_t size = sizeof(at);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&at), size) != 0) return 0;
  if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size) != 0) return 0;
  return ntohs(at.sin_port);
}

// The number after "name:" in an answer to INFO, or "" for none.
std::string FieldIn(const std::string& info, const std::string& name) {
  const size_t at = info.find("\n" + name + ":");
  if (at == std::string::npos) return {};
  const size_t begin = at + name.size() + 2;
  return info.substr(begin, info.find_first_of("\r\n", begin) - begin);
}

// A write and the client that waits for its answer.
class PendingWrite {
 public:
  PendingWrite(const v1::Endpoint& endpoint, uint64_t value)
      : context_(redisConnect(endpoint.address().c_str(), endpoint.port()), redisFree) {
    const std::string text = std::to_string(value);
    redisAppendCommand(context_.get(), "RPUSH %s %s", kList, text.c_str());
    int sent = 0;
    while (sent == 0 && redisBufferWrite(context_.get(), &sent) == REDIS_OK) {
    }
  }

  bool IsDone() {
    pollfd readable{context_->fd, POLLIN, 0};
    if (!done_ && poll(&readable, 1, 0) == 1 && redisBufferRead(context_.get()) == REDIS_OK) {
      void* reply = nullptr;
      redisGetReplyFromReader(context_.get(), &reply);
      if (reply != nullptr) {
        done_ = static_cast<redisReply*>(reply)->type == REDIS_REPLY_INTEGER;
        freeReplyObject(reply);
      }
    }
    return done_;
  }

 private:
  std::unique_ptr<redisContext, void (*)(redisContext*)> context_;
  bool done_ = false;
};

class RedisRig : public Rig {
 public:
  RedisRig() : address_(OwnAddress()) {
    std::string pattern = fs::temp_directory_path() / "ec-rig-XXXXXX";
    dir_ = mkdtemp(pattern.data());
  }
  ~RedisRig() override {
    pending_.clear();
    engines_.clear();
    std::error_code ignored;
    fs::remove_all(dir_, ignored);
  }

  void Start(int engine) override { Launch(engine, ""); }
  void StartFollowing(int engine, int leader) override {
    Launch(engine, fmt::format("replicaof {} {}\n", address_, ports_.at(leader)));
  }
  void Kill(int engine) override { engines_.at(engine).Kill9(); }
  void Stop(int engine) override { engines_.at(engine).Signal(SIGSTOP); }
  void GoOn(int engine) override { engines_.at(engine).Signal(SIGCONT); }
  bool Answers(int engine) override {
    return RedisClient(At(engine), milliseconds(300)).Do({"PING"}) == "PONG";
  }

  void Follow(int engine, int leader) override {
    Tell(engine, {"REPLICAOF", address_, std::to_string(ports_.at(leader))});
  }
  void Lead(int engine) override { Tell(engine, {"REPLICAOF", "NO", "ONE"}); }
  void PauseWrites(int engine) override { Tell(engine, {"CLIENT", "PAUSE", "3000", "WRITE"}); }
  void ResumeWrites(int engine) override { Tell(engine, {"CLIENT", "UNPAUSE"}); }
  void CutLink(int follower) override {
    EXPECT_EQ(Do(follower, {"CLIENT", "KILL", "TYPE", "master"}), "1");
  }

  Reply Write(int engine, uint64_t value) override {
    const std::string answer = Do(engine, {"RPUSH", kList, std::to_string(value)});
    if (answer.starts_with("READONLY")) return Reply::kReadOnly;
    return answer.empty() || answer.front() == '(' ? Reply::kNone : Reply::kDone;
  }
  size_t BeginWrite(int engine, uint64_t value) override {
    pending_.push_back(std::make_unique<PendingWrite>(At(engine), value));
    return pending_.size() - 1;
  }
  bool IsDone(size_t write) override { return pending_.at(write)->IsDone(); }
  std::optional<Writes> Holds(int engine) override {
    std::string text = Do(engine, {"LRANGE", kList, "0", "-1"});
    if (text.starts_with("(") || text.starts_with("LOADING")) return std::nullopt;
    Writes writes;
    std::istringstream words(text);
    for (uint64_t value = 0; words >> value;) writes.push_back(value);
    return writes;
  }

  int64_t Offset(int engine) override {
    const std::string info = Do(engine, {"INFO", "replication"});
    return std::strtoll(FieldIn(info, "master_repl_offset").c_str(), nullptr, 10);
  }
  bool LinkIsUp(int follower) override {
    return FieldIn(Do(follower, {"INFO", "replication"}), "master_link_status") == "up";
  }
  int FullCopiesBy(int leader) override {
    return std::atoi(FieldIn(Do(leader, {"INFO", "stats"}), "sync_full").c_str());
  }

  Instant now() override { return clock_.now().instant; }
  bool Await(const std::function<bool()>& condition, Duration limit) override {
    return WaitUntil(condition, std::chrono::duration_cast<milliseconds>(limit));
  }

 private:
  void Launch(int engine, const std::string& role) {
    int& port = ports_[engine];
    if (port == 0) port = FreePort(address_);
    const std::string dir = fmt::format("{}/{}", dir_, engine);
    fs::remove_all(dir);  // a copy for a follower goes through a file, which a start would load
    fs::create_directory(dir);
    // As nodeagent/engine/recipe.cc has it, but for the regular pings: they move the offset
    // whenever they please.
    const std::string configuration = fmt::format(
        "bind {0}\nbind-source-addr {0}\nport {1}\ndir {2}\nsave \"\"\nappendonly no\n"
        "protected-mode no\nrepl-diskless-sync no\nrepl-diskless-sync-delay 0\n"
        "repl-ping-replica-period 3600\n{3}",
        address_, port, dir, role);
    std::ofstream(dir + "/engine.conf") << configuration;
    engines_[engine] = Child("/usr/bin/redis-server", {dir + "/engine.conf"}, dir + "/log");
    EXPECT_TRUE(WaitUntil([&] { return Answers(engine) || !engines_[engine].running(); }));
    EXPECT_TRUE(engines_[engine].running()) << "engine " << engine << " did not come up";
  }
  v1::Endpoint At(int engine) {
    v1::Endpoint endpoint;
    endpoint.set_address(address_);
    endpoint.set_port(ports_.at(engine));
    return endpoint;
  }
  std::string Do(int engine, const std::vector<std::string>& words) {
    return RedisClient(At(engine), seconds(10)).Do(words);
  }
  void Tell(int engine, const std::vector<std::string>& words) {
    EXPECT_TRUE(Do(engine, words).starts_with("OK"));
  }

  SystemClock clock_;
  const std::string address_;
  std::string dir_;
  std::map<int, int> ports_;
  std::map<int, Child> engines_;
  std::vector<std::unique_ptr<PendingWrite>> pending_;
};

}  // namespace

std::unique_ptr<Rig> MakeRedisRig() { return std::make_unique<RedisRig>(); }

}  // namespace ec::integration
