// Passwords and tokens for the service. On a command line everybody on the machine can read them,
// so each can come from a file or from standard input instead.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/outcome.h"

namespace ec::cli {

// What is in the file, or, for "-", on standard input, without the newline at its end.
Outcome ReadSecret(const std::string& path, std::string* secret);

// --auth-token and --auth-token-file.
struct TokenOptions {
  std::optional<std::string> token, token_file;
};
void AddTokenOptions(Command& command, TokenOptions* options);
// nullopt: there is none.
Outcome TokenOf(const TokenOptions& options, std::optional<std::string>* token);

// --password and --password-file, each up to two times.
struct PasswordOptions {
  std::vector<std::string> passwords, files;
};
void AddPasswordOptions(Command& command, PasswordOptions* options);
Outcome PasswordsOf(const PasswordOptions& options, std::vector<std::string>* passwords);

}  // namespace ec::cli
