// Answers of the Query and EC2 protocols, to the byte as AWS's clients read them.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

#include "controlplane/gateway/shapes.h"
#include "controlplane/gateway/wire_error.h"

namespace ec::gateway {

// What the envelope says.
struct Envelope {
  Dialect dialect = Dialect::kQuery;
  std::string_view action;
  std::string_view xmlns;
  std::string_view request_id;
};

// Query: <ActionResponse><ActionResult>...; a message without members has no Result. EC2: without
// the Result, and <return>true</return> when there is nothing to say.
std::string XmlAnswer(const Envelope& envelope, const Shape& shape,
                      const google::protobuf::Message& message);

// An answer of nothing but an empty list.
std::string XmlEmptyList(const Envelope& envelope, std::string_view list);

std::string XmlError(const Envelope& envelope, const WireError& error);

// Appends the text with what XML reserves escaped. A character that XML 1.0 has no way to say, and
// a byte that is no UTF-8, becomes U+FFFD.
void AppendEscaped(std::string_view text, std::string* xml);

}  // namespace ec::gateway
