// The network card with a server that does what engines do, preloaded and under the sanitizers.
#include "common/netcard.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "common/unix_socket.h"
#include "nodeagent/endpoint/listener.h"
#include "nodeagent/endpoint/passer.h"
#include "tests/endpoint/support.h"

namespace ec::endpoint {
namespace {

constexpr MemberId kMember = 1;

struct ServerOptions {
  std::vector<std::string> more;         // arguments
  std::vector<std::string> environment;  // NAME=value
  bool has_card = true;                  // else the library is there, and has nothing to do
};

// A server that runs in the directory until the end of the test.
class Server {
 public:
  Server(const std::string& program, bool preloads, const std::string& directory,
         const std::string& mode, Address address, const ServerOptions& options) {
    int in[2];
    int out[2];
    EXPECT_EQ(pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    input_.reset(in[1]);
    output_ = Socket(UniqueFd(out[0]));
    std::vector<std::string> words = {program, mode, ToString(address.ip),
                                      std::to_string(address.port)};
    words.insert(words.end(), options.more.begin(), options.more.end());
    std::vector<std::string> environment;
    if (options.has_card) environment.push_back(EC_NETCARD_SOCKET "=netcard.sock");
    if (preloads) environment.push_back("LD_PRELOAD=" EC_BIN_DIR "/libec_netcard.so");
    environment.insert(environment.end(), options.environment.begin(), options.environment.end());
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    EXPECT_EQ(posix_spawn(&pid_, program.c_str(), &actions, nullptr, Pointers(&words).data(),
                          Pointers(&environment).data()),
              0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
  }
  ~Server() { Kill(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The next line that it prints.
  std::string Line() {
    std::string line;
    pollfd ready{.fd = output_.fd(), .events = POLLIN, .revents = 0};
    char c = 0;
    while (poll(&ready, 1, static_cast<int>(kPatience.count()) * 1000) == 1 &&
           read(output_.fd(), &c, 1) == 1 && c != '\n') {
      line += c;
    }
    return line;
  }
  void Tell() { EXPECT_EQ(write(input_.get(), "!", 1), 1); }
  void CloseInput() { input_.reset(); }
  pid_t pid() const { return pid_; }
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  bool IsRunning() { return waitpid(pid_, nullptr, WNOHANG) == 0; }

 private:
  static std::vector<char*> Pointers(std::vector<std::string>* strings) {
    std::vector<char*> pointers;
    for (std::string& s : *strings) pointers.push_back(s.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  pid_t pid_ = -1;
  UniqueFd input_;
  Socket output_;
};

// With the library preloaded, or inside of a sanitized program.
class NetcardTest : public testing::TestWithParam<bool> {
 protected:
  NetcardTest() : agent_(Listen(address_).socket) {}

  std::unique_ptr<Server> Start(const std::string& mode, const ServerOptions& options = {}) {
    const bool preloads = GetParam();
    const std::string program =
        preloads ? EC_BIN_DIR "/netcard_server" : EC_BIN_DIR "/netcard_server_sanitized";
    return std::make_unique<Server>(program, preloads, directory_.path(), mode, address_, options);
  }
  std::unique_ptr<Server> StartListening(const std::string& mode,
                                         const ServerOptions& options = {}) {
    auto server = Start(mode, options);
    EXPECT_EQ(server->Line(), "listening");
    return server;
  }

  // A client's connection that the agent has accepted.
  struct Pair {
    Socket client;
    UniqueFd accepted;
  };
  Pair NewConnection() {
    Pair pair{Connect(address_), {}};
    EXPECT_TRUE(Eventually([&] {
      pair.accepted = Accept(agent_.get()).socket;
      return static_cast<bool>(pair.accepted);
    }));
    return pair;
  }
  Passer::Outcome Pass(const UniqueFd& accepted) { return passer_.Pass(kMember, accepted.get()); }
  // One that the server gets, as soon as there is room.
  Socket PassConnection() {
    Pair pair = NewConnection();
    EXPECT_TRUE(Eventually([&] { return Pass(pair.accepted) == Passer::Outcome::kPassed; }));
    return std::move(pair.client);
  }
  std::string NameOf(const Socket& socket) const {
    sockaddr_in name{};
    socklen_t length = sizeof(name);
    getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&name), &length);
    return ToString(Address{{ntohl(name.sin_addr.s_addr)}, ntohs(name.sin_port)});
  }
  std::string Description(const Socket& client, bool nonblock) const {
    return "peer=" + NameOf(client) + " local=" + ToString(address_) +
           (nonblock ? " nonblock=1 cloexec=1" : " nonblock=0 cloexec=0") + " keepalive=1\n";
  }
  void ExpectService(bool nonblock) {
    Socket client = PassConnection();
    EXPECT_EQ(client.ReceiveUntil("\n"), Description(client, nonblock));
  }

  TempDir directory_;
  const Address address_ = FreshAddress();
  const UniqueFd agent_;
  Passer passer_{[this](MemberId) { return directory_.path() + "/netcard.sock"; }};
};

INSTANTIATE_TEST_SUITE_P(Preloaded, NetcardTest, testing::Values(true));
INSTANTIATE_TEST_SUITE_P(Sanitized, NetcardTest, testing::Values(false));

// Whether a process has a TCP socket that listens, or that is bound at least.
bool HasTcpListener(pid_t pid) {
  const std::string self = "/proc/" + std::to_string(pid) + "/fd/";
  std::string table;
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
    char buffer[65536];
    for (ssize_t n; (n = read(file.get(), buffer, sizeof(buffer))) > 0;) {
      table.append(buffer, static_cast<size_t>(n));
    }
  }
  for (int fd = 0; fd < 64; ++fd) {
    struct stat status {};
    if (stat((self + std::to_string(fd)).c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) {
      continue;
    }
    // The state 0A is LISTEN; the inode is the tenth word of the line.
    const size_t at = table.find(" " + std::to_string(status.st_ino) + " ");
    if (at == std::string::npos) continue;
    const size_t begin = table.rfind('\n', at);
    if (table.substr(begin, at - begin).find(" 0A ") != std::string::npos) return true;
  }
  return false;
}

TEST_P(NetcardTest, ABlockingServerGetsConnectionsAsFromItsListener) {
  const auto server = StartListening("blocking");
  for (int i = 0; i < 20; ++i) ExpectService(false);
  EXPECT_FALSE(HasTcpListener(server->pid()));
}

TEST_P(NetcardTest, APollingServerGetsConnectionsAsFromItsListener) {
  for (const std::string mode : {"level", "edge"}) {
    const auto server = StartListening(mode);
    for (int i = 0; i < 20; ++i) ExpectService(true);
    EXPECT_FALSE(HasTcpListener(server->pid()));
  }
}

TEST_P(NetcardTest, AnEndOfAPairIsAConnectionOfNobodysAddress) {
  for (const std::string mode : {"blocking", "level"}) {
    const auto server = StartListening(mode);
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    Socket agent{UniqueFd(ends[0])};
    {
      const UniqueFd theirs(ends[1]);
      ASSERT_TRUE(Eventually([&] { return Pass(theirs) == Passer::Outcome::kPassed; }));
    }
    EXPECT_TRUE(agent.ReceiveUntil("\n").starts_with("peer=0.0.0.0:0 ")) << mode;
    ExpectService(mode != "blocking");
  }
}

TEST_P(NetcardTest, ThreadsShareTheConnections) {
  const auto server = StartListening("threads");
  std::vector<Socket> clients;
  for (int i = 0; i < 500; ++i) {
    clients.push_back(PassConnection());
  }
  for (Socket& client : clients) {
    EXPECT_EQ(client.ReceiveUntil("\n"), Description(client, false));
  }
}

TEST_P(NetcardTest, AListenerLooksLikeOneWhateverAProgramDoesToIt) { StartListening("meddle"); }

TEST_P(NetcardTest, ListenersAtSeveralAddressesShareWhatIsPassed) {
  const auto server = Start("twice");
  EXPECT_EQ(server->Line(), "listening");
  for (int i = 0; i < 5; ++i) ExpectService(true);
}

TEST_P(NetcardTest, AnotherListenerBecomesALocalOneIfAsked) {
  const auto server =
      StartListening("local", {.environment = {EC_NETCARD_LOCAL "=engine.sock",
                                               EC_NETCARD_ADDRESS "=" + ToString(address_.ip)}});
  Socket client = ConnectToUnix(directory_.path() + "/engine.sock");
  ASSERT_TRUE(client);
  EXPECT_EQ(client.ReceiveUntil("\n"), "local\n");
  EXPECT_EQ(Pass(NewConnection().accepted), Passer::Outcome::kPassed);
  EXPECT_FALSE(HasTcpListener(server->pid()));
}

TEST_P(NetcardTest, ConnectionsLeaveFromTheMembersAddress) {
  const auto server =
      Start("connect", {.more = {"127.1.2.3"}, .environment = {EC_NETCARD_ADDRESS "=127.4.5.6"}});
  EXPECT_EQ(server->Line(), "127.4.5.6");
  EXPECT_EQ(server->Line(), "127.1.2.3") << "it was bound by the program itself";
  EXPECT_EQ(server->Line(), "untouched");
}

// --- malformed messages -------------------------------------------------------------------------

// One datagram of these bytes and descriptors.
bool SendRaw(int to, const std::string& bytes, const std::vector<int>& descriptors) {
  std::string content = bytes;
  iovec part{.iov_base = content.data(), .iov_len = content.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size() * sizeof(int));
  }
  return sendmsg(to, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

TEST_P(NetcardTest, MalformedMessagesAreThrownAwayAndWhatTheyCarryIsClosed) {
  for (const std::string mode : {"blocking", "level", "edge"}) {
    const auto server = StartListening(mode);
    const UniqueFd socket = ConnectUnix(directory_.path() + "/netcard.sock", SOCK_DGRAM);
    ASSERT_TRUE(socket);
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd in(ends[0]);
    const UniqueFd out(ends[1]);
    const UniqueFd unix_socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const UniqueFd unconnected(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto send = [&](const std::string& bytes, const std::vector<int>& descriptors) {
      EXPECT_TRUE(Eventually([&] { return SendRaw(socket.get(), bytes, descriptors); }));
    };
    send("", {});
    send("c", {});
    send("c", {in.get()});
    send("c", {unix_socket.get()});
    send("c", {unconnected.get()});
    send(std::string(10'000, 'c'), {});
    Pair good = NewConnection();
    const int fd = good.accepted.get();
    for (const auto& [bytes, count] : std::vector<std::pair<std::string, size_t>>{
             {"", 1}, {"x", 1}, {"cc", 1}, {"c", 2}, {"c", 4}, {"c", 5}, {"c", 16}}) {
      send(bytes, std::vector<int>(count, fd));
    }
    for (int i = 0; i < 100; ++i) send("c", {in.get(), fd});
    good.accepted.reset();
    // When all copies are closed, the client sees the end.
    EXPECT_EQ(good.client.AwaitEnding(), Socket::Ending::kEnd) << mode;
    ExpectService(mode != "blocking");
    EXPECT_TRUE(server->IsRunning());
  }
}

TEST_P(NetcardTest, AClientThatHasGoneMeanwhileIsPassedOver) {
  const auto server = StartListening("dally");
  for (int i = 0; i < 3; ++i) {
    Pair pair = NewConnection();
    EXPECT_EQ(Pass(pair.accepted), Passer::Outcome::kPassed);
    pair.client.CloseWithReset();
  }
  server->Tell();
  ExpectService(false);
}

// --- back-pressure, and the end -------------------------------------------------------------

TEST_P(NetcardTest, AFullQueueIsSeenAndNothingIsLost) {
  const auto server = StartListening("dally");
  std::vector<Pair> pairs;
  Passer::Outcome outcome = Passer::Outcome::kPassed;
  while (pairs.size() < 2'000) {
    pairs.push_back(NewConnection());
    outcome = Pass(pairs.back().accepted);
    if (outcome != Passer::Outcome::kPassed) break;
    pairs.back().accepted.reset();
  }
  ASSERT_EQ(outcome, Passer::Outcome::kFull) << "is net.unix.max_dgram_qlen above 2000?";
  server->Tell();
  EXPECT_TRUE(Eventually([&] { return Pass(pairs.back().accepted) == Passer::Outcome::kPassed; }));
  for (Pair& pair : pairs) {
    EXPECT_EQ(pair.client.ReceiveUntil("\n"), Description(pair.client, false));
  }
}

TEST_P(NetcardTest, AConnectionWaitsWhileTheServerHasNoDescriptorForIt) {
  // Room for the standard ones, the listener, epoll, and a few connections.
  const auto server = StartListening("level");
  const rlimit few{.rlim_cur = 12, .rlim_max = 12};
  ASSERT_EQ(prlimit(server->pid(), RLIMIT_NOFILE, &few, nullptr), 0);
  std::vector<Socket> clients;
  for (int i = 0; i < 7; ++i) {
    clients.push_back(PassConnection());
    EXPECT_EQ(clients.back().ReceiveUntil("\n"), Description(clients.back(), true)) << i;
  }
  // The server says so, makes room for one, and then gets the very connection that had to wait.
  clients.push_back(PassConnection());
  EXPECT_EQ(server->Line(), "EMFILE");
  EXPECT_EQ(clients.back().ReceiveUntil("\n"), Description(clients.back(), true));
}

TEST_P(NetcardTest, TenThousandConnectionsStayOpen) {
  constexpr size_t kConnections = 10'000;
  ASSERT_TRUE(AllowDescriptors(kConnections + 200)) << "the hard limit of open files is too low";
  const auto server = StartListening("level");
  std::vector<Socket> clients;
  for (size_t i = 0; i < kConnections; ++i) clients.push_back(PassConnection());
  for (Socket& client : clients) {
    ASSERT_EQ(client.ReceiveUntil("\n"), Description(client, true));
  }
}

TEST_P(NetcardTest, AForkedChildGetsNothingAndTheQueueEndsWithItsParent) {
  const auto server = Start("fork");
  EXPECT_EQ(server->Line(), "forked");
  for (int i = 0; i < 20; ++i) {
    Socket client = PassConnection();
    EXPECT_EQ(client.ReceiveUntil("\n"), Description(client, false));
  }
  kill(server->pid(), SIGSTOP);
  Pair waiting = NewConnection();
  EXPECT_EQ(Pass(waiting.accepted), Passer::Outcome::kPassed);
  waiting.accepted.reset();
  server->Kill();
  // The child lives on, but it does not keep alive what its parent had: the client sees the end.
  EXPECT_NE(waiting.client.AwaitEnding(), Socket::Ending::kTimeout);
  Pair late = NewConnection();
  EXPECT_EQ(Pass(late.accepted), Passer::Outcome::kAbsent);
  server->CloseInput();
  EXPECT_EQ(server->Line(), "nothing came");
}

TEST_P(NetcardTest, AProgramWithoutAPassingSocketIsLeftAlone) {
  const Address other = FreshAddress();
  const std::string program =
      GetParam() ? EC_BIN_DIR "/netcard_server" : EC_BIN_DIR "/netcard_server_sanitized";
  Server server(program, GetParam(), directory_.path(), "blocking", other, {.has_card = false});
  EXPECT_EQ(server.Line(), "listening");
  EXPECT_TRUE(HasTcpListener(server.pid()));
  EXPECT_TRUE(Connect(other).ReceiveUntil("\n").ends_with("nonblock=0 cloexec=0 keepalive=1\n"));
}

}  // namespace
}  // namespace ec::endpoint
