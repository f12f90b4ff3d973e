#include "controlplane/gateway/request_decoder.h"

#include <fmt/format.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <charconv>
#include <cmath>

namespace ec::gateway {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::Timestamp;

std::optional<WireError> Wrong(const std::string& value, const std::string& name,
                               std::string_view expected) {
  return BadParameter(fmt::format("Value ({}) for parameter {} is invalid. It must be {}.",
                                  value.substr(0, 100), name, expected));
}

template <typename Number>
bool Parse(const std::string& text, Number* number) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, *number);
  return error == std::errc() && rest == end;
}

bool ParseTimestamp(const std::string& text, Timestamp* time) {
  double seconds = 0;
  if (Parse(text, &seconds)) {  // since the epoch; within the years 0001 to 9999
    if (!(std::abs(seconds) < 6e10)) return false;
    *time = google::protobuf::util::TimeUtil::MillisecondsToTimestamp(
        static_cast<int64_t>(seconds * 1000));
    return true;
  }
  // RFC 3339. One without a zone is UTC.
  const bool has_zone = text.find_first_of("Zz+", 10) != std::string::npos ||
                        (text.size() > 19 && text.find('-', 19) != std::string::npos);
  return google::protobuf::util::TimeUtil::FromString(has_zone ? text : text + "Z", time);
}

// Sets the member, or adds to it where it is a list.
class Place {
 public:
  Place(Message* message, const FieldDescriptor* field) : message_(message), field_(field) {}

  template <typename Value, typename Set, typename Add>
  void Put(Value value, Set set, Add add) const {
    const Reflection* reflection = message_->GetReflection();
    if (field_->is_repeated()) {
      (reflection->*add)(message_, field_, std::move(value));
    } else {
      (reflection->*set)(message_, field_, std::move(value));
    }
  }
  Message* Structure() const {
    const Reflection* reflection = message_->GetReflection();
    return field_->is_repeated() ? reflection->AddMessage(message_, field_)
                                 : reflection->MutableMessage(message_, field_);
  }
  FieldDescriptor::CppType type() const { return field_->cpp_type(); }

 private:
  Message* message_;
  const FieldDescriptor* field_;
};

std::optional<WireError> DecodeScalar(const std::string& text, const std::string& name,
                                      const Place& place) {
  switch (place.type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      place.Put(text, &Reflection::SetString, &Reflection::AddString);
      return std::nullopt;
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false") return Wrong(text, name, "true or false");
      place.Put(text == "true", &Reflection::SetBool, &Reflection::AddBool);
      return std::nullopt;
    case FieldDescriptor::CPPTYPE_INT32: {
      int32_t number = 0;
      if (!Parse(text, &number)) return Wrong(text, name, "an integer");
      place.Put(number, &Reflection::SetInt32, &Reflection::AddInt32);
      return std::nullopt;
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      int64_t number = 0;
      if (!Parse(text, &number)) return Wrong(text, name, "an integer");
      place.Put(number, &Reflection::SetInt64, &Reflection::AddInt64);
      return std::nullopt;
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      double number = 0;
      if (!Parse(text, &number)) return Wrong(text, name, "a number");
      place.Put(number, &Reflection::SetDouble, &Reflection::AddDouble);
      return std::nullopt;
    }
    default:
      return Wrong(text, name, "of a type that this protocol has");
  }
}

std::optional<WireError> DecodeOne(const ParameterTree& tree, const std::string& name,
                                   const Member& member, const Place& place) {
  static const std::string kEmpty;
  const std::string& text = tree.value ? *tree.value : kEmpty;
  if (member.is_timestamp) {
    Timestamp time;
    if (!ParseTimestamp(text, &time)) {
      return Wrong(text, name, "a time such as 2026-11-23T17:46:22Z");
    }
    place.Structure()->CopyFrom(time);
    return std::nullopt;
  }
  if (member.shape == nullptr) {
    if (!tree.value) return Wrong("", name, "a single value, not a structure");
    return DecodeScalar(text, name, place);
  }
  if (!text.empty()) return Wrong(text, name, "a structure");
  return DecodeRequest(tree, *member.shape, place.Structure());
}

// The elements by their numbers. `List.1` and `List.member.1` are the same.
std::optional<WireError> Elements(const ParameterTree& tree, const std::string& name,
                                  std::map<uint32_t, const ParameterTree*>* elements) {
  for (const auto& [token, child] : tree.children) {
    uint32_t number = 0;
    if (Parse(token, &number)) {
      elements->emplace(number, &child);
      continue;
    }
    for (const auto& [inner, element] : child.children) {
      if (!Parse(inner, &number)) {
        return BadParameter(
            fmt::format("The parameter {}.{}.{} is invalid: the elements of a "
                        "list have numbers.",
                        name, token, inner));
      }
      elements->emplace(number, &element);
    }
  }
  if (elements->size() <= kListMax) return std::nullopt;
  return BadParameter(fmt::format("The parameter {} has more than {} elements.", name, kListMax));
}

std::optional<WireError> DecodeList(const ParameterTree& tree, const Member& member,
                                    Message* message) {
  // `SecurityGroupIds=` is an empty list, and not a list of one empty text.
  if (tree.value && !tree.value->empty()) {
    return Wrong(*tree.value, member.request_name, "a list, such as " + member.request_name + ".1");
  }
  std::map<uint32_t, const ParameterTree*> elements;
  if (auto error = Elements(tree, member.request_name, &elements)) return error;
  for (const auto& [number, element] : elements) {
    const std::string name = fmt::format("{}.{}", member.request_name, number);
    if (auto error = DecodeOne(*element, name, member, Place(message, member.field))) return error;
  }
  return std::nullopt;
}

}  // namespace

std::optional<WireError> DecodeRequest(const ParameterTree& tree, const Shape& shape,
                                       Message* message) {
  for (const Member& member : shape.members) {
    const auto given = tree.children.find(member.request_name);
    if (given == tree.children.end()) continue;
    auto error = member.field->is_repeated() ? DecodeList(given->second, member, message)
                                             : DecodeOne(given->second, member.request_name, member,
                                                         Place(message, member.field));
    if (error) return error;
  }
  return std::nullopt;
}

}  // namespace ec::gateway
