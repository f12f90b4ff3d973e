// How a draft looks at a table: durable rows, and over them what the step has changed so far. Only
// draft*.cc include this.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "common/check.h"

namespace ec::core::rows {

// The step's version of a row, else the durable one, else nullptr.
template <typename Key, typename Row>
const Row* Find(const std::map<Key, std::optional<Row>>& changes, const std::map<Key, Row>& rows,
                const Key& key) {
  if (const auto change = changes.find(key); change != changes.end()) {
    return change->second ? &*change->second : nullptr;
  }
  const auto row = rows.find(key);
  return row == rows.end() ? nullptr : &row->second;
}

template <typename Key, typename Row>
std::vector<Key> Ids(const std::map<Key, std::optional<Row>>& changes,
                     const std::map<Key, Row>& rows) {
  std::set<Key> ids;
  for (const auto& [id, row] : rows) ids.insert(id);
  for (const auto& [id, change] : changes) {
    if (change) {
      ids.insert(id);
    } else {
      ids.erase(id);
    }
  }
  return {ids.begin(), ids.end()};
}

template <typename Key, typename Row>
std::vector<const Row*> Rows(const std::map<Key, std::optional<Row>>& changes,
                             const std::map<Key, Row>& rows) {
  std::vector<const Row*> list;
  for (const Key& id : Ids(changes, rows)) list.push_back(Find(changes, rows, id));
  return list;
}

template <typename Key, typename Row>
Row& ToEdit(std::map<Key, std::optional<Row>>& changes, const std::map<Key, Row>& rows,
            const Key& key) {
  if (const auto change = changes.find(key); change != changes.end()) {
    EC_CHECK(change->second.has_value());
    return *change->second;
  }
  const auto row = rows.find(key);
  EC_CHECK(row != rows.end());
  return *changes.emplace(key, row->second).first->second;
}

// Takes the rows out that are as they were; a row that never was and is to be dropped as well.
template <typename Key, typename Row>
void DropUnchanged(std::map<Key, std::optional<Row>>& changes, const std::map<Key, Row>& rows,
                   const std::set<Key>& but_not) {
  std::erase_if(changes, [&](const auto& change) {
    if (but_not.contains(change.first)) return false;
    const auto row = rows.find(change.first);
    if (row == rows.end()) return !change.second.has_value();
    return change.second == row->second;
  });
}

// So that a row that is as it was counts as unchanged.
template <typename Key, typename Row>
void KeepRevisions(std::map<Key, std::optional<Row>>& changes, const std::map<Key, Row>& rows) {
  for (auto& [key, change] : changes) {
    const auto row = rows.find(key);
    if (change && row != rows.end()) change->revision = row->second.revision;
  }
}

// Every row that stays is of this revision.
template <typename Key, typename Row>
void Stamp(std::map<Key, std::optional<Row>>& changes, uint64_t revision) {
  for (auto& [key, row] : changes) {
    if (row) row->revision = revision;
  }
}

}  // namespace ec::core::rows
