// Tags as words of a command line.
#pragma once

#include <string>

#include "cli/outcome.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::cli {

// "key=value"; a key alone has an empty value.
Outcome ParseTag(const std::string& text, v1::Tag* tag);

}  // namespace ec::cli
