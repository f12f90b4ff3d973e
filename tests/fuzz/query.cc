// What is decoded must be a message that the API can be sent: it survives its own encoding.
#include "common/check.h"
#include "controlplane/gateway/actions.h"
#include "controlplane/gateway/api.h"
#include "controlplane/gateway/parameters.h"
#include "controlplane/gateway/request_decoder.h"
#include "tests/fuzz/targets.h"

namespace ec::fuzz {

void Query(std::string_view bytes) {
  static const gateway::Actions actions;
  gateway::Parameters parameters;
  if (gateway::ParseForm(bytes, &parameters)) return;
  EC_CHECK(parameters.size() <= gateway::kParametersMax);
  gateway::ParameterTree tree;
  if (gateway::BuildTree(parameters, &tree)) return;
  const std::string* const name = gateway::Find(parameters, "Action");
  if (name == nullptr) return;
  const gateway::AwsService& service = actions.ServiceWith(*name);
  const auto action = service.actions.find(*name);
  if (action == service.actions.end() || action->second.method == nullptr) return;
  const gateway::MessagePtr request = gateway::NewMessage(*action->second.method->input_type());
  if (gateway::DecodeRequest(tree, *action->second.input, request.get())) return;
  const gateway::MessagePtr again(request->New());
  EC_CHECK(again->ParseFromString(request->SerializeAsString()));
}

}  // namespace ec::fuzz
