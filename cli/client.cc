#include "cli/client.h"

#include <fmt/format.h>
#include <grpc/grpc.h>
#include <grpc/support/time.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <charconv>
#include <utility>

#include "cli/text.h"
#include "common/address.h"
#include "ec/v1/error.pb.h"

namespace ec::cli {
namespace {

// Keeps gRPC up until the process ends: taking its threads down in order would cost every command
// some milliseconds for nothing.
void HoldGrpc() {
  static const bool held = [] {
    grpc_init();
    return true;
  }();
  (void)held;
}

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address) {
  HoldGrpc();
  grpc::ChannelArguments arguments;
  // Whatever proxy the environment names, it does not lead to this machine; and looking for a
  // service configuration would cost a DNS query.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // `event watch` and --wait see a control plane that has come back within half a second.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  arguments.SetMaxReceiveMessageSize(64 << 20);
  return grpc::CreateCustomChannel(TargetOf(address), grpc::InsecureChannelCredentials(),
                                   arguments);
}

}  // namespace

Client::Client(std::string address, std::string absence_hint, Duration call_timeout)
    : address_(std::move(address)),
      absence_hint_(std::move(absence_hint)),
      call_timeout_(call_timeout),
      channel_(OpenChannel(address_)),
      elasticache_(v1::ElastiCache::NewStub(channel_)),
      emulator_(v1::Emulator::NewStub(channel_)),
      network_(v1::Network::NewStub(channel_)) {}

void Client::SetDeadline(grpc::ClientContext* context) const {
  // gRPC counts a span of time from now on, by its own steady clock.
  context->set_deadline(gpr_time_from_micros(call_timeout_.count(), GPR_TIMESPAN));
}

Outcome Client::ToOutcome(const grpc::Status& status) const {
  if (status.ok()) return {};
  const std::string code = ServiceCodeOf(status);
  if (!code.empty()) return {ExitCode::kRefused, code, status.error_message()};
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return Unreachable(fmt::format("no control plane answers at {}{}", address_, absence_hint_));
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return TimedOut(fmt::format("no answer from the control plane at {} within {}", address_,
                                  FormatDuration(call_timeout_)));
    case grpc::StatusCode::UNIMPLEMENTED:
      return Refused(fmt::format("the control plane at {} does not know this call", address_));
    default:
      return Refused(fmt::format("the control plane at {} answered with gRPC error {}: {}",
                                 address_, static_cast<int>(status.error_code()),
                                 status.error_message()));
  }
}

Outcome CheckAddress(const std::string& address) {
  const size_t colon = address.rfind(':');
  uint16_t port = 0;
  if (colon != std::string::npos && colon > 0) {
    const char* end = address.data() + address.size();
    const auto [rest, error] = std::from_chars(address.data() + colon + 1, end, port);
    if (error == std::errc() && rest == end && port > 0) return {};
  }
  return UsageError(fmt::format("'{}' is not an address such as 127.0.0.1:7379", address));
}

std::string TargetOf(const std::string& address) {
  const std::string host = address.substr(0, address.rfind(':'));
  const std::string port = address.substr(host.size());
  if (host == "localhost") return "ipv4:127.0.0.1" + port;
  if (ParseIp4(host)) return "ipv4:" + address;
  if (host.starts_with('[')) return "ipv6:" + address;
  return "dns:///" + address;
}

std::string ServiceCodeOf(const grpc::Status& status) {
  v1::RpcStatus details;
  if (!details.ParseFromString(status.error_details())) return {};
  for (const google::protobuf::Any& detail : details.details()) {
    // The message is google.rpc.ErrorInfo by another name, so Any::UnpackTo() would not take it.
    v1::RpcErrorInfo info;
    if (detail.type_url() == "type.googleapis.com/google.rpc.ErrorInfo" &&
        info.ParseFromString(detail.value()) && !info.reason().empty()) {
      return info.reason();
    }
  }
  return {};
}

}  // namespace ec::cli
