#include "controlplane/gateway/shapes.h"

#include <algorithm>

#include "ec/v1/options.pb.h"

namespace ec::gateway {
namespace {

using google::protobuf::FieldDescriptor;

std::string WithFirst(std::string name, char from, char to, int shift) {
  if (!name.empty() && name[0] >= from && name[0] <= to) {
    name[0] = static_cast<char>(name[0] + shift);
  }
  return name;
}

std::string Or(const std::string& chosen, std::string otherwise) {
  return chosen.empty() ? std::move(otherwise) : chosen;
}

Member MemberOf(const FieldDescriptor& field, Dialect dialect) {
  const auto& options = field.options();
  Member member;
  member.field = &field;
  member.absent_when_empty = options.GetExtension(v1::absent_when_empty);
  member.is_timestamp = field.type() == FieldDescriptor::TYPE_MESSAGE &&
                        field.message_type()->full_name() == "google.protobuf.Timestamp";
  member.request_name = WireName(field);
  if (dialect == Dialect::kQuery) {
    member.answer = Tag(member.request_name);
    member.element = Tag(Or(options.GetExtension(v1::list_element), "member"));
    const std::string& second = options.GetExtension(v1::second_name);
    if (!second.empty()) member.second_answer = Tag(second);
  } else {
    member.answer = Tag(Or(options.GetExtension(v1::ec2_response),
                           WithFirst(field.json_name(), 'A', 'Z', 'a' - 'A')));
    member.request_name = Or(options.GetExtension(v1::ec2_request), member.request_name);
    member.element = Tag("item");
  }
  return member;
}

}  // namespace

std::string WireName(const FieldDescriptor& field) {
  return WithFirst(field.json_name(), 'a', 'z', 'A' - 'a');
}

const Shape& Shapes::Add(const google::protobuf::Descriptor& type) {
  std::unique_ptr<Shape>& place = shapes_[&type];
  if (place) return *place;
  place = std::make_unique<Shape>();
  Shape* const shape = place.get();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.options().GetExtension(v1::emulator_only)) continue;
    Member member = MemberOf(field, dialect_);
    if (field.type() == FieldDescriptor::TYPE_MESSAGE && !member.is_timestamp) {
      member.shape = &Add(*field.message_type());
    }
    shape->members.push_back(std::move(member));
  }
  return *shape;
}

}  // namespace ec::gateway
