// The source tree keeps the house rules. Each failure names the file, the line and the rule.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/tidy/floors.h"
#include "tests/tidy/shape.h"
#include "tests/tidy/targets.h"
#include "tests/tidy/tree.h"
#include "tests/tidy/words.h"

namespace ec::tidy {
namespace {

class TreeTest : public ::testing::Test {
 protected:
  static const Tree& tree() {
    static const Tree tree = ReadTree(EC_SOURCE_DIR);
    return tree;
  }

  static void Expect(const Findings& findings) {
    for (const Finding& finding : findings) ADD_FAILURE() << ToString(finding);
  }
  static void ExpectClean(const std::function<Findings(const Source&)>& rule) {
    for (const Source& source : tree().sources) Expect(rule(source));
  }
};

TEST_F(TreeTest, IsThere) {
  EXPECT_GT(tree().sources.size(), 100u);
  EXPECT_GT(tree().build_files.size(), 5u);
}

TEST_F(TreeTest, IncludesNoHigherFloorAndNoOtherSide) { ExpectClean(CheckIncludes); }
TEST_F(TreeTest, KeepsPureFoldersPure) { ExpectClean(CheckPurity); }
TEST_F(TreeTest, ReadsClocksInOnePlaceOnly) { ExpectClean(CheckClocks); }
TEST_F(TreeTest, NeverStartsAShell) { ExpectClean(CheckShells); }
TEST_F(TreeTest, HasTestsThatNeitherSleepNorAreSkippedWithoutAReason) { ExpectClean(CheckTests); }
TEST_F(TreeTest, HasNoMarksOfUnfinishedWork) { ExpectClean(CheckMarks); }
TEST_F(TreeTest, HasShortLinesAndFiles) { ExpectClean(CheckLines); }
TEST_F(TreeTest, HasShortFunctions) { ExpectClean(CheckFunctions); }

TEST_F(TreeTest, HasEverySourceFileInACMakeTarget) {
  std::vector<std::string> paths;
  for (const Source& source : tree().sources) paths.push_back(source.path);
  Expect(CheckTargets(tree().build_files, paths));
}

}  // namespace
}  // namespace ec::tidy
