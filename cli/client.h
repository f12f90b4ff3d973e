// The connection to the control plane.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string>
#include <type_traits>

#include "cli/outcome.h"
#include "common/time.h"
#include "ec/v1/elasticache.grpc.pb.h"
#include "ec/v1/emulator.grpc.pb.h"
#include "ec/v1/network.grpc.pb.h"

namespace ec::cli {

// Calls are made one at a time, from the main thread.
class Client {
 public:
  // `address` is HOST:PORT. `absence_hint` ends the error for when nobody answers there.
  Client(std::string address, std::string absence_hint, Duration call_timeout);

  // One call of any service: Call(&v1::ElastiCache::Stub::DescribeEvents, request, &response).
  template <typename Stub, typename Request, typename Response>
  Outcome Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
               const std::type_identity_t<Request>& request, Response* response) {
    grpc::ClientContext context;
    SetDeadline(&context);
    context.set_wait_for_ready(wait_for_ready_);
    if constexpr (std::is_same_v<Stub, v1::ElastiCache::Stub>) {
      return ToOutcome((elasticache_.get()->*method)(&context, request, response));
    } else if constexpr (std::is_same_v<Stub, v1::Network::Stub>) {
      return ToOutcome((network_.get()->*method)(&context, request, response));
    } else {
      return ToOutcome((emulator_.get()->*method)(&context, request, response));
    }
  }

  // For a call that is not made by Call().
  void SetDeadline(grpc::ClientContext* context) const;
  Outcome ToOutcome(const grpc::Status& status) const;

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  v1::Emulator::Stub& emulator() { return *emulator_; }
  const std::string& address() const { return address_; }

  // How long a call may take from now on; and whether it waits so long for a control plane that
  // does not answer, instead of failing at once. gRPC notices that a server has come back only
  // while a call is waiting for it, so whoever tries again and again must wait.
  void set_patience(Duration call_timeout, bool wait_for_ready) {
    call_timeout_ = call_timeout;
    wait_for_ready_ = wait_for_ready;
  }

 private:
  const std::string address_;
  const std::string absence_hint_;
  Duration call_timeout_;
  bool wait_for_ready_ = false;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::ElastiCache::Stub> elasticache_;
  std::unique_ptr<v1::Emulator::Stub> emulator_;
  std::unique_ptr<v1::Network::Stub> network_;
};

// Whether `address` is HOST:PORT; a UsageError otherwise.
Outcome CheckAddress(const std::string& address);

// What gRPC calls "HOST:PORT"; numeric addresses need no resolver.
std::string TargetOf(const std::string& address);

// AWS's error code in the status details, or empty when there is none.
std::string ServiceCodeOf(const grpc::Status& status);

}  // namespace ec::cli
