// `ecctl instance run`: exit codes and signals, as if a shell had run the command itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cli/network_support.h"

namespace ec::cli {
namespace {

using testing::HasSubstr;

class InstanceSignals : public testing::Test {
 protected:
  InstanceSignals() { AddInstances(&service_); }

  void SetUp() override {
    const Ended tried = Shell("true");
    if (const std::string why = WhyNoInstanceRun(tried.err); !why.empty()) GTEST_SKIP() << why;
    ASSERT_EQ(tried.exit, 0) << tried.err;
  }

  std::vector<std::string> Command(std::vector<std::string> words) {
    words.insert(words.begin(), {"instance", "run", kInstance});
    return EcctlCommand(words);
  }
  Ended Shell(const std::string& script) {
    return service_.Ecctl({"instance", "run", kInstance, "sh", "-c", script});
  }

  FakeService service_;
};

TEST_F(InstanceSignals, ExitsAsTheCommandDoes) {
  for (const int code : {0, 1, 2, 3, 7, 130, 255}) {
    EXPECT_EQ(Shell("exit " + std::to_string(code)).exit, code);
  }
  for (const int signal : {SIGINT, SIGTERM, SIGKILL, SIGHUP, SIGSEGV, SIGUSR1}) {
    const Ended ended = Shell("kill -" + std::to_string(signal) + " $$");
    EXPECT_EQ(ended.exit, 128 + signal);
    EXPECT_EQ(ended.err, "");
  }
}

TEST_F(InstanceSignals, SharesFilesDirectoryAndEnvironment) {
  Running running(Command({"sh", "-c", "cat; echo $EC_ADDRESS; echo err >&2; pwd"}),
                  service_.environment(), Input::kPipe);
  running.Type("typed\n");
  running.EndInput();
  const Ended ended = running.Await();
  char directory[4096];
  ASSERT_NE(getcwd(directory, sizeof(directory)), nullptr);
  EXPECT_EQ(ended.out, "typed\n" + service_.address() + "\n" + directory + "\n");
  EXPECT_EQ(ended.err, "err\n");
}

TEST_F(InstanceSignals, PassesOnWhatIsSentToIt) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT}) {
    const std::string number = std::to_string(signal);
    Running running(
        Command({"bash", "-c",
                 "trap 'echo got " + number + "; exit 9' " + number + "; echo ready; read line"}),
        service_.environment(), Input::kPipe);
    ASSERT_TRUE(running.PrintsOut("ready"));
    kill(running.pid(), signal);
    const Ended ended = running.Await();
    EXPECT_EQ(ended.exit, 9) << signal << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("got " + number));
  }
}

TEST_F(InstanceSignals, EndsByTheSignalThatEndedTheCommand) {
  Running running(Command({"sh", "-c", "echo ready; read line"}), service_.environment(),
                  Input::kPipe);
  ASSERT_TRUE(running.PrintsOut("ready"));
  kill(running.pid(), SIGTERM);
  siginfo_t info = {};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(running.pid()), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(info.si_code, CLD_KILLED);
  EXPECT_EQ(info.si_status, SIGTERM);
}

TEST_F(InstanceSignals, EndsTheCommandWhenItIsKilled) {
  const TempDir dir;
  const std::string fifo = dir.path() + "/never";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  Running running(Command({"sh", "-c", "echo ready; read line <" + fifo}), service_.environment());
  ASSERT_TRUE(running.PrintsOut("ready"));
  kill(running.pid(), SIGKILL);
  EXPECT_TRUE(Eventually([&] { return !IsRunning(fifo); }));
}

// On a terminal of its own.
class InstanceTerminal : public InstanceSignals {
 protected:
  std::vector<std::string> OnTerminal(std::vector<std::string> words) {
    words = Command(words);
    words.insert(words.begin(), {"/usr/bin/setsid", "-c", "-w"});
    return words;
  }
};

TEST_F(InstanceTerminal, GivesTheCommandOneInterruptForOneCtrlC) {
  Running running(OnTerminal({BuiltProgram("dialer"), "interrupts", "127.0.0.1", "1"}),
                  service_.environment(), Input::kTerminal);
  ASSERT_TRUE(running.PrintsOut("ready"));
  running.Type("\x03");
  EXPECT_TRUE(running.PrintsOut("interrupts: 1\r\n")) << running.out();
}

TEST_F(InstanceTerminal, EndsByCtrlC) {
  Running running(OnTerminal({"cat"}), service_.environment(), Input::kTerminal);
  running.Type("echoed\n");
  ASSERT_TRUE(running.PrintsOut("echoed\r\nechoed"));
  running.Type("\x03");
  EXPECT_EQ(running.Await().exit, 128 + SIGINT);
}

// bash takes the terminal for each of its jobs, and stops and continues them.
TEST_F(InstanceTerminal, RunsAShellWithJobControl) {
  Running running(OnTerminal({"bash", "--norc", "-i"}), service_.environment(), Input::kTerminal);
  running.Type("sh -c 'echo $((40+2)); exec cat'\n");
  ASSERT_TRUE(running.PrintsOut("42\r\n"));
  running.Type("first\n");
  ASSERT_TRUE(running.PrintsOut("first\r\nfirst")) << running.out();
  running.Type("\x1a");
  ASSERT_TRUE(running.PrintsOut("Stopped")) << running.out();
  running.Type("echo $((50+1)); fg; echo $((60+1))\n");
  ASSERT_TRUE(running.PrintsOut("51\r\nsh -c")) << running.out();
  running.Type("second\n");
  ASSERT_TRUE(running.PrintsOut("second\r\nsecond")) << running.out();
  running.Type("\x04");
  ASSERT_TRUE(running.PrintsOut("61\r\n")) << running.out();
  running.Type("exit $((2+3))\n");
  EXPECT_EQ(running.Await().exit, 5) << running.out();
}

}  // namespace
}  // namespace ec::cli
