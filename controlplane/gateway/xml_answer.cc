#include "controlplane/gateway/xml_answer.h"

#include <fmt/format.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <chrono>

#include "common/time.h"
#include "controlplane/gateway/utf8.h"

namespace ec::gateway {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

void Open(std::string_view name, std::string* xml) { xml->append("<").append(name).append(">"); }
void Close(std::string_view name, std::string* xml) { xml->append("</").append(name).append(">"); }
void Empty(std::string_view name, std::string* xml) { xml->append("<").append(name).append("/>"); }

void AppendMembers(const Shape& shape, const Message& message, std::string* xml);

void AppendTime(const Message& message, std::string* xml) {
  const auto& time = static_cast<const google::protobuf::Timestamp&>(message);
  const auto since =
      std::chrono::seconds(time.seconds()) + std::chrono::milliseconds(time.nanos() / 1'000'000);
  xml->append(ToString(WallTime(std::chrono::duration_cast<std::chrono::milliseconds>(since))));
}

// One value: `index` is that of a list's element, or -1.
void AppendValue(const Member& member, const Message& message, int index, std::string* xml) {
  const Reflection* reflection = message.GetReflection();
  const FieldDescriptor* field = member.field;
  const bool one = index < 0;
  const auto append = [&](auto number) { fmt::format_to(std::back_inserter(*xml), "{}", number); };
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      AppendEscaped(one ? reflection->GetStringReference(message, field, &scratch)
                        : reflection->GetRepeatedStringReference(message, field, index, &scratch),
                    xml);
      return;
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return append(one ? reflection->GetBool(message, field)
                        : reflection->GetRepeatedBool(message, field, index));
    case FieldDescriptor::CPPTYPE_INT32:
      return append(one ? reflection->GetInt32(message, field)
                        : reflection->GetRepeatedInt32(message, field, index));
    case FieldDescriptor::CPPTYPE_INT64:
      return append(one ? reflection->GetInt64(message, field)
                        : reflection->GetRepeatedInt64(message, field, index));
    case FieldDescriptor::CPPTYPE_UINT64:
      return append(one ? reflection->GetUInt64(message, field)
                        : reflection->GetRepeatedUInt64(message, field, index));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return append(one ? reflection->GetDouble(message, field)
                        : reflection->GetRepeatedDouble(message, field, index));
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      const Message& inner = one ? reflection->GetMessage(message, field)
                                 : reflection->GetRepeatedMessage(message, field, index);
      if (member.is_timestamp) return AppendTime(inner, xml);
      return AppendMembers(*member.shape, inner, xml);
    }
    default:
      return;  // the other types stand in no message that AWS's clients see
  }
}

void AppendElement(std::string_view name, const Member& member, const Message& message, int index,
                   std::string* xml) {
  Open(name, xml);
  const size_t begin = xml->size();
  AppendValue(member, message, index, xml);
  if (xml->size() > begin) {
    Close(name, xml);
  } else {
    xml->back() = '/';
    xml->push_back('>');
  }
}

void AppendList(std::string_view name, const Member& member, const Message& message,
                std::string* xml) {
  const int size = message.GetReflection()->FieldSize(message, member.field);
  if (size == 0) {
    if (!member.absent_when_empty) Empty(name, xml);
    return;
  }
  Open(name, xml);
  for (int i = 0; i < size; ++i) AppendElement(member.element, member, message, i, xml);
  Close(name, xml);
}

void AppendMembers(const Shape& shape, const Message& message, std::string* xml) {
  for (const Member& member : shape.members) {
    const bool has_second = !member.second_answer_name.empty();
    if (member.field->is_repeated()) {
      AppendList(member.answer_name, member, message, xml);
      if (has_second) AppendList(member.second_answer_name, member, message, xml);
    } else if (message.GetReflection()->HasField(message, member.field)) {
      AppendElement(member.answer_name, member, message, -1, xml);
    }
  }
}

// The answer's frame around what `append` writes; nothing at all for a Query answer is no Result.
template <typename Append>
std::string Frame(const Envelope& envelope, bool has_members, Append append) {
  std::string xml;
  xml.reserve(1024);
  const std::string root = fmt::format("{}Response", envelope.action);
  fmt::format_to(std::back_inserter(xml), "<{} xmlns=\"{}\">", root, envelope.xmlns);
  if (envelope.dialect == Dialect::kEc2) {
    fmt::format_to(std::back_inserter(xml), "<requestId>{}</requestId>", envelope.request_id);
    if (!has_members) xml.append("<return>true</return>");
    append(&xml);
  } else {
    const std::string result = fmt::format("{}Result", envelope.action);
    if (has_members) {
      Open(result, &xml);
      append(&xml);
      Close(result, &xml);
    }
    fmt::format_to(std::back_inserter(xml),
                   "<ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata>",
                   envelope.request_id);
  }
  Close(root, &xml);
  return xml;
}

// How many bytes the character at the front has; 0 when it is none, or one that XML 1.0 lacks.
size_t CharacterAt(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x20 && first != '\t' && first != '\n' && first != '\r') return 0;
  if (text.starts_with("\xEF\xBF\xBE") || text.starts_with("\xEF\xBF\xBF")) return 0;
  return Utf8LengthAt(text);
}

bool StandsForItself(char c) {
  return c >= ' ' && c <= '~' && c != '&' && c != '<' && c != '>' && c != '"';
}

}  // namespace

void AppendEscaped(std::string_view text, std::string* xml) {
  while (!text.empty()) {
    // Nearly all text stands for itself.
    const auto special = std::ranges::find_if_not(text, StandsForItself);
    const auto plain = static_cast<size_t>(special - text.begin());
    xml->append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    size_t size = 1;
    switch (text.front()) {
      case '&':
        xml->append("&amp;");
        break;
      case '<':
        xml->append("&lt;");
        break;
      case '>':
        xml->append("&gt;");
        break;
      case '"':
        xml->append("&quot;");
        break;
      case '\r':  // a reader turns a bare one into a line feed
        xml->append("&#13;");
        break;
      default:
        size = CharacterAt(text);
        xml->append(size == 0 ? kReplacement : text.substr(0, size));
        size = size == 0 ? 1 : size;
    }
    text.remove_prefix(size);
  }
}

std::string XmlAnswer(const Envelope& envelope, const Shape& shape, const Message& message) {
  return Frame(envelope, !shape.members.empty(),
               [&](std::string* xml) { AppendMembers(shape, message, xml); });
}

std::string XmlEmptyList(const Envelope& envelope, std::string_view list) {
  return Frame(envelope, true, [&](std::string* xml) { Empty(list, xml); });
}

std::string XmlError(const Envelope& envelope, const WireError& error) {
  std::string message;
  AppendEscaped(error.message, &message);
  if (envelope.dialect == Dialect::kEc2) {
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{}</Code>"
        "<Message>{}</Message></Error></Errors><RequestID>{}</RequestID></Response>",
        error.code, message, envelope.request_id);
  }
  return fmt::format(
      "<ErrorResponse xmlns=\"{}\"><Error><Type>{}</Type><Code>{}</Code><Message>{}</Message>"
      "</Error><RequestId>{}</RequestId></ErrorResponse>",
      envelope.xmlns, error.is_senders() ? "Sender" : "Receiver", error.code, message,
      envelope.request_id);
}

}  // namespace ec::gateway
