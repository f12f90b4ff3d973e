#include "controlplane/gateway/utf8.h"

namespace ec::gateway {

size_t Utf8LengthAt(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || size > text.size()) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  if (first == 0xE0 && second < 0xA0) return 0;  // longer than need be
  if (first == 0xF0 && second < 0x90) return 0;
  if (first == 0xED && second >= 0xA0) return 0;  // one half of a UTF-16 pair
  if (first == 0xF4 && second >= 0x90) return 0;  // beyond Unicode
  return size;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8LengthAt(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace ec::gateway
