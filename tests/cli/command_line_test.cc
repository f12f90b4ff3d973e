// The words of ecctl: help, mistakes, and global options in every place.
#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/help.h"
#include "tests/cli/fake_service.h"
#include "tests/cli/support.h"

namespace ec::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Every command that can be run, as words.
void CollectCommands(const CLI::App& app, std::vector<std::string> words,
                     std::vector<std::vector<std::string>>* out) {
  const std::vector<CLI::App*> commands = CommandsOf(app);
  if (commands.empty()) out->push_back(words);
  for (const CLI::App* command : commands) {
    std::vector<std::string> longer = words;
    longer.push_back(command->get_name());
    CollectCommands(*command, longer, out);
  }
}

TEST(Help, OfEveryCommandHasUsageAndExamples) {
  CommandLine line;
  AddAllCommands(line);
  std::vector<std::vector<std::string>> commands;
  CollectCommands(*line.root(), {}, &commands);
  ASSERT_GE(commands.size(), 25u);
  for (std::vector<std::string> words : commands) {
    std::string path = "ecctl";
    for (const std::string& word : words) path += " " + word;
    words.push_back("--help");
    Invocation invocation;
    ASSERT_TRUE(line.Parse(words, &invocation).ok()) << path;
    EXPECT_THAT(invocation.text, HasSubstr("Usage:\n  " + path)) << path;
    EXPECT_THAT(invocation.text, HasSubstr("Examples:\n  ")) << path;
    EXPECT_THAT(invocation.text, HasSubstr("  " + path)) << path;
  }
}

TEST(Help, OfEveryCommandFitsAHundredColumns) {
  CommandLine line;
  AddAllCommands(line);
  std::vector<std::vector<std::string>> commands;
  CollectCommands(*line.root(), {}, &commands);
  commands.push_back({});
  for (std::vector<std::string> words : commands) {
    words.push_back("--help");
    Invocation invocation;
    ASSERT_TRUE(line.Parse(words, &invocation).ok());
    std::istringstream text(invocation.text);
    for (std::string row; std::getline(text, row);) EXPECT_LE(row.size(), 100u) << row;
  }
}

TEST(Help, IsPrintedInAllItsForms) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"cluster", "create", "--help"},
                                             {"help", "cluster", "create"},
                                             {"-h", "cluster", "create"},
                                             {"cluster", "create", "demo", "-h", "--nodes", "3"}}) {
    const Ended ended = Ecctl(words);
    EXPECT_EQ(ended.exit, 0) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("ecctl cluster create ID [options]"));
  }
}

TEST(Help, ListsTheExitCodes) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{}, {"--help"}, {"help"}}) {
    const Ended ended = Ecctl(words);
    EXPECT_EQ(ended.exit, 0);
    EXPECT_THAT(ended.out, HasSubstr("  3    not running, or cannot be reached\n"));
    EXPECT_THAT(ended.out, HasSubstr("  130  interrupted\n"));
  }
}

struct Mistake {
  std::vector<std::string> words;
  std::string says;
};

TEST(UsageError, SaysWhatIsWrongInOneLineAndExitsWith2) {
  const std::vector<Mistake> mistakes = {
      {{"clutser", "list"}, "'clutser' is not a command of 'ecctl'; did you mean 'cluster'?"},
      {{"cluster", "lst"}, "'lst' is not a command of 'ecctl cluster'; did you mean 'list'?"},
      {{"cluster"}, "'ecctl cluster' needs a command: create, list, show, modify, delete, reboot"},
      {{"cluster", "list", "--enginee", "x"}, "'--enginee' is not an option of 'ecctl cluster"},
      {{"cluster", "create", "a", "--zoens=x"},
       "'--zoens' is not an option of 'ecctl cluster"
       " create'; did you mean '--zones'?"},
      {{"cluster", "show"}, "ID is missing"},
      {{"cluster", "show", "a", "b"}, "'b' is one argument too many for 'ecctl cluster show'"},
      {{"cluster", "show", "a", "--", "b"}, "'--' is out of place"},
      {{"cluster", "create", "a", "--nodes"}, "--nodes needs a value: N"},
      {{"cluster", "create", "a", "--nodes", "many"}, "--nodes = many"},
      {{"cluster", "list", "-o", "yaml"}, "--output: yaml not in {table,json}"},
      {{"cluster", "list", "--timeout", "soon"}, "'soon' is not a duration"},
      {{"up", "--port", "70000"}, "--port"},
      {{"event", "list", "--since", "2h", "--all"}, "exclude each other"},
      {{"completion", "fish"}, "fish not in {bash,zsh}"},
      {{"help", "cluster", "paint"}, "there is no command 'cluster paint'"},
      {{"--address", "nowhere", "cluster", "list"}, "'nowhere' is not an address"},
  };
  for (const Mistake& mistake : mistakes) {
    const Ended ended = Ecctl(mistake.words);
    EXPECT_EQ(ended.exit, 2) << mistake.says;
    EXPECT_EQ(ended.out, "") << mistake.says;
    EXPECT_THAT(ended.err, StartsWith("ecctl: "));
    EXPECT_THAT(ended.err, HasSubstr(mistake.says));
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
  }
}

TEST(UsageError, IsJsonWhenJsonIsAskedFor) {
  const Ended ended = Ecctl({"cluster", "show", "-o", "json"});
  EXPECT_EQ(ended.exit, 2);
  EXPECT_EQ(ended.err,
            "{\"error\":{\"code\":\"Usage\",\"message\":\"ID is missing (see 'ecctl cluster show "
            "--help')\"}}\n");
}

TEST(GlobalOptions, AreTakenBeforeBetweenAndBehindTheCommand) {
  FakeService service;
  service.describe = Describing({MakeCluster("demo", "available")});
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"-o", "json", "cluster", "list"},
                                             {"cluster", "--output", "json", "list"},
                                             {"cluster", "list", "--output=json"},
                                             {"cluster", "list", "-ojson", "--timeout", "5s"}}) {
    const Ended ended = service.Ecctl(words);
    EXPECT_EQ(ended.exit, 0) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("\"cache_cluster_id\": \"demo\""));
  }
}

TEST(GlobalOptions, OfTheCommandLineGoBeforeTheEnvironment) {
  FakeService service;
  service.describe = Describing({MakeCluster("demo", "available")});
  EXPECT_EQ(
      Ecctl({"--address", service.address(), "cluster", "list"}, {{"EC_ADDRESS", "127.0.0.1:1"}})
          .exit,
      0);
  // The address in the environment belongs to another installation than the one that is named.
  const TempDir empty;
  const Ended other = Ecctl({"--dir", empty.path(), "cluster", "list"}, service.environment());
  EXPECT_EQ(other.exit, 3);
  EXPECT_THAT(other.err, HasSubstr("there is no installation in " + empty.path()));
}

TEST(Colour, IsOnlyForTerminals) {
  FakeService service;
  service.describe = Describing({MakeCluster("demo", "available")});
  EXPECT_THAT(service.Ecctl({"cluster", "list"}).out, Not(HasSubstr("\x1b[")));
}

TEST(Output, ThatCannotBeWrittenIsAnError) {
  const Ended ended = [] {
    Running running({"/bin/sh", "-c", BuiltProgram("ecctl") + " --help > /dev/full"});
    return running.Await();
  }();
  EXPECT_EQ(ended.exit, 1);
  EXPECT_THAT(ended.err, HasSubstr("cannot write the output"));
}

TEST(Walk, UnderstandsHalfACommandLine) {
  CommandLine line;
  AddAllCommands(line);
  const Walk walk = line.WalkAlong({"-o", "json", "cluster", "create", "demo", "--engine"});
  EXPECT_EQ(PathOf(*walk.app), "ecctl cluster create");
  EXPECT_EQ(walk.arguments, std::vector<std::string>{"demo"});
  ASSERT_NE(walk.awaiting, nullptr);
  EXPECT_EQ(walk.awaiting->get_name(), "--engine");
}

}  // namespace
}  // namespace ec::cli
