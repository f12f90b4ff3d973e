#include "controlplane/server/events.h"

#include <fmt/format.h>

#include "controlplane/model/limits.h"
#include "controlplane/model/names.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/convert.h"
#include "controlplane/server/pages.h"

namespace ec::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

WallTime FromProto(const google::protobuf::Timestamp& time) {
  return WallTime(std::chrono::duration_cast<milliseconds>(seconds(time.seconds()) +
                                                           std::chrono::nanoseconds(time.nanos())));
}

struct Span {
  WallTime begin;
  WallTime end;
};

// StartTime and EndTime, or Duration back from now, or the last hour. Each of AWS's combinations.
Result<Span> SpanOf(WallTime now, const v1::DescribeEventsRequest& request) {
  const auto bad = [](std::string message) {
    return Status(Fault::kInvalidParameterValue, std::move(message));
  };
  if (request.has_duration() && (request.has_start_time() || request.has_end_time())) {
    return Status(Fault::kInvalidParameterCombination,
                  "Duration cannot be combined with StartTime or EndTime.");
  }
  Span span{now - model::kEventsDurationDefault, now};
  if (request.has_duration()) {
    const std::chrono::minutes duration(request.duration());
    if (duration.count() < 1 || duration > model::kEventAgeMax) {
      return bad(fmt::format("Invalid value for Duration: '{}'. It must be 1 to 20160 minutes.",
                             request.duration()));
    }
    span.begin = now - duration;
  }
  if (request.has_end_time()) {
    span.end = FromProto(request.end_time());
    span.begin = span.end - model::kEventsDurationDefault;
  }
  if (request.has_start_time()) {
    span.begin = FromProto(request.start_time());
    if (span.begin < now - model::kEventAgeMax) {
      return bad("StartTime must be within the last 14 days.");
    }
  }
  if (span.begin > span.end) {
    return Status(Fault::kInvalidParameterCombination, "StartTime must be before EndTime.");
  }
  return span;
}

Status CheckSource(const v1::DescribeEventsRequest& request) {
  if (request.has_source_identifier() && !request.has_source_type()) {
    return {Fault::kInvalidParameterCombination,
            "SourceIdentifier needs SourceType beside it, such as cache-cluster."};
  }
  if (request.has_source_type() && !model::IsSourceType(request.source_type())) {
    return {Fault::kInvalidParameterValue,
            fmt::format("Invalid value for SourceType: '{}'. It must be one of cache-cluster, "
                        "cache-parameter-group, cache-security-group, cache-subnet-group, "
                        "replication-group, serverless-cache, serverless-cache-snapshot, user, "
                        "user-group.",
                        request.source_type())};
  }
  return {};
}

bool Matches(const v1::DescribeEventsRequest& request, const Span& span,
             const model::Event& event) {
  if (event.date < span.begin || event.date > span.end) return false;
  if (request.has_source_type() && event.source_type != request.source_type()) return false;
  return !request.has_source_identifier() ||
         event.source_id == model::Lower(request.source_identifier());
}

}  // namespace

Status DescribeEvents(ControllerLoop& loop, WallTime now, const v1::DescribeEventsRequest& request,
                      v1::DescribeEventsResponse* response) {
  const Result<int> size = PageSize(MaxRecordsOf(request));
  if (!size.ok()) return size.status();
  EC_RETURN_IF_ERROR(CheckSource(request));
  const Result<Span> span = SpanOf(now, request);
  if (!span.ok()) return span.status();
  uint64_t after = 0;
  if (!request.marker().empty()) {
    const auto marker = ParseMarker(request.marker());
    if (!marker) {
      return {Fault::kInvalidParameterValue,
              fmt::format("Invalid value for Marker: '{}'.", request.marker())};
    }
    after = *marker;
  }
  loop.Read([&](const model::State& state) {
    const auto& events = state.records.events;
    for (auto it = events.upper_bound(after); it != events.end(); ++it) {
      if (!Matches(request, *span, it->second)) continue;
      if (response->events_size() == *size) {
        response->set_marker(std::to_string(response->events(*size - 1).serial()));
        return;
      }
      ToProto(it->second, response->add_events());
    }
  });
  return {};
}

}  // namespace ec::server
