#include "tests/tidy/source.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace ec::tidy {
namespace {

// Goes through a text once and gives every character to code, to a comment, or to a literal.
class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  void Run() {
    while (at_ < text_.size()) {
      const std::string_view rest = text_.substr(at_);
      if (rest.starts_with("//")) {
        TakeComment(EndOfLine());
      } else if (rest.starts_with("/*")) {
        const size_t end = text_.find("*/", at_ + 2);
        TakeComment(end == std::string_view::npos ? text_.size() : end + 2);
      } else if (rest.starts_with("R\"") && !FollowsWord()) {
        TakeRawString();
      } else if (rest.front() == '"' || (rest.front() == '\'' && !FollowsWord())) {
        TakeLiteral(rest.front());
      } else {
        Put(rest.front(), ' ');
        ++at_;
      }
    }
  }

  std::string code;
  std::string comments;

 private:
  // One character of the text: what the code and the comments have in its place.
  void Put(char in_code, char in_comments) {
    const bool newline = text_[at_] == '\n';
    code += newline ? '\n' : in_code;
    comments += newline ? '\n' : in_comments;
  }

  size_t EndOfLine() const {
    const size_t end = text_.find('\n', at_);
    return end == std::string_view::npos ? text_.size() : end;
  }

  // Such as the apostrophe in 1'000, which begins no literal.
  bool FollowsWord() const {
    return at_ > 0 && std::isalnum(static_cast<unsigned char>(text_[at_ - 1])) != 0;
  }

  void TakeComment(size_t end) {
    for (; at_ < end; ++at_) Put(' ', text_[at_]);
  }

  void TakeLiteral(char quote) {
    Put(quote, ' ');
    ++at_;
    while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        Put(' ', ' ');
        ++at_;
      }
      Put(' ', ' ');
      ++at_;
    }
    if (at_ < text_.size()) {
      Put(text_[at_], ' ');
      ++at_;
    }
  }

  void TakeRawString() {
    const size_t open = text_.find('(', at_);
    if (open == std::string_view::npos) {
      TakeLiteral('"');
      return;
    }
    const std::string close = ")" + std::string(text_.substr(at_ + 2, open - at_ - 2)) + "\"";
    const size_t found = text_.find(close, open);
    const size_t end = found == std::string_view::npos ? text_.size() : found + close.size();
    for (; at_ < end; ++at_) Put(' ', ' ');
  }

  const std::string_view text_;
  size_t at_ = 0;
};

std::vector<std::string> LinesOf(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

}  // namespace

Source Split(std::string path, std::string_view text) {
  Splitter splitter(text);
  splitter.Run();
  return {std::move(path), LinesOf(text), LinesOf(splitter.code), LinesOf(splitter.comments)};
}

std::string ToString(const Finding& finding) {
  if (finding.line == 0) return finding.path + ": " + finding.what;
  return finding.path + ":" + std::to_string(finding.line) + ": " + finding.what;
}

std::string FolderOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(path.substr(0, slash == std::string_view::npos ? 0 : slash));
}

bool IsUnder(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

bool IsProduct(std::string_view path) {
  constexpr std::array<std::string_view, 6> kFolders = {"common",  "controlplane", "nodeagent",
                                                        "gateway", "cli",          "proto"};
  return std::ranges::any_of(kFolders, [&](std::string_view f) { return IsUnder(path, f); });
}

bool IsHeader(std::string_view path) { return path.ends_with(".h"); }

}  // namespace ec::tidy
