// `ecctl instance run` with real programs, which connect to servers of the test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/cli/network_support.h"

namespace ec::cli {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string kOk = std::string("ok ") + kSource + "\n";

class InstanceRun : public testing::Test {
 protected:
  InstanceRun() { AddInstances(&service_); }

  void SetUp() override {
    const Ended tried = Run({"true"});
    if (const std::string why = WhyNoInstanceRun(tried.err); !why.empty()) GTEST_SKIP() << why;
    ASSERT_EQ(tried.exit, 0) << tried.err;
  }

  Ended Run(std::vector<std::string> command) {
    command.insert(command.begin(), {"instance", "run", kInstance});
    return service_.Ecctl(command);
  }
  // With the dialer's words.
  Ended Dial(const std::string& mode, const std::string& ip, const std::string& port,
             const std::string& count = "1", const std::string& program = "dialer") {
    return Run({BuiltProgram(program), mode, ip, port, count});
  }

  FakeService service_;
  Listener server_;
};

TEST_F(InstanceRun, ConnectsFromTheInstance) {
  for (const std::string program : {"dialer", "static_dialer"}) {
    for (const std::string mode : {"plain", "non-blocking"}) {
      for (const std::string ip : {"10.0.1.5", "127.77.1.5"}) {
        const Ended ended = Dial(mode, ip, server_.port(), "1", program);
        EXPECT_EQ(ended.exit, 0) << ended.err;
        EXPECT_EQ(ended.out, kOk) << program << " " << mode << " " << ip;
        EXPECT_EQ(ended.err, "");
        EXPECT_THAT(server_.Sources(), ElementsAre(kSource));
      }
    }
  }
}

TEST_F(InstanceRun, MapsAddressesOfIpv6SocketsToo) {
  const Ended ended = Dial("mapped", "10.0.1.5", server_.port());
  EXPECT_EQ(ended.out, std::string("ok ::ffff:") + kSource + "\n") << ended.err;
  EXPECT_THAT(server_.Sources(), ElementsAre(kSource));
}

TEST_F(InstanceRun, ConnectsFromTheInstanceToAnotherVpcWhichMayRefuseIt) {
  Listener other("127.78.1.5");
  EXPECT_EQ(Dial("plain", "127.78.1.5", other.port()).out, kOk);
  EXPECT_THAT(other.Sources(), ElementsAre(kSource));
}

TEST_F(InstanceRun, LeavesTheMachineItselfAndUdpAlone) {
  Listener machine("127.0.0.1");
  EXPECT_EQ(Dial("plain", "127.0.0.1", machine.port()).out, "ok 127.0.0.1\n");
  EXPECT_THAT(machine.Sources(), ElementsAre("127.0.0.1"));
  EXPECT_EQ(Dial("udp", "127.77.1.5", server_.port()).out, "ok 127.0.0.1\n");
}

TEST_F(InstanceRun, GivesTheErrorOfTheConnection) {
  const std::string closed = ClosedPort();
  for (const std::string mode : {"plain", "non-blocking"}) {
    const Ended refused = Dial(mode, "10.0.1.5", closed);
    EXPECT_EQ(refused.out, "Connection refused\n") << mode;
    EXPECT_EQ(refused.exit, 1);
  }
  EXPECT_EQ(Dial("twice", "10.0.1.5", server_.port()).out,
            kOk + "Transport endpoint is already connected\n");
}

TEST_F(InstanceRun, KeepsToTheProgramsOwnTimeLimits) {
  const Listener silent("127.77.1.6", /*silent=*/true);
  EXPECT_EQ(Dial("timeout", "10.0.1.6", silent.port()).out, "Operation now in progress\n");
  EXPECT_EQ(Dial("alarm", "10.0.1.6", silent.port()).out, "Interrupted system call\n");
}

TEST_F(InstanceRun, LeavesAnAddressThatTheProgramHasBoundItself) {
  EXPECT_EQ(Dial("bound-address", "10.0.1.5", server_.port()).out, "ok 127.77.200.1\n");
  EXPECT_THAT(server_.Sources(), ElementsAre("127.77.200.1"));
  const Ended port = Dial("bound-port", "10.0.1.5", server_.port());
  EXPECT_EQ(port.out, "ok 127.0.0.1\n");
  EXPECT_THAT(port.err, HasSubstr("that it has bound itself: the connection does not come from "
                                  "i-web"));
}

TEST_F(InstanceRun, ClosesTheOtherWaysToConnect) {
  const Ended ended = Dial("other-ways", "10.0.1.5", server_.port());
  EXPECT_EQ(ended.out,
            "Operation not supported\nFunction not implemented\nBad file descriptor\nBad address\n"
            "Invalid argument\n");
  EXPECT_THAT(server_.Sources(), IsEmpty());
}

TEST_F(InstanceRun, WorksWithAThousandConnectionsAtOnce) {
  const Ended threads = Dial("threads", "10.0.1.5", server_.port(), "1000", "static_dialer");
  EXPECT_EQ(threads.out, "ok 1000\n") << threads.err;
  std::vector<std::string> sources = server_.Sources();
  EXPECT_THAT(sources, SizeIs(1000));
  EXPECT_THAT(sources, Each(kSource));
  const Ended children = Dial("children", "10.0.1.5", server_.port(), "300");
  EXPECT_EQ(children.out, "ok 300\n") << children.err;
  sources = server_.Sources();
  EXPECT_THAT(sources, SizeIs(300));
  EXPECT_THAT(sources, Each(kSource));
}

TEST_F(InstanceRun, WorksWhileSignalsRain) {
  const Ended ended = Dial("rain", "10.0.1.5", server_.port(), "2000");
  EXPECT_EQ(ended.out, "ok 2000\n") << ended.err;
  EXPECT_EQ(ended.exit, 0);
}

TEST_F(InstanceRun, DoesNotHoldOneConnectionUpForAnother) {
  const Listener silent("127.77.1.6", /*silent=*/true);
  const std::string dialer = BuiltProgram("dialer");
  const Ended ended =
      Run({"sh", "-c",
           dialer + " plain 10.0.1.6 " + silent.port() + " & " + dialer + " plain 10.0.1.5 " +
               server_.port() + "; kill -9 $!; wait $!; echo $?"});
  EXPECT_EQ(ended.out, kOk + "137\n") << ended.err;
  EXPECT_TRUE(Eventually([&] { return !IsRunning("10.0.1.6 " + silent.port()); }));
}

TEST_F(InstanceRun, GivesUpHangingConnectionsWithTheirProcess) {
  const Listener silent("127.77.1.6", /*silent=*/true);
  const std::string dialer = BuiltProgram("static_dialer");
  // A thousand threads that hang, and a limit that ends their process.
  const Ended ended =
      Run({"timeout", "-s", "KILL", "0.5", dialer, "threads", "10.0.1.6", silent.port(), "1000"});
  EXPECT_EQ(ended.exit, 137) << ended.err;
  EXPECT_TRUE(Eventually([&] { return !IsRunning("10.0.1.6 " + silent.port()); }));
}

TEST_F(InstanceRun, LetsConnectionsWaitWhenItHasNoFilesForMore) {
  const Listener silent("127.77.1.6", /*silent=*/true);
  const std::string dialer = BuiltProgram("dialer");
  std::vector<std::string> words = {"/usr/bin/prlimit", "--nofile=80:80"};
  for (const std::string& word :
       EcctlCommand({"instance", "run", kInstance, "sh", "-c",
                     "timeout -s KILL 0.5 " + dialer + " children 10.0.1.6 " + silent.port() +
                         " 100; exec " + dialer + " plain 10.0.1.5 " + server_.port()})) {
    words.push_back(word);
  }
  Running running(words, service_.environment());
  const Ended ended = running.Await();
  EXPECT_EQ(ended.out, kOk) << ended.err;
  EXPECT_TRUE(Eventually([&] { return !IsRunning("10.0.1.6 " + silent.port()); }));
}

TEST_F(InstanceRun, GoesOnForWhatOutlivesTheCommand) {
  const std::string argument = "10.0.1.5 " + server_.port();
  Running running(EcctlCommand({"instance", "run", kInstance, BuiltProgram("dialer"), "later",
                                "10.0.1.5", server_.port()}),
                  service_.environment(), Input::kPipe);
  ASSERT_TRUE(Eventually([&] {  // the command itself has ended, and ecctl with it
    return ReadAll("/proc/" + std::to_string(running.pid()) + "/cmdline").empty();
  }));
  EXPECT_TRUE(IsRunning(argument));
  EXPECT_THAT(server_.Sources(), IsEmpty());
  running.EndInput();
  EXPECT_EQ(running.Await().exit, 0);
  EXPECT_TRUE(server_.Accept());
  EXPECT_TRUE(running.PrintsOut(kOk));
  EXPECT_TRUE(Eventually([&] { return !IsRunning(argument); }));
}

TEST_F(InstanceRun, RunsPython) {
  const Ended version = service_.Ecctl({"instance", "run", kInstance, "python3", "--version"});
  if (version.exit != 0) GTEST_SKIP() << "there is no python3 here: " << version.err;
  const std::string script =
      "import socket, sys\n"
      "from concurrent.futures import ThreadPoolExecutor as Pool\n"
      "def dial(i):\n"
      "  return socket.create_connection(('10.0.1.5', int(sys.argv[1])), timeout=9 if i % 2 else "
      "None)\n"
      "print(len(list(Pool(20).map(dial, range(100)))))\n";
  const Ended ended = Run({"python3", "-c", script, server_.port()});
  EXPECT_EQ(ended.out, "100\n") << ended.err;
  EXPECT_THAT(server_.Sources(), Each(kSource));
}

TEST_F(InstanceRun, NeedsNoRoot) {
  if (geteuid() != 0) GTEST_SKIP() << "not root, so all the other tests have shown it";
  const std::vector<std::string> nobody = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534",
                                           "--clear-groups", "--bounding-set=-all"};
  std::vector<std::string> words = nobody;
  words.insert(words.end(), {BuiltProgram("ecctl"), "version"});
  if (Running(words).Await().exit == 126) {
    GTEST_SKIP() << "nobody cannot reach " << BuiltProgram("ecctl");
  }
  words = nobody;
  for (const std::string& word :
       EcctlCommand({"instance", "run", kInstance, BuiltProgram("static_dialer"), "children",
                     "10.0.1.5", server_.port(), "10"})) {
    words.push_back(word);
  }
  Running running(words, service_.environment());
  const Ended ended = running.Await();
  EXPECT_EQ(ended.out, "ok 10\n") << ended.err;
  EXPECT_THAT(server_.Sources(), Each(kSource));
}

TEST_F(InstanceRun, SaysThatItCannotBeNested) {
  const Ended ended = Run({BuiltProgram("ecctl"), "--address", service_.address(), "instance",
                           "run", kInstance, "true"});
  EXPECT_EQ(ended.exit, 1);
  EXPECT_THAT(ended.err, HasSubstr("within another 'ecctl instance run'"));
}

TEST_F(InstanceRun, PassesAllWordsOnThatFollowTheInstance) {
  EXPECT_EQ(Run({"printf", "[%s]", "-h", "--help", "a b", "--", "-o", "json"}).out,
            "[-h][--help][a b][--][-o][json]");
  EXPECT_EQ(Run({"--", "printf", "[%s]", "--", "x"}).out, "[--][x]");
  EXPECT_EQ(Run({"--timeout", "5s", "echo", "--timeout"}).out, "--timeout\n");
}

TEST_F(InstanceRun, SaysWhatIsWrong) {
  EXPECT_EQ(Run({}).exit, 2);
  const Ended missing = Run({"/no/such/program"});
  EXPECT_EQ(missing.exit, 127);
  EXPECT_THAT(missing.err, HasSubstr("cannot run /no/such/program: No such file or directory"));
  const Ended directory = Run({"/tmp"});
  EXPECT_EQ(directory.exit, 126);
  const Ended gone = service_.Ecctl({"instance", "run", "i-gone", "true"});
  EXPECT_EQ(gone.exit, 1);
  EXPECT_THAT(gone.err, HasSubstr("instance i-gone is terminated"));
  const Ended unknown = service_.Ecctl({"instance", "run", "i-who", "true"});
  EXPECT_EQ(unknown.exit, 1);
  EXPECT_THAT(unknown.err, HasSubstr("InvalidInstanceID.NotFound"));
  service_.Stop();
  EXPECT_EQ(Run({"true"}).exit, 3);
}

}  // namespace
}  // namespace ec::cli
