// The HTTP gateway: requests per second beside an emulator in Python, and how long answers take at
// a rate that clients set.
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <stdexcept>

#include "bench/http_load.h"
#include "bench/run.h"
#include "bench/simulated_world.h"
#include "common/process.h"

namespace ec::bench {
namespace {

using integration::WaitUntil;

constexpr int kConnections = 8;
constexpr double kOpenRate = 2000;
constexpr int kOpenConnections = 64;

constexpr const char* kPath = "/?Action=DescribeCacheClusters&Version=2015-02-02";

std::vector<std::string> RequestsForOne(int clusters) {
  std::vector<std::string> requests;
  for (int i = 0; i < clusters; ++i) {
    const int number = static_cast<int>(7919LL * i % clusters);
    requests.push_back(
        GetRequest(fmt::format("{}&CacheClusterId={}", kPath, SimulatedWorld::NameOf(number))));
  }
  return requests;
}

std::vector<std::string> RequestsForPages() { return {GetRequest(kPath)}; }

// The emulator in Python, with the clusters of the gateway.
class PythonPeer {
 public:
  explicit PythonPeer(const Target& gateway) {
    const std::string clusters = scratch_.path() + "/clusters.xml";
    const std::string port = scratch_.path() + "/port";
    // All pages of the answer, one after the other under one root.
    std::string all = "<All>";
    std::string marker;
    do {
      const std::string page = AskHttp(
          gateway, GetRequest(fmt::format("{}&ShowCacheNodeInfo=true&Marker={}", kPath, marker)));
      all += page;
      const size_t at = page.find("<Marker>");
      const size_t end = page.find("</Marker>");
      marker = at == std::string::npos ? "" : page.substr(at + 8, end - at - 8);
    } while (!marker.empty());
    if (!ReplaceFile(clusters, all + "</All>", false)) throw std::runtime_error("no scratch file");
    const std::vector<std::string> arguments = {EC_BENCH_SOURCES "/python_peer.py", clusters, port};
    child_ = integration::Child(Must("python3"), arguments, scratch_.path() + "/out");
    const bool ready =
        WaitUntil([&] { return std::filesystem::exists(port) || !child_.running(); });
    if (!ready || !child_.running()) {
      throw std::runtime_error("the emulator in Python: " +
                               ReadFile(scratch_.path() + "/out").value_or(""));
    }
    target_ = {"127.0.0.1", static_cast<uint16_t>(std::stoi(*ReadFile(port)))};
  }

  const Target& target() const { return target_; }

 private:
  ScratchDirectory scratch_;
  integration::Child child_;
  Target target_;
};

// Both answer the same, but for the request's id.
void CheckTheSame(const Target& gateway, const Target& peer, const std::string& request) {
  const auto answer = [&](const Target& target) {
    const std::string whole = AskHttp(target, request);
    return whole.substr(0, whole.find("<RequestId>"));
  };
  if (answer(gateway) != answer(peer)) {
    throw std::runtime_error("the emulator in Python answers something else");
  }
}

// A round has the one and then the other, and the next one begins with the other.
void MeasureBesidePython(const Options& options, const SimulatedWorld& world, int clusters,
                         Report* report) {
  const PythonPeer peer(world.http());
  const struct {
    const char* name;
    std::vector<std::string> requests;
    int ours, theirs;
    Goal goal;
  } kinds[] = {
      {"one cluster by id", RequestsForOne(clusters), options.Size(20'000, 40),
       options.Size(2'000, 20), AtLeast(20)},
      {"a page of 100 clusters",
       RequestsForPages(),
       options.Size(2'000, 10),
       options.Size(200, 5),
       {}},
  };
  for (const auto& kind : kinds) {
    CheckTheSame(world.http(), peer.target(), kind.requests.front());
    std::vector<double> ours, theirs, ratios;
    for (int round = 0; round < options.Size(7, 1); ++round) {
      for (int turn = 0; turn < 2; ++turn) {
        const bool is_ours = (round + turn) % 2 == 0;
        const HttpTimes times = RunHttpLoad({.target = is_ours ? world.http() : peer.target(),
                                             .requests = kind.requests,
                                             .connections = kConnections,
                                             .count = is_ours ? kind.ours : kind.theirs});
        (is_ours ? ours : theirs).push_back(times.per_second());
      }
      ratios.push_back(ours.back() / theirs.back());
    }
    const std::string what = fmt::format("DescribeCacheClusters, {}", kind.name);
    report->Add(what + ": emucache", "requests/s", ours);
    report->Add(what + ": an emulator in Python", "requests/s", theirs);
    report->Add(what + ": emucache to Python", "x", ratios, kind.goal);
  }
  report->AddNote(fmt::format(
      "{} connections that are kept, each of which sends its next request when it has its answer "
      "(bench/http_load.cc, one thread), on the same processors as what it asks. The emulator in "
      "Python is bench/python_peer.py: python3's own HTTP server, a dictionary of clusters, and an "
      "answer written member by member, the same to the byte. It stands in for moto, which is no "
      "package of Debian's; moto does more for each request than this does.",
      kConnections));
}

void MeasureLatency(const Options& options, const SimulatedWorld& world, int clusters,
                    Report* report) {
  const struct {
    const char* name;
    std::vector<std::string> requests;
  } kinds[] = {{"one cluster by id", RequestsForOne(clusters)},
               {"a page of 100 clusters", RequestsForPages()}};
  for (const auto& kind : kinds) {
    std::vector<double> middle, tail;
    for (int round = 0; round < options.Size(5, 1); ++round) {
      const HttpTimes times = RunHttpLoad({.target = world.http(),
                                           .requests = kind.requests,
                                           .connections = kOpenConnections,
                                           .count = options.Size(20'000, 40),
                                           .per_second = kOpenRate});
      middle.push_back(Percentile(times.milliseconds, 0.5));
      tail.push_back(Percentile(times.milliseconds, 0.99));
    }
    const std::string what = fmt::format("{}, {} requests/s, {} clusters recorded", kind.name,
                                         Pretty(kOpenRate), Pretty(clusters));
    report->Add(what + ", p50", "ms", middle);
    report->Add(what + ", p99", "ms", tail, AtMost(5));
  }
  report->AddNote(fmt::format(
      "At {} requests/s requests are sent when they are due, whatever has become of those before, "
      "over at most {} connections; the time runs from when a request was due to the last byte of "
      "its answer.",
      Pretty(kOpenRate), kOpenConnections));
}

}  // namespace

void RunGateway(const Options& options, Report* report) {
  SimulatedWorld world;
  const int clusters = options.Size(1'000, 10);
  world.Fill(clusters);
  MeasureBesidePython(options, world, clusters, report);
  MeasureLatency(options, world, clusters, report);
}

}  // namespace ec::bench
