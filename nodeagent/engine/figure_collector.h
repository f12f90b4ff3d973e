// Asks engines for their figures, many at a time, without ever waiting for one of them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/host_plan.h"
#include "common/time.h"
#include "nodeagent/engine/figures.h"

namespace ec::engine {

// Everything happens on the thread that runs `io`.
class FigureCollector {
 public:
  struct Target {
    MemberId id = 0;
    EngineKind engine = EngineKind::kRedis;
    uint64_t launch = 0;
    std::string socket_path;
  };
  using Done = std::function<void(std::map<MemberId, EngineFigures>)>;

  explicit FigureCollector(boost::asio::io_context& io) : io_(io) {}

  // Calls `done` once, when all have answered or `max` is over, with those that have; never from in
  // here.
  void Collect(const std::vector<Target>& targets, Duration max, Instant now, Done done);

 private:
  class Round;

  boost::asio::io_context& io_;
  // Of each launch that was looked at last.
  std::map<std::pair<MemberId, uint64_t>, ProcessorUse> used_;
};

}  // namespace ec::engine
