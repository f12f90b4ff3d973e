// What --help prints, made from the declarations of the commands.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace ec::cli {

std::string HelpText(const CLI::App& app);

}  // namespace ec::cli
