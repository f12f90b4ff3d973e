// What AWS's protocols call the members of our messages: read off the protos once, so that no
// request asks the descriptors again.
//
// The Query protocol's name is the field's json_name with its first letter in upper case. EC2's is
// the same in a request, and begins with a small letter in an answer; options.proto says where the
// two differ.
#pragma once

#include <google/protobuf/descriptor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ec::gateway {

enum class Dialect { kQuery, kEc2 };

struct Shape;

// An element's name, as it stands in XML.
struct Tag {
  Tag() = default;
  explicit Tag(const std::string& of)
      : name(of), open("<" + of + ">"), close("</" + of + ">"), empty("<" + of + "/>") {}

  std::string name;
  std::string open, close, empty;
};

struct Member {
  const google::protobuf::FieldDescriptor* field = nullptr;
  std::string request_name;
  Tag answer;
  Tag second_answer;  // without a name: none
  Tag element;        // of a list, in an answer
  bool absent_when_empty = false;
  bool is_timestamp = false;
  const Shape* shape = nullptr;  // of a structure, or of a list of them
};

// The members that AWS's clients may see, in the order of the proto.
struct Shape {
  std::vector<Member> members;
};

// Thread safe once every Add() is done.
class Shapes {
 public:
  explicit Shapes(Dialect dialect) : dialect_(dialect) {}

  // Reads a message and all that it is made of.
  const Shape& Add(const google::protobuf::Descriptor& type);
  // REQUIRES: it was added.
  const Shape& Of(const google::protobuf::Descriptor& type) const { return *shapes_.at(&type); }

 private:
  const Dialect dialect_;
  std::map<const google::protobuf::Descriptor*, std::unique_ptr<Shape>> shapes_;
};

// The json_name with its first letter in upper case.
std::string WireName(const google::protobuf::FieldDescriptor& field);

}  // namespace ec::gateway
