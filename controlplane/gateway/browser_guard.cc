#include "controlplane/gateway/browser_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "common/address.h"

namespace ec::gateway {
namespace {

// Whose DNS belongs to AWS and is not for strangers to point anywhere.
constexpr std::string_view kAwsServices[] = {"elasticache", "ec2", "sts", "monitoring"};

bool IsAwsEndpoint(std::string_view host) {
  if (!host.ends_with(".amazonaws.com")) return false;
  host.remove_suffix(std::string_view(".amazonaws.com").size());
  const size_t dot = host.find('.');
  const std::string_view service = host.substr(0, dot);
  const std::string_view region = dot == std::string_view::npos ? "" : host.substr(dot + 1);
  return std::ranges::find(kAwsServices, service) != std::end(kAwsServices) &&
         region.find('.') == std::string_view::npos;
}

bool IsAllowed(const std::string& host, const std::vector<std::string>& allowed) {
  if (host == "localhost" || host.ends_with(".localhost") || host == "[::1]") return true;
  if (const auto ip = ParseIp4(host); ip && ip->bits >> 24 == 127) return true;
  if (IsAwsEndpoint(host)) return true;
  return std::ranges::any_of(allowed,
                             [&](const std::string& name) { return name == "*" || name == host; });
}

std::optional<WireError> Denied(std::string message) {
  return WireError{"AccessDenied", 403, std::move(message)};
}

}  // namespace

std::string HostWithoutPort(std::string_view host) {
  const size_t colon = host.rfind(':');
  const size_t bracket = host.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  std::string name(has_port ? host.substr(0, colon) : host);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  if (name.ends_with('.')) name.pop_back();
  return name;
}

std::optional<WireError> CheckBrowserSafety(const HttpRequest& request,
                                            const std::vector<std::string>& allowed) {
  const std::string host = HostWithoutPort(request.header("host"));
  if (!IsAllowed(host, allowed)) {
    return Denied(
        fmt::format("The host name '{}' is not one of this server's: call it by its "
                    "address, by localhost, or allow the name with --allow-host.",
                    host.substr(0, 200)));
  }
  if (request.has_header("origin")) {
    const std::string_view origin = request.header("origin");
    const size_t scheme = origin.find("://");
    if (scheme == std::string_view::npos ||
        !IsAllowed(HostWithoutPort(origin.substr(scheme + 3)), allowed)) {
      return Denied("Requests of web pages from elsewhere are refused.");
    }
  }
  // An image or a link needs no Origin, but says where it stands.
  const std::string_view site = request.header("sec-fetch-site");
  if (!site.empty() && site != "same-origin" && site != "none") {
    return Denied("Requests of web pages from elsewhere are refused.");
  }
  return std::nullopt;
}

}  // namespace ec::gateway
