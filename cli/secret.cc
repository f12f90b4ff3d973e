#include "cli/secret.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/unique_fd.h"

namespace ec::cli {
namespace {

// More than any password has.
constexpr size_t kSecretMax = 4096;

// False: errno says why.
bool ReadAll(int fd, std::string* text) {
  char buffer[512];
  while (text->size() <= kSecretMax) {
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) return true;
    text->append(buffer, static_cast<size_t>(got));
  }
  return true;
}

}  // namespace

Outcome ReadSecret(const std::string& path, std::string* secret) {
  UniqueFd file;
  if (path != "-") {
    file = UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return Refused(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  }
  secret->clear();
  if (!ReadAll(path == "-" ? STDIN_FILENO : file.get(), secret)) {
    return Refused(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  }
  if (secret->ends_with('\n')) secret->pop_back();
  if (secret->ends_with('\r')) secret->pop_back();
  if (secret->size() <= kSecretMax) return {};
  return Refused(fmt::format("{} holds more than a password", path));
}

void AddTokenOptions(Command& command, TokenOptions* options) {
  command
      .Option("--auth-token", "TOKEN", &options->token,
              "A token that clients must AUTH with; others can see it in the list of processes")
      .Option("--auth-token-file", "FILE", &options->token_file,
              "The same from a file, or from standard input: -")
      .Excludes("--auth-token");
}

Outcome TokenOf(const TokenOptions& options, std::optional<std::string>* token) {
  *token = options.token;
  if (!options.token_file) return {};
  std::string secret;
  EC_RETURN_UNLESS_OK(ReadSecret(*options.token_file, &secret));
  *token = secret;
  return {};
}

void AddPasswordOptions(Command& command, PasswordOptions* options) {
  command
      .Repeated("--password", "PASSWORD", &options->passwords,
                "16..128 characters; twice for two. Others can see it in the list of processes")
      .Repeated("--password-file", "FILE", &options->files,
                "The same from a file, or from standard input: -");
}

Outcome PasswordsOf(const PasswordOptions& options, std::vector<std::string>* passwords) {
  *passwords = options.passwords;
  for (const std::string& file : options.files) {
    EC_RETURN_UNLESS_OK(ReadSecret(file, &passwords->emplace_back()));
  }
  return {};
}

}  // namespace ec::cli
