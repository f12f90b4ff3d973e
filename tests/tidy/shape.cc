#include "tests/tidy/shape.h"

#include <algorithm>

namespace ec::tidy {
namespace {

// In characters: all bytes of UTF-8 but those that go on with one.
int ColumnsOf(std::string_view line) {
  return static_cast<int>(std::ranges::count_if(
      line, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// Follows the braces of a file from its beginning to its end.
class BraceWalk {
 public:
  explicit BraceWalk(const Source& source) : source_(source) {}

  Findings Run() {
    bool in_macro = false;
    for (size_t i = 0; i < source_.code.size(); ++i) {
      const std::string& line = source_.code[i];
      const bool is_macro = in_macro || line.starts_with('#');
      in_macro = is_macro && line.ends_with('\\');
      if (is_macro) continue;
      line_ = static_cast<int>(i) + 1;
      for (const char c : line) Take(c);
      header_ += ' ';
    }
    return findings_;
  }

 private:
  void Take(char c) {
    if (c == '(') ++parentheses_;
    if (c == ')') --parentheses_;
    if (c == '{') {
      ++depth_;
      if (function_depth_ == 0 && parentheses_ == 0 && IsFunction()) {
        function_depth_ = depth_;
        function_line_ = header_line_;
      }
      header_.clear();
    } else if (c == '}') {
      if (depth_ == function_depth_) EndFunction();
      --depth_;
      header_.clear();
    } else if (c == ';' && parentheses_ == 0) {
      header_.clear();
    } else {
      if (header_.find_first_not_of(' ') == std::string::npos && c != ' ') header_line_ = line_;
      header_ += c;
    }
  }

  // Whether what stands before a brace is the head of a function: it has parameters, and is not an
  // initial value.
  bool IsFunction() const {
    const size_t close = header_.rfind(')');
    return close != std::string::npos && header_.find('=', close) == std::string::npos;
  }

  void EndFunction() {
    function_depth_ = 0;
    const int length = line_ - function_line_ + 1;
    if (length <= kFunctionLinesMax) return;
    findings_.push_back(
        {source_.path, function_line_, "a function of " + std::to_string(length) + " lines"});
  }

  const Source& source_;
  Findings findings_;
  std::string header_;   // since the last brace or semicolon
  int header_line_ = 0;  // where it begins
  int line_ = 0;
  int depth_ = 0;
  int parentheses_ = 0;
  int function_depth_ = 0;  // of the outermost function that is open; 0: none is
  int function_line_ = 0;
};

}  // namespace

Findings CheckLines(const Source& source) {
  Findings findings;
  for (size_t i = 0; i < source.lines.size(); ++i) {
    const std::string& line = source.lines[i];
    const auto find = [&](const std::string& what) {
      findings.push_back({source.path, static_cast<int>(i) + 1, what});
    };
    if (const int columns = ColumnsOf(line); columns > kColumnsMax) {
      find("a line of " + std::to_string(columns) + " columns");
    }
    if (line.find('\t') != std::string::npos) find("a tab");
    if (line.ends_with(' ') || line.ends_with('\t') || line.ends_with('\r')) {
      find("blanks at the end of the line");
    }
  }
  if (static_cast<int>(source.lines.size()) > kFileLinesMax) {
    findings.push_back(
        {source.path, 0, "a file of " + std::to_string(source.lines.size()) + " lines"});
  }
  if (IsHeader(source.path) &&
      std::ranges::find(source.code, "#pragma once") == source.code.end()) {
    findings.push_back({source.path, 0, "a header without #pragma once"});
  }
  return findings;
}

Findings CheckFunctions(const Source& source) { return BraceWalk(source).Run(); }

}  // namespace ec::tidy
