#include "tests/tidy/words.h"

#include <gmock/gmock.h>

#include <string>

namespace ec::tidy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Rule = Findings (*)(const Source&);

bool Catches(Rule rule, const std::string& path, const std::string& line) {
  const Findings findings = rule(Split(path, "// a file\n" + line + "\n"));
  for (const Finding& finding : findings) EXPECT_EQ(finding.line, 2) << line;
  return !findings.empty();
}

// Each bad line beside a harmless one that looks like it.
const std::pair<std::string, std::string> kPurityRows[] = {
    {"auto t = std::chrono::steady_clock::now();", "const Now now = draft.now();"},
    {"auto t = Clock::now();", "Now now;"},
    {"sleep(1);", "bool asleep(int s);"},
    {"::usleep(5);", "// sleep(1) would be wrong here"},
    {"std::this_thread::sleep_for(pause);", "const Duration sleep_pause{0};"},
    {"int r = rand();", "int r = operand();"},
    {"std::random_device device;", "int random_number = 4;"},
    {"const char* home = std::getenv(name);", "const auto value = getenv_table.at(name);"},
    {"std::thread worker(f);", "int threads = spec.threads;"},
    {"std::mutex mutex_;", "int mutexes = 0;"},
    {"std::unordered_map<int, int> m;", "std::map<int, int> ordered_map;"},
    {"#include <unordered_set>", "#include <set>"},
    {"#include <iostream>", "#include <optional>"},
    {"#include <fstream>", "#include \"common/stream.h\""},
    {"grpc::Status status;", "int http = 0;  // not a grpc::Status"},
    {"#include <grpcpp/grpcpp.h>", "const char* kText = \"grpc\";"},
    {"sqlite3* database;", "std::string text = \"sqlite\";"},
    {"int fd = socket(AF_INET, 0, 0);", "ProbeSocket(id);"},
    {"int fd = ::open(path, 0);", "Open(draft, id);"},
    {"fd = open (path);", "window.open(path); door->open(path);"},
    {"printf(text);", "fmt::format(text);"},
    {"std::cerr << text;", "error << text;"},
    {"spdlog::info(text);", "text += \"spdlog::info\";"},
    {"std::atomic<int> count;", "bool is_atomic = true;"},
    {"pid = fork();", "const auto forked = fork_count;"},
};

TEST(Purity, IsBrokenByWhatReachesOut) {
  for (const auto& [bad, harmless] : kPurityRows) {
    EXPECT_TRUE(Catches(CheckPurity, "controlplane/core/x.cc", bad)) << bad;
    EXPECT_FALSE(Catches(CheckPurity, "controlplane/core/x.cc", harmless)) << harmless;
  }
}

TEST(Purity, IsForPureFoldersOnly) {
  for (const std::string path :
       {"controlplane/core/x.cc", "controlplane/model/x.h", "nodeagent/core/x.cc"}) {
    EXPECT_TRUE(Catches(CheckPurity, path, "std::mutex m;")) << path;
  }
  for (const std::string path : {"controlplane/server/x.cc", "nodeagent/agent/x.cc",
                                 "common/log.cc", "tests/core/x_test.cc"}) {
    EXPECT_FALSE(Catches(CheckPurity, path, "std::mutex m;")) << path;
  }
}

TEST(Clocks, AreReadInOnePlaceOnly) {
  for (const std::string bad :
       {"auto t = std::chrono::system_clock::now();", "steady_clock::now();",
        "clock_gettime(CLOCK_MONOTONIC, &t);", "gettimeofday(&t, nullptr);",
        "using C = std::chrono::high_resolution_clock;"}) {
    EXPECT_TRUE(Catches(CheckClocks, "nodeagent/agent/agent.cc", bad)) << bad;
    EXPECT_TRUE(Catches(CheckClocks, "cli/main.cc", bad)) << bad;
    EXPECT_FALSE(Catches(CheckClocks, "common/clock.cc", bad)) << bad;
    EXPECT_FALSE(Catches(CheckClocks, "tests/endpoint/x_test.cc", bad)) << bad;
  }
  for (const std::string harmless : {"clock.now();", "std::chrono::system_clock::time_point t;",
                                     "// steady_clock::now()", "text = \"clock_gettime(\";"}) {
    EXPECT_FALSE(Catches(CheckClocks, "cli/main.cc", harmless)) << harmless;
  }
}

TEST(Shells, AreNeverStarted) {
  for (const std::string bad : {"system(command);", "std::system (x);", "FILE* f = popen(c, m);"}) {
    EXPECT_TRUE(Catches(CheckShells, "cli/up.cc", bad)) << bad;
    EXPECT_FALSE(Catches(CheckShells, "tests/cli/x_test.cc", bad)) << bad;
  }
  for (const std::string harmless : {"filesystem(x);", "host.system(x);", "SystemClock clock;",
                                     "// system(x)", "int system = 1;"}) {
    EXPECT_FALSE(Catches(CheckShells, "cli/up.cc", harmless)) << harmless;
  }
}

TEST(Tests, DoNotSleep) {
  for (const std::string bad : {"std::this_thread::sleep_for(x);", "usleep(1000);", "sleep(1);",
                                "nanosleep(&t, nullptr);", "sleep_until(x);"}) {
    EXPECT_TRUE(Catches(CheckTests, "tests/cli/x_test.cc", bad)) << bad;
    EXPECT_FALSE(Catches(CheckTests, "nodeagent/agent/agent.cc", bad)) << bad;
  }
  for (const std::string harmless : {"WaitUntil(x);", "// sleep(1)", "asleep(1);"}) {
    EXPECT_FALSE(Catches(CheckTests, "tests/cli/x_test.cc", harmless)) << harmless;
  }
}

TEST(Tests, AreNeitherDisabledNorSkippedWithoutAReason) {
  const std::string path = "tests/cli/x_test.cc";
  EXPECT_TRUE(Catches(CheckTests, path, "TEST(Wait, DISABLED_Ends) {"));
  EXPECT_TRUE(Catches(CheckTests, path, "GTEST_SKIP();"));
  EXPECT_TRUE(Catches(CheckTests, path, "if (x) GTEST_SKIP() ;"));
  EXPECT_FALSE(Catches(CheckTests, path, "GTEST_SKIP() << \"no redis-server here\";"));
  EXPECT_FALSE(Catches(CheckTests, path, "GTEST_SKIP()\n    << \"no redis-server here\";"));
  EXPECT_FALSE(Catches(CheckTests, path, "TEST(Wait, IsNotDISABLED) {"));
}

TEST(Marks, OfUnfinishedWorkAreFoundInCodeAndComments) {
  for (const std::string bad : {"// TODO: later", "// TODO(me) later", "/* FIXME */ int a;",
                                "int a;  // XXX what is this", "FIXME();"}) {
    EXPECT_TRUE(Catches(CheckMarks, "cli/up.cc", bad)) << bad;
    EXPECT_TRUE(Catches(CheckMarks, "tests/cli/x_test.cc", bad)) << bad;
  }
  for (const std::string harmless :
       {"char name[] = \"/tmp/ec-XXXXXX\";", "// mkstemp replaces XXXXXX", "int todo = 0;",
        "text = \"TODO\";", "// a MASTODON"}) {
    EXPECT_FALSE(Catches(CheckMarks, "cli/up.cc", harmless)) << harmless;
  }
}

TEST(Words, AreFoundOncePerLineEach) {
  const Findings findings =
      CheckShells(Split("cli/up.cc", "int a;\nsystem(a); system(b);\npopen(c);\n"));
  EXPECT_THAT(findings, ElementsAre(Finding{"cli/up.cc", 2, "system: never a shell"},
                                    Finding{"cli/up.cc", 3, "popen: never a shell"}));
}

}  // namespace
}  // namespace ec::tidy
