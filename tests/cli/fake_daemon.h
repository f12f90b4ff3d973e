// What the two fake daemons share: flags, records, and waiting for the end.
#pragma once

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "cli/process.h"

namespace ec::cli {

class FakeFlags {
 public:
  FakeFlags(int argc, char** argv) : words_(argv + 1, argv + argc) {}

  std::string Value(const std::string& name) const {
    for (size_t i = 0; i + 1 < words_.size(); ++i) {
      if (words_[i] == name) return words_[i + 1];
    }
    return {};
  }
  bool Has(const std::string& name) const {
    for (const std::string& word : words_) {
      if (word == name) return true;
    }
    return false;
  }
  std::string Text() const { return fmt::format("{}", fmt::join(words_, " ")); }

 private:
  std::vector<std::string> words_;
};

// From here on SIGTERM waits for AwaitSignal().
inline sigset_t BlockTerm() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigprocmask(SIG_BLOCK, &stop, nullptr);
  return stop;
}

inline void AwaitSignal(const sigset_t& stop) {
  int signal = 0;
  do {
    sigwait(&stop, &signal);
  } while (std::getenv("FAKE_IGNORES_TERM") != nullptr);
}

// {"pid", "start_time", more}, at once or not at all.
inline void WriteRecord(const std::string& path, const std::string& more) {
  std::ofstream(path + ".new") << fmt::format("{{\"pid\": {}, \"start_time\": {}, {}}}\n", getpid(),
                                              StartTimeOf(getpid()).value_or(0), more);
  std::rename((path + ".new").c_str(), path.c_str());
}

}  // namespace ec::cli
