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

// Where moto finds out which service is meant; the gateway takes it, too.
constexpr const char* kSigned =
    "Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/elasticache/aws4_request, "
    "SignedHeaders=host, Signature=0\r\n";
constexpr const char* kPath = "/?Action=DescribeCacheClusters&Version=2015-02-02";

std::vector<std::string> RequestsForOne(int clusters) {
  std::vector<std::string> requests;
  for (int i = 0; i < clusters; ++i) {
    const int number = static_cast<int>(7919LL * i % clusters);
    requests.push_back(GetRequest(
        fmt::format("{}&CacheClusterId={}", kPath, SimulatedWorld::NameOf(number)), kSigned));
  }
  return requests;
}

std::vector<std::string> RequestsForPages() { return {GetRequest(kPath)}; }

// An emulator in Python of the barest kind, with the clusters of the gateway.
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

// moto, if it is installed, with clusters of the same names and types.
class Moto {
 public:
  Moto(const std::string& program, int clusters) : target_{"127.0.0.1", FreePort()} {
    child_ = integration::Child(program, {"-H", target_.ip, "-p", std::to_string(target_.port)},
                                scratch_.path() + "/out");
    AwaitAccept(target_, "moto_server");
    for (int i = 0; i < clusters; ++i) {
      AskHttp(target_, GetRequest(fmt::format("/?Action=CreateCacheCluster&Version=2015-02-02"
                                              "&CacheClusterId={}&Engine=redis&NumCacheNodes=1"
                                              "&CacheNodeType=cache.t3.micro",
                                              SimulatedWorld::NameOf(i)),
                                  kSigned));
    }
  }
  const Target& target() const { return target_; }

 private:
  ScratchDirectory scratch_;
  Target target_;
  integration::Child child_;
};

struct Contest {
  std::string what;
  std::string peer;
  Target ours, theirs;
  std::vector<std::string> requests;
  int our_count, their_count;
  Goal goal;
};

// A round has the one and then the other, and the next one begins with the other.
void Measure(const Options& options, const Contest& contest, Report* report) {
  std::vector<double> ours, theirs, ratios;
  for (int round = 0; round < options.Size(7, 1); ++round) {
    for (int turn = 0; turn < 2; ++turn) {
      const bool is_ours = (round + turn) % 2 == 0;
      const HttpTimes times =
          RunHttpLoad({.target = is_ours ? contest.ours : contest.theirs,
                       .requests = contest.requests,
                       .connections = kConnections,
                       .count = is_ours ? contest.our_count : contest.their_count});
      (is_ours ? ours : theirs).push_back(times.per_second());
    }
    ratios.push_back(ours.back() / theirs.back());
  }
  const std::string what = fmt::format("DescribeCacheClusters, {}", contest.what);
  report->Add(fmt::format("{}, beside {}: emucache", what, contest.peer), "requests/s", ours);
  report->Add(fmt::format("{}: {}", what, contest.peer), "requests/s", theirs);
  report->Add(fmt::format("{}: emucache to {}", what, contest.peer), "x", ratios, contest.goal);
}

// The goal is about emulators, which moto is; the peer of ours is the least that one could cost.
void MeasureBesidePython(const Options& options, const SimulatedWorld& world, int clusters,
                         Report* report) {
  const std::string one = "one cluster by id";
  const auto moto = FindProgram("moto_server");
  if (moto) {
    const Moto peer(*moto, clusters);
    Measure(options,
            {one, "moto", world.http(), peer.target(), RequestsForOne(clusters),
             options.Size(20'000, 40), options.Size(500, 20), AtLeast(20)},
            report);
  } else {
    report->AddMissing("moto", "moto_server is not installed, and no package of Debian 12");
  }
  const PythonPeer peer(world.http());
  const auto measure = [&](const std::string& what, std::vector<std::string> requests, int ours,
                           int theirs, const Goal& goal) {
    CheckTheSame(world.http(), peer.target(), requests.front());
    Measure(options,
            {what, "a bare server in Python", world.http(), peer.target(), std::move(requests),
             ours, theirs, goal},
            report);
  };
  measure(one, RequestsForOne(clusters), options.Size(20'000, 40), options.Size(2'000, 20),
          moto ? Goal{} : AtLeast(20));
  measure("a page of 100 clusters", RequestsForPages(), options.Size(2'000, 10),
          options.Size(200, 5), {});
  report->AddNote(fmt::format(
      "{} connections that are kept, each of which sends its next request when it has its answer "
      "(bench/http_load.cc, one thread), on the same processors as what it asks. The bare server "
      "is "
      "bench/python_peer.py: python3's own HTTP server, a dictionary of clusters, and an answer "
      "written member by member, the same to the byte. It is the least that an emulator in Python "
      "could cost; moto, which is one, is measured where its moto_server is in the PATH; it closes "
      "every "
      "connection behind its answer.",
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
