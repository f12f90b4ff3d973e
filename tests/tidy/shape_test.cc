#include "tests/tidy/shape.h"

#include <gmock/gmock.h>

#include <string>

namespace ec::tidy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Findings Lines(const std::string& text, const std::string& path = "common/x.cc") {
  return CheckLines(Split(path, text));
}

std::string Repeat(const std::string& text, int times) {
  std::string repeated;
  for (int i = 0; i < times; ++i) repeated += text;
  return repeated;
}

TEST(Lines, HaveUpToAHundredColumns) {
  EXPECT_THAT(Lines(std::string(100, 'a') + "\n"), IsEmpty());
  EXPECT_THAT(Lines("a\n" + std::string(101, 'a') + "\n"),
              ElementsAre(Finding{"common/x.cc", 2, "a line of 101 columns"}));
  EXPECT_THAT(Lines(Repeat("\xc3\xa4", 100)), IsEmpty());  // characters, not bytes
}

TEST(Lines, HaveNoTabsAndNoBlanksAtTheirEnd) {
  EXPECT_THAT(Lines("\tint a;\n"), ElementsAre(Finding{"common/x.cc", 1, "a tab"}));
  for (const std::string text : {"int a; \n", "int a;\n \nint b;\n", "int a;\r\n"}) {
    EXPECT_EQ(Lines(text).size(), 1u);
  }
  EXPECT_THAT(Lines("int a;\n\nint b;"), IsEmpty());
}

TEST(Files, HaveUpToEightHundredLines) {
  EXPECT_THAT(Lines(Repeat("int a;\n", 800)), IsEmpty());
  EXPECT_THAT(Lines(Repeat("int a;\n", 801)),
              ElementsAre(Finding{"common/x.cc", 0, "a file of 801 lines"}));
}

TEST(Headers, BeginWithPragmaOnce) {
  EXPECT_THAT(Lines("// x\n#pragma once\n", "common/x.h"), IsEmpty());
  for (const std::string text : {"#ifndef X\n#endif\n", "// #pragma once\n"}) {
    EXPECT_THAT(Lines(text, "common/x.h"),
                ElementsAre(Finding{"common/x.h", 0, "a header without #pragma once"}));
    EXPECT_THAT(Lines(text, "common/x.cc"), IsEmpty());
  }
}

// The lines at which functions are found to be too long, in a file that begins at line 1.
Findings Functions(const std::string& text) { return CheckFunctions(Split("common/x.cc", text)); }

// A body with the closing brace that makes the function `lines` lines long.
std::string Rest(int lines) { return Repeat("  a = {1};\n", lines - 2) + "}\n"; }

const std::string kHeads[] = {
    "void F() {\n",
    "int Foo::Bar(int a = 1) const override {\n",
    "TEST(Name, Rule) {\n",
    "auto F() -> std::vector<int> {\n",
    "bool operator==(const A& a, const A& b) {\n",
    "Foo::Foo() : a_{1}, b_(2) {\n",
    "template <typename T = int> void F(T t) noexcept {\n",
    "namespace ec { namespace { struct A { int b; void F() {\n",
    "const auto kF = [](int a) {\n",
};

TEST(Functions, HaveUpToSeventyLines) {
  for (const std::string& head : kHeads) {
    EXPECT_THAT(Functions(head + Rest(70)), IsEmpty()) << head;
    EXPECT_THAT(Functions("int x;\n\n" + head + Rest(71)),
                ElementsAre(Finding{"common/x.cc", 3, "a function of 71 lines"}))
        << head;
  }
}

TEST(Functions, AreMeasuredFromTheFirstLineOfTheirHead) {
  EXPECT_THAT(Functions("static\nint F(int a,\n      int b) {\n" + Rest(69)),
              ElementsAre(Finding{"common/x.cc", 1, "a function of 71 lines"}));
}

TEST(Functions, AreFoundAfterOneAnother) {
  const std::string good = "void F() {\n" + Rest(70);
  const std::string bad = "void G() {\n" + Rest(80);
  EXPECT_THAT(Functions(good + bad + good + bad),
              ElementsAre(Finding{"common/x.cc", 71, "a function of 80 lines"},
                          Finding{"common/x.cc", 221, "a function of 80 lines"}));
}

TEST(Functions, AreNotTablesClassesNamespacesOrMacros) {
  for (const std::string head :
       {"const Row kRows[] = {\n", "class A : public B {\n", "namespace ec {\n", "enum class E {\n",
        "constexpr Row kRows[Count(3)] = {\n", "extern \"C\" {\n",
        "const std::map<int, int> kMap = {\n"}) {
    EXPECT_THAT(Functions(head + Rest(200)), IsEmpty()) << head;
  }
  EXPECT_THAT(Functions("#define F(a) {\\\n" + Repeat("  a;\\\n", 100) + "}\nint x;\n"), IsEmpty());
}

TEST(Functions, AreNotLedAstrayByBracesInStringsAndComments) {
  EXPECT_THAT(Functions("void F() {\n  // {\n  f(\"{\", '{');\n}\n" + Repeat("int a;\n", 100)),
              IsEmpty());
}

}  // namespace
}  // namespace ec::tidy
