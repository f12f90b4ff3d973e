#include "bench/render.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "bench/samples.h"
#include "common/process.h"

namespace ec::bench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// In the order of the page.
constexpr const char* kSuites[] = {"data-path",    "setup-rate",    "failover",  "false-failovers",
                                   "lifecycle",    "control-plane", "footprint", "backup",
                                   "first-minute", "access",        "gateway",   "micro"};

constexpr const char* kColors[] = {"#4269d0", "#efb118", "#ff725c", "#6cc5b0",
                                   "#3ca951", "#a463f2", "#97bbf5"};

void Write(const std::string& path, const std::string& content) {
  if (!ReplaceFile(path, content, false)) throw std::runtime_error("cannot write " + path);
}

// Text between tags or in a table cell.
std::string Escape(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string TableRow(const json& row) {
  if (row.contains("missing")) {
    return fmt::format("| {} | not measured: {} | | | |\n", Escape(row["name"].get<std::string>()),
                       Escape(row["missing"].get<std::string>()));
  }
  const std::string unit = row["unit"];
  std::string verdict;
  if (row.contains("met")) verdict = row["met"].get<bool>() ? "met" : "**not met**";
  return fmt::format("| {} | {} {} | {} .. {} | {} | {} |\n",
                     Escape(row["name"].get<std::string>()), Pretty(row["median"]), unit,
                     Pretty(row["low"]), Pretty(row["high"]),
                     Escape(row["goal"].get<std::string>()), verdict);
}

std::string PictureName(const std::string& suite, size_t index) {
  return fmt::format("{}-{}.svg", suite, index + 1);
}

std::string Section(const std::string& suite, const json& result) {
  std::string text = fmt::format("\n## {}\n\n", result["title"].get<std::string>());
  for (size_t i = 0; i < result["charts"].size(); ++i) {
    text += fmt::format("![{}]({})\n\n", result["charts"][i]["title"].get<std::string>(),
                        PictureName(suite, i));
  }
  text += "| what | median | quartiles | goal | |\n|---|---|---|---|---|\n";
  for (const json& row : result["rows"]) text += TableRow(row);
  for (const json& note : result["notes"]) {
    text += fmt::format("\n{}\n", note.get<std::string>());
  }
  text += fmt::format(
      "\nMeasured {} with `./dev bench {}`; load of the machine before {}, after {}.\n",
      result["date"].get<std::string>(), suite, result["load_before"].get<std::string>(),
      result["load_after"].get<std::string>());
  if (!result["commands"].empty()) {
    text += "\n```\n";
    for (const json& command : result["commands"]) text += command.get<std::string>() + "\n";
    text += "```\n";
  }
  return text;
}

std::string Head(const json& result) {
  std::string text =
      "# Benchmarks\n\n"
      "Written by `./dev bench`; the numbers of every round are in the JSON files beside this "
      "page.\n"
      "Rounds of what is compared alternate; a row gives the median and the quartiles of its "
      "rounds.\n\n| machine | |\n|---|---|\n";
  for (const auto& [key, value] : result["machine"].items()) {
    text += fmt::format("| {} | {} |\n", key,
                        value.is_string() ? value.get<std::string>() : value.dump());
  }
  for (const auto& [key, value] : result["programs"].items()) {
    text += fmt::format("| {} | {} |\n", key, value.get<std::string>());
  }
  return text;
}

}  // namespace

std::string RenderSvg(const json& chart) {
  const auto series = chart["series"].get<std::vector<std::string>>();
  const auto labels = chart["labels"].get<std::vector<std::string>>();
  const auto values = chart["values"].get<std::vector<std::vector<double>>>();
  double top = 0;
  for (const auto& group : values) {
    for (const double value : group) top = std::max(top, value);
  }
  constexpr int kLeft = 230, kWidth = 560, kBar = 14, kGap = 14, kHead = 66;
  const int group_height = kBar * static_cast<int>(series.size()) + kGap;
  const int height = kHead + group_height * static_cast<int>(labels.size()) + 10;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
      "{1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      "<text x=\"10\" y=\"20\" font-size=\"15\">{2} ({3})</text>\n",
      kLeft + kWidth + 90, height, Escape(chart["title"]), Escape(chart["unit"]));
  int x = 10;
  for (size_t s = 0; s < series.size(); ++s) {
    svg += fmt::format(
        "<rect x=\"{}\" y=\"34\" width=\"12\" height=\"12\" fill=\"{}\"/>"
        "<text x=\"{}\" y=\"45\">{}</text>\n",
        x, kColors[s % std::size(kColors)], x + 17, Escape(series[s]));
    x += 40 + 7 * static_cast<int>(series[s].size());
  }
  int y = kHead;
  for (size_t g = 0; g < labels.size(); ++g) {
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", kLeft - 8,
                       y + group_height / 2, Escape(labels[g]));
    for (size_t s = 0; s < values[g].size(); ++s, y += kBar) {
      const double width = top > 0 ? values[g][s] / top * kWidth : 0;
      svg += fmt::format(
          "<rect x=\"{}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" fill=\"{}\"/>"
          "<text x=\"{:.1f}\" y=\"{}\" font-size=\"10\">{}</text>\n",
          kLeft, y, width, kBar - 2, kColors[s % std::size(kColors)], kLeft + width + 4, y + 10,
          Pretty(values[g][s]));
    }
    y += kGap;
  }
  return svg + "</svg>\n";
}

void RenderDirectory(const std::string& dir) {
  std::string page;
  for (const char* const suite : kSuites) {
    const std::string path = fmt::format("{}/{}.json", dir, suite);
    if (!fs::exists(path)) continue;
    const json result = json::parse(ReadFile(path).value_or(""));
    if (page.empty()) page = Head(result);
    page += Section(suite, result);
    for (size_t i = 0; i < result["charts"].size(); ++i) {
      Write(dir + "/" + PictureName(suite, i), RenderSvg(result["charts"][i]));
    }
  }
  Write(dir + "/README.md", page);
}

}  // namespace ec::bench
