#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "cli/text.h"

namespace ec::cli {

Command& Command::Added(CLI::Option* option, const std::string& values) {
  option->type_name(values);
  last_ = option;
  return *this;
}

Command& Command::Argument(const std::string& name, const std::string& values, std::string* out,
                           const std::string& description) {
  return Added(app_->add_option(name, *out, description)->required(), values);
}

Command& Command::OptionalArgument(const std::string& name, const std::string& values,
                                   std::string* out, const std::string& description) {
  return Added(app_->add_option(name, *out, description), values);
}

Command& Command::Arguments(const std::string& name, const std::string& values, bool required,
                            std::vector<std::string>* out, const std::string& description) {
  return Added(app_->add_option(name, *out, description)->required(required), values);
}

Command& Command::Option(const std::string& name, const std::string& values, std::string* out,
                         const std::string& description) {
  return Added(app_->add_option(name, *out, description), values);
}

Command& Command::Option(const std::string& name, const std::string& values,
                         std::optional<std::string>* out, const std::string& description) {
  return Added(app_->add_option(name, *out, description), values);
}

Command& Command::Option(const std::string& name, const std::string& values,
                         std::optional<int>* out, const std::string& description) {
  return Added(app_->add_option(name, *out, description), values);
}

Command& Command::Option(const std::string& name, const std::string& values,
                         std::optional<uint64_t>* out, const std::string& description) {
  return Added(app_->add_option(name, *out, description), values);
}

Command& Command::Option(const std::string& name, std::optional<Duration>* out,
                         const std::string& description) {
  const auto take = [out](const std::string& text) { *out = ParseDuration(text); };
  const auto check = [](const std::string& text) -> std::string {
    if (ParseDuration(text)) return {};
    return fmt::format("'{}' is not a duration such as 30, 500ms, 2m or 1h", text);
  };
  return Added(app_->add_option_function<std::string>(name, take, description)->check(check),
               "DURATION");
}

Command& Command::List(const std::string& name, const std::string& values,
                       std::vector<std::string>* out, const std::string& description) {
  return Added(app_->add_option(name, *out, description)->delimiter(',')->allow_extra_args(false),
               values);
}

Command& Command::Repeated(const std::string& name, const std::string& values,
                           std::vector<std::string>* out, const std::string& description) {
  return Added(app_->add_option(name, *out, description)->allow_extra_args(false), values);
}

Command& Command::Pair(const std::string& name, const std::string& values,
                       std::vector<std::string>* out, const std::string& description) {
  return Added(app_->add_option(name, *out, description)->expected(2), values);
}

Command& Command::Flag(const std::string& name, bool* out, const std::string& description) {
  return Added(app_->add_flag(name, *out, description), {});
}

Command& Command::OnOff(const std::string& name, bool* out, const std::string& description) {
  return Added(app_->add_flag(fmt::format("--{0},!--no-{0}", name), *out, description), {});
}

Command& Command::OnOff(const std::string& name, std::optional<bool>* out,
                        const std::string& description) {
  // Given an optional, CLI11 would set it to false when neither form is used.
  const auto take = [out](int64_t count) { *out = count > 0; };
  return Added(app_->add_flag_function(fmt::format("--{0},!--no-{0}", name), take, description),
               {});
}

Command& Command::Within(int least, int most) {
  last_->check(CLI::Range(least, most).description(""));
  return *this;
}

Command& Command::OneOf(const std::vector<std::string>& words) {
  last_->check(CLI::IsMember(words).description(""));
  return *this;
}

Command& Command::Excludes(const std::string& other) {
  last_->excludes(app_->get_option(other));
  return *this;
}

Command& Command::Required() {
  last_->required();
  return *this;
}

Command& Command::PassesOn() {
  app_->prefix_command();
  return *this;
}

Command& Command::PassesOnCommand() {
  app_->allow_extras();  // CLI11 never sees any: WalkAlong() ends before them
  return PassesOn();
}

}  // namespace ec::cli
