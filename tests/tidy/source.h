// A source file as the rules look at it: as it stands, and split into code and comments, so that a
// word in a comment or in a string is not taken for code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ec::tidy {

struct Source {
  std::string path;                   // from the repository root: "common/address.cc"
  std::vector<std::string> lines;     // as they stand, without the newline
  std::vector<std::string> code;      // comments are blanked, and what stands between quotes
  std::vector<std::string> comments;  // everything but the comments is blanked
};

Source Split(std::string path, std::string_view text);

// Something that breaks a rule. `line` counts from 1; 0 speaks of the file as a whole.
struct Finding {
  std::string path;
  int line = 0;
  std::string what;
  friend bool operator==(const Finding&, const Finding&) = default;
};
using Findings = std::vector<Finding>;

std::string ToString(const Finding& finding);  // "common/address.cc:12: a tab"

// "common" for "common/address.cc", "tests/tidy" for "tests/tidy/source.h"; "" without a folder.
std::string FolderOf(std::string_view path);

// Whether the path lies in the folder or below it.
bool IsUnder(std::string_view path, std::string_view folder);

// The folders whose code is shipped; tests and bench are not.
bool IsProduct(std::string_view path);
bool IsHeader(std::string_view path);

}  // namespace ec::tidy
