#include "tests/tidy/tree.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace ec::tidy {
namespace {

namespace fs = std::filesystem;

std::string TextOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool IsSource(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".cc" || extension == ".h" || extension == ".c" || extension == ".proto" ||
         extension == ".def";
}

// Such as build, build-asan, .git and CMakeFiles.
bool IsLeftOut(const fs::path& folder) {
  const std::string name = folder.filename().string();
  return name.starts_with('.') || name == "build" || name.starts_with("build-") ||
         name == "CMakeFiles";
}

void ReadFolder(const fs::path& root, const fs::path& folder, Tree* tree) {
  for (auto entry = fs::recursive_directory_iterator(folder); entry != fs::end(entry); ++entry) {
    if (entry->is_directory()) {
      if (IsLeftOut(entry->path())) entry.disable_recursion_pending();
      continue;
    }
    const std::string path = entry->path().lexically_relative(root).generic_string();
    if (IsSource(entry->path())) tree->sources.push_back(Split(path, TextOf(entry->path())));
    if (entry->path().filename() == "CMakeLists.txt") {
      tree->build_files.push_back({FolderOf(path), TextOf(entry->path())});
    }
  }
}

}  // namespace

Tree ReadTree(const std::string& root) {
  Tree tree;
  for (const char* folder :
       {"common", "controlplane", "nodeagent", "gateway", "cli", "proto", "tests", "bench"}) {
    if (fs::is_directory(fs::path(root) / folder)) ReadFolder(root, fs::path(root) / folder, &tree);
  }
  if (fs::exists(fs::path(root) / "CMakeLists.txt")) {
    tree.build_files.push_back({"", TextOf(fs::path(root) / "CMakeLists.txt")});
  }
  std::ranges::sort(tree.sources, {}, &Source::path);
  return tree;
}

}  // namespace ec::tidy
