// `ecctl rpc`: any call of the API, with JSON in and out. Knows no call by name: the descriptors
// that are compiled in say what there is.
#include "cli/rpc.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>

#include <iostream>
#include <iterator>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/text.h"
#include "ec/v1/agent.pb.h"
#include "ec/v1/network.pb.h"

namespace ec::cli {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

struct RpcOptions {
  std::string method;
  std::string json = "{}";
  bool list = false;
};

std::vector<const ServiceDescriptor*> Services() {
  std::vector<const ServiceDescriptor*> services;
  for (const auto* file : {v1::CacheCluster::descriptor()->file(), v1::Vpc::descriptor()->file(),
                           v1::Host::descriptor()->file(), v1::HostHello::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) services.push_back(file->service(i));
  }
  return services;
}

std::vector<const MethodDescriptor*> Methods() {
  std::vector<const MethodDescriptor*> methods;
  for (const ServiceDescriptor* service : Services()) {
    for (int i = 0; i < service->method_count(); ++i) methods.push_back(service->method(i));
  }
  return methods;
}

Outcome FindMethod(const std::string& name, const MethodDescriptor** method) {
  std::vector<std::string> names;
  for (const MethodDescriptor* candidate : Methods()) {
    const ServiceDescriptor* service = candidate->service();
    if (name == candidate->name() || name == service->name() + "/" + candidate->name() ||
        name == service->full_name() + "/" + candidate->name()) {
      *method = candidate;
      return {};
    }
    names.push_back(candidate->name());
  }
  const std::optional<std::string> closest = ClosestWord(name, names);
  return UsageError(fmt::format("there is no call '{}'{} (see 'ecctl rpc --list')", name,
                                closest ? fmt::format("; did you mean '{}'?", *closest) : ""));
}

Outcome ParseRequest(const std::string& json, Message* request) {
  std::string text = json;
  if (json == "-") text.assign(std::istreambuf_iterator<char>(std::cin), {});
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) text = "{}";
  const auto parsed = google::protobuf::util::JsonStringToMessage(text, request);
  if (parsed.ok()) return {};
  return UsageError(fmt::format("the JSON is not a {}: {}", request->GetDescriptor()->name(),
                                std::string(parsed.message())));
}

std::unique_ptr<Message> NewMessage(const google::protobuf::Descriptor* type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

// A unary call looks on the wire like a stream of one answer, so one way serves both.
Outcome CallMethod(Context& context, const MethodDescriptor& method, const Message& request) {
  Client* client = nullptr;
  EC_RETURN_UNLESS_OK(context.Connect(&client));
  grpc::ClientContext call;
  // A stream may go on for ever; a single answer may not.
  if (!method.server_streaming() || context.global().timeout) client->SetDeadline(&call);
  grpc::TemplatedGenericStub<Message, Message> stub(client->channel());
  grpc::CompletionQueue queue;
  const auto next = [&queue] {
    void* tag = nullptr;
    bool good = false;
    return queue.Next(&tag, &good) && good;
  };
  const std::string path = fmt::format("/{}/{}", method.service()->full_name(), method.name());
  const auto stream = stub.PrepareCall(&call, path, &queue);
  stream->StartCall(nullptr);
  if (next()) {
    stream->WriteLast(request, {}, nullptr);
    next();
    const std::unique_ptr<Message> answer = NewMessage(method.output_type());
    while (true) {
      stream->Read(answer.get(), nullptr);
      if (!next()) break;
      if (!PrintLineNow(ToJson(*answer, /*one_line=*/method.server_streaming()))) return {};
    }
  }
  grpc::Status status;
  stream->Finish(&status, nullptr);
  next();
  return client->ToOutcome(status);
}

Outcome Rpc(Context& context, const RpcOptions& options) {
  if (options.list) {
    for (const std::string& name : RpcMethodNames()) PrintLine(name);
    return {};
  }
  if (options.method.empty()) return UsageError("METHOD is missing (see 'ecctl rpc --list')");
  const MethodDescriptor* method = nullptr;
  EC_RETURN_UNLESS_OK(FindMethod(options.method, &method));
  if (method->client_streaming()) {
    return UsageError(fmt::format("{} takes a stream of requests, and 'ecctl rpc' sends one",
                                  method->full_name()));
  }
  const std::unique_ptr<Message> request = NewMessage(method->input_type());
  EC_RETURN_UNLESS_OK(ParseRequest(options.json, request.get()));
  return CallMethod(context, *method, *request);
}

}  // namespace

std::vector<std::string> RpcMethodNames() {
  std::vector<std::string> names;
  for (const MethodDescriptor* method : Methods()) {
    names.push_back(method->service()->name() + "/" + method->name());
  }
  return names;
}

void AddRpcCommand(CommandLine& line) {
  auto options = std::make_shared<RpcOptions>();
  line.AddTopCommand(
          kServiceSection, "rpc", "Make any call of the API, with JSON in and out",
          [options](Context& context) { return Rpc(context, *options); },
          "Field names are those of the protos. A stream is printed as one object per line.\n\n"
          "Examples:\n"
          "  ecctl rpc DescribeCacheClusters\n"
          "  ecctl rpc CreateCacheCluster '{\"cache_cluster_id\": \"demo\", \"engine\": "
          "\"redis\",\n"
          "      \"cache_node_type\": \"cache.t3.micro\", \"num_cache_nodes\": 1}'\n"
          "  echo '{\"after_serial\": 0}' | ecctl rpc Emulator/WatchEvents -\n"
          "  ecctl rpc --list\n")
      .OptionalArgument("METHOD", "METHOD", &options->method,
                        "CreateCacheCluster, ElastiCache/CreateCacheCluster or "
                        "ec.v1.ElastiCache/CreateCacheCluster")
      .OptionalArgument("JSON", "JSON", &options->json,
                        "The request; - reads standard input (default {})")
      .Flag("--list", &options->list, "List the calls instead");
}

}  // namespace ec::cli
