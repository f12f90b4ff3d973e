// Marker and MaxRecords, the same for every describe operation.
#pragma once

#include <optional>
#include <string>

#include "common/status.h"

namespace ec::server {

// 20..100; 100 when absent. kInvalidParameterValue otherwise.
Result<int> PageSize(const std::optional<int>& max_records);

// The request's optional members as std::optional.
template <typename Request>
std::optional<int> MaxRecordsOf(const Request& request) {
  if (!request.has_max_records()) return std::nullopt;
  return request.max_records();
}

// Markers of lists without a key are positions; nullopt for one that no answer of ours has held.
std::optional<uint64_t> ParseMarker(const std::string& marker);

}  // namespace ec::server
