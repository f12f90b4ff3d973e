// Tags, and what has them, as words of a command line.
#pragma once

#include <string>

#include "cli/context.h"
#include "cli/outcome.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::cli {

// An ARN is taken as it is; a bare id is looked up: a cluster's, or else a group's.
Outcome FindArn(Context& context, const std::string& resource, std::string* arn);

// "key=value"; a key alone has an empty value.
Outcome ParseTag(const std::string& text, v1::Tag* tag);

}  // namespace ec::cli
