#include "controlplane/server/serve.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include "common/fault.h"
#include "common/log.h"
#include "ec/v1/options.pb.h"

namespace ec::server {
namespace {

// AWS's name of a member: its JSON name with the first letter in upper case.
std::string WireName(const google::protobuf::FieldDescriptor& field) {
  std::string name = field.json_name();
  if (!name.empty() && name[0] >= 'a' && name[0] <= 'z') {
    name[0] = static_cast<char>(name[0] - 'a' + 'A');
  }
  return name;
}

// Members marked (required) in the proto must be there and not be empty.
Status CheckRequired(const google::protobuf::Message& request) {
  const google::protobuf::Descriptor* type = request.GetDescriptor();
  const google::protobuf::Reflection* reflection = request.GetReflection();
  for (int i = 0; i < type->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = type->field(i);
    if (!field->options().GetExtension(v1::required)) continue;
    bool present = false;
    if (field->is_repeated()) {
      present = reflection->FieldSize(request, field) > 0;
    } else {
      present = reflection->HasField(request, field) &&
                (field->type() != google::protobuf::FieldDescriptor::TYPE_STRING ||
                 !reflection->GetString(request, field).empty());
    }
    if (!present) {
      return {Fault::kMissingParameter,
              fmt::format("The request must contain the parameter {}.", WireName(*field))};
    }
  }
  return {};
}

// Whether the request asks for something by this member: false, empty and nothing do not.
bool IsGiven(const google::protobuf::Message& request,
             const google::protobuf::FieldDescriptor& field) {
  using google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection* reflection = request.GetReflection();
  if (field.is_repeated()) return reflection->FieldSize(request, &field) > 0;
  if (!reflection->HasField(request, &field)) return false;
  if (field.type() == FieldDescriptor::TYPE_BOOL) return reflection->GetBool(request, &field);
  return field.type() != FieldDescriptor::TYPE_STRING ||
         !reflection->GetString(request, &field).empty();
}

// Members marked (not_emulated) in the proto must not ask for anything.
Status CheckEmulated(const google::protobuf::Message& request) {
  const google::protobuf::Descriptor* type = request.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = type->field(i);
    if (field->options().GetExtension(v1::not_emulated) && IsGiven(request, *field)) {
      return {Fault::kInvalidParameterValue,
              fmt::format("The parameter {} is not emulated.", WireName(*field))};
    }
  }
  return {};
}

bool OnlyLooks(std::string_view name) {
  return name.starts_with("Describe") || name.starts_with("List") || name.starts_with("Get");
}

}  // namespace

Status CheckMembers(const google::protobuf::Message& request) {
  EC_RETURN_IF_ERROR(CheckRequired(request));
  return CheckEmulated(request);
}

void LogCall(std::string_view name, const Status& status, Duration took) {
  if (!status.ok()) {
    LogInfo("call refused", {{"call", name},
                             {"code", InfoOf(status.fault()).wire_code},
                             {"why", status.message()},
                             {"us", took.count()}});
  } else if (OnlyLooks(name)) {
    LogDebug("call", {{"call", name}, {"us", took.count()}});
  } else {
    LogInfo("call", {{"call", name}, {"us", took.count()}});
  }
}

}  // namespace ec::server
