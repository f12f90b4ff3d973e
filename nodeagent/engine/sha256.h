// SHA-256 of what passes by.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

struct evp_md_ctx_st;  // OpenSSL's

namespace ec::engine {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Add(const void* bytes, size_t count);
  // In lower-case hexadecimal. Once, at the end.
  std::string Finish();

 private:
  evp_md_ctx_st* const context_;
};

}  // namespace ec::engine
