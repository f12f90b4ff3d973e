// One target, as libFuzzer calls it: EC_FUZZ_TARGET is its function.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ec::fuzz::EC_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
