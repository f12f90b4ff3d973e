#include "controlplane/gateway/gateway.h"

#include <fmt/format.h>

#include <memory>
#include <random>
#include <utility>

#include "controlplane/gateway/browser_guard.h"
#include "controlplane/gateway/request_decoder.h"
#include "controlplane/gateway/settling.h"
#include "controlplane/gateway/xml_answer.h"
#include "ec/v1/emulator.pb.h"

namespace ec::gateway {
namespace {

constexpr size_t kReplayedMax = 1000;

// A random UUID, of version 4.
std::string NewRequestId() {
  thread_local std::mt19937_64 chance{std::random_device{}()};
  const uint64_t high = (chance() & ~uint64_t{0xF000}) | 0x4000;
  const uint64_t low = (chance() & ~(uint64_t{3} << 62)) | uint64_t{1} << 63;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xFFFF,
                     high & 0xFFFF, low >> 48, low & 0xFFFF'FFFF'FFFF);
}

std::string_view ContentType(Dialect dialect) {
  return dialect == Dialect::kEc2 ? "text/xml;charset=UTF-8" : "text/xml";
}

HttpAnswer XmlErrorAnswer(Envelope envelope, const WireError& error) {
  const std::string id(envelope.request_id);
  return {error.http_status, std::string(ContentType(envelope.dialect)), XmlError(envelope, error),
          id};
}

grpc::Status ConnectStatus(const WireError& error) {
  const auto code = error.http_status == 403 ? grpc::StatusCode::PERMISSION_DENIED
                                             : grpc::StatusCode::UNAUTHENTICATED;
  return {code, error.message};
}

bool OnlyLooks(std::string_view action) {
  return action.starts_with("Describe") || action.starts_with("List") || action.starts_with("Get");
}

}  // namespace

// One call of AWS's protocols from the request to its answer.
struct Gateway::AwsCall {
  const AwsService* service = nullptr;
  const Action* action = nullptr;
  std::string version;
  std::string xmlns;
  std::string request_id;
  Instant began;
  AnswerDone done;

  Envelope envelope() const {
    return {service->dialect, action == nullptr ? "" : std::string_view(action->name), xmlns,
            request_id};
  }
};

Gateway::Gateway(GatewaySettings settings, Api& api, boost::asio::io_context& io,
                 const Clock& clock)
    : settings_(std::move(settings)),
      api_(api),
      io_(io),
      clock_(clock),
      replay_(kReplayedMax),
      metrics_(api) {}

HttpAnswer Gateway::Unreadable(int status, const std::string& why) {
  const std::string id = NewRequestId();
  return XmlErrorAnswer(
      {Dialect::kQuery, "", "http://elasticache.amazonaws.com/doc/2015-02-02/", id},
      {"MalformedQueryString", status, why});
}

void Gateway::Serve(const HttpRequest& request, AnswerDone done) {
  const bool is_json = request.path().starts_with("/ec.v1.");
  const auto refuse = [&](const WireError& error) {
    if (is_json) return done(JsonError(ConnectStatus(error)));
    const std::string id = NewRequestId();
    const AwsService& service = actions_.elasticache();
    done(XmlErrorAnswer({service.dialect, "", service.Xmlns(""), id}, error));
  };
  if (auto error = CheckBrowserSafety(request, settings_.allowed_hosts)) return refuse(*error);
  if (request.path() == "/healthz" && request.method == "GET") return ServeHealth(std::move(done));
  std::optional<Signature> signature;
  if (auto error = ParseSignature(request, &signature)) return refuse(*error);
  if (settings_.credentials) {
    const WallTime now = clock_.now().wall;
    if (auto error = VerifySignature(request, signature, *settings_.credentials, now)) {
      return refuse(*error);
    }
  }
  if (is_json) return ServeJson(request, std::move(done));
  if (request.path() == "/metrics" && request.method == "GET") {
    return metrics_.Write([done = std::move(done)](std::string text) {
      done({200, "text/plain; version=0.0.4; charset=utf-8", std::move(text)});
    });
  }
  if (request.path() != "/" && !request.path().empty()) {
    return done({404, "text/plain",
                 fmt::format("There is nothing at {}. AWS's clients call /, scripts "
                             "/ec.v1.ElastiCache/<Action>, monitors /healthz and /metrics.\n",
                             request.path().substr(0, 200))});
  }
  ServeAws(request, signature, std::move(done));
}

void Gateway::ServeAws(const HttpRequest& request, const std::optional<Signature>& signature,
                       AnswerDone done) {
  auto call = std::make_shared<AwsCall>();
  call->request_id = NewRequestId();
  call->began = clock_.now().instant;
  call->done = std::move(done);
  Parameters parameters;
  auto error = ParseForm(request.query(), &parameters);
  if (!error) error = ParseForm(request.body, &parameters);
  const std::string* name = Find(parameters, "Action");
  const std::string* version = Find(parameters, "Version");
  if (version != nullptr) call->version = *version;

  // Who is meant: by the signature, by the host name, or by the action.
  const std::string host(request.header("host"));
  const AwsService* service = actions_.ServiceOf(host.substr(0, host.find('.')));
  if (service == nullptr) service = &actions_.ServiceWith(name == nullptr ? "" : *name);
  if (signature) {
    const AwsService* signed_for = actions_.ServiceOf(signature->service);
    if (signed_for == nullptr && !error) {
      error = WireError{"InvalidAction", 400,
                        fmt::format("The request is signed for the service '{}', which is not "
                                    "emulated.",
                                    signature->service.substr(0, 100))};
    }
    if (signed_for != nullptr) service = signed_for;
  }
  call->service = service;
  call->xmlns = service->Xmlns(call->version);
  if (!error && request.method != "POST" && request.method != "GET") {
    error = WireError{"InvalidAction", 405, "Only POST and GET are known."};
  }
  if (!error && name == nullptr) {
    error = WireError{"MissingAction", 400, "The request must contain the parameter Action."};
  }
  if (!error) {
    const auto action = service->actions.find(*name);
    const bool knows_version = call->version.empty() || service->dialect == Dialect::kEc2 ||
                               service->HasVersion(call->version);
    if (action == service->actions.end() || !knows_version) {
      error = UnknownAction(*service, *name, call->version);
    } else {
      call->action = &action->second;
    }
  }
  if (error) return Finish(call, error, nullptr);

  const std::string_view invocation = request.header("amz-sdk-invocation-id");
  if (!invocation.empty() && invocation.size() <= 100 && !OnlyLooks(*name)) {
    const std::string key = fmt::format("{} {}", invocation, request.body);
    if (!replay_.Begin(key, &call->done)) return;
  }
  CallAction(call, parameters);
}

void Gateway::CallAction(const std::shared_ptr<AwsCall>& call, const Parameters& parameters) {
  const Action& action = *call->action;
  if (action.method == nullptr) {
    if (action.empty_list.empty()) {
      return Finish(call, NotEmulated(*call->service, action.name), nullptr);
    }
    return Finish(call, std::nullopt, nullptr);
  }
  ParameterTree tree;
  MessagePtr request = NewMessage(*action.method->input_type());
  auto error = BuildTree(parameters, &tree);
  if (!error) error = DecodeRequest(tree, *action.input, request.get());
  if (error) return Finish(call, error, nullptr);
  const SettlingQuestion question = QuestionAfter(*action.method, *request);
  api_.Call(*action.method, std::move(request),
            [this, call, question](const grpc::Status& status, MessagePtr answer) {
              if (!status.ok()) return Finish(call, ErrorOf(status), nullptr);
              if (question.method == nullptr) return Finish(call, std::nullopt, answer.get());
              const std::shared_ptr<google::protobuf::Message> held(std::move(answer));
              AwaitSettled(api_, io_, question,
                           [this, call, held] { Finish(call, std::nullopt, held.get()); });
            });
}

void Gateway::Finish(const std::shared_ptr<AwsCall>& call, const std::optional<WireError>& error,
                     const google::protobuf::Message* answer) {
  const std::string_view name =
      call->action == nullptr ? std::string_view("unknown") : std::string_view(call->action->name);
  metrics_.Count(call->service->scope, name, error ? error->code : "OK",
                 clock_.now().instant - call->began);
  if (error) return call->done(XmlErrorAnswer(call->envelope(), *error));
  std::string xml = answer == nullptr ? XmlEmptyList(call->envelope(), call->action->empty_list)
                                      : XmlAnswer(call->envelope(), *call->action->output, *answer);
  call->done(
      {200, std::string(ContentType(call->service->dialect)), std::move(xml), call->request_id});
}

void Gateway::ServeJson(const HttpRequest& request, AnswerDone done) {
  using grpc::StatusCode;
  const auto* method = json_methods_.Find(request.path());
  if (method == nullptr) {
    return done(JsonError({StatusCode::UNIMPLEMENTED,
                           fmt::format("There is no method {}.", request.path().substr(0, 200))}));
  }
  if (request.method != "POST") {
    HttpAnswer answer = JsonError({StatusCode::UNIMPLEMENTED, "Methods are called with POST."});
    answer.status = 405;
    return done(std::move(answer));
  }
  MessagePtr message = NewMessage(*method->input_type());
  const grpc::Status parsed = ParseJson(request, message.get());
  if (!parsed.ok()) return done(JsonError(parsed));
  if (method->server_streaming()) {
    metrics_.Count("json", method->name(), "OK", {});
    return done(JsonLines(api_.Stream(*method, std::move(message))));
  }
  const Instant began = clock_.now().instant;
  api_.Call(*method, std::move(message),
            [this, method, began, done = std::move(done)](const grpc::Status& status,
                                                          const MessagePtr& answer) {
              metrics_.Count("json", method->name(), status.ok() ? "OK" : ErrorOf(status).code,
                             clock_.now().instant - began);
              done(status.ok() ? JsonAnswer(*answer) : JsonError(status));
            });
}

void Gateway::ServeHealth(AnswerDone done) {
  const auto* method = v1::Host::descriptor()->file()->service(0)->FindMethodByName("GetVersion");
  api_.Call(*method, NewMessage(*method->input_type()),
            [done = std::move(done)](const grpc::Status& status, const MessagePtr& answer) {
              done(status.ok() ? JsonAnswer(*answer) : JsonError(status));
            });
}

}  // namespace ec::gateway
