// Whatever its members hold, an answer is XML: characters that XML knows, in valid UTF-8, and tags
// that close what was opened.
#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "common/check.h"
#include "controlplane/gateway/actions.h"
#include "controlplane/gateway/api.h"
#include "controlplane/gateway/xml_answer.h"
#include "tests/fuzz/targets.h"

namespace ec::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Takes bytes off the front, and is never empty-handed.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : left_(bytes) {}
  bool empty() const { return left_.empty(); }
  unsigned Byte() {
    if (left_.empty()) return 0;
    const auto byte = static_cast<unsigned char>(left_.front());
    left_.remove_prefix(1);
    return byte;
  }
  std::string Text() {
    const std::string text(left_.substr(0, Byte() % 32));
    left_.remove_prefix(std::min(text.size(), left_.size()));
    return text;
  }

 private:
  std::string_view left_;
};

void Fill(Bytes* bytes, int depth, Message* message);

void FillField(Bytes* bytes, int depth, const FieldDescriptor* field, Message* message) {
  const Reflection* reflection = message->GetReflection();
  const bool list = field->is_repeated();
  const auto number = static_cast<int32_t>(bytes->Byte() * 77'777'777U);
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      list ? reflection->AddString(message, field, bytes->Text())
           : reflection->SetString(message, field, bytes->Text());
      return;
    case FieldDescriptor::CPPTYPE_BOOL:
      if (!list) reflection->SetBool(message, field, number % 2 == 0);
      return;
    case FieldDescriptor::CPPTYPE_INT32:
      if (!list) reflection->SetInt32(message, field, number);
      return;
    case FieldDescriptor::CPPTYPE_INT64:
      if (!list) reflection->SetInt64(message, field, int64_t{number} << 31);
      return;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      if (!list) reflection->SetDouble(message, field, 1.0 / number);
      return;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      Fill(bytes, depth + 1,
           list ? reflection->AddMessage(message, field)
                : reflection->MutableMessage(message, field));
      return;
    default:
      return;
  }
}

void Fill(Bytes* bytes, int depth, Message* message) {
  const auto* type = message->GetDescriptor();
  if (type->full_name() == "google.protobuf.Timestamp") {
    message->GetReflection()->SetInt64(message, type->FindFieldByName("seconds"),
                                       int64_t{bytes->Byte()} * 900'000'000);
    return;
  }
  for (int i = 0; i < type->field_count() && depth < 6 && !bytes->empty(); ++i) {
    if (type->field(i)->is_map()) continue;
    const unsigned count = bytes->Byte() % (type->field(i)->is_repeated() ? 3 : 2);
    for (unsigned k = 0; k < count; ++k) FillField(bytes, depth, type->field(i), message);
  }
}

// The length of the character at the front, as RFC 3629 has it; 0: it is none that XML 1.0 knows.
size_t CharacterLength(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = at(0);
  if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || length > text.size()) return 0;
  unsigned code = first & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
    code = code << 6 | (at(i) & 0x3F);
  }
  const unsigned least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  const bool is_none = code == 0xFFFE || code == 0xFFFF || code > 0x10FFFF;
  return code < least || is_surrogate || is_none ? 0 : length;
}

void CheckCharacters(std::string_view xml) {
  while (!xml.empty()) {
    const size_t length = CharacterLength(xml);
    EC_CHECK(length > 0);
    xml.remove_prefix(length);
  }
}

void CheckTags(std::string_view xml) {
  std::vector<std::string_view> open;
  while (!xml.empty()) {
    const size_t begin = xml.find('<');
    EC_CHECK(xml.substr(0, begin).find('>') == std::string_view::npos);
    if (begin == std::string_view::npos) break;
    const size_t end = xml.find('>', begin);
    EC_CHECK(end != std::string_view::npos);
    std::string_view tag = xml.substr(begin + 1, end - begin - 1);
    xml.remove_prefix(end + 1);
    EC_CHECK(tag.find('<') == std::string_view::npos && !tag.empty());
    if (tag.ends_with('/') || tag.starts_with('?')) continue;
    if (!tag.starts_with('/')) {
      open.push_back(tag.substr(0, tag.find(' ')));
      continue;
    }
    EC_CHECK(!open.empty() && open.back() == tag.substr(1));
    open.pop_back();
  }
  EC_CHECK(open.empty());
}

void Check(const std::string& xml) {
  CheckCharacters(xml);
  CheckTags(xml);
}

const std::vector<const gateway::Action*>& EmulatedActions(const gateway::Actions& actions) {
  static const std::vector<const gateway::Action*> all = [&] {
    std::vector<const gateway::Action*> emulated;
    for (const gateway::AwsService& service : actions.services()) {
      for (const auto& [name, action] : service.actions) {
        if (action.method != nullptr) emulated.push_back(&action);
      }
    }
    return emulated;
  }();
  return all;
}

}  // namespace

void Xml(std::string_view input) {
  static const gateway::Actions actions;
  Bytes bytes(input);
  const auto& all = EmulatedActions(actions);
  const gateway::Action& action = *all[bytes.Byte() % all.size()];
  const bool is_ec2 = bytes.Byte() % 2 == 1;
  const gateway::Envelope envelope = {is_ec2 ? gateway::Dialect::kEc2 : gateway::Dialect::kQuery,
                                      action.name,
                                      "http://elasticache.amazonaws.com/doc/2015-02-02/", "ID"};
  const gateway::MessagePtr answer = gateway::NewMessage(*action.method->output_type());
  Fill(&bytes, 0, answer.get());
  Check(gateway::XmlAnswer(envelope, *action.output, *answer));
  Check(gateway::XmlError(envelope, {"InvalidParameterValue", 400, std::string(input)}));
}

}  // namespace ec::fuzz
