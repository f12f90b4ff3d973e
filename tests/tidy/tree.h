// The source tree, read from disk.
#pragma once

#include <string>
#include <vector>

#include "tests/tidy/source.h"
#include "tests/tidy/targets.h"

namespace ec::tidy {

struct Tree {
  std::vector<Source> sources;         // C++, C, proto and table files, by path
  std::vector<BuildFile> build_files;  // every CMakeLists.txt
};

// Reads the folders that hold code. What a build has made, and what is hidden, is left out.
Tree ReadTree(const std::string& root);

}  // namespace ec::tidy
