// What the tests of instances share: a VPC with an instance, and servers that see who connects.
#pragma once

#include <string>
#include <vector>

#include "common/unique_fd.h"
#include "tests/cli/fake_service.h"

namespace ec::cli {

// i-web has 10.0.1.9 in a VPC of 10.0.0.0/16, whose slice of loopback is 127.77.0.0/16.
inline constexpr char kInstance[] = "i-web";
inline constexpr char kSource[] = "127.77.1.9";

// Makes the service know i-web, and i-gone, which is terminated.
void AddInstances(FakeService* service);

// Listens at an address of loopback, on a free port. Whoever connects waits in its backlog.
class Listener {
 public:
  // `silent`: drops what comes, so that nobody ever connects.
  explicit Listener(const std::string& ip = "127.77.1.5", bool silent = false);

  std::string port() const { return std::to_string(port_); }
  // Where those came from who wait, and those who have waited and left.
  std::vector<std::string> Sources();
  // The next one, and where it comes from; empty when none comes in time.
  UniqueFd Accept(std::string* source = nullptr);

 private:
  int port_ = 0;
  UniqueFd socket_;
};

// A port at this address where nobody listens.
std::string ClosedPort(const std::string& ip = "127.77.1.5");

// Why the kernel lets no command run as an instance, by what ecctl has printed; empty: it does.
std::string WhyNoInstanceRun(const std::string& err);

// Whether some process has this on its command line, with blanks between the words.
bool IsRunning(const std::string& text);

}  // namespace ec::cli
