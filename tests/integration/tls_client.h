// A Redis client that speaks TLS, and trusts one certificate authority for one address.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/unique_fd.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::integration {

class TlsClient {
 public:
  // `authority` is PEM. The server's certificate has to be signed by it and to name `name`, an
  // address or a host name; empty: the endpoint's address.
  TlsClient(const v1::Endpoint& endpoint, const std::string& authority,
            const std::string& name = "");
  bool connected() const { return shaken_; }
  // Why it is not connected, in OpenSSL's words.
  const std::string& trouble() const { return trouble_; }
  // The reply as text, as RedisClient has it; "(gone)" when the connection is.
  std::string Do(const std::vector<std::string>& words);

 private:
  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  bool Trust(const std::string& authority, const std::string& name);
  std::string Line();
  std::string Bytes(size_t count);

  UniqueFd fd_;
  std::unique_ptr<SSL_CTX, FreeContext> context_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  bool shaken_ = false;
  std::string trouble_;
};

}  // namespace ec::integration
