// The size and look of files, lines and functions.
#pragma once

#include "tests/tidy/source.h"

namespace ec::tidy {

inline constexpr int kColumnsMax = 100;
inline constexpr int kFileLinesMax = 800;
inline constexpr int kFunctionLinesMax = 70;

// Long lines and files, tabs, trailing blanks, a header without #pragma once.
Findings CheckLines(const Source& source);

// Functions that do not fit a screen. Found by their braces: whatever follows a parameter list is a
// function, and what it contains is a part of it.
Findings CheckFunctions(const Source& source);

}  // namespace ec::tidy
