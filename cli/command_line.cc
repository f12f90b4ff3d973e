#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "cli/help.h"
#include "cli/text.h"

namespace ec::cli {
namespace {

bool LooksLikeOption(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

// CLI11's texts name the option first and quote nothing: good enough but for the commonest ones.
std::string TextOf(const CLI::ParseError& error) {
  std::string text = error.what();
  constexpr std::string_view kExcludes = " excludes ";
  if (const size_t found = text.find(kExcludes); found != std::string::npos) {
    return fmt::format("{} and {} exclude each other", text.substr(0, found),
                       text.substr(found + kExcludes.size()));
  }
  constexpr std::string_view kRequired = " is required";
  if (text.ends_with(kRequired)) {
    return fmt::format("{} is missing", text.substr(0, text.size() - kRequired.size()));
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::vector<std::string> NamesOf(const std::vector<CLI::App*>& commands) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands) names.push_back(command->get_name());
  return names;
}

std::vector<std::string> OptionNames(const CLI::App* app) {
  std::vector<std::string> names;
  for (; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::string DidYouMean(const std::string& word, const std::vector<std::string>& candidates) {
  const std::optional<std::string> closest = ClosestWord(word, candidates);
  return closest ? fmt::format("; did you mean '{}'?", *closest) : "";
}

std::optional<std::string> Environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

// Takes an option of the walk: its value may be in the same word, or still to come.
void WalkOption(const std::string& word, Walk* walk) {
  CLI::Option* option = FindOption(walk->app, word);
  const size_t equals = word.find('=');
  if (option == nullptr) {
    if (walk->unknown_option.empty()) walk->unknown_option = word.substr(0, equals);
  } else if (!TakesValue(*option)) {
    walk->help = walk->help || option->check_lname("help");
    walk->values[option] = {};
  } else if (word[1] != '-' && word.size() > 2) {
    walk->values[option] = word.substr(2);  // -ojson
  } else if (equals != std::string::npos) {
    walk->values[option] = word.substr(equals + 1);
  } else {
    walk->awaiting = option;
  }
}

// How many arguments a command has a place for.
size_t PlacesOf(const CLI::App& app) {
  size_t places = 0;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) places += static_cast<size_t>(option->get_items_expected_max());
  }
  return places;
}

}  // namespace

CommandLine::CommandLine()
    : root_(
          std::make_unique<CLI::App>("Runs and steers an ElastiCache on this machine.", "ecctl")) {
  root_->require_subcommand(1);
  root_->fallthrough();
  root_->set_help_flag();  // --help is found by WalkAlong(), before anything can be missing
  AddGlobalOptions();
  root_->footer(std::string("Examples:\n"
                            "  ecctl up\n"
                            "  ecctl cluster create demo --engine redis --wait\n"
                            "  ecctl connect demo\n"
                            "  ecctl down\n"
                            "\n") +
                kExitCodeHelp + "\nMore about a command: ecctl help COMMAND\n");
}

CommandLine::~CommandLine() = default;

void CommandLine::AddGlobalOptions() {
  Command root(root_.get());
  root.Flag("-h,--help", &help_, "Print help for the command");
  dir_option_ = root.Option("--dir", "DIR", &global_.dir,
                            "Directory of the installation (or EC_DIR; default "
                            "$XDG_STATE_HOME/emucache or ~/.local/state/emucache)")
                    .last();
  address_option_ =
      root.Option("--address", "HOST:PORT", &global_.address,
                  "Address of the control plane (default: --dir's, else EC_ADDRESS, else that of "
                  "the installation)")
          .last();
  root.Option("-o,--output", "FORMAT", &format_, "table or json (default table)")
      .OneOf({"table", "json"});
  root.Option("--timeout", &global_.timeout,
              "Give up after this long: 30, 500ms, 2m (default 10s for one call, 10m for --wait, "
              "60s for up, 2m for down)");
  root.Flag("--no-color", &no_color_, "Print no colours (or NO_COLOR)");
  version_option_ =
      root.Flag("--version", &version_, "Print the versions, as 'ecctl version' does").last();
}

CLI::App* CommandLine::AddGroup(const std::string& section, const std::string& name,
                                const std::string& description) {
  CLI::App* group = root_->add_subcommand(name, description)->group(section);
  group->set_help_flag();
  group->require_subcommand(1);
  return group;
}

CLI::App* CommandLine::AddGroupBelow(CLI::App* group, const std::string& name,
                                     const std::string& description) {
  CLI::App* below = group->add_subcommand(name, description);
  below->set_help_flag();
  below->require_subcommand(1);
  return below;
}

Command CommandLine::AddCommand(CLI::App* group, const std::string& name,
                                const std::string& description, Action action,
                                const std::string& footer) {
  CLI::App* command = group->add_subcommand(name, description);
  command->set_help_flag();
  command->require_subcommand(0);
  command->footer(footer);
  actions_[command] = std::move(action);
  return Command(command);
}

Command CommandLine::AddTopCommand(const std::string& section, const std::string& name,
                                   const std::string& description, Action action,
                                   const std::string& footer) {
  const Command command = AddCommand(root_.get(), name, description, std::move(action), footer);
  command.app()->group(section);
  return command;
}

Walk CommandLine::WalkAlong(const std::vector<std::string>& words) const {
  Walk walk;
  walk.app = root_.get();
  int awaited = 0;  // values of the option that awaits them
  for (const std::string& word : words) {
    if (walk.dashes) break;
    ++walk.read;
    if (walk.awaiting != nullptr) {
      if (word == "=") continue;  // Bash gives "--name=value" as three words
      walk.values[walk.awaiting] = word;
      if (--awaited <= 0) walk.awaiting = nullptr;
    } else if (word == "--") {
      walk.dashes = true;
    } else if (LooksLikeOption(word)) {
      WalkOption(word, &walk);
      if (walk.awaiting != nullptr) awaited = walk.awaiting->get_items_expected_min();
    } else if (actions_.contains(walk.app) && walk.app->get_allow_extras() &&
               walk.arguments.size() == PlacesOf(*walk.app)) {
      walk.dashes = true;
      --walk.read;
    } else if (actions_.contains(walk.app)) {
      walk.arguments.push_back(word);
    } else {
      const std::vector<CLI::App*> commands = CommandsOf(*walk.app);
      const auto is_it = [&](const CLI::App* command) { return command->get_name() == word; };
      const auto found = std::find_if(commands.begin(), commands.end(), is_it);
      if (found != commands.end()) {
        walk.app = *found;
      } else if (walk.unknown_command.empty()) {
        walk.unknown_command = word;
      }
    }
  }
  const size_t most = PlacesOf(*walk.app);
  if (walk.arguments.size() > most) walk.excess = walk.arguments[most];
  return walk;
}

// What is wrong with the words, better than CLI11 would say it.
Outcome CommandLine::Explain(const Walk& walk) const {
  const std::string path = PathOf(*walk.app);
  const std::string see = fmt::format(" (see '{} --help')", path);
  if (!walk.unknown_command.empty()) {
    return UsageError(fmt::format("'{}' is not a command of '{}'{}{}", walk.unknown_command, path,
                                  DidYouMean(walk.unknown_command, NamesOf(CommandsOf(*walk.app))),
                                  see));
  }
  if (!walk.unknown_option.empty()) {
    return UsageError(fmt::format("'{}' is not an option of '{}'{}{}", walk.unknown_option, path,
                                  DidYouMean(walk.unknown_option, OptionNames(walk.app)), see));
  }
  if (!walk.excess.empty()) {
    return UsageError(
        fmt::format("'{}' is one argument too many for '{}'{}", walk.excess, path, see));
  }
  if (walk.awaiting != nullptr) {
    return UsageError(fmt::format("{} needs a value: {}{}", walk.awaiting->get_name(),
                                  walk.awaiting->get_type_name(), see));
  }
  const bool leads_on = !actions_.contains(walk.app);
  if (walk.dashes && (leads_on || !walk.app->get_prefix_command())) {
    return UsageError(fmt::format("'{}' passes nothing on, so '--' is out of place{}", path, see));
  }
  if (leads_on) {
    return UsageError(fmt::format("'{}' needs a command: {}{}", path,
                                  fmt::join(NamesOf(CommandsOf(*walk.app)), ", "), see));
  }
  return {};
}

// The command line goes before the environment, so an explicit --dir is not overridden by the
// EC_ADDRESS that `eval "$(ecctl env)"` has left in the shell.
Outcome CommandLine::ReadEnvironment() {
  global_.dir_is_explicit = dir_option_->count() > 0;
  global_.address_is_explicit = address_option_->count() > 0;
  if (!global_.address_is_explicit && !global_.dir_is_explicit) {
    global_.address = Environment("EC_ADDRESS");
  }
  if (!global_.dir_is_explicit) global_.dir = Environment("EC_DIR");
  global_.color = !no_color_ && !Environment("NO_COLOR");
  global_.json = format_ == "json";
  if (global_.dir && global_.dir->empty()) return UsageError("--dir is empty");
  return {};
}

Outcome CommandLine::Parse(const std::vector<std::string>& words, Invocation* invocation) {
  const Walk walk = WalkAlong(words);
  const bool asks_version = walk.values.contains(version_option_);
  if (walk.help || words.empty()) {
    invocation->text = HelpText(*walk.app);
    return {};
  }
  if (asks_version && walk.app == root_.get()) {
    std::vector<std::string> more = {"version"};
    more.insert(more.end(), words.begin(), words.end());
    return Parse(more, invocation);
  }
  EC_RETURN_UNLESS_OK(Explain(walk));
  const auto rest = words.begin() + static_cast<std::ptrdiff_t>(walk.read);
  std::vector<std::string> reversed(words.begin(), rest);  // the order that CLI11 wants
  if (walk.dashes && !reversed.empty() && reversed.back() == "--") reversed.pop_back();
  std::reverse(reversed.begin(), reversed.end());
  try {
    root_->parse(reversed);
  } catch (const CLI::ParseError& error) {
    return UsageError(fmt::format("{} (see '{} --help')", TextOf(error), PathOf(*walk.app)));
  }
  invocation->passed_on.assign(rest, words.end());
  invocation->action = &actions_.at(walk.app);
  return ReadEnvironment();
}

bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

CLI::Option* FindOption(CLI::App* app, const std::string& word) {
  if (!LooksLikeOption(word)) return nullptr;
  const bool is_long = word[1] == '-';
  const std::string name = is_long ? word.substr(2, word.find('=') - 2) : word.substr(1, 1);
  for (; app != nullptr; app = app->get_parent()) {
    for (CLI::Option* option : app->get_options()) {
      if (is_long ? option->check_lname(name) : option->check_sname(name)) return option;
    }
  }
  return nullptr;
}

std::vector<CLI::App*> CommandsOf(const CLI::App& app) {
  // CLI11 has no way to walk a constant tree that gives changeable nodes back.
  return const_cast<CLI::App&>(app).get_subcommands([](CLI::App*) { return true; });
}

std::string PathOf(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : PathOf(*parent) + " " + app.get_name();
}

bool AsksForJson(const std::vector<std::string>& words) {
  for (size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    if (words[i] == "-ojson" || words[i] == "--output=json") return true;
    const bool last = i + 1 == words.size();
    if (!last && (words[i] == "-o" || words[i] == "--output") && words[i + 1] == "json") {
      return true;
    }
  }
  return false;
}

}  // namespace ec::cli
