// Numbers from repeated rounds, and what is said of them.
#pragma once

#include <string>
#include <vector>

namespace ec::bench {

// Half of the samples lie between low and high, half of them below the median.
struct Summary {
  double median = 0;
  double low = 0;   // first quartile
  double high = 0;  // third quartile
};

// The value that `fraction` (0..1) of the samples do not exceed. REQUIRES: samples is not empty.
double Percentile(std::vector<double> samples, double fraction);

// REQUIRES: samples is not empty.
Summary Summarize(const std::vector<double>& samples);

// REQUIRES: samples is not empty, and all are above zero.
double GeometricMean(const std::vector<double>& samples);

// Three significant digits, thousands set apart: "12,300", "0.97", "4.1".
std::string Pretty(double value);

}  // namespace ec::bench
