#include "controlplane/model/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>

#include "common/check.h"
#include "controlplane/model/csv.h"

namespace ec::model {

extern const std::string_view kEngineParametersCsv;  // data/engine_parameters.csv

namespace {

using Values = std::map<std::string, std::string>;

// A family is its predecessor with the rows of its own; one with a complete list has none.
struct Family {
  std::string_view name;
  std::string_view predecessor;
};
constexpr Family kFamilies[] = {
    {"memcached1.4", ""},
    {"memcached1.5", "memcached1.4"},
    {"memcached1.6", "memcached1.5"},
    {"redis2.8", ""},
    {"redis2.6", "redis2.8"},
    {"redis3.2", "redis2.8"},
    {"redis4.0", "redis3.2"},
    {"redis5.0", ""},
    {"redis6.x", "redis5.0"},
    {"redis7", "redis6.x"},
    {"valkey7", "redis7"},
    {"valkey8", "valkey7"},
};

std::map<std::string, Values, std::less<>> AllDefaults() {
  const auto rows = ParseCsv(kEngineParametersCsv);
  std::map<std::string, Values, std::less<>> families;
  for (const Family& family : kFamilies) {
    Values values;
    if (!family.predecessor.empty()) values = families.find(family.predecessor)->second;
    for (const auto& row : rows) {
      if (row[0] != family.name) continue;
      const std::string& name = row[1];
      const std::string& change = row[2];
      const std::string& value = row[3];
      if (change == "remove") {
        values.erase(name);
      } else if (!value.empty() || row[4] == "string") {
        values[name] = value;
      }
    }
    families.emplace(family.name, std::move(values));
  }
  return families;
}

// What the newest families say of their own; a blank column says nothing.
void Merge(const std::vector<std::string>& row, ParameterInfo* parameter) {
  parameter->name = row[1];
  const auto set = [](const std::string& text, std::string* place) {
    if (!text.empty()) *place = text;
  };
  set(row[4], &parameter->type);
  if (!row[3].empty() || row[4] == "string") parameter->value = row[3];
  set(row[5], &parameter->allowed);
  if (!row[6].empty()) {
    parameter->only_while_unused = row[6] == "only-while-unused";
    parameter->modifiable = row[6] != "false";
  }
  // Redis takes what AWS says nothing of as it runs, Memcached takes nothing so. The two that AWS
  // has called "requires-reboot" since 5.0 have always been so.
  const bool speaks_redis = !row[0].starts_with("memcached");
  const bool at_start = row[1] == "activerehashing" || row[1] == "databases";
  if (row[7].empty()) {
    parameter->immediate = speaks_redis && !at_start;
  } else {
    parameter->immediate = speaks_redis && row[7] == "immediate";
  }
  set(row[8], &parameter->minimum_version);
}

using Infos = std::map<std::string, ParameterInfo>;

std::map<std::string, std::vector<ParameterInfo>, std::less<>> AllParameters() {
  const auto rows = ParseCsv(kEngineParametersCsv);
  std::map<std::string_view, Infos> families;
  std::map<std::string, std::vector<ParameterInfo>, std::less<>> lists;
  for (const Family& family : kFamilies) {
    Infos& infos = families[family.name];
    if (!family.predecessor.empty()) infos = families.at(family.predecessor);
    for (const auto& row : rows) {
      if (row[0] != family.name) continue;
      if (row[2] == "remove") {
        infos.erase(row[1]);
        continue;
      }
      const auto [place, is_new] = infos.try_emplace(row[1]);
      if (is_new) place->second.modifiable = row[6].empty();
      Merge(row, &place->second);
    }
    for (const auto& [name, info] : infos) lists[std::string(family.name)].push_back(info);
  }
  return lists;
}

constexpr int64_t kNumberMax = std::numeric_limits<int32_t>::max();
constexpr size_t kValueLengthMax = 200;

std::vector<std::string_view> SplitAtCommas(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::optional<int64_t> ParseNumber(std::string_view text) {
  int64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return number;
}

// "20" is one number, "1-75" a range, "0-" one without an end, "-" any.
bool IsInRange(int64_t number, std::string_view range) {
  const size_t dash = range.find('-', 1);
  if (range == "-" || range == "integer") return true;
  if (dash == std::string_view::npos) return ParseNumber(range) == number;
  const auto low = ParseNumber(range.substr(0, dash));
  const auto high = ParseNumber(range.substr(dash + 1));
  return low && number >= *low && (!high || number <= *high);
}

// An integer whose range AWS does not state is one that every engine can hold, and not negative
// unless the default is.
bool IsGoodInteger(const ParameterInfo& parameter, const std::string& value) {
  const auto number = ParseNumber(value);
  if (!number) return false;
  const auto usual = parameter.value ? ParseNumber(*parameter.value) : std::nullopt;
  const int64_t most = std::max(kNumberMax, usual.value_or(0));
  const bool may_be_negative = (usual && *usual < 0) || parameter.allowed == "-";
  if (*number > most || *number < (may_be_negative ? -kNumberMax : 0)) return false;
  if (parameter.allowed.empty()) return true;
  const auto ranges = SplitAtCommas(parameter.allowed);
  return std::ranges::any_of(ranges, [&](std::string_view r) { return IsInRange(*number, r); });
}

bool IsGoodBoolean(const ParameterInfo& parameter, const std::string& value) {
  const std::string usual = parameter.value.value_or("");
  if (usual == "yes" || usual == "no") return value == "yes" || value == "no";
  if (usual == "enabled" || usual == "disabled") return value == "enabled" || value == "disabled";
  return value == "0" || value == "1";
}

bool IsGoodText(const ParameterInfo& parameter, const std::string& value) {
  // Redis would not start with a letter of another kind of event.
  if (parameter.name == "notify-keyspace-events") {
    return value.find_first_not_of("KEg$lshzxetdmnA") == std::string::npos;
  }
  if (parameter.name == "acl-pubsub-default") {
    return value == "allchannels" || value == "resetchannels";
  }
  const auto allowed = SplitAtCommas(parameter.allowed);
  return allowed.empty() || std::ranges::find(allowed, value) != allowed.end();
}

bool IsGood(const ParameterInfo& parameter, const std::string& value) {
  if (parameter.type == "integer") return IsGoodInteger(parameter, value);
  if (parameter.type == "boolean") return IsGoodBoolean(parameter, value);
  if (parameter.type == "float") {
    double number = 0;
    const auto [rest, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    return error == std::errc() && rest == value.data() + value.size() && number > 1 &&
           number < 100;
  }
  return IsGoodText(parameter, value);
}

// At least 0, and `most` at the most.
int64_t NumberOf(const Values& parameters, const std::string& name, int64_t otherwise,
                 int64_t most) {
  const auto found = parameters.find(name);
  if (found == parameters.end() || found->second.empty()) return otherwise;
  const int64_t number = std::strtoll(found->second.c_str(), nullptr, 10);
  return std::clamp<int64_t>(number, 0, most);
}

}  // namespace

const Values& DefaultParameters(std::string_view family) {
  static const auto families = AllDefaults();
  static const Values none;
  const auto found = families.find(family);
  return found == families.end() ? none : found->second;
}

bool IsFamily(std::string_view family) {
  return std::ranges::any_of(kFamilies, [&](const Family& f) { return f.name == family; });
}

const std::vector<ParameterInfo>& ParametersOf(std::string_view family) {
  static const auto families = AllParameters();
  static const std::vector<ParameterInfo> none;
  const auto found = families.find(family);
  return found == families.end() ? none : found->second;
}

const ParameterInfo* FindParameter(std::string_view family, std::string_view name) {
  const auto& parameters = ParametersOf(family);
  const auto found = std::ranges::find(parameters, name, &ParameterInfo::name);
  return found == parameters.end() ? nullptr : &*found;
}

Status CheckParameterValue(const ParameterInfo& parameter, const std::string& value) {
  if (!parameter.modifiable) {
    return {Fault::kInvalidParameterValue,
            fmt::format("The parameter {} cannot be modified.", parameter.name)};
  }
  const bool is_line = value.size() <= kValueLengthMax &&
                       std::ranges::all_of(value, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (is_line && IsGood(parameter, value)) return {};
  const std::string expected =
      parameter.allowed.empty() ? "of type " + parameter.type : "one of " + parameter.allowed;
  return {Fault::kInvalidParameterValue,
          fmt::format("Invalid value for parameter {}: '{}'. It must be {}.", parameter.name,
                      value.substr(0, kValueLengthMax), expected)};
}

Values WithValues(std::string_view family, const Values& values) {
  Values all = values;
  all.insert(DefaultParameters(family).begin(), DefaultParameters(family).end());
  return all;
}

int64_t MemoryMaxBytes(const NodeType& type, EngineKind engine, const Values& parameters) {
  EC_CHECK(IsOffered(type, engine));
  const auto at_least = [](int64_t bytes) { return std::max(bytes, kMemoryLeastBytes); };
  if (SpeaksRedis(engine)) {
    const int64_t all = *type.redis_maxmemory_bytes;
    if (parameters.contains("reserved-memory-percent")) {
      return at_least(all * (100 - NumberOf(parameters, "reserved-memory-percent", 25, 100)) / 100);
    }
    return at_least(all - NumberOf(parameters, "reserved-memory", 0, all));
  }
  // The default group gives the smallest type an overhead of its own (AWS: 13 MB on t1.micro).
  const int64_t all = *type.memcached_max_cache_memory_mb;
  const int64_t overhead = type.name == "cache.t1.micro"
                               ? 13
                               : NumberOf(parameters, "memcached_connections_overhead", 100, all);
  return at_least((all - overhead) * (int64_t{1} << 20));
}

}  // namespace ec::model
