// Reads the comma-separated tables of data/, which are compiled into the program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ec::model {

// The rows after the header row. A cell may stand in double quotes and then hold commas.
std::vector<std::vector<std::string>> ParseCsv(std::string_view text);

}  // namespace ec::model
