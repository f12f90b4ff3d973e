#include "tests/tidy/source.h"

#include <gmock/gmock.h>

#include <string>

namespace ec::tidy {
namespace {

using ::testing::ElementsAre;

std::string CodeOf(const std::string& line) { return Split("common/x.cc", line).code.at(0); }
std::string CommentOf(const std::string& line) { return Split("common/x.cc", line).comments.at(0); }

TEST(Split, SeparatesCommentsFromCode) {
  EXPECT_EQ(CodeOf("int a;  // b"), "int a;      ");
  EXPECT_EQ(CommentOf("int a;  // b"), "        // b");
  EXPECT_EQ(CodeOf("a /* b */ c"), "a         c");
  EXPECT_EQ(CodeOf("a / b"), "a / b");
}

TEST(Split, FollowsACommentOverLines) {
  const Source source = Split("common/x.cc", "a /* b\nc\nd */ e\n");
  EXPECT_THAT(source.code, ElementsAre("a     ", " ", "     e"));
  EXPECT_THAT(source.lines, ElementsAre("a /* b", "c", "d */ e"));
}

TEST(Split, BlanksWhatStandsBetweenQuotes) {
  EXPECT_EQ(CodeOf(R"(f("// no \" {", '"', '\'') + 1'000;)"),
            R"(f("          ", ' ', '  ') + 1'000;)");
  EXPECT_EQ(CommentOf(R"(f("// no");)"), "           ");
}

TEST(Split, BlanksRawStrings) {
  const Source source = Split("common/x.cc", "a = R\"x(\n#include \"b\" )\"\n)x\"; // c\n");
  EXPECT_THAT(source.code, ElementsAre("a =     ", "               ", "   ;     "));
}

TEST(Split, ForgivesWhatIsNotClosed) {
  EXPECT_EQ(CodeOf("a \"b"), "a \" ");
  EXPECT_EQ(CodeOf("a /* b"), "a     ");
  EXPECT_EQ(CodeOf("R\"x(b"), "     ");
  EXPECT_EQ(Split("common/x.cc", "").lines.size(), 0u);
}

TEST(Paths, BelongToFolders) {
  EXPECT_EQ(FolderOf("common/a.cc"), "common");
  EXPECT_EQ(FolderOf("tests/tidy/a.cc"), "tests/tidy");
  EXPECT_EQ(FolderOf("CMakeLists.txt"), "");
  EXPECT_TRUE(IsUnder("tests/tidy/a.cc", "tests"));
  EXPECT_FALSE(IsUnder("testsuite/a.cc", "tests"));
  EXPECT_TRUE(IsProduct("proto/host_plan_proto.cc"));
  EXPECT_FALSE(IsProduct("tests/common/address_test.cc"));
  EXPECT_FALSE(IsProduct("bench/a.cc"));
}

TEST(Finding, NamesFileLineAndRule) {
  EXPECT_EQ(ToString(Finding{"common/a.cc", 12, "a tab"}), "common/a.cc:12: a tab");
  EXPECT_EQ(ToString(Finding{"common/a.cc", 0, "in no CMake target"}),
            "common/a.cc: in no CMake target");
}

}  // namespace
}  // namespace ec::tidy
