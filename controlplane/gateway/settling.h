// Holds an answer back until what was changed has come to rest, for a moment at the most.
//
// An SDK's waiter looks at once and then every 15 seconds. What takes this emulator 100 ms would
// cost its user 15 s, if the answer came before the end. The answer itself stays as it was.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "controlplane/gateway/api.h"

namespace ec::gateway {

inline constexpr std::chrono::milliseconds kSettlingMax{5000};

// What to ask, and with which request; no method: the call changes nothing that could come to rest.
struct SettlingQuestion {
  const google::protobuf::MethodDescriptor* method = nullptr;
  std::shared_ptr<google::protobuf::Message> request;
};

// By the method's option `settles_in`.
SettlingQuestion QuestionAfter(const google::protobuf::MethodDescriptor& method,
                               const google::protobuf::Message& request);

// Whether the first one that is described is on its way from one status to another.
bool IsInTransit(const google::protobuf::Message& description);

// Calls `done` when the question's answer says so, when it is an error, or after kSettlingMax.
void AwaitSettled(Api& api, boost::asio::io_context& io, const SettlingQuestion& question,
                  std::function<void()> done);

}  // namespace ec::gateway
