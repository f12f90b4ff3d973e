// Parameters become a request message.
//
// Lenient where AWS is: unknown names mean nothing, a list's numbers may have gaps, and any word or
// none may stand before them.
#pragma once

#include <google/protobuf/message.h>

#include <optional>

#include "controlplane/gateway/parameters.h"
#include "controlplane/gateway/shapes.h"

namespace ec::gateway {

inline constexpr size_t kListMax = 1000;

// InvalidParameterValue: a value is not of its member's type; `message` is then half filled.
std::optional<WireError> DecodeRequest(const ParameterTree& tree, const Shape& shape,
                                       google::protobuf::Message* message);

}  // namespace ec::gateway
