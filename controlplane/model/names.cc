#include "controlplane/model/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "controlplane/model/limits.h"

namespace ec::model {
namespace {

// Not the C library's: these must not depend on a locale.
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

Result<std::string> ParseId(std::string_view text, std::string_view parameter, size_t length_max) {
  if (!IsIdentifier(text)) {
    return Status(
        Fault::kInvalidParameterValue,
        fmt::format("The parameter {} is not a valid identifier. Identifiers must begin with a "
                    "letter; must contain only ASCII letters, digits, and hyphens; and must not "
                    "end with a hyphen or contain two consecutive hyphens. (given: '{}')",
                    parameter, text));
  }
  if (text.size() > length_max) {
    return Status(Fault::kInvalidParameterValue,
                  fmt::format("The parameter {} must be at most {} characters long; '{}' has {}.",
                              parameter, length_max, text, text.size()));
  }
  return Lower(text);
}

}  // namespace

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool IsIdentifier(std::string_view text) {
  if (text.empty() || !IsLetter(text.front()) || text.back() == '-') return false;
  if (text.find("--") != std::string_view::npos) return false;
  return std::ranges::all_of(text, [](char c) { return IsLetter(c) || IsDigit(c) || c == '-'; });
}

Result<std::string> ParseClusterId(std::string_view text) {
  return ParseId(text, "CacheClusterIdentifier", kClusterIdLengthMax);
}

Result<std::string> ParseUserId(std::string_view text, std::string_view parameter) {
  const bool well_formed =
      !text.empty() && text.size() <= kUserIdLengthMax && IsLetter(text.front()) &&
      std::ranges::all_of(text, [](char c) { return IsLetter(c) || IsDigit(c) || c == '-'; });
  if (well_formed) return Lower(text);
  return Status(Fault::kInvalidParameterValue,
                fmt::format("Invalid value for {}: '{}'. It must have 1 to {} letters, digits and "
                            "hyphens, and begin with a letter.",
                            parameter, text, kUserIdLengthMax));
}

Result<std::string> ParseGroupId(std::string_view text) {
  return ParseId(text, "ReplicationGroupId", kGroupIdLengthMax);
}

Result<std::string> ParseSnapshotName(std::string_view text, std::string_view parameter) {
  return ParseId(text, parameter, kSnapshotNameLengthMax);
}

bool IsBucketName(std::string_view text) {
  if (text.size() < 3 || text.size() > 63 || text.find("..") != std::string_view::npos)
    return false;
  const auto is_edge = [](char c) { return (c >= 'a' && c <= 'z') || IsDigit(c); };
  if (!is_edge(text.front()) || !is_edge(text.back())) return false;
  return std::ranges::all_of(text, [&](char c) { return is_edge(c) || c == '-' || c == '.'; });
}

Result<BucketObject> ParseObjectArn(std::string_view text, std::string_view parameter) {
  constexpr std::string_view kPrefix = "arn:aws:s3:::";
  const auto bad = [&](std::string_view why) {
    return Status(Fault::kInvalidParameterValue,
                  fmt::format("Invalid value for {}: '{}'. {}", parameter, text, why));
  };
  if (!text.starts_with(kPrefix)) return bad("It must have the form arn:aws:s3:::bucket/key.");
  std::string_view rest = text.substr(kPrefix.size());
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return bad("It must have the form arn:aws:s3:::bucket/key.");
  const BucketObject object{std::string(rest.substr(0, slash)),
                            std::string(rest.substr(slash + 1))};
  if (!IsBucketName(object.bucket)) {
    return bad("The bucket's name must have 3 to 63 lower-case letters, digits, dots and hyphens.");
  }
  if (object.key.empty() || object.key.size() > kObjectKeyLengthMax) {
    return bad("The key must have 1 to 1024 bytes.");
  }
  if (std::ranges::any_of(object.key, [](char c) { return c >= 0 && c < 0x20; }) ||
      text.find(',') != std::string_view::npos) {
    return bad("It must hold neither commas nor control characters.");
  }
  std::string_view key = object.key;
  for (;;) {
    const size_t end = std::min(key.find('/'), key.size());
    const std::string_view part = key.substr(0, end);
    if (part.empty() || part == "." || part == "..") {
      return bad("No part of the key may be empty, '.' or '..'.");
    }
    if (end == key.size()) return object;
    key.remove_prefix(end + 1);
  }
}

Result<std::string> ParseSubnetGroupName(std::string_view text) {
  const bool well_formed =
      !text.empty() && text.size() <= kSubnetGroupNameLengthMax &&
      std::ranges::all_of(text, [](char c) { return IsLetter(c) || IsDigit(c) || c == '-'; });
  if (well_formed) return Lower(text);
  return Status(Fault::kInvalidParameterValue,
                fmt::format("Invalid value for CacheSubnetGroupName: '{}'. It must have 1 to {} "
                            "letters, digits and hyphens.",
                            text, kSubnetGroupNameLengthMax));
}

Result<std::string> ParseParameterGroupName(std::string_view text) {
  const std::string name = Lower(text);
  std::string_view rest = name;
  // The families' own, such as default.redis6.x, have dots.
  const bool is_default = rest.starts_with("default.");
  const bool well_formed =
      !rest.empty() && rest.size() <= kSubnetGroupNameLengthMax && IsLetter(rest.front()) &&
      std::ranges::all_of(rest, [&](char c) {
        return IsLetter(c) || IsDigit(c) || c == '-' || (c == '.' && is_default);
      });
  if (well_formed && (is_default || IsIdentifier(rest))) return name;
  return Status(Fault::kInvalidParameterValue,
                fmt::format("Invalid value for CacheParameterGroupName: '{}'. It must have 1 to {} "
                            "letters, digits and hyphens, begin with a letter, and neither end "
                            "with a hyphen nor have two in a row.",
                            text, kSubnetGroupNameLengthMax));
}

bool IsZoneOf(std::string_view zone, std::string_view region) {
  return zone.size() == region.size() + 1 && zone.starts_with(region) && zone.back() >= 'a' &&
         zone.back() <= 'z';
}

std::string NodeId(int number) { return fmt::format("{:04}", number); }

std::string ToString(const Arn& arn) {
  return fmt::format("arn:aws:elasticache:{}:{}:{}:{}", arn.region, arn.account, arn.kind,
                     arn.name);
}

Result<Arn> ParseArn(std::string_view text) {
  std::vector<std::string_view> parts;
  std::string_view rest = text;
  while (parts.size() < 6) {
    const size_t colon = rest.find(':');
    if (colon == std::string_view::npos) break;
    parts.push_back(rest.substr(0, colon));
    rest.remove_prefix(colon + 1);
  }
  const bool well_formed = parts.size() == 6 && parts[0] == "arn" && parts[1].starts_with("aws") &&
                           parts[2] == "elasticache" && !parts[5].empty() && !rest.empty();
  if (!well_formed) {
    return Status(Fault::kInvalidArn, fmt::format("The ARN '{}' is not valid. It must have the "
                                                  "form arn:aws:elasticache:region:account:"
                                                  "resource-type:name.",
                                                  text));
  }
  return Arn{std::string(parts[3]), std::string(parts[4]), std::string(parts[5]), Lower(rest)};
}

bool IsSourceType(std::string_view text) {
  constexpr std::array<std::string_view, 9> kTypes = {"cache-cluster",
                                                      "cache-parameter-group",
                                                      "cache-security-group",
                                                      "cache-subnet-group",
                                                      "replication-group",
                                                      "serverless-cache",
                                                      "serverless-cache-snapshot",
                                                      "user",
                                                      "user-group"};
  return std::ranges::find(kTypes, text) != kTypes.end();
}

}  // namespace ec::model
