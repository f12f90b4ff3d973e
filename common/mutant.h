// Bugs that are put back on purpose, one at a time, to see that the simulator finds them. A source
// file that is compiled with the macro EC_MUTANT has that one; in every product there is none, and
// nothing is left of the places. tests/sim/mutants.cmake says what each of them is.
#pragma once

#ifndef EC_MUTANT
#define EC_MUTANT 0
#endif

namespace ec {

// Static, because it differs from one file of a program to another.
static constexpr bool IsMutant(int number) { return EC_MUTANT == number; }

}  // namespace ec
