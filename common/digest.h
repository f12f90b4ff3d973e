// SHA-256 of a text, such as a password of which only that is kept.
#pragma once

#include <string>
#include <string_view>

namespace ec {

// In lower-case hexadecimal, 64 digits.
std::string Sha256Hex(std::string_view text);

}  // namespace ec
