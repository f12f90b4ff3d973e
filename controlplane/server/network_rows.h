// How the network's describe calls find their rows: those that are named, or all; then filters.
#pragma once

#include <string>
#include <vector>

#include "common/status.h"
#include "controlplane/server/filters.h"

namespace ec::server {

// The named rows by id, or all of them; `missing` makes the fault for an id that is not there.
template <typename Rows, typename Ids, typename Missing>
Result<std::vector<const typename Rows::mapped_type*>> FindRows(const Rows& rows, const Ids& ids,
                                                                Missing missing) {
  std::vector<const typename Rows::mapped_type*> found;
  for (const std::string& id : ids) {
    const auto row = rows.find(id);
    if (row == rows.end()) return missing(id);
    found.push_back(&row->second);
  }
  if (!ids.empty()) return found;
  for (const auto& [id, row] : rows) found.push_back(&row);
  return found;
}

}  // namespace ec::server
