// Which endpoint a person means: of a cache cluster or of a replication group.
#pragma once

#include <string>

#include "cli/context.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::cli {

struct EndpointChoice {
  std::string id;
  std::string node;
  bool config = false;
  bool reader = false;
};

struct ChosenEndpoint {
  v1::Endpoint endpoint;
  bool is_memcached = false;
  bool encrypted = false;  // it speaks TLS only
};

Outcome FindEndpoint(Context& context, const EndpointChoice& choice, ChosenEndpoint* chosen);

// The same as an instance of this machine reaches it: on loopback, also where the API says that
// clients call it by another name (`ecctl up --advertise`).
Outcome FindEndpointOnLoopback(Context& context, const EndpointChoice& choice,
                               ChosenEndpoint* chosen);

// --node, --config and --reader.
void AddEndpointOptions(Command command, EndpointChoice* choice);

}  // namespace ec::cli
