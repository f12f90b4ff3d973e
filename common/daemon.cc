#include "common/daemon.h"

#include <sys/stat.h>

#include <cstdio>
#include <filesystem>

#include "common/log.h"

namespace ec {

void AddDaemonFlags(CLI::App* app, DaemonFlags* flags) {
  app->add_option("--dir", flags->dir, "The daemon's own directory; created if missing")
      ->required();
  app->add_option("--log-level", flags->log_level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  app->add_option("--log-file", flags->log_file, "File to log to; standard error when absent");
}

std::optional<int> ParseCommandLine(CLI::App* app, int argc, char** argv) {
  try {
    app->parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    return app->exit(error) == 0 ? 0 : 2;
  }
}

Status EnterDirectory(DaemonFlags* flags) {
  umask(077);
  LogLevel level = LogLevel::kInfo;
  ParseLogLevel(flags->log_level, &level);
  std::string why;
  if (!StartLog(level, flags->log_file, &why)) return {Fault::kUnavailable, why};
  std::error_code error;
  std::filesystem::create_directories(flags->dir, error);
  if (error) {
    return {Fault::kUnavailable, "cannot create " + flags->dir + ": " + error.message() + "."};
  }
  flags->dir = std::filesystem::canonical(flags->dir).string();
  return {};
}

int FailDaemon(const std::string& program, const std::string& why) {
  std::fprintf(stderr, "%s: %s\n", program.c_str(), why.c_str());
  LogError("cannot go on", {{"why", why}});
  return 1;
}

sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

int AwaitStopSignal(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
  return signal;
}

}  // namespace ec
