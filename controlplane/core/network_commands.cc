#include "controlplane/core/network_commands.h"

#include "controlplane/core/network_resources.h"

namespace ec::core {

Status Obey(Draft& draft, const NetworkCommand& command) {
  return std::visit([&](const auto& request) { return Obey(draft, request); }, command);
}

}  // namespace ec::core
