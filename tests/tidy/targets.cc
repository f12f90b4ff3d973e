#include "tests/tidy/targets.h"

#include <filesystem>
#include <sstream>

namespace ec::tidy {
namespace {

bool IsCompiled(std::string_view path) { return path.ends_with(".cc") || path.ends_with(".c"); }

// Takes a variable in front of a path away.
bool TakePrefix(std::string_view prefix, std::string* path) {
  if (!path->starts_with(prefix)) return false;
  path->erase(0, prefix.size());
  return true;
}

}  // namespace

std::set<std::string> SourcesIn(const BuildFile& file) {
  std::set<std::string> sources;
  std::istringstream lines(file.text);
  for (std::string line; std::getline(lines, line);) {
    line.erase(std::min(line.find('#'), line.size()));
    for (char& c : line) {
      if (c == '(' || c == ')' || c == '"' || c == ';') c = ' ';
    }
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      if (!IsCompiled(word)) continue;
      const bool from_root =
          TakePrefix("${CMAKE_SOURCE_DIR}/", &word) || TakePrefix("${PROJECT_SOURCE_DIR}/", &word);
      TakePrefix("${CMAKE_CURRENT_SOURCE_DIR}/", &word);
      if (word.find("${") != std::string::npos) continue;  // generated
      const std::filesystem::path base = from_root ? "" : file.folder;
      sources.insert((base / word).lexically_normal().generic_string());
    }
  }
  return sources;
}

Findings CheckTargets(const std::vector<BuildFile>& files, const std::vector<std::string>& paths) {
  std::set<std::string> compiled;
  for (const BuildFile& file : files) compiled.merge(SourcesIn(file));
  Findings findings;
  for (const std::string& path : paths) {
    if (!IsCompiled(path) || compiled.contains(path)) continue;
    findings.push_back({path, 0, "in no CMake target"});
  }
  return findings;
}

}  // namespace ec::tidy
