// How to launch an engine: what must be known about Redis and Memcached, and nothing about
// processes. Pure: the same specification always gives the same recipe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/address.h"
#include "common/host_plan.h"

namespace ec::engine {

// What the machine allows.
struct Machine {
  int cores = 1;
  int64_t open_files_max = 1024;  // RLIMIT_NOFILE of the engines
  std::string user;               // to run Memcached as; empty unless the agent is root
  std::string snapshots;          // the directory of snapshot files; empty: there is none
  std::string buckets;            // whose directories are S3's buckets; empty: there is none
  // Engines that speak plainly have a network card, too, if they can.
  bool hands_over = true;
};

struct Recipe {
  std::vector<std::string> arguments;  // without the program itself
  // Name and content of files in the member's directory, written before the start.
  std::vector<std::pair<std::string, std::string>> files;
  std::vector<std::string> environment;  // NAME=value, beside what every engine gets
};

// The engine listens on this unix socket in its directory.
inline constexpr const char* kSocketName = "engine.sock";
// Accepted connections are passed to it here, if it has a network card (nodeagent/netcard).
inline constexpr const char* kPassingName = "netcard.sock";
// A link to the network card's library in its directory.
inline constexpr const char* kNetcardName = "netcard.so";
// What a Redis saves at an orderly stop, and loads when it is started with load_kept.
inline constexpr const char* kDataName = "dump.rdb";
// What it begins with otherwise, if anything; it becomes the former at the start.
inline constexpr const char* kSeedName = "seed.rdb";

// Of one that speaks TLS: its key and certificate, in one file so that they always match; and the
// certificate of the authority.
inline constexpr const char* kTlsName = "tls.pem";
inline constexpr const char* kAuthorityName = "ca.pem";

// The content of those two, by name.
std::vector<std::pair<std::string, std::string>> CertificateFiles(const TlsSpec& tls);

// With `address`, the engine has a network card and believes to listen there; without, it has unix
// sockets only. In neither case does it have a TCP socket that listens.
// REQUIRES: an address where the specification has TLS, which nothing but a TCP listener speaks
Recipe RecipeFor(const MemberSpec& spec, const Machine& machine, std::optional<Address> address);

// What a running Redis can be told of its specification: names and values for CONFIG SET. Leaves
// out what AWS has its users reboot for.
std::vector<std::pair<std::string, std::string>> LiveSettings(const MemberSpec& spec);

// The value in double quotes, with everything escaped that could end it or the line: as Redis's
// configuration reader undoes it. So a value can never become a directive of its own.
std::string QuoteForRedis(const std::string& value);

}  // namespace ec::engine
