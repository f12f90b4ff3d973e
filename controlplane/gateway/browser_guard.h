// Keeps web pages out. A page in a browser on this machine can send requests to loopback, and by
// giving its own host name our address it can read the answers, too (DNS rebinding). Programs are
// none of its business: whoever can run one here needs no browser.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controlplane/gateway/headers.h"
#include "controlplane/gateway/wire_error.h"

namespace ec::gateway {

// AccessDenied, 403, unless the Host header names loopback, AWS (for clients that are led here by
// other means than an endpoint), or one of `allowed`; and unless there is no Origin, or such a one.
// `allowed` are names without a port; "*" allows everything.
std::optional<WireError> CheckBrowserSafety(const HttpRequest& request,
                                            const std::vector<std::string>& allowed);

// "localhost:80" is "localhost", "[::1]:80" is "[::1]".
std::string HostWithoutPort(std::string_view host);

}  // namespace ec::gateway
