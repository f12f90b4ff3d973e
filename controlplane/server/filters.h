// EC2's filters: of several all must match, of one's values one; values may contain * and ?.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "ec/v1/network.pb.h"

namespace ec::server {

using Filters = google::protobuf::RepeatedPtrField<v1::Filter>;

// What a resource is to be found by: each filter's name, and what the resource has there.
using Attributes = std::multimap<std::string, std::string>;

// `known` are the names of filters besides those of tags. kInvalidParameterValue.
Status CheckFilters(const Filters& filters, const std::set<std::string>& known);

// REQUIRES: CheckFilters() has passed.
bool Matches(const Filters& filters, const Attributes& attributes);

// "tag:<key>" and "tag-key".
void AddTagAttributes(const std::map<std::string, std::string>& tags, Attributes* attributes);

// Whether `pattern`, with * and ? (a backslash takes their meaning away), fits the whole text.
bool FitsPattern(std::string_view pattern, std::string_view text);

}  // namespace ec::server
