// Every target takes what is in its corpus, and cuttings of it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/fuzz/targets.h"

namespace ec::fuzz {
namespace {

namespace fs = std::filesystem;

class CorpusTest : public ::testing::TestWithParam<Target> {};

TEST_P(CorpusTest, IsTaken) {
  const fs::path corpus = fs::path(EC_FUZZ_CORPUS) / GetParam().name;
  ASSERT_TRUE(fs::is_directory(corpus)) << corpus;
  int files = 0;
  GetParam().run("");
  for (const fs::directory_entry& entry : fs::directory_iterator(corpus)) {
    std::ostringstream content;
    content << std::ifstream(entry.path()).rdbuf();
    const std::string bytes = content.str();
    SCOPED_TRACE(entry.path());
    GetParam().run(bytes);
    for (const size_t length : {bytes.size() / 2, bytes.size() - 1}) {
      GetParam().run(std::string_view(bytes).substr(0, length));
    }
    ++files;
  }
  EXPECT_GT(files, 0);
}

INSTANTIATE_TEST_SUITE_P(Targets, CorpusTest, ::testing::ValuesIn(kTargets),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace ec::fuzz
