#include "bench/samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/check.h"

namespace ec::bench {

double Percentile(std::vector<double> samples, double fraction) {
  EC_CHECK(!samples.empty());
  std::ranges::sort(samples);
  const double position = fraction * static_cast<double>(samples.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, samples.size() - 1);
  const double part = position - static_cast<double>(below);
  return samples[below] + part * (samples[above] - samples[below]);
}

Summary Summarize(const std::vector<double>& samples) {
  return {Percentile(samples, 0.5), Percentile(samples, 0.25), Percentile(samples, 0.75)};
}

double GeometricMean(const std::vector<double>& samples) {
  EC_CHECK(!samples.empty());
  double logarithms = 0;
  for (const double sample : samples) {
    EC_CHECK(sample > 0);
    logarithms += std::log(sample);
  }
  return std::exp(logarithms / static_cast<double>(samples.size()));
}

std::string Pretty(double value) {
  if (value == 0) return "0";
  const double magnitude = std::floor(std::log10(std::abs(value)));
  const double unit = std::pow(10.0, magnitude - 2);
  const double rounded = std::round(value / unit) * unit;
  // Rounding may have given it one more digit in front: 99.96 is 100.
  const int shown = 2 - static_cast<int>(std::floor(std::log10(std::abs(rounded))));
  const int digits = value == std::round(value) ? 0 : std::clamp(shown, 0, 6);
  const std::string text = fmt::format("{:.{}f}", rounded, digits);
  const size_t whole = std::min(text.find('.'), text.size());
  const size_t first = text.front() == '-' ? 1 : 0;
  std::string grouped;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i > first && i < whole && (whole - i) % 3 == 0) grouped += ',';
    grouped += text[i];
  }
  return grouped;
}

}  // namespace ec::bench
