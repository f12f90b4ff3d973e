// What a suite has measured: rows with their goals, charts, and how it was done. Written as JSON;
// render.h makes pages of it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/samples.h"

namespace ec::bench {

// The border that a median must keep to.
struct Goal {
  enum class Kind { kNone, kAtMost, kAtLeast };
  Kind kind = Kind::kNone;
  double bound = 0;
};
inline Goal AtMost(double bound) { return {Goal::Kind::kAtMost, bound}; }
inline Goal AtLeast(double bound) { return {Goal::Kind::kAtLeast, bound}; }

// One suite's results, in the order in which they are added.
class Report {
 public:
  Report(std::string suite, std::string title) : suite_(std::move(suite)), title_(title) {}

  // Several rounds of the same measurement; their median is judged by the goal.
  void Add(const std::string& name, const std::string& unit, const std::vector<double>& rounds,
           Goal goal = {});
  // A measurement that could not be made: it stands in the table with the reason.
  void AddMissing(const std::string& name, const std::string& why);
  // A sentence below the table.
  void AddNote(const std::string& note) { notes_.push_back(note); }
  // A command that was run, to be run again by a reader. Each different one is listed once.
  void AddCommand(const std::vector<std::string>& arguments);
  // Groups of bars; `values[i]` belongs to group `labels[i]` and has one bar per series.
  void AddChart(const std::string& title, const std::string& unit,
                const std::vector<std::string>& series, const std::vector<std::string>& labels,
                const std::vector<std::vector<double>>& values);

  const std::string& suite() const { return suite_; }
  size_t missing() const { return missing_; }
  // Everything, with the machine, the programs' versions and the load of the machine.
  nlohmann::json ToJson() const;

 private:
  const std::string suite_;
  const std::string title_;
  size_t missing_ = 0;
  nlohmann::json rows_ = nlohmann::json::array();
  nlohmann::json charts_ = nlohmann::json::array();
  std::vector<std::string> notes_;
  std::vector<std::string> commands_;
};

}  // namespace ec::bench
