// The tables, and the way from an older version of them to this one.
#pragma once

#include <string_view>

namespace ec::store {

// In the file's header, so that nobody takes another program's database for ours.
inline constexpr int kApplicationId = 0x656d7563;  // "emuc"

// PRAGMA user_version of a database of this program. A newer one is refused, an older one migrated.
inline constexpr int kSchemaVersion = 7;

// The statements that lead from `version` to `version` + 1.
// REQUIRES: 0 <= version < kSchemaVersion
std::string_view MigrationFrom(int version);

}  // namespace ec::store
