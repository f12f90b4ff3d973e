#include "cli/help.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>
#include <vector>

#include "cli/command_line.h"

namespace ec::cli {
namespace {

constexpr size_t kWidth = 100;
constexpr size_t kLeftMax = 34;  // a longer left part gets a line of its own

using Rows = std::vector<std::pair<std::string, std::string>>;

// Two columns; the right one is broken between words.
std::string Layout(const Rows& rows) {
  size_t left = 0;
  for (const auto& [name, text] : rows) {
    if (name.size() <= kLeftMax) left = std::max(left, name.size());
  }
  const std::string indent(left + 4, ' ');
  std::string out;
  for (const auto& [name, text] : rows) {
    out += fmt::format("  {:<{}}  ", name, left);
    if (name.size() > left) out += "\n" + indent;
    size_t column = indent.size();
    std::string_view rest = text;
    while (!rest.empty()) {
      const size_t space = std::min(rest.find(' '), rest.size());
      if (column > indent.size() && column + 1 + space > kWidth) {
        out += "\n" + indent;
        column = indent.size();
      } else if (column > indent.size()) {
        out += ' ';
        ++column;
      }
      out += rest.substr(0, space);
      column += space;
      rest.remove_prefix(std::min(space + 1, rest.size()));
    }
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  }
  return out;
}

std::string NamesOf(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  std::string text = fmt::format("{}", fmt::join(names, ", "));
  if (TakesValue(option) && !option.get_type_name().empty()) text += " " + option.get_type_name();
  return text;
}

std::vector<std::string> LongNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string ArgumentText(const CLI::Option& option) {
  std::string text = option.get_name();
  if (option.get_items_expected_max() > 1) text += "...";
  return option.get_required() ? text : "[" + text + "]";
}

Rows OptionRows(const CLI::App& app, bool positional) {
  Rows rows;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() != positional) continue;
    rows.emplace_back(positional ? option->get_name() : NamesOf(*option),
                      option->get_description());
  }
  return rows;
}

void AddSection(std::string* out, const std::string& heading, const Rows& rows) {
  if (!rows.empty()) *out += fmt::format("\n{}:\n{}", heading, Layout(rows));
}

void AddCommands(std::string* out, const CLI::App& app) {
  std::vector<std::pair<std::string, Rows>> sections;  // in the order of declaration
  for (const CLI::App* command : CommandsOf(app)) {
    const std::string section =
        app.get_parent() == nullptr ? command->get_group() : std::string("Commands");
    const auto same = [&](const auto& other) { return other.first == section; };
    auto found = std::find_if(sections.begin(), sections.end(), same);
    if (found == sections.end()) found = sections.insert(sections.end(), {section, {}});
    found->second.emplace_back(command->get_name(), command->get_description());
  }
  for (const auto& [heading, rows] : sections) AddSection(out, heading, rows);
}

}  // namespace

std::string HelpText(const CLI::App& app) {
  std::string usage = PathOf(app);
  if (!CommandsOf(app).empty()) {
    usage += " COMMAND";
  } else {
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_positional()) usage += " " + ArgumentText(*option);
    }
  }
  std::string out = fmt::format("{}\n\nUsage:\n  {} [options]\n", app.get_description(), usage);
  AddCommands(&out, app);
  AddSection(&out, "Arguments", OptionRows(app, true));
  const CLI::App* root = &app;
  while (root->get_parent() != nullptr) root = root->get_parent();
  if (root == &app) {
    AddSection(&out, "Global options", OptionRows(*root, false));
  } else {
    AddSection(&out, "Options", OptionRows(app, false));
    out += fmt::format("\nGlobal options (see '{} --help'):\n  {}\n", root->get_name(),
                       fmt::join(LongNames(*root), "  "));
  }
  if (!app.get_footer().empty()) out += "\n" + app.get_footer();
  return out;
}

}  // namespace ec::cli
