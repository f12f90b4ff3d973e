// Pages for people, made of the suites' JSON files: README.md with the tables, and a plot for every
// chart.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace ec::bench {

// A chart of Report::AddChart() as an SVG picture of grouped bars.
std::string RenderSvg(const nlohmann::json& chart);

// Writes README.md and the pictures of every suite whose JSON file is in the directory. Throws
// std::runtime_error when a file cannot be read or written.
void RenderDirectory(const std::string& dir);

}  // namespace ec::bench
