#include "controlplane/server/pages.h"

#include <fmt/format.h>

#include <charconv>

#include "controlplane/model/limits.h"

namespace ec::server {

Result<int> PageSize(const std::optional<int>& max_records) {
  const int size = max_records.value_or(model::kMaxRecordsMax);
  if (size < model::kMaxRecordsMin || size > model::kMaxRecordsMax) {
    return Status(Fault::kInvalidParameterValue,
                  fmt::format("Invalid value for MaxRecords: '{}'. It must be {} to {}.", size,
                              model::kMaxRecordsMin, model::kMaxRecordsMax));
  }
  return size;
}

std::optional<uint64_t> ParseMarker(const std::string& marker) {
  uint64_t position = 0;
  const char* const end = marker.data() + marker.size();
  const auto [stop, error] = std::from_chars(marker.data(), end, position);
  if (error != std::errc() || stop != end) return std::nullopt;
  return position;
}

}  // namespace ec::server
