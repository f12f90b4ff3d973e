#include "controlplane/gateway/json_face.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ec/v1/elasticache.pb.h"
#include "ec/v1/emulator.pb.h"
#include "ec/v1/error.pb.h"
#include "ec/v1/identity.pb.h"
#include "ec/v1/network.pb.h"

namespace ec::gateway {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using grpc::StatusCode;

constexpr std::string_view kJson = "application/json";

struct ConnectCode {
  StatusCode code;
  std::string_view name;
  int http_status;
};
constexpr ConnectCode kCodes[] = {
    {StatusCode::CANCELLED, "canceled", 499},
    {StatusCode::UNKNOWN, "unknown", 500},
    {StatusCode::INVALID_ARGUMENT, "invalid_argument", 400},
    {StatusCode::DEADLINE_EXCEEDED, "deadline_exceeded", 504},
    {StatusCode::NOT_FOUND, "not_found", 404},
    {StatusCode::ALREADY_EXISTS, "already_exists", 409},
    {StatusCode::PERMISSION_DENIED, "permission_denied", 403},
    {StatusCode::RESOURCE_EXHAUSTED, "resource_exhausted", 429},
    {StatusCode::FAILED_PRECONDITION, "failed_precondition", 400},
    {StatusCode::ABORTED, "aborted", 409},
    {StatusCode::OUT_OF_RANGE, "out_of_range", 400},
    {StatusCode::UNIMPLEMENTED, "unimplemented", 501},
    {StatusCode::INTERNAL, "internal", 500},
    {StatusCode::UNAVAILABLE, "unavailable", 503},
    {StatusCode::DATA_LOSS, "data_loss", 500},
    {StatusCode::UNAUTHENTICATED, "unauthenticated", 401},
};

// Without padding, as Connect has it.
std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) text += kDigits[bits >> (count - 6) & 63];
  }
  if (count > 0) text += kDigits[bits << (6 - count) & 63];
  return text;
}

// One line about one of google.rpc's details, with what ErrorInfo says in the clear.
nlohmann::json DetailOf(const google::protobuf::Any& detail) {
  constexpr std::string_view kPrefix = "type.googleapis.com/";
  std::string type = detail.type_url();
  if (type.starts_with(kPrefix)) type.erase(0, kPrefix.size());
  nlohmann::json json = {{"type", type}, {"value", Base64(detail.value())}};
  v1::RpcErrorInfo info;
  if (type == "google.rpc.ErrorInfo" && info.ParseFromString(detail.value())) {
    json["debug"] = {{"reason", info.reason()}, {"domain", info.domain()}};
  }
  return json;
}

const ConnectCode& CodeOf(const grpc::Status& status) {
  const auto known = std::ranges::find(kCodes, status.error_code(), &ConnectCode::code);
  return known == std::end(kCodes) ? kCodes[1] : *known;
}

nlohmann::json ErrorJson(const grpc::Status& status) {
  nlohmann::json json = {{"code", CodeOf(status).name}, {"message", status.error_message()}};
  v1::RpcStatus details;
  if (details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) {
      json["details"].push_back(DetailOf(detail));
    }
  }
  return json;
}

// What is no UTF-8 came from the caller.
std::string ToText(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

class Lines : public Pieces {
 public:
  explicit Lines(std::shared_ptr<ApiStream> stream) : stream_(std::move(stream)) {}

  void Next(Taken taken) override {
    if (has_ended_) return taken(std::nullopt);
    stream_->Read(
        [this, taken = std::move(taken)](const grpc::Status& status, const MessagePtr& message) {
          has_ended_ = message == nullptr;
          if (!has_ended_) return taken(JsonAnswer(*message).body + "\n");
          if (status.ok()) return taken(std::nullopt);
          taken(ToText({{"error", ErrorJson(status)}}) + "\n");
        });
  }
  void Cancel() override { stream_->Cancel(); }

 private:
  const std::shared_ptr<ApiStream> stream_;
  bool has_ended_ = false;
};

}  // namespace

JsonMethods::JsonMethods() {
  for (const auto* file :
       {v1::CacheCluster::descriptor()->file(), v1::Vpc::descriptor()->file(),
        v1::Host::descriptor()->file(), v1::GetCallerIdentityRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int k = 0; k < file->service(i)->method_count(); ++k) {
        const MethodDescriptor* method = file->service(i)->method(k);
        methods_.emplace("/" + method->service()->full_name() + "/" + method->name(), method);
      }
    }
  }
}

const MethodDescriptor* JsonMethods::Find(std::string_view path) const {
  const auto found = methods_.find(path);
  return found == methods_.end() ? nullptr : found->second;
}

grpc::Status ParseJson(const HttpRequest& request, Message* message) {
  // No web page can send this type without asking first, and it is never answered.
  const std::string_view type = request.header("content-type");
  if (type.substr(0, type.find(';')) != kJson) {
    return {StatusCode::INVALID_ARGUMENT, "The Content-Type must be application/json."};
  }
  if (request.body.find_first_not_of(" \t\r\n") == std::string::npos) return {};
  const auto parsed = google::protobuf::util::JsonStringToMessage(request.body, message);
  if (parsed.ok()) return {};
  return {StatusCode::INVALID_ARGUMENT,
          fmt::format("The body is not a {}: {}", message->GetDescriptor()->name(),
                      std::string(parsed.message()))};
}

HttpAnswer JsonAnswer(const Message& message) {
  HttpAnswer answer{200, std::string(kJson)};
  if (!google::protobuf::util::MessageToJsonString(message, &answer.body).ok()) {
    return JsonError({StatusCode::INTERNAL, "The answer cannot be written as JSON."});
  }
  return answer;
}

HttpAnswer JsonError(const grpc::Status& status) {
  return {CodeOf(status).http_status, std::string(kJson), ToText(ErrorJson(status))};
}

HttpAnswer JsonLines(std::shared_ptr<ApiStream> stream) {
  HttpAnswer answer{200, "application/x-ndjson"};
  answer.pieces = std::make_shared<Lines>(std::move(stream));
  return answer;
}

}  // namespace ec::gateway
