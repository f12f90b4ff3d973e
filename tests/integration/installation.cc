#include "tests/integration/installation.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "ec/v1/error.pb.h"
#include "tests/integration/probes.h"

namespace ec::integration {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

std::string ProgramPath(const std::string& name) { return std::string(EC_BIN_DIR) + "/" + name; }

std::string ReadAll(const std::string& path) { return ReadFile(path).value_or(""); }

// What a process was started with, NAME=value by NAME=value; empty when it may not be read.
std::string EnvironmentOf(pid_t pid) { return ReadAll(fmt::format("/proc/{}/environ", pid)); }

std::vector<pid_t> ProcessesIn(const std::string& dir) {
  std::vector<pid_t> pids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc() || end != name.data() + name.size()) continue;
    const fs::path cwd = fs::read_symlink(entry.path() / "cwd", error);
    if (!error && cwd.string().starts_with(dir + "/")) pids.push_back(pid);
  }
  return pids;
}

}  // namespace

bool WaitUntil(const std::function<bool()>& condition, milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return condition();
    poll(nullptr, 0, 2);
  }
  return true;
}

// --- children -------------------------------------------------------------------------------

Child::Child(const std::string& program, const std::vector<std::string>& arguments,
             const std::string& output_file, Session session) {
  std::vector<std::string> all = {program};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& argument : all) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, session == Session::kOwn ? POSIX_SPAWN_SETSID : 0);
  if (posix_spawn(&pid_, program.c_str(), &actions, &attributes, pointers.data(), environ) != 0) {
    pid_ = 0;
  }
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
}

Child::Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)), status_(other.status_) {}

Child& Child::operator=(Child&& other) {
  Kill9();
  pid_ = std::exchange(other.pid_, 0);
  status_ = other.status_;
  return *this;
}

Child::~Child() { Kill9(); }

bool Child::running() { return pid_ != 0 && !Wait(milliseconds(0)); }

void Child::Signal(int signal) const {
  if (pid_ != 0 && !status_) kill(pid_, signal);  // ours, and not reaped yet
}

std::optional<int> Child::Wait(milliseconds limit) {
  if (pid_ == 0 || status_) return status_;
  WaitUntil(
      [this] {
        int raw = 0;
        if (waitpid(pid_, &raw, WNOHANG) != pid_) return false;
        status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
        return true;
      },
      limit);
  return status_;
}

void Child::Kill9() {
  if (pid_ == 0 || status_) return;
  kill(pid_, SIGKILL);
  Wait();
}

// --- the installation -----------------------------------------------------------------------

Installation::Installation(InstallationOptions options) : options_(std::move(options)) {
  std::string pattern = fs::temp_directory_path() / "ec-test-XXXXXX";
  dir_ = fs::canonical(mkdtemp(pattern.data()));
}

// Nobody outside the VPCs is answered by anything of it, whatever the test has done.
void Installation::ProbeFromOutside() {
  for (auto& [zone, agent] : agents_) {
    if (!agent.running()) continue;
    const std::vector<Address> all = TcpListenersOf(agent.pid());
    for (const Address& listener : std::set<Address>(all.begin(), all.end())) {
      EXPECT_EQ(AnswerTo(kOutside, listener), "") << ToString(listener) << " of " << zone;
    }
  }
  for (const pid_t engine : Engines()) {
    EXPECT_TRUE(TcpListenersOf(engine).empty()) << "an engine listens on TCP";
  }
}

Installation::~Installation() {
  ProbeFromOutside();
  control_plane_.Kill9();
  for (auto& [zone, agent] : agents_) agent.Kill9();
  for (const std::string& zone : options_.zones) StopEngines(zone, true);
  EXPECT_TRUE(Engines().empty()) << "engines were left behind";
  for (const pid_t pid : Engines()) kill(pid, SIGKILL);
  if (::testing::Test::HasFailure()) {
    fmt::print(stderr, "--- control plane\n{}\n", ReadAll(dir_ + "/controlplane.out"));
    for (const std::string& zone : options_.zones) {
      fmt::print(stderr, "--- agent {}\n{}\n", zone, ReadAll(dir_ + "/" + zone + ".out"));
    }
  }
  std::error_code error;
  fs::remove_all(dir_, error);
  EXPECT_FALSE(error) << error.message();
}

std::string Installation::control_plane_dir() const {
  return options_.control_plane_dir.empty() ? dir_ + "/controlplane" : options_.control_plane_dir;
}

bool Installation::StartControlPlane(std::string* why) {
  const std::string ready = control_plane_dir() + "/controlplane.json";
  const std::string output = dir_ + "/controlplane.out";
  fs::remove(ready);
  std::vector<std::string> arguments = {"--dir",       control_plane_dir(), "--listen",
                                        address_,      "--http-listen",     "127.0.0.1:0",
                                        "--log-level", options_.log_level};
  arguments.insert(arguments.end(), options_.control_plane_flags.begin(),
                   options_.control_plane_flags.end());
  control_plane_ = Child(ProgramPath("ec-controlplane"), arguments, output, options_.session);
  WaitUntil([&] { return fs::exists(ready) || !control_plane_.running(); });
  if (!fs::exists(ready)) {
    if (why != nullptr) *why = ReadAll(output);
    return false;
  }
  // The port stays the same from now on: agents and clients come back to it.
  address_ = nlohmann::json::parse(ReadAll(ready)).at("address");
  Connect();
  return true;
}

void Installation::Connect() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto channel =
      grpc::CreateCustomChannel(address_, grpc::InsecureChannelCredentials(), arguments);
  elasticache_ = v1::ElastiCache::NewStub(channel);
  emulator_ = v1::Emulator::NewStub(channel);
  network_ = v1::Network::NewStub(channel);
}

void Installation::StartAgent(const std::string& zone) {
  std::vector<std::string> arguments = {"--dir",       host_dir(zone),     "--host",
                                        zone,          "--zone",           zone,
                                        "--log-level", options_.log_level, "--control-plane",
                                        address_,      "--buckets",        dir_ + "/buckets"};
  if (std::ranges::find(options_.agent_flags, "--snapshots") == options_.agent_flags.end()) {
    arguments.insert(arguments.end(), {"--snapshots", dir_ + "/snapshots"});
  }
  arguments.insert(arguments.end(), options_.agent_flags.begin(), options_.agent_flags.end());
  agents_[zone] =
      Child(ProgramPath("ec-nodeagent"), arguments, dir_ + "/" + zone + ".out", options_.session);
}

bool Installation::WaitForHosts() {
  return WaitUntil([&] {
    grpc::ClientContext context;
    v1::DescribeHostsResponse response;
    if (!emulator_->DescribeHosts(&context, {}, &response).ok()) return false;
    const auto ready = std::ranges::count_if(
        response.hosts(), [](const v1::Host& host) { return host.status() == "ready"; });
    return ready == static_cast<long>(options_.zones.size());
  });
}

int Installation::StopEngines(const std::string& zone, bool discard) {
  if (!fs::exists(host_dir(zone))) return 0;
  std::vector<std::string> arguments = {"--dir", host_dir(zone), "--stop-engines"};
  if (discard) arguments.push_back("--discard");
  Child stop(ProgramPath("ec-nodeagent"), arguments, dir_ + "/" + zone + ".out");
  return stop.Wait().value_or(-1);
}

// --- the API --------------------------------------------------------------------------------

grpc::Status Installation::Create(const v1::CreateCacheClusterRequest& request) {
  grpc::ClientContext context;
  v1::CreateCacheClusterResponse response;
  return elasticache_->CreateCacheCluster(&context, request, &response);
}

grpc::Status Installation::Create(const std::string& id, const std::string& engine, int nodes,
                                  const std::string& az_mode) {
  v1::CreateCacheClusterRequest request;
  request.set_cache_cluster_id(id);
  request.set_engine(engine);
  request.set_cache_node_type("cache.t3.micro");
  request.set_num_cache_nodes(nodes);
  if (!az_mode.empty()) request.set_az_mode(az_mode);
  return Create(request);
}

v1::CacheCluster Installation::MustCreate(const std::string& id, const std::string& engine,
                                          int nodes, const std::string& az_mode) {
  const grpc::Status created = Create(id, engine, nodes, az_mode);
  EXPECT_TRUE(created.ok()) << created.error_message();
  EXPECT_TRUE(WaitForStatus(id, "available")) << StatusOf(id);
  return Describe(id).value_or(v1::CacheCluster());
}

grpc::Status Installation::Modify(const v1::ModifyCacheClusterRequest& request) {
  grpc::ClientContext context;
  v1::ModifyCacheClusterResponse response;
  return elasticache_->ModifyCacheCluster(&context, request, &response);
}

grpc::Status Installation::Resize(const std::string& id, int nodes,
                                  const std::vector<std::string>& remove) {
  v1::ModifyCacheClusterRequest request;
  request.set_cache_cluster_id(id);
  request.set_num_cache_nodes(nodes);
  request.set_apply_immediately(true);
  for (const std::string& node : remove) request.add_cache_node_ids_to_remove(node);
  return Modify(request);
}

grpc::Status Installation::Delete(const std::string& id) {
  grpc::ClientContext context;
  v1::DeleteCacheClusterRequest request;
  request.set_cache_cluster_id(id);
  v1::DeleteCacheClusterResponse response;
  return elasticache_->DeleteCacheCluster(&context, request, &response);
}

grpc::Status Installation::Reboot(const std::string& id, const std::vector<std::string>& nodes) {
  grpc::ClientContext context;
  v1::RebootCacheClusterRequest request;
  request.set_cache_cluster_id(id);
  for (const std::string& node : nodes) request.add_cache_node_ids_to_reboot(node);
  v1::RebootCacheClusterResponse response;
  return elasticache_->RebootCacheCluster(&context, request, &response);
}

std::optional<v1::CacheCluster> Installation::Describe(const std::string& id) {
  grpc::ClientContext context;
  v1::DescribeCacheClustersRequest request;
  request.set_cache_cluster_id(id);
  request.set_show_cache_node_info(true);
  v1::DescribeCacheClustersResponse response;
  if (!elasticache_->DescribeCacheClusters(&context, request, &response).ok()) return std::nullopt;
  return response.cache_clusters(0);
}

std::string Installation::StatusOf(const std::string& id) {
  const auto cluster = Describe(id);
  return cluster ? cluster->cache_cluster_status() : "";
}

bool Installation::WaitForStatus(const std::string& id, const std::string& status,
                                 milliseconds limit) {
  return WaitUntil([&] { return StatusOf(id) == status; }, limit);
}

bool Installation::WaitUntilGone(const std::string& id) {
  return WaitUntil([&] {
    grpc::ClientContext context;
    v1::DescribeCacheClustersRequest request;
    request.set_cache_cluster_id(id);
    v1::DescribeCacheClustersResponse response;
    return elasticache_->DescribeCacheClusters(&context, request, &response).error_code() ==
           grpc::StatusCode::NOT_FOUND;
  });
}

std::vector<std::string> Installation::Events(const std::string& id) {
  std::vector<std::string> messages;
  v1::DescribeEventsRequest request;
  request.set_source_identifier(id);
  request.set_source_type("cache-cluster");
  for (;;) {
    grpc::ClientContext context;
    v1::DescribeEventsResponse response;
    if (!elasticache_->DescribeEvents(&context, request, &response).ok()) break;
    for (const v1::Event& event : response.events()) messages.push_back(event.message());
    if (response.marker().empty()) break;
    request.set_marker(response.marker());
  }
  return messages;
}

bool Installation::WaitForEvent(const std::string& id, const std::string& message) {
  return WaitUntil([&] { return std::ranges::count(Events(id), message) > 0; });
}

// --- looking below --------------------------------------------------------------------------

std::vector<pid_t> Installation::Engines() const {
  std::vector<pid_t> engines;
  for (const pid_t pid : ProcessesIn(dir_)) {
    if (EnvironmentOf(pid).find("EC_LAUNCH=") != std::string::npos) engines.push_back(pid);
  }
  return engines;
}

std::string Installation::MemberDirectoryOf(const std::string& cluster, const std::string& node) {
  for (const std::string& zone : options_.zones) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(host_dir(zone) + "/members", error)) {
      const auto launch = nlohmann::json::parse(ReadAll(entry.path() / "launch.json"), nullptr,
                                                /*allow_exceptions=*/false);
      if (launch.is_object() && launch.value("label", "") == cluster + "/" + node) {
        return entry.path();
      }
    }
  }
  return {};
}

std::optional<ProcessId> Installation::EngineOf(const std::string& cluster,
                                                const std::string& node) {
  ProcessId id;
  unsigned long long start_time = 0;
  const std::string note = ReadAll(MemberDirectoryOf(cluster, node) + "/process");
  if (std::sscanf(note.c_str(), "%d %llu", &id.pid, &start_time) != 2) return std::nullopt;
  id.start_time = start_time;
  return OpenProcess(id) ? std::optional(id) : std::nullopt;
}

std::string CodeOf(const grpc::Status& status) {
  v1::RpcStatus details;
  v1::RpcErrorInfo info;
  if (!details.ParseFromString(status.error_details()) || details.details().empty()) return {};
  info.ParseFromString(details.details(0).value());
  return info.reason();
}

void InstallationTest::SetUp() {
  installation_ = std::make_unique<Installation>(Options());
  std::string why;
  ASSERT_TRUE(installation_->StartControlPlane(&why)) << why;
  for (const std::string& zone : Options().zones) installation_->StartAgent(zone);
  ASSERT_TRUE(installation_->WaitForHosts());
}

}  // namespace ec::integration
