// Words that must not stand in the code of some folders.
#pragma once

#include "tests/tidy/source.h"

namespace ec::tidy {

// Clocks, chance, environment, threads, locks, hash tables, streams, files, sockets, logs, gRPC and
// SQLite in a pure folder.
Findings CheckPurity(const Source& source);

// A clock that is read anywhere in the product but in common/clock.cc.
Findings CheckClocks(const Source& source);

// A shell that is started in the product: programs get their arguments one by one.
Findings CheckShells(const Source& source);

// A test that sleeps, is disabled, or is skipped without saying why.
Findings CheckTests(const Source& source);

// Marks of unfinished work.
Findings CheckMarks(const Source& source);

}  // namespace ec::tidy
