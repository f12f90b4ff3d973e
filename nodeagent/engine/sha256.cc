#include "nodeagent/engine/sha256.h"

#include <openssl/evp.h>

#include "common/check.h"

namespace ec::engine {

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  EC_CHECK(context_ != nullptr && EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() { EVP_MD_CTX_free(context_); }

void Sha256::Add(const void* bytes, size_t count) {
  EC_CHECK(EVP_DigestUpdate(context_, bytes, count) == 1);
}

std::string Sha256::Finish() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  EC_CHECK(EVP_DigestFinal_ex(context_, digest, &length) == 1);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < length; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

}  // namespace ec::engine
