// The actions of AWS's services that are served here, read off the protos: an action is an rpc.
#pragma once

#include <google/protobuf/descriptor.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/gateway/shapes.h"
#include "controlplane/gateway/wire_error.h"

namespace ec::gateway {

struct Action {
  std::string name;
  // nullptr: the action is AWS's and not emulated.
  const google::protobuf::MethodDescriptor* method = nullptr;
  const Shape* input = nullptr;
  const Shape* output = nullptr;
  // Of one that is not emulated: the list that its answer has and which is empty here; empty: it is
  // refused.
  std::string_view empty_list;
};

struct AwsService {
  std::string_view scope;  // in a signature, and in front of the host name: "elasticache"
  Dialect dialect = Dialect::kQuery;
  std::vector<std::string_view> versions;  // the newest first
  std::string_view xmlns_before_version;   // "http://elasticache.amazonaws.com/doc/"
  std::map<std::string, Action, std::less<>> actions;

  // The namespace for the version that was asked for; for the newest one when it is not known.
  std::string Xmlns(std::string_view version) const;
  bool HasVersion(std::string_view version) const;
};

class Actions {
 public:
  Actions();
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;

  // By the signature's scope, or the first label of the host name; nullptr: not served here.
  const AwsService* ServiceOf(std::string_view scope) const;
  // The first service that has such an action; ElastiCache when none has.
  const AwsService& ServiceWith(std::string_view action) const;
  const AwsService& elasticache() const { return services_.front(); }
  const std::vector<AwsService>& services() const { return services_; }

 private:
  Shapes query_{Dialect::kQuery};
  Shapes ec2_{Dialect::kEc2};
  std::vector<AwsService> services_;
};

// InvalidAction, in the service's words.
WireError UnknownAction(const AwsService& service, std::string_view action,
                        std::string_view version);
WireError NotEmulated(const AwsService& service, std::string_view action);

}  // namespace ec::gateway
