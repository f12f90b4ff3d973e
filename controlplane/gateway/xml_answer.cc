#include "controlplane/gateway/xml_answer.h"

#include <fmt/compile.h>
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

template <typename Number>
void AppendNumber(Number number, std::string* xml) {
  fmt::format_to(std::back_inserter(*xml), FMT_COMPILE("{}"), number);
}

// A message with its reflection, which takes a while to ask for.
struct Reader {
  explicit Reader(const Message& of) : message(of), reflection(*of.GetReflection()) {}
  const Message& message;
  const Reflection& reflection;
};

// One value: `index` is that of a list's element, or -1.
void AppendValue(const Member& member, const Reader& reader, int index, std::string* xml) {
  const auto& [message, reflection] = reader;
  const FieldDescriptor* field = member.field;
  const bool one = index < 0;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      return AppendEscaped(
          one ? reflection.GetStringReference(message, field, &scratch)
              : reflection.GetRepeatedStringReference(message, field, index, &scratch),
          xml);
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      const bool value = one ? reflection.GetBool(message, field)
                             : reflection.GetRepeatedBool(message, field, index);
      xml->append(value ? "true" : "false");
      return;
    }
    case FieldDescriptor::CPPTYPE_INT32:
      return AppendNumber(one ? reflection.GetInt32(message, field)
                              : reflection.GetRepeatedInt32(message, field, index),
                          xml);
    case FieldDescriptor::CPPTYPE_INT64:
      return AppendNumber(one ? reflection.GetInt64(message, field)
                              : reflection.GetRepeatedInt64(message, field, index),
                          xml);
    case FieldDescriptor::CPPTYPE_UINT64:
      return AppendNumber(one ? reflection.GetUInt64(message, field)
                              : reflection.GetRepeatedUInt64(message, field, index),
                          xml);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return AppendNumber(one ? reflection.GetDouble(message, field)
                              : reflection.GetRepeatedDouble(message, field, index),
                          xml);
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      const Message& inner = one ? reflection.GetMessage(message, field)
                                 : reflection.GetRepeatedMessage(message, field, index);
      if (member.is_timestamp) return AppendTime(inner, xml);
      return AppendMembers(*member.shape, inner, xml);
    }
    default:
      return;  // the other types stand in no message that AWS's clients see
  }
}

void AppendElement(const Tag& tag, const Member& member, const Reader& reader, int index,
                   std::string* xml) {
  xml->append(tag.open);
  const size_t begin = xml->size();
  AppendValue(member, reader, index, xml);
  if (xml->size() > begin) {
    xml->append(tag.close);
  } else {
    xml->back() = '/';
    xml->push_back('>');
  }
}

void AppendList(const Tag& tag, const Member& member, const Reader& reader, std::string* xml) {
  const int size = reader.reflection.FieldSize(reader.message, member.field);
  if (size == 0) {
    if (!member.absent_when_empty) xml->append(tag.empty);
    return;
  }
  xml->append(tag.open);
  for (int i = 0; i < size; ++i) AppendElement(member.element, member, reader, i, xml);
  xml->append(tag.close);
}

void AppendMembers(const Shape& shape, const Message& message, std::string* xml) {
  const Reader reader(message);
  for (const Member& member : shape.members) {
    if (member.field->is_repeated()) {
      AppendList(member.answer, member, reader, xml);
      if (!member.second_answer.name.empty()) {
        AppendList(member.second_answer, member, reader, xml);
      }
    } else if (reader.reflection.HasField(message, member.field)) {
      AppendElement(member.answer, member, reader, -1, xml);
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
