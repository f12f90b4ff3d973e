// What is a character of UTF-8, as RFC 3629 has it.
#pragma once

#include <cstddef>
#include <string_view>

namespace ec::gateway {

// How many bytes the character at the front has; 0 when it is none. REQUIRES: !text.empty()
size_t Utf8LengthAt(std::string_view text);

bool IsUtf8(std::string_view text);

}  // namespace ec::gateway
