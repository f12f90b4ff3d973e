// Every action's answer, to the byte: an answer with every member set is compared with the golden
// file of its service. EC_UPDATE_GOLDEN=1 writes the files anew; what is in them is then to be read
// beside AWS's documentation, and model_test.cc compares the names with AWS's model.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "controlplane/gateway/actions.h"
#include "tests/gateway/rig.h"

namespace ec::gateway {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Sets every member: texts say their names, lists have two elements.
void Fill(Message* message, int depth = 0) {
  const Reflection* reflection = message->GetReflection();
  const auto* type = message->GetDescriptor();
  if (type->full_name() == "google.protobuf.Timestamp") {
    reflection->SetInt64(message, type->FindFieldByName("seconds"), 1'481'752'783);
    reflection->SetInt32(message, type->FindFieldByName("nanos"), 794'000'000);
    return;
  }
  for (int i = 0; i < type->field_count() && depth < 8; ++i) {
    const FieldDescriptor* field = type->field(i);
    if (field->is_map()) continue;
    for (int k = 0; k < (field->is_repeated() ? 2 : 1); ++k) {
      const bool list = field->is_repeated();
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_STRING: {
          const std::string text = field->name() + (list ? std::to_string(k + 1) : "");
          list ? reflection->AddString(message, field, text)
               : reflection->SetString(message, field, text);
          break;
        }
        case FieldDescriptor::CPPTYPE_BOOL:
          list ? reflection->AddBool(message, field, true)
               : reflection->SetBool(message, field, i % 2 == 0);
          break;
        case FieldDescriptor::CPPTYPE_INT32:
          reflection->SetInt32(message, field, i + 1);
          break;
        case FieldDescriptor::CPPTYPE_INT64:
          reflection->SetInt64(message, field, i + 1);
          break;
        case FieldDescriptor::CPPTYPE_UINT64:
          reflection->SetUInt64(message, field, static_cast<uint64_t>(i) + 1);
          break;
        case FieldDescriptor::CPPTYPE_DOUBLE:
          reflection->SetDouble(message, field, i + 0.5);
          break;
        case FieldDescriptor::CPPTYPE_MESSAGE:
          Fill(list ? reflection->AddMessage(message, field)
                    : reflection->MutableMessage(message, field),
               depth + 1);
          break;
        default:
          ADD_FAILURE() << field->full_name() << " is of a type that no answer has";
      }
    }
  }
}

// "== Action" and the answer, for each.
std::map<std::string, std::string> ReadGolden(const std::string& path) {
  std::map<std::string, std::string> answers;
  std::ifstream file(path);
  std::string line;
  std::string name;
  while (std::getline(file, line)) {
    if (line.starts_with("== ")) {
      name = line.substr(3);
    } else if (!line.empty()) {
      answers[name] += line + "\n";
    }
  }
  return answers;
}

void CheckService(const std::string& scope) {
  Rig rig;
  rig.api.set_answer([](const std::string&, const Message&, Message* answer) {
    Fill(answer);
    return grpc::Status();
  });
  const Actions actions;
  const AwsService& service = *actions.ServiceOf(scope);
  const std::string path = std::string(EC_GOLDEN_DIR) + "/" + scope + ".txt";
  std::ostringstream written;
  const std::map<std::string, std::string> golden = ReadGolden(path);
  for (const auto& [name, action] : service.actions) {
    HttpRequest request =
        Rig::Post("Action=" + name + "&Version=" + std::string(service.versions[0]));
    request.headers[0].second = scope + ".us-east-1.amazonaws.com";
    const std::string answer = Body(rig.Send(request)) + "\n";
    written << "== " << name << "\n" << answer << "\n";
    const auto expected = golden.find(name);
    if (std::getenv("EC_UPDATE_GOLDEN") != nullptr) continue;
    ASSERT_NE(expected, golden.end()) << name << " is not in " << path;
    EXPECT_EQ(answer, expected->second) << name;
  }
  if (std::getenv("EC_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << written.str();
}

TEST(Golden, ElastiCache) { CheckService("elasticache"); }
TEST(Golden, Ec2) { CheckService("ec2"); }
TEST(Golden, Sts) { CheckService("sts"); }

// What is not there leaves no element; what is known to be empty leaves an empty one.
TEST(Golden, AnEmptyListIsThereAndAnAbsentMemberIsNot) {
  Rig rig;
  EXPECT_EQ(Body(rig.Query("Action=DescribeCacheClusters&Version=2014-09-30")),
            "<DescribeCacheClustersResponse "
            "xmlns=\"http://elasticache.amazonaws.com/doc/2014-09-30/\">"
            "<DescribeCacheClustersResult><CacheClusters/></DescribeCacheClustersResult>"
            "<ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata>"
            "</DescribeCacheClustersResponse>");
  EXPECT_EQ(Body(rig.Query("Action=DeleteVpc&VpcId=vpc-1")),
            "<DeleteVpcResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"
            "<requestId>ID</requestId><return>true</return></DeleteVpcResponse>");
}

}  // namespace
}  // namespace ec::gateway
