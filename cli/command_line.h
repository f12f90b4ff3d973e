// The tree of ecctl's commands, and how words become one of them.
//
// A command is declared once, and parsing, help and completion all read that one declaration. CLI11
// does the parsing; it is heavy and throws, so only command*.cc, help.cc and completion.cc see it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/outcome.h"
#include "common/time.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace ec::cli {

class Context;

using Action = std::function<Outcome(Context&)>;

// Accepted before, between and after the words of a command.
struct GlobalOptions {
  std::optional<std::string> dir;      // --dir, else EC_DIR
  std::optional<std::string> address;  // --address, else EC_ADDRESS
  bool dir_is_explicit = false;        // given on the command line, not by the environment
  bool address_is_explicit = false;
  bool json = false;
  bool color = true;
  std::optional<Duration> timeout;
};

// How far a list of words leads into the tree. Understands half a command line, for completion.
struct Walk {
  CLI::App* app = nullptr;          // the deepest command reached
  CLI::Option* awaiting = nullptr;  // the last word is an option whose value comes next
  std::vector<std::string> arguments;
  std::map<const CLI::Option*, std::string> values;  // of the options that were given
  std::string unknown_command;                       // the first word that is no command here
  std::string unknown_option;
  std::string excess;   // the first argument that the command has no place for
  bool help = false;    // --help is among the words
  bool dashes = false;  // -- is among them, or a command for another program has begun
  size_t read = 0;      // how many words were looked at: those behind are passed on
};

// What the words ask for: either to run a command, or to print a text.
struct Invocation {
  const Action* action = nullptr;
  std::string text;
  std::vector<std::string> passed_on;  // the words behind --
};

// Declares what one command takes. `values` is what help calls the values ("ZONES"); completion.cc
// knows by the same word which values to offer. Each function returns the command again.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}

  // Words without dashes, in this order.
  Command& Argument(const std::string& name, const std::string& values, std::string* out,
                    const std::string& description);
  Command& OptionalArgument(const std::string& name, const std::string& values, std::string* out,
                            const std::string& description);
  // All words that are left; at least one if `required`.
  Command& Arguments(const std::string& name, const std::string& values, bool required,
                     std::vector<std::string>* out, const std::string& description);

  // `name` is "--nodes" or "-n,--nodes".
  Command& Option(const std::string& name, const std::string& values, std::string* out,
                  const std::string& description);
  Command& Option(const std::string& name, const std::string& values,
                  std::optional<std::string>* out, const std::string& description);
  Command& Option(const std::string& name, const std::string& values, std::optional<int>* out,
                  const std::string& description);
  Command& Option(const std::string& name, const std::string& values, std::optional<uint64_t>* out,
                  const std::string& description);
  Command& Option(const std::string& name, std::optional<Duration>* out,
                  const std::string& description);
  // May be given several times; a list is also separated by commas.
  Command& List(const std::string& name, const std::string& values, std::vector<std::string>* out,
                const std::string& description);
  Command& Repeated(const std::string& name, const std::string& values,
                    std::vector<std::string>* out, const std::string& description);

  // Takes two values: --between A B.
  Command& Pair(const std::string& name, const std::string& values, std::vector<std::string>* out,
                const std::string& description);

  Command& Flag(const std::string& name, bool* out, const std::string& description);
  // --name and --no-name.
  Command& OnOff(const std::string& name, bool* out, const std::string& description);
  Command& OnOff(const std::string& name, std::optional<bool>* out, const std::string& description);

  // About the option or argument declared last.
  Command& Within(int least, int most);
  Command& OneOf(const std::vector<std::string>& words);
  Command& Excludes(const std::string& other);
  Command& Required();

  // Words behind -- are taken too (Context::passed_on()).
  Command& PassesOn();
  // So are the first word that the arguments have no place for, and all behind it.
  Command& PassesOnCommand();

  CLI::App* app() const { return app_; }
  const CLI::Option* last() const { return last_; }

 private:
  Command& Added(CLI::Option* option, const std::string& values);

  CLI::App* app_;
  CLI::Option* last_ = nullptr;
};

class CommandLine {
 public:
  CommandLine();
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // A word that only leads to commands, such as `ecctl cluster`. `section` is a heading of help.
  CLI::App* AddGroup(const std::string& section, const std::string& name,
                     const std::string& description);

  // The same below another group, such as `ecctl fault add`.
  CLI::App* AddGroupBelow(CLI::App* group, const std::string& name, const std::string& description);

  // A command below a group. `footer` holds its examples.
  Command AddCommand(CLI::App* group, const std::string& name, const std::string& description,
                     Action action, const std::string& footer);

  // A command directly below `ecctl`.
  Command AddTopCommand(const std::string& section, const std::string& name,
                        const std::string& description, Action action, const std::string& footer);

  Outcome Parse(const std::vector<std::string>& words, Invocation* invocation);

  Walk WalkAlong(const std::vector<std::string>& words) const;

  CLI::App* root() const { return root_.get(); }
  const GlobalOptions& global() const { return global_; }

 private:
  void AddGlobalOptions();
  Outcome Explain(const Walk& walk) const;
  Outcome ReadEnvironment();

  const std::unique_ptr<CLI::App> root_;
  const CLI::Option* dir_option_ = nullptr;
  const CLI::Option* address_option_ = nullptr;
  const CLI::Option* version_option_ = nullptr;
  std::string format_ = "table";
  bool no_color_ = false;
  bool help_ = false;  // never looked at: WalkAlong() finds these two
  bool version_ = false;
  GlobalOptions global_;
  std::map<const CLI::App*, Action> actions_;
};

// --- looking at the tree --------------------------------------------------------------------

// Whether `option` is followed by a value.
bool TakesValue(const CLI::Option& option);

// The option that `word` names, at `app` or above it; null if there is none. "--name=value" names
// --name.
CLI::Option* FindOption(CLI::App* app, const std::string& word);

// The commands of `app`, in the order of declaration.
std::vector<CLI::App*> CommandsOf(const CLI::App& app);

// "ecctl cluster create".
std::string PathOf(const CLI::App& app);

// Whether the words ask for JSON. Usage errors must know before anything is parsed.
bool AsksForJson(const std::vector<std::string>& words);

}  // namespace ec::cli
