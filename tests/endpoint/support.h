// What the endpoint tests speak to a server with: plain blocking sockets with deadlines, engines
// that the test plays itself, and real engines.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/address.h"
#include "common/host_plan.h"
#include "common/unique_fd.h"
#include "nodeagent/endpoint/endpoint_server.h"

namespace ec::endpoint {

// How long anything may take before a test gives up on it.
inline constexpr std::chrono::seconds kPatience{20};

// Whether the condition came to hold within kPatience.
bool Eventually(const std::function<bool()>& condition);

// An address that no other test process and no other call uses.
Address FreshAddress();

// A directory that goes away with everything in it.
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

// A connected socket whose calls block, but not for longer than kPatience.
class Socket {
 public:
  enum class Ending {
    kNone,  // of the last call that received: all that was wanted has come
    kEnd,   // the peer has sent its end
    kReset,
    kTimeout,
  };

  Socket() = default;
  explicit Socket(UniqueFd fd);

  explicit operator bool() const { return static_cast<bool>(fd_); }
  int fd() const { return fd_.get(); }

  // Whether everything was taken.
  bool Send(std::string_view bytes);
  void SendEnd();
  void Close() { fd_.reset(); }
  void CloseWithReset();

  std::string Receive(size_t length);
  // What has come; at least one byte, unless there is no more.
  std::string ReceiveSome();
  // Up to and including `ending`.
  std::string ReceiveUntil(std::string_view ending);
  std::string ReceiveToEnd();
  Ending ending() const { return ending_; }
  // ReceiveToEnd() without the bytes.
  Ending AwaitEnding();

  // Sends as much as fits while nobody receives; returns how many bytes that was.
  size_t SendUntilFull(size_t at_most);

 private:
  UniqueFd fd_;
  Ending ending_ = Ending::kNone;
};

// A client's connection; empty if it was refused.
Socket Connect(Address address, std::optional<Ip4> from = std::nullopt);
// The other end is the real engine.
Socket ConnectToUnix(const std::string& path);

// A listening unix socket: the test plays the engine.
class FakeEngine {
 public:
  explicit FakeEngine(std::string path, int backlog = 128);
  ~FakeEngine();
  FakeEngine(const FakeEngine&) = delete;
  FakeEngine& operator=(const FakeEngine&) = delete;

  Socket Accept();
  // Whether a connection waits to be accepted.
  bool HasArrival();

 private:
  std::string path_;
  UniqueFd listener_;
};

// A real engine in a process of its own, which dies with the test.
class EngineProcess {
 public:
  explicit EngineProcess(std::vector<std::string> argv);
  ~EngineProcess() { Kill(); }
  EngineProcess(const EngineProcess&) = delete;
  EngineProcess& operator=(const EngineProcess&) = delete;

  void Kill();  // SIGKILL, and waits for it to be gone
  void Signal(int signal);

 private:
  pid_t pid_ = -1;
};

// Wait until they answer.
std::unique_ptr<EngineProcess> StartRedis(const std::string& path,
                                          std::vector<std::string> more_arguments = {});
std::unique_ptr<EngineProcess> StartMemcached(const std::string& path);

inline const std::string kVpc = "vpc-test";
inline const std::string kGroup = "sg-test";

// One VPC with one group, which admits every address of the VPC and to which this machine itself
// belongs.
SharedNetwork OpenNetwork();

// Endpoints whose tests are not about who may connect.
class OpenServer : public EndpointServer {
 public:
  using EndpointServer::EndpointServer;
  std::vector<EndpointReport> Conform(const std::vector<EndpointSpec>& endpoints) {
    return EndpointServer::Conform(endpoints, OpenNetwork());
  }
};

// The spec of an endpoint in that network; its engine's socket is `<directory>/<target>.sock`.
EndpointSpec Spec(EndpointId id, Address listen, MemberId target);
EndpointSpec Spec(EndpointId id, Address listen, MemberId target, Discovery discovery);
std::string EngineSocket(const TempDir& directory, MemberId target);

// The report of one endpoint. REQUIRES: there is one
EndpointReport ReportOf(const EndpointServer& server, EndpointId id);
// Whether an endpoint came to count this within kPatience: an engine, and so a test, sees a
// connection a moment before the agent has counted it.
testing::AssertionResult CountsTo(const EndpointServer& server, EndpointId id,
                                  const EndpointCounts& counts);

// The memory that this process occupies now.
size_t ResidentBytes();
// Whether it occupies less than so many bytes more than `before`. Under a sanitizer, which keeps
// memory that was freed, there is no telling, and it is true.
bool GrewByLessThan(size_t before, size_t bytes);

// Lets this process have so many descriptors. False if it may not.
bool AllowDescriptors(size_t count);

}  // namespace ec::endpoint
