#include "bench/report.h"

#include <algorithm>

namespace ec::bench {
namespace {

std::string TextOf(const Goal& goal) {
  switch (goal.kind) {
    case Goal::Kind::kNone:
      return "";
    case Goal::Kind::kAtMost:
      return "<= " + Pretty(goal.bound);
    case Goal::Kind::kAtLeast:
      return ">= " + Pretty(goal.bound);
  }
  return "";
}

bool Meets(const Goal& goal, double value) {
  return goal.kind == Goal::Kind::kAtMost ? value <= goal.bound : value >= goal.bound;
}

}  // namespace

void Report::Add(const std::string& name, const std::string& unit,
                 const std::vector<double>& rounds, Goal goal) {
  const Summary summary = Summarize(rounds);
  nlohmann::json row = {{"name", name},        {"unit", unit},         {"median", summary.median},
                        {"low", summary.low},  {"high", summary.high}, {"rounds", rounds},
                        {"goal", TextOf(goal)}};
  if (goal.kind != Goal::Kind::kNone) row["met"] = Meets(goal, summary.median);
  rows_.push_back(row);
}

void Report::AddMissing(const std::string& name, const std::string& why) {
  ++missing_;
  rows_.push_back({{"name", name}, {"missing", why}});
}

void Report::AddCommand(const std::vector<std::string>& arguments) {
  std::string line;
  for (const std::string& argument : arguments) line += (line.empty() ? "" : " ") + argument;
  if (std::ranges::find(commands_, line) == commands_.end()) commands_.push_back(line);
}

void Report::AddChart(const std::string& title, const std::string& unit,
                      const std::vector<std::string>& series,
                      const std::vector<std::string>& labels,
                      const std::vector<std::vector<double>>& values) {
  charts_.push_back({{"title", title},
                     {"unit", unit},
                     {"series", series},
                     {"labels", labels},
                     {"values", values}});
}

nlohmann::json Report::ToJson() const {
  return {{"suite", suite_},   {"title", title_}, {"rows", rows_},
          {"charts", charts_}, {"notes", notes_}, {"commands", commands_}};
}

}  // namespace ec::bench
