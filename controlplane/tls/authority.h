// The certificate authority of an installation: who signs the certificates of encrypted clusters.
//
//   tls/authority.pem   its key and its certificate, which nobody else may read
//   tls/ca.pem          its certificate alone, for clients
//
// Certificates of members are made when a plan is sent, and are kept nowhere here: what is durable
// is who signs them.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/status.h"

namespace ec::tls {

// PEM.
struct Certificate {
  std::string certificate;
  std::string key;
  std::string authority;  // the certificate of whom it is signed by
};

// Any thread.
class Authority {
 public:
  // In the control plane's directory. Nothing is made, or read, before it is needed.
  explicit Authority(const std::string& dir);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // Its own certificate, PEM. kUnavailable: what is on disk cannot be read (it is never replaced:
  // clients trust it), or nothing can be written there.
  Result<std::string> Own();

  // A new key, and a certificate for servers and clients of these names: dotted addresses and host
  // names. As long valid as the authority's own. Errors as above. REQUIRES: at least one name
  Result<Certificate> Issue(const std::vector<std::string>& names);

  // Where its own certificate is, once it has been asked for.
  const std::string& path() const { return path_; }

 private:
  struct Pair;

  Status Open();  // mutex_ is held
  Status Make();

  const std::string directory_;
  const std::string path_;
  std::mutex mutex_;
  std::unique_ptr<Pair> own_;  // null: not needed yet; guarded by mutex_
};

}  // namespace ec::tls
