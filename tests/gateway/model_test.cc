// The protos beside AWS's service model (aws_*.tsv): every name on the wire, every list's element,
// every action and every error code. Clients such as Go's and Terraform's drop without a word what
// is called otherwise.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "controlplane/gateway/actions.h"
#include "tests/gateway/rig.h"

namespace ec::gateway {
namespace {

using Row = std::vector<std::string>;

std::vector<Row> ReadTable(const std::string& name) {
  std::ifstream file(std::string(EC_GATEWAY_TESTS) + "/" + name);
  std::vector<Row> rows;
  std::string line;
  std::getline(file, line);  // the head
  while (std::getline(file, line)) {
    Row row;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, '\t');) row.push_back(cell);
    row.resize(4);
    rows.push_back(row);
  }
  EXPECT_FALSE(rows.empty()) << name;
  return rows;
}

struct AwsMember {
  std::string type;
  std::string element;
};
using AwsShape = std::map<std::string, AwsMember>;

std::map<std::string, AwsShape> AwsShapes() {
  std::map<std::string, AwsShape> shapes;
  for (const Row& row : ReadTable("aws_members.tsv")) shapes[row[0]][row[1]] = {row[2], row[3]};
  return shapes;
}

// What the emulator calls otherwise than AWS does, where the name is not on the wire.
const AwsShape* FindShape(const std::map<std::string, AwsShape>& shapes, const std::string& name) {
  const auto found = shapes.find(name);
  return found == shapes.end() ? nullptr : &found->second;
}

void Compare(const std::map<std::string, AwsShape>& shapes, const AwsShape& aws, const Shape& ours,
             const std::string& where, std::set<const Shape*>* seen) {
  if (!seen->insert(&ours).second) return;
  for (const Member& member : ours.members) {
    const std::string at = where + "." + member.answer.name;
    const auto found = aws.find(member.answer.name);
    ASSERT_NE(found, aws.end()) << at << " is not AWS's";
    EXPECT_EQ(found->second.type == "list", member.field->is_repeated()) << at;
    if (member.field->is_repeated()) {
      const std::string element = found->second.element.empty() ? "member" : found->second.element;
      EXPECT_EQ(member.element.name, element) << at;
    }
    if (member.shape == nullptr) continue;
    const std::string type = member.field->message_type()->name();
    const AwsShape* inner = FindShape(shapes, type);
    if (inner != nullptr) Compare(shapes, *inner, *member.shape, type, seen);
  }
}

TEST(Model, EveryMemberIsCalledAsAwsCallsIt) {
  const auto shapes = AwsShapes();
  const Actions actions;
  std::set<const Shape*> seen;
  for (const Row& row : ReadTable("aws_operations.tsv")) {
    const auto action = actions.elasticache().actions.find(row[0]);
    ASSERT_NE(action, actions.elasticache().actions.end()) << row[0] << " is not answered";
    if (action->second.method == nullptr) continue;
    const AwsShape* input = FindShape(shapes, row[1]);
    const AwsShape* output = FindShape(shapes, row[2]);
    if (input != nullptr) Compare(shapes, *input, *action->second.input, row[1], &seen);
    if (output != nullptr) Compare(shapes, *output, *action->second.output, row[2], &seen);
    // Exactly where AWS has a result there is one.
    EXPECT_EQ(action->second.output->members.empty(), row[3].empty()) << row[0];
  }
  EXPECT_GT(seen.size(), 50u);
}

TEST(Model, EveryMemberOfAnEmulatedRequestIsKnown) {
  const auto shapes = AwsShapes();
  const Actions actions;
  for (const Row& row : ReadTable("aws_operations.tsv")) {
    const Action& action = actions.elasticache().actions.at(row[0]);
    const AwsShape* input = FindShape(shapes, row[1]);
    if (action.method == nullptr || input == nullptr) continue;
    std::set<std::string> known;
    for (const Member& member : action.input->members) known.insert(member.request_name);
    for (const auto& [name, member] : *input) {
      EXPECT_TRUE(known.contains(name)) << row[1] << "." << name << " would be passed over";
    }
  }
}

TEST(Model, WhatIsNotEmulatedSaysSoOrIsEmpty) {
  Rig rig;
  const auto shapes = AwsShapes();
  const Actions actions;
  for (const Row& row : ReadTable("aws_operations.tsv")) {
    const Action& action = actions.elasticache().actions.at(row[0]);
    if (action.method != nullptr) continue;
    const HttpAnswer answer = rig.Query("Action=" + row[0] + "&Version=2015-02-02");
    if (action.empty_list.empty()) {
      EXPECT_EQ(answer.status, 400) << row[0];
      EXPECT_NE(answer.body.find("is not emulated"), std::string::npos) << answer.body;
    } else {
      EXPECT_EQ(answer.status, 200) << row[0];
      EXPECT_EQ(shapes.at(row[2]).at(std::string(action.empty_list)).type, "list") << row[0];
    }
  }
  EXPECT_TRUE(rig.api.calls().empty());
}

TEST(Model, EveryErrorHasItsCodeAndItsStatus) {
  Rig rig;
  for (const Row& row : ReadTable("aws_errors.tsv")) {
    const int status = std::stoi(row[1]);
    rig.api.set_answer(
        [&](const std::string&, const google::protobuf::Message&, google::protobuf::Message*) {
          return Refusal(row[0], status, "No <such> \"thing\" & no other");
        });
    const HttpAnswer answer = rig.Query("Action=DescribeCacheClusters&Version=2015-02-02");
    EXPECT_EQ(answer.status, status) << row[0];
    EXPECT_EQ(answer.content_type, "text/xml");
    EXPECT_EQ(Body(answer),
              "<ErrorResponse xmlns=\"http://elasticache.amazonaws.com/doc/2015-02-02/\"><Error>"
              "<Type>Sender</Type><Code>" +
                  row[0] +
                  "</Code><Message>No &lt;such&gt; &quot;thing&quot; &amp; no other</Message>"
                  "</Error><RequestId>ID</RequestId></ErrorResponse>");
  }
}

}  // namespace
}  // namespace ec::gateway
