#include "tests/cli/support.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/check.h"
#include "common/clock.h"

namespace ec::cli {
namespace {

namespace fs = std::filesystem;

constexpr Duration kPatience = std::chrono::seconds(10);
constexpr Duration kLongestRun = std::chrono::seconds(30);

void ShortPause() { poll(nullptr, 0, 2); }

bool Within(Duration limit, const std::function<bool()>& condition) {
  const SystemClock clock;
  const Instant deadline = clock.now().instant + limit;
  while (!condition()) {
    if (clock.now().instant > deadline) return false;
    ShortPause();
  }
  return true;
}

struct Pipe {
  UniqueFd reading, writing;
  Pipe() {
    int ends[2] = {-1, -1};
    EC_CHECK(pipe2(ends, O_CLOEXEC) == 0);
    reading.reset(ends[0]);
    writing.reset(ends[1]);
  }
};

// A pseudo terminal: the program has the inner end.
struct Terminal {
  UniqueFd outer, inner;
  Terminal() : outer(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    EC_CHECK(grantpt(outer.get()) == 0 && unlockpt(outer.get()) == 0);
    inner.reset(open(ptsname(outer.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    EC_CHECK(inner);
  }
};

void MakeNonBlocking(const UniqueFd& fd) {
  EC_CHECK(fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK) == 0);
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

const std::string& EmptyHome() {
  static const TempDir home;
  return home.path();
}

}  // namespace

TempDir::TempDir() {
  path_ = (fs::temp_directory_path() / "ecctl-test-XXXXXX").string();
  EC_CHECK(mkdtemp(path_.data()) != nullptr);
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

bool Eventually(const std::function<bool()>& condition) { return Within(kPatience, condition); }

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void WriteAll(const std::string& path, const std::string& text, bool executable) {
  std::ofstream(path) << text;
  if (executable) EC_CHECK(chmod(path.c_str(), 0755) == 0);
}

std::string BuiltProgram(const std::string& name) {
  return (fs::read_symlink("/proc/self/exe").parent_path() / name).string();
}

std::string FakeDaemons() { return BuiltProgram("fake_daemons"); }

Running::Running(const std::vector<std::string>& argv, const Environment& environment,
                 Input input) {
  std::vector<std::string> words = argv;
  Environment whole = {{"HOME", EmptyHome()}, {"PATH", getenv("PATH")}, {"LANG", "C.UTF-8"}};
  for (const auto& [name, value] : environment) whole[name] = value;
  std::vector<std::string> settings;
  for (const auto& [name, value] : whole) settings.push_back(name + "=" + value);
  const std::vector<char*> argv_pointers = Pointers(words);
  const std::vector<char*> environment_pointers = Pointers(settings);

  Pipe in, out, err;
  const UniqueFd nothing(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Terminal terminal;
  int child_fds[] = {nothing.get(), out.writing.get(), err.writing.get()};
  if (input == Input::kPipe) child_fds[0] = in.reading.get();
  if (input == Input::kTerminal) std::fill_n(child_fds, 3, terminal.inner.get());
  pid_ = fork();
  EC_CHECK(pid_ >= 0);
  if (pid_ == 0) {
    for (int fd = 0; fd < 3; ++fd) dup2(child_fds[fd], fd);
    signal(SIGPIPE, SIG_DFL);
    execve(argv_pointers[0], argv_pointers.data(), environment_pointers.data());
    _exit(127);
  }
  if (input == Input::kPipe) input_ = std::move(in.writing);
  out_ = std::move(out.reading);
  err_ = std::move(err.reading);
  if (input == Input::kTerminal) {
    input_.reset(dup(terminal.outer.get()));
    out_.reset(dup(terminal.outer.get()));
  }
  for (const UniqueFd* fd : {&input_, &out_, &err_}) {
    if (*fd) MakeNonBlocking(*fd);
  }
}

Running::~Running() {
  if (ended_) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

// Takes the output off meanwhile: a program that cannot write does not read either.
void Running::Type(const std::string& text) {
  std::string_view rest = text;
  EC_CHECK(Eventually([&] {
    const ssize_t count = write(input_.get(), rest.data(), rest.size());
    if (count > 0) rest.remove_prefix(static_cast<size_t>(count));
    if (!rest.empty()) {
      out();
      err();
    }
    return rest.empty();
  }));
}

void Running::Interrupt() { kill(pid_, SIGINT); }

std::string Running::Drain(int fd, std::string* text) {
  char buffer[64 << 10];
  ssize_t count = 0;
  while ((count = read(fd, buffer, sizeof(buffer))) > 0) {
    text->append(buffer, static_cast<size_t>(count));
  }
  return *text;
}

bool Running::PrintsOut(const std::string& text) {
  return Eventually([&] { return out().find(text) != std::string::npos; });
}

bool Running::PrintsErr(const std::string& text) {
  return Eventually([&] { return err().find(text) != std::string::npos; });
}

Ended Running::Await() {
  int status = 0;
  ended_ = Within(kLongestRun, [&] {
    out();
    err();
    return waitpid(pid_, &status, WNOHANG) == pid_;
  });
  if (!ended_) return {-1, out(), err() + "\n(did not end)"};
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), out(), err()};
}

std::vector<std::string> EcctlCommand(const std::vector<std::string>& words) {
  std::vector<std::string> argv = {BuiltProgram("ecctl")};
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

Ended Ecctl(const std::vector<std::string>& words, const Environment& environment,
            const std::optional<std::string>& input) {
  Running running(EcctlCommand(words), environment, input ? Input::kPipe : Input::kNone);
  if (input) {
    running.Type(*input);
    running.EndInput();
  }
  return running.Await();
}

}  // namespace ec::cli
