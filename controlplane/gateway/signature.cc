#include "controlplane/gateway/signature.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>

#include "controlplane/gateway/parameters.h"

namespace ec::gateway {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr auto kSkewMax = std::chrono::minutes(15);
constexpr auto kLifeMax = std::chrono::hours(7 * 24);  // of a presigned URL

std::optional<WireError> Incomplete(std::string message) {
  return WireError{"IncompleteSignature", 400, std::move(message)};
}
std::optional<WireError> Refuse(std::string code, std::string message, int http_status = 403) {
  return WireError{std::move(code), http_status, std::move(message)};
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

std::string Sha256(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return {reinterpret_cast<const char*>(digest), sizeof(digest)};
}

std::string Hmac(std::string_view key, std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  return {reinterpret_cast<const char*>(digest), size};
}

// As SigV4 wants it: everything but letters, digits and -._~ is escaped.
std::string Encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

std::optional<WireError> ParseScope(std::string_view credential, Signature* signature) {
  const std::vector<std::string> parts = Split(credential, '/');
  if (parts.size() != 5 || parts[4] != "aws4_request") {
    return Incomplete(
        fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                    "keyid/date/region/service/term, got '{}'",
                    credential));
  }
  signature->access_key = parts[0];
  signature->date = parts[1];
  signature->region = parts[2];
  signature->service = parts[3];
  return std::nullopt;
}

std::optional<WireError> ParseHeader(const HttpRequest& request, Signature* signature) {
  std::string_view text = request.header("authorization");
  if (!text.starts_with(kAlgorithm)) {
    return Incomplete("Unsupported Authorization: only AWS4-HMAC-SHA256 is known.");
  }
  text.remove_prefix(kAlgorithm.size());
  std::string credential;
  for (const std::string& part : Split(text, ',')) {
    const std::string_view item = Trim(part);
    const size_t equals = std::min(item.find('='), item.size());
    const std::string_view name = item.substr(0, equals);
    const std::string value(item.substr(std::min(equals + 1, item.size())));
    if (name == "Credential") credential = value;
    if (name == "SignedHeaders") signature->signed_headers = Split(value, ';');
    if (name == "Signature") signature->signature = value;
  }
  if (credential.empty())
    return Incomplete("Authorization header requires 'Credential' parameter.");
  if (signature->signed_headers.empty()) {
    return Incomplete("Authorization header requires 'SignedHeaders' parameter.");
  }
  if (signature->signature.empty()) {
    return Incomplete("Authorization header requires 'Signature' parameter.");
  }
  signature->time = std::string(request.header("x-amz-date"));
  return ParseScope(credential, signature);
}

std::optional<WireError> ParseQuery(const Parameters& parameters, Signature* signature) {
  const auto value = [&](std::string_view name) {
    const std::string* found = Find(parameters, name);
    return found == nullptr ? std::string() : *found;
  };
  signature->in_query = true;
  signature->signed_headers = Split(value("X-Amz-SignedHeaders"), ';');
  signature->signature = value("X-Amz-Signature");
  signature->time = value("X-Amz-Date");
  return ParseScope(value("X-Amz-Credential"), signature);
}

// "20261123T174622Z"
std::optional<WallTime> ParseTime(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  return ParseWallTime(fmt::format("{}-{}-{}T{}:{}:{}.000Z", text.substr(0, 4), text.substr(4, 2),
                                   text.substr(6, 2), text.substr(9, 2), text.substr(11, 2),
                                   text.substr(13, 2)));
}

std::string CanonicalQuery(const HttpRequest& request) {
  Parameters parameters;
  if (ParseForm(request.query(), &parameters)) return {};  // refused elsewhere
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [name, value] : parameters) {
    if (name != "X-Amz-Signature") pairs.emplace_back(Encode(name), Encode(value));
  }
  std::ranges::sort(pairs);
  std::string text;
  for (const auto& [name, value] : pairs) {
    text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, value);
  }
  return text;
}

// Without the blanks around it, and with one where there are several.
std::string CanonicalValue(std::string_view value) {
  std::string text;
  for (const char c : Trim(value)) {
    if (c == ' ' && !text.empty() && text.back() == ' ') continue;
    text += c;
  }
  return text;
}

std::string CanonicalRequest(const HttpRequest& request, const Signature& signature) {
  std::string headers;
  for (const std::string& name : signature.signed_headers) {
    headers += fmt::format("{}:{}\n", name, CanonicalValue(request.header(name)));
  }
  const std::string_view path = request.path();
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, path.empty() ? "/" : path,
                     CanonicalQuery(request), headers, fmt::join(signature.signed_headers, ";"),
                     Hex(Sha256(request.body)));
}

std::optional<WireError> CheckTime(const HttpRequest& request, const Signature& signature,
                                   WallTime now) {
  const auto time = ParseTime(signature.time);
  if (!time || !signature.time.starts_with(signature.date)) {
    return Incomplete("The request has no X-Amz-Date of the credential's day.");
  }
  auto late = std::chrono::duration_cast<std::chrono::milliseconds>(kSkewMax);
  if (signature.in_query) {
    Parameters parameters;
    if (auto error = ParseForm(request.query(), &parameters)) return error;
    const std::string* expires = Find(parameters, "X-Amz-Expires");
    int64_t seconds = 0;
    if (expires != nullptr) {
      std::from_chars(expires->data(), expires->data() + expires->size(), seconds);
    }
    late = std::chrono::seconds(
        std::clamp<int64_t>(seconds, 0, std::chrono::seconds(kLifeMax).count()));
  }
  if (now - *time > late || *time - now > kSkewMax) {
    return Refuse(
        "RequestExpired",
        fmt::format("Signature expired: {} is too far from {}", signature.time, ToString(now)),
        400);
  }
  return std::nullopt;
}

}  // namespace

std::optional<WireError> ParseSignature(const HttpRequest& request,
                                        std::optional<Signature>* signature) {
  signature->reset();
  if (request.has_header("authorization")) {
    return ParseHeader(request, &signature->emplace());
  }
  if (request.query().find("X-Amz-Algorithm") == std::string_view::npos) return std::nullopt;
  Parameters parameters;
  if (auto error = ParseForm(request.query(), &parameters)) return error;
  return ParseQuery(parameters, &signature->emplace());
}

Result<Credentials> ParseCredentials(const std::string& text) {
  Credentials credentials;
  std::string key;
  for (const std::string& line : Split(text, '\n')) {
    const std::string_view content = Trim(line);
    if (content.empty() || content[0] == '#' || content[0] == ';') continue;
    if (content[0] == '[') {
      key.clear();
      continue;
    }
    const size_t equals = content.find('=');
    if (equals == std::string_view::npos) {
      return Status(Fault::kInvalidParameterValue,
                    "A line of the credentials file is neither [profile] nor name = value.");
    }
    const std::string_view name = Trim(content.substr(0, equals));
    const std::string value(Trim(content.substr(equals + 1)));
    if (name == "aws_access_key_id") key = value;
    if (name == "aws_secret_access_key" && key.empty()) {
      return Status(Fault::kInvalidParameterValue,
                    "The credentials file has an aws_secret_access_key without an "
                    "aws_access_key_id before it.");
    }
    if (name == "aws_secret_access_key") credentials[key] = value;
  }
  if (credentials.empty()) {
    return Status(Fault::kInvalidParameterValue, "The credentials file names no credentials.");
  }
  return credentials;
}

std::optional<WireError> VerifySignature(const HttpRequest& request,
                                         const std::optional<Signature>& signature,
                                         const Credentials& credentials, WallTime now) {
  if (!signature) {
    return Refuse("MissingAuthenticationToken", "Request is missing Authentication Token");
  }
  const auto secret = credentials.find(signature->access_key);
  if (secret == credentials.end()) {
    return Refuse("InvalidClientTokenId", "The security token included in the request is invalid.");
  }
  const auto& names = signature->signed_headers;
  if (std::ranges::find(names, "host") == names.end()) {
    return Incomplete("'Host' must be a 'SignedHeader'.");
  }
  if (auto error = CheckTime(request, *signature, now)) return error;
  const std::string scope =
      fmt::format("{}/{}/{}/aws4_request", signature->date, signature->region, signature->service);
  const std::string text = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, signature->time, scope,
                                       Hex(Sha256(CanonicalRequest(request, *signature))));
  std::string key = Hmac("AWS4" + secret->second, signature->date);
  key = Hmac(key, signature->region);
  key = Hmac(key, signature->service);
  key = Hmac(key, "aws4_request");
  const std::string expected = Hex(Hmac(key, text));
  // Takes as long for a wrong one as for the right one.
  if (expected.size() != signature->signature.size() ||
      CRYPTO_memcmp(expected.data(), signature->signature.data(), expected.size()) != 0) {
    return Refuse("SignatureDoesNotMatch",
                  "The request signature we calculated does not match the signature you provided. "
                  "Check your AWS Secret Access Key and signing method.");
  }
  return std::nullopt;
}

}  // namespace ec::gateway
