// Whether every source file is compiled.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tests/tidy/source.h"

namespace ec::tidy {

// A CMakeLists.txt: its folder from the repository root ("" for the root's), and its text.
struct BuildFile {
  std::string folder;
  std::string text;
};

// The source files that it names, from the repository root.
std::set<std::string> SourcesIn(const BuildFile& file);

// The .cc and .c files among `paths` that no target has.
Findings CheckTargets(const std::vector<BuildFile>& files, const std::vector<std::string>& paths);

}  // namespace ec::tidy
