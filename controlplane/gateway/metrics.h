// What GET /metrics shows, in Prometheus's text form.
//
// The gateway's own requests are counted as they are served. What the API knows (members, groups,
// endpoints) is asked for when somebody looks, so that nothing is counted twice or kept up to date
// for nobody.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/time.h"
#include "controlplane/gateway/api.h"

namespace ec::gateway {

// Thread safe.
class Metrics {
 public:
  explicit Metrics(Api& api);

  // `action` is a name of ours, never a client's text: each one is kept for ever. `code` is AWS's,
  // or "OK".
  void Count(std::string_view face, std::string_view action, std::string_view code, Duration took);

  // Calls `done` with the whole text; without what the API knows when it does not answer.
  void Write(std::function<void(std::string)> done);

 private:
  Api& api_;
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& seconds_;
};

// What the API's answers say, as metrics. For each kind of answer there is one function.
std::vector<prometheus::MetricFamily> MetricsOf(const std::vector<MessagePtr>& answers);

}  // namespace ec::gateway
