// What engines say of how they are, under CloudWatch's names. Asked for when somebody looks, and
// never a part of plans, reports or records.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ec {

struct EngineFigure {
  std::string name;  // CloudWatch's, such as CurrConnections
  double value = 0;
  bool rises = false;  // counts since the engine's start; otherwise it is as it is at this moment
  friend bool operator==(const EngineFigure&, const EngineFigure&) = default;
};

using EngineFigures = std::vector<EngineFigure>;  // by name

// One host's answer: of those members whose engines have answered in time.
struct HostFigures {
  uint64_t question = 0;                      // the number of the question that it answers
  std::map<uint64_t, EngineFigures> members;  // by MemberId
  friend bool operator==(const HostFigures&, const HostFigures&) = default;
};

}  // namespace ec
