// What clients of encrypted clusters are started with.
#pragma once

#include <string>

#include "cli/context.h"

namespace ec::cli {

// A file with the certificate by which such clients know the installation's clusters: the control
// plane's own, or one that lasts as long as this process and what takes its place.
Outcome PlaceAuthority(Context& context, std::string* path);

}  // namespace ec::cli
