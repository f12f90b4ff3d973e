// AWS Signature Version 4: who signed a request, for which service, and whether it is true.
//
// The scope routes the request, as every AWS client signs. Whether the signature fits is looked at
// only where that was asked for: on loopback anybody who can call could read the secrets anyway.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/status.h"
#include "common/time.h"
#include "controlplane/gateway/headers.h"
#include "controlplane/gateway/wire_error.h"

namespace ec::gateway {

struct Signature {
  std::string access_key;
  std::string date;  // "20261123"
  std::string region;
  std::string service;                      // "elasticache"
  std::vector<std::string> signed_headers;  // in lower case, in order
  std::string signature;                    // hexadecimal
  std::string time;                         // "20261123T174622Z"; empty in an unsigned date
  bool in_query = false;                    // a presigned URL
};

// nullopt in `signature` when the request is not signed. IncompleteSignature when it cannot be
// understood.
std::optional<WireError> ParseSignature(const HttpRequest& request,
                                        std::optional<Signature>* signature);

// Access key ids and their secrets.
using Credentials = std::map<std::string, std::string>;

// The form of ~/.aws/credentials: profiles with aws_access_key_id and aws_secret_access_key.
Result<Credentials> ParseCredentials(const std::string& text);

// MissingAuthenticationToken, InvalidClientTokenId, RequestExpired (more than 15 minutes off, or
// over), SignatureDoesNotMatch.
std::optional<WireError> VerifySignature(const HttpRequest& request,
                                         const std::optional<Signature>& signature,
                                         const Credentials& credentials, WallTime now);

}  // namespace ec::gateway
