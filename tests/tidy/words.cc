#include "tests/tidy/words.h"

#include <cctype>
#include <span>

#include "tests/tidy/floors.h"

namespace ec::tidy {
namespace {

bool IsWordPart(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// How a word has to stand in the line to count.
enum class Kind {
  kCall,    // as the name of a function that is called, and not of a member: sleep(
  kWord,    // as a whole word
  kPrefix,  // at the beginning of a word: unordered_map
  kText,    // anywhere
};

struct Word {
  std::string_view text;
  Kind kind;
};

// Whether what stands before position `at` makes it a member: object.open( or pointer->open(.
bool IsMember(std::string_view line, size_t at) {
  return (at >= 1 && line[at - 1] == '.') || (at >= 2 && line.substr(at - 2, 2) == "->");
}

bool Matches(std::string_view line, size_t at, const Word& word) {
  if (word.kind == Kind::kText) return true;
  const size_t end = at + word.text.size();
  const bool begins = at == 0 || !IsWordPart(line[at - 1]);
  const bool ends = end == line.size() || !IsWordPart(line[end]);
  if (word.kind == Kind::kPrefix) return begins;
  if (word.kind == Kind::kWord) return begins && ends;
  const size_t next = line.find_first_not_of(' ', end);
  const bool is_called = next != std::string_view::npos && line[next] == '(';
  return begins && ends && is_called && !IsMember(line, at);
}

bool Contains(std::string_view line, const Word& word) {
  for (size_t at = line.find(word.text); at != std::string_view::npos;
       at = line.find(word.text, at + 1)) {
    if (Matches(line, at, word)) return true;
  }
  return false;
}

void Look(const Source& source, std::span<const Word> words, std::string_view why,
          Findings* findings) {
  for (size_t i = 0; i < source.code.size(); ++i) {
    for (const Word& word : words) {
      if (!Contains(source.code[i], word)) continue;
      findings->push_back(
          {source.path, static_cast<int>(i) + 1, std::string(word.text) + ": " + std::string(why)});
    }
  }
}

constexpr Word kImpure[] = {
    {"::now", Kind::kText},         {"clock_gettime", Kind::kCall},
    {"sleep", Kind::kCall},         {"usleep", Kind::kCall},
    {"nanosleep", Kind::kCall},     {"sleep_for", Kind::kWord},
    {"sleep_until", Kind::kWord},   {"rand", Kind::kCall},
    {"srand", Kind::kCall},         {"random_device", Kind::kWord},
    {"mt19937", Kind::kPrefix},     {"getenv", Kind::kCall},
    {"std::thread", Kind::kPrefix}, {"std::jthread", Kind::kPrefix},
    {"std::async", Kind::kPrefix},  {"std::atomic", Kind::kPrefix},
    {"mutex", Kind::kWord},         {"shared_mutex", Kind::kWord},
    {"lock_guard", Kind::kWord},    {"condition_variable", Kind::kPrefix},
    {"unordered_", Kind::kPrefix},  {"<iostream>", Kind::kText},
    {"<fstream>", Kind::kText},     {"<sstream>", Kind::kText},
    {"<filesystem>", Kind::kText},  {"<thread>", Kind::kText},
    {"<random>", Kind::kText},      {"<unistd.h>", Kind::kText},
    {"<fcntl.h>", Kind::kText},     {"<sys/", Kind::kText},
    {"std::cout", Kind::kWord},     {"std::cerr", Kind::kWord},
    {"printf", Kind::kCall},        {"fprintf", Kind::kCall},
    {"spdlog", Kind::kPrefix},      {"grpc", Kind::kPrefix},
    {"sqlite", Kind::kPrefix},      {"SQLite", Kind::kPrefix},
    {"socket", Kind::kCall},        {"connect", Kind::kCall},
    {"open", Kind::kCall},          {"fopen", Kind::kCall},
    {"read", Kind::kCall},          {"write", Kind::kCall},
    {"fork", Kind::kCall},          {"kill", Kind::kCall},
};

constexpr Word kClocks[] = {{"system_clock::now", Kind::kText},
                            {"steady_clock::now", Kind::kText},
                            {"high_resolution_clock", Kind::kWord},
                            {"clock_gettime", Kind::kCall},
                            {"gettimeofday", Kind::kCall}};

constexpr Word kShells[] = {{"system", Kind::kCall}, {"popen", Kind::kCall}};

constexpr Word kSleeps[] = {{"sleep_for", Kind::kWord},
                            {"sleep_until", Kind::kWord},
                            {"usleep", Kind::kCall},
                            {"nanosleep", Kind::kCall},
                            {"sleep", Kind::kCall}};

constexpr Word kDisabled[] = {{"DISABLED_", Kind::kPrefix}};

constexpr Word kMarks[] = {{"FIXME", Kind::kPrefix}, {"TODO", Kind::kWord}, {"XXX", Kind::kWord}};

}  // namespace

Findings CheckPurity(const Source& source) {
  Findings findings;
  if (IsPure(source.path)) Look(source, kImpure, "not in a pure folder", &findings);
  return findings;
}

Findings CheckClocks(const Source& source) {
  Findings findings;
  if (!IsProduct(source.path) || source.path == "common/clock.cc") return findings;
  Look(source, kClocks, "only common/clock.cc reads a clock", &findings);
  return findings;
}

Findings CheckShells(const Source& source) {
  Findings findings;
  if (IsProduct(source.path)) Look(source, kShells, "never a shell", &findings);
  return findings;
}

Findings CheckTests(const Source& source) {
  Findings findings;
  if (!IsUnder(source.path, "tests")) return findings;
  Look(source, kSleeps, "a test waits for a condition", &findings);
  Look(source, kDisabled, "GTEST_SKIP() << why", &findings);
  for (size_t i = 0; i < source.code.size(); ++i) {
    const size_t at = source.code[i].find("GTEST_SKIP()");
    if (at == std::string::npos) continue;
    std::string rest = source.code[i].substr(at + std::string_view("GTEST_SKIP()").size());
    if (i + 1 < source.code.size()) rest += source.code[i + 1];
    const size_t next = rest.find_first_not_of(' ');
    if (next != std::string::npos && rest.substr(next).starts_with("<<")) continue;
    findings.push_back({source.path, static_cast<int>(i) + 1, "a skip without a reason"});
  }
  return findings;
}

Findings CheckMarks(const Source& source) {
  Findings findings;
  Look(source, kMarks, "unfinished", &findings);
  Source comments = source;
  comments.code = source.comments;
  Look(comments, kMarks, "unfinished", &findings);
  return findings;
}

}  // namespace ec::tidy
