#include "common/snapshot_work.h"

#include <utility>

namespace ec {
namespace {

constexpr std::pair<TaskKind, std::string_view> kKinds[] = {
    {TaskKind::kBackup, "backup"}, {TaskKind::kCopy, "copy"}, {TaskKind::kImport, "import"},
    {TaskKind::kExport, "export"}, {TaskKind::kDrop, "drop"},
};

}  // namespace

std::string_view NameOf(TaskKind kind) {
  for (const auto& [value, name] : kKinds) {
    if (value == kind) return name;
  }
  return {};
}

std::optional<TaskKind> ParseTaskKind(std::string_view name) {
  for (const auto& [value, known] : kKinds) {
    if (known == name) return value;
  }
  return std::nullopt;
}

}  // namespace ec
