#include "cli/event_tail.h"

#include <algorithm>

#include "cli/lookup.h"

namespace ec::cli {

EventTail::EventTail(Context& context, uint64_t after_serial)
    : context_(context), last_serial_(after_serial), looked_(context.now().instant) {}

std::vector<v1::Event> EventTail::Next() {
  const Instant now = context_.now().instant;
  const auto away = std::chrono::duration_cast<std::chrono::minutes>(now - looked_);
  v1::DescribeEventsRequest request;
  request.set_duration(static_cast<int32_t>(away.count()) + 2);  // more than enough
  v1::DescribeEventsResponse response;
  if (!FindEvents(context_, request, &response).ok()) return {};
  looked_ = now;
  std::vector<v1::Event> events;
  uint64_t newest = last_serial_;
  for (const v1::Event& event : response.events()) {
    if (event.serial() <= last_serial_) continue;
    newest = std::max<uint64_t>(newest, event.serial());
    if (sources_.contains(event.source_identifier())) events.push_back(event);
  }
  last_serial_ = newest;
  return events;
}

}  // namespace ec::cli
