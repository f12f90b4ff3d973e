// New events of a few sources, for commands that tell how something goes.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "cli/context.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::cli {

class EventTail {
 public:
  // Events up to `after_serial` belong to the past.
  EventTail(Context& context, uint64_t after_serial);

  // From now on the events of this cluster or group are told, too.
  void Follow(const std::string& source) { sources_.insert(source); }

  // Those since the last look, oldest first. Best effort, as they only inform: none when they
  // cannot be had, and then the next look brings them.
  std::vector<v1::Event> Next();

 private:
  Context& context_;
  uint64_t last_serial_;
  Instant looked_;  // at the last look that had an answer
  std::set<std::string> sources_;
};

}  // namespace ec::cli
