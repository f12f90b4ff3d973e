// `ecctl tls`: what clients of encrypted groups have to know.
#include "cli/tls.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/commands.h"
#include "cli/context.h"
#include "common/process.h"

namespace ec::cli {
namespace {

Outcome FindAuthority(Context& context, v1::GetCertificateAuthorityResponse* response) {
  return context.Call(&v1::Emulator::Stub::GetCertificateAuthority, {}, response);
}

Outcome PrintAuthority(Context& context) {
  v1::GetCertificateAuthorityResponse response;
  EC_RETURN_UNLESS_OK(FindAuthority(context, &response));
  if (context.json()) {
    context.Print(response);
  } else {
    std::string text = response.certificate();
    while (text.ends_with('\n')) text.pop_back();
    PrintLine(text);
  }
  return {};
}

}  // namespace

Outcome PlaceAuthority(Context& context, std::string* path) {
  v1::GetCertificateAuthorityResponse response;
  EC_RETURN_UNLESS_OK(FindAuthority(context, &response));
  *path = response.path();
  if (ReadFile(*path) == response.certificate()) return {};
  // The control plane is elsewhere, or its directory is not for us.
  const int fd = memfd_create("ca.pem", 0);
  const std::string& text = response.certificate();
  if (fd < 0 || write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return Refused(fmt::format("cannot keep the certificate: {}", std::strerror(errno)));
  }
  *path = fmt::format("/proc/self/fd/{}", fd);
  return {};
}

void AddTlsCommands(CommandLine& line) {
  CLI::App* tls =
      line.AddGroup(kServiceSection, "tls", "Encryption in transit: whom clients have to trust");
  line.AddCommand(tls, "ca", "Print the certificate that clients of encrypted groups trust (PEM)",
                  PrintAuthority,
                  "It stays the same for the installation's life. With -o json, the path of a file "
                  "with it on the\ncontrol plane's machine, too.\n\n"
                  "Examples:\n"
                  "  ecctl tls ca > ca.pem\n"
                  "  redis-cli --tls --cacert ca.pem -h 127.185.0.4\n");
}

}  // namespace ec::cli
