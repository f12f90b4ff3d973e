// Whether a library can be preloaded into a program.
#pragma once

#include <string>

namespace ec::engine {

// Why the dynamic linker would not load `library` into `program`, in a few words; empty if it
// would. Looks at the files only: a program that is statically linked has no dynamic linker, and
// one with privileges of its own ignores such wishes.
std::string WhyNotPreloaded(const std::string& program, const std::string& library);

}  // namespace ec::engine
