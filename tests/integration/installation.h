// A real installation for one test: control plane and agents as processes, engines and all, in a
// temporary directory. Its end leaves nothing behind, and fails the test if something would be
// left.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/process.h"
#include "ec/v1/elasticache.grpc.pb.h"
#include "ec/v1/emulator.grpc.pb.h"
#include "ec/v1/network.grpc.pb.h"

namespace ec::integration {

// Looks every few milliseconds until `condition` holds; false if it does not by the deadline.
bool WaitUntil(const std::function<bool()>& condition,
               std::chrono::milliseconds limit = std::chrono::seconds(20));

// Ctrl-C in a terminal reaches a child in the test's session. A measurement gives each server a
// session of its own, as `ecctl up` and service managers do: the kernel shares the processors out
// among sessions (sched_autogroup), and a server would share its part with whoever loads it.
enum class Session { kOfTheTest, kOwn };

// A child of the test.
class Child {
 public:
  Child() = default;
  Child(const std::string& program, const std::vector<std::string>& arguments,
        const std::string& output_file, Session session = Session::kOfTheTest);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other);
  ~Child();  // kill -9, and reaped

  bool running();
  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // The exit status; 128 + n after signal n; nullopt when it does not end in time.
  std::optional<int> Wait(std::chrono::milliseconds limit = std::chrono::seconds(20));
  void Kill9();

 private:
  pid_t pid_ = 0;
  std::optional<int> status_;
};

struct InstallationOptions {
  std::vector<std::string> zones = {"us-east-1a", "us-east-1b", "us-east-1c"};
  std::vector<std::string> control_plane_flags;
  std::vector<std::string> agent_flags;
  std::string control_plane_dir;  // elsewhere than in the temporary directory
  std::string log_level = "debug";
  Session session = Session::kOfTheTest;
};

class Installation {
 public:
  explicit Installation(InstallationOptions options = {});
  ~Installation();

  // --- processes ---
  // False, with its last words in `why`, when it does not come up.
  bool StartControlPlane(std::string* why = nullptr);
  void StartAgent(const std::string& zone);
  // Waits until the control plane calls every host ready.
  bool WaitForHosts();
  Child& control_plane() { return control_plane_; }
  Child& agent(const std::string& zone) { return agents_.at(zone); }
  // Stops all engines in order, as `ecctl down` does; the agents must be gone.
  int StopEngines(const std::string& zone, bool discard = false);

  // --- the API ---
  v1::ElastiCache::Stub& elasticache() { return *elasticache_; }
  v1::Emulator::Stub& emulator() { return *emulator_; }
  v1::Network::Stub& network() { return *network_; }

  grpc::Status Create(const std::string& id, const std::string& engine, int nodes = 1,
                      const std::string& az_mode = "");
  grpc::Status Create(const v1::CreateCacheClusterRequest& request);
  grpc::Status Modify(const v1::ModifyCacheClusterRequest& request);
  // Grows or shrinks at once; `remove` names the nodes that go.
  grpc::Status Resize(const std::string& id, int nodes,
                      const std::vector<std::string>& remove = {});
  grpc::Status Delete(const std::string& id);
  grpc::Status Reboot(const std::string& id, const std::vector<std::string>& nodes);
  std::optional<v1::CacheCluster> Describe(const std::string& id);
  std::string StatusOf(const std::string& id);  // "" when it is not there
  // Creates it and waits until it is available; its description.
  v1::CacheCluster MustCreate(const std::string& id, const std::string& engine, int nodes = 1,
                              const std::string& az_mode = "");
  bool WaitForStatus(const std::string& id, const std::string& status,
                     std::chrono::milliseconds limit = std::chrono::seconds(20));
  bool WaitUntilGone(const std::string& id);
  // All events of the cluster, oldest first.
  std::vector<std::string> Events(const std::string& id);
  bool WaitForEvent(const std::string& id, const std::string& message);

  // --- looking below ---
  const std::string& dir() const { return dir_; }
  const std::string& address() const { return address_; }  // of the control plane
  std::string control_plane_dir() const;
  std::string host_dir(const std::string& zone) const { return dir_ + "/hosts/" + zone; }
  // Engines of this installation that run, by pid.
  std::vector<pid_t> Engines() const;
  // The engine behind a node: found by the host's own note of it.
  std::optional<ProcessId> EngineOf(const std::string& cluster, const std::string& node);
  std::string MemberDirectoryOf(const std::string& cluster, const std::string& node);

 private:
  void Connect();
  void ProbeFromOutside();

  const InstallationOptions options_;
  std::string dir_;
  std::string address_ = "127.0.0.1:0";
  Child control_plane_;
  std::map<std::string, Child> agents_;
  std::unique_ptr<v1::ElastiCache::Stub> elasticache_;
  std::unique_ptr<v1::Emulator::Stub> emulator_;
  std::unique_ptr<v1::Network::Stub> network_;
};

// AWS's error code of a status: the reason in its details.
std::string CodeOf(const grpc::Status& status);

// An installation that is up, or a failed test.
class InstallationTest : public ::testing::Test {
 protected:
  void SetUp() override;
  // Called by SetUp; a test class may override it.
  virtual InstallationOptions Options() { return {}; }
  Installation& installation() { return *installation_; }
  void TearDown() override { installation_.reset(); }

  std::unique_ptr<Installation> installation_;
};

}  // namespace ec::integration
