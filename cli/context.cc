#include "cli/context.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/installation.h"

namespace ec::cli {

bool Context::color() const { return global_.color && isatty(STDOUT_FILENO) == 1; }

Outcome Context::Directory(std::string* dir) const {
  if (global_.dir) return MakeAbsolute(*global_.dir, dir);
  return DefaultDirectory(dir);
}

Outcome Context::RecordedAddress(std::string* address) const {
  std::string dir;
  EC_RETURN_UNLESS_OK(Directory(&dir));
  std::optional<Installation> installation;
  EC_RETURN_UNLESS_OK(ReadInstallation(dir, &installation));
  if (!installation) {
    return Unreachable(fmt::format(
        "there is no installation in {}; start one with 'ecctl up', or name a control plane with "
        "--address",
        dir));
  }
  if (!installation->grpc_address) {
    return Unreachable(fmt::format(
        "the installation in {} has not been started yet; start it with 'ecctl up'", dir));
  }
  *address = *installation->grpc_address;
  return {};
}

Outcome Context::Connect(Client** client) {
  if (client_ == nullptr) {
    std::string address, hint;
    if (global_.address) {
      address = *global_.address;
      EC_RETURN_UNLESS_OK(CheckAddress(address));
      hint =
          fmt::format(" (given by {})", global_.address_is_explicit ? "--address" : "EC_ADDRESS");
    } else {
      std::string dir;
      EC_RETURN_UNLESS_OK(Directory(&dir));
      EC_RETURN_UNLESS_OK(RecordedAddress(&address));
      hint = fmt::format("; start the installation in {} with 'ecctl up'", dir);
    }
    client_ = std::make_unique<Client>(address, hint, global_.timeout.value_or(kCallTimeout));
  }
  *client = client_.get();
  return {};
}

void Context::Print(const Table& table, const std::string& nothing) const {
  if (table.empty()) {
    PrintNote(nothing);
    return;
  }
  const std::string text = table.Text(color());
  PrintLine(std::string_view(text).substr(0, text.size() - 1));
}

Outcome Confirm(const std::string& question, bool yes) {
  if (yes) return {};
  if (isatty(STDIN_FILENO) != 1) {
    return UsageError("there is no terminal to ask for confirmation: give --yes");
  }
  fmt::print(stderr, "{} [y/N] ", question);
  std::fflush(stderr);
  char answer[16] = {};
  if (std::fgets(answer, sizeof(answer), stdin) != nullptr &&
      (answer[0] == 'y' || answer[0] == 'Y')) {
    return {};
  }
  return Refused("not confirmed: nothing was changed");
}

}  // namespace ec::cli
