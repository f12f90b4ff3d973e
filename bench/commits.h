// Commits of the store beside commits of bare SQLite.
#pragma once

#include <string>

namespace ec::bench {

// Commits `count` edits such as a new cluster's to a fresh store in the directory; per second.
double StoreCommitsPerSecond(const std::string& dir, int count);

// Commits `count` single small rows to a fresh database in the same mode (WAL, synchronous FULL),
// by a statement that is prepared once: what SQLite and the disk allow; per second.
double BareCommitsPerSecond(const std::string& dir, int count);

}  // namespace ec::bench
