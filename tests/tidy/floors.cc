#include "tests/tidy/floors.h"

#include <algorithm>
#include <optional>
#include <set>

namespace ec::tidy {
namespace {

enum class Side { kCommon, kProto, kControlPlane, kNodeAgent, kGateway, kCli };

struct Place {
  std::string_view folder;
  Side side;
  int floor;
  bool speaks_proto = false;
};
constexpr Place kPlaces[] = {
    {"common", Side::kCommon, 1},
    {"proto", Side::kProto, 2, true},
    {"proto/ec/v1", Side::kProto, 2, true},
    {"ec/v1", Side::kProto, 2, true},  // generated from it
    {"controlplane/model", Side::kControlPlane, 2},
    {"controlplane/core", Side::kControlPlane, 3},
    {"controlplane/store", Side::kControlPlane, 4},
    {"controlplane/netns", Side::kControlPlane, 4},
    {"controlplane/tls", Side::kControlPlane, 4},
    {"controlplane/server", Side::kControlPlane, 5, true},
    {"controlplane", Side::kControlPlane, 6, true},  // main.cc and what stands beside it
    {"nodeagent/core", Side::kNodeAgent, 3},
    {"nodeagent/engine", Side::kNodeAgent, 4},
    {"nodeagent/endpoint", Side::kNodeAgent, 4},
    {"nodeagent/netcard", Side::kNodeAgent, 4},
    {"nodeagent/agent", Side::kNodeAgent, 5, true},
    {"nodeagent", Side::kNodeAgent, 6, true},
    {"controlplane/gateway", Side::kGateway, 5, true},
    {"cli", Side::kCli, 6, true},
};

const Place* PlaceOf(std::string_view path) {
  const std::string folder = FolderOf(path);
  const auto found = std::ranges::find(kPlaces, folder, &Place::folder);
  return found == std::end(kPlaces) ? nullptr : found;
}

// What stands between the quotes of an #include; nullopt for any other line.
std::optional<std::string> Quoted(const Source& source, size_t line) {
  if (!source.code[line].starts_with("#include \"")) return std::nullopt;
  const std::string& text = source.lines[line];
  const size_t begin = text.find('"') + 1;
  const size_t end = text.find('"', begin);
  if (end == std::string::npos) return std::nullopt;
  return text.substr(begin, end - begin);
}

bool IsTestOrBench(std::string_view path) {
  return IsUnder(path, "tests") || IsUnder(path, "bench");
}

// Why `from` must not include `to`; empty when it may.
std::string Objection(const Place& from, const Place& to) {
  if (from.folder == to.folder || to.side == Side::kCommon) return {};
  if (to.side == Side::kProto) {
    return from.speaks_proto ? "" : std::string(from.folder) + " must not know of proto";
  }
  if (from.folder == "controlplane" && to.side == Side::kGateway) return {};  // main links it
  if (from.side != to.side) {
    return std::string(from.folder) + " must not know of " + std::string(to.folder);
  }
  if (to.floor == from.floor) return std::string(to.folder) + " is on the same floor";
  if (to.floor > from.floor) return std::string(to.folder) + " is on a higher floor";
  return {};
}

}  // namespace

Findings CheckIncludes(const Source& source) {
  Findings findings;
  const bool is_product = IsProduct(source.path);
  const Place* const from = PlaceOf(source.path);
  if (is_product && from == nullptr) {
    return {{source.path, 0, "a folder without a floor: give it one in tests/tidy/floors.cc"}};
  }
  for (size_t i = 0; i < source.lines.size(); ++i) {
    const std::optional<std::string> path = Quoted(source, i);
    if (!path) continue;
    const auto find = [&](const std::string& what) {
      findings.push_back(
          {source.path, static_cast<int>(i) + 1, "#include \"" + *path + "\": " + what});
    };
    const Place* const to = PlaceOf(*path);
    if (to == nullptr && !IsTestOrBench(*path)) {
      find("includes are written from the repository root");
    } else if (is_product && to == nullptr) {
      find("the product must not know of its tests");
    } else if (is_product) {
      if (const std::string why = Objection(*from, *to); !why.empty()) find(why);
    }
  }
  return findings;
}

bool IsPure(std::string_view path) {
  return IsUnder(path, "controlplane/core") || IsUnder(path, "controlplane/model") ||
         IsUnder(path, "nodeagent/core");
}

}  // namespace ec::tidy
