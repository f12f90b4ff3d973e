// What the tests of ecctl share: running the real program, directories that vanish, waiting.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/unique_fd.h"

namespace ec::cli {

// A directory of its own below the system's one for temporary files; gone with everything in it at
// the end.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Looks again and again until `condition` holds; false after ten seconds.
bool Eventually(const std::function<bool()>& condition);

std::string ReadAll(const std::string& path);
void WriteAll(const std::string& path, const std::string& text, bool executable = false);

// The programs of this build.
std::string BuiltProgram(const std::string& name);
std::string FakeDaemons();

struct Ended {
  int exit = -1;  // 128 + the signal if that ended it
  std::string out;
  std::string err;
};

using Environment = std::map<std::string, std::string>;

enum class Input { kNone, kPipe, kTerminal };

// A program that runs. Its output is kept; what is not awaited is killed at the end.
class Running {
 public:
  // `environment` comes on top of a small clean one: a new HOME, and no EC_ variables. On a
  // terminal both of the program's streams are out().
  Running(const std::vector<std::string>& argv, const Environment& environment = {},
          Input input = Input::kNone);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void Type(const std::string& text);
  void EndInput() { input_.reset(); }
  void Interrupt();

  // What was printed so far.
  std::string out() { return Drain(out_.get(), &out_text_); }
  std::string err() { return Drain(err_.get(), &err_text_); }
  bool PrintsOut(const std::string& text);  // within ten seconds
  bool PrintsErr(const std::string& text);

  // Waits for the end, at most thirty seconds.
  Ended Await();
  pid_t pid() const { return pid_; }

 private:
  std::string Drain(int fd, std::string* text);

  pid_t pid_ = -1;
  bool ended_ = false;
  UniqueFd input_, out_, err_;
  std::string out_text_, err_text_;
};

// Runs ecctl to its end.
Ended Ecctl(const std::vector<std::string>& words, const Environment& environment = {},
            const std::optional<std::string>& input = std::nullopt);

std::vector<std::string> EcctlCommand(const std::vector<std::string>& words);

}  // namespace ec::cli
