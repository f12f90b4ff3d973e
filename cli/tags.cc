// `ecctl tag`.
#include "cli/tags.h"

#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/lookup.h"

namespace ec::cli {
namespace {

struct TagOptions {
  std::string resource;
  std::vector<std::string> words;
};

// `response` is any of the API's that hold a tag_list.
template <typename Response>
Outcome PrintTags(const Context& context, const Response& response) {
  if (context.json()) {
    context.Print(response);
    return {};
  }
  Table table({"TAG", "VALUE"});
  for (const v1::Tag& tag : response.tag_list()) table.Add({tag.key(), tag.value()});
  context.Print(table, "There are no tags.");
  return {};
}

Outcome ListTags(Context& context, const TagOptions& options) {
  v1::ListTagsForResourceRequest request;
  EC_RETURN_UNLESS_OK(FindArn(context, options.resource, request.mutable_resource_name()));
  v1::ListTagsForResourceResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::ListTagsForResource, request, &response));
  return PrintTags(context, response);
}

Outcome AddTags(Context& context, const TagOptions& options) {
  v1::AddTagsToResourceRequest request;
  for (const std::string& word : options.words) {
    EC_RETURN_UNLESS_OK(ParseTag(word, request.add_tags()));
  }
  EC_RETURN_UNLESS_OK(FindArn(context, options.resource, request.mutable_resource_name()));
  v1::AddTagsToResourceResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::AddTagsToResource, request, &response));
  return PrintTags(context, response);
}

Outcome RemoveTags(Context& context, const TagOptions& options) {
  v1::RemoveTagsFromResourceRequest request;
  for (const std::string& key : options.words) request.add_tag_keys(key);
  EC_RETURN_UNLESS_OK(FindArn(context, options.resource, request.mutable_resource_name()));
  v1::RemoveTagsFromResourceResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::RemoveTagsFromResource, request, &response));
  return PrintTags(context, response);
}

}  // namespace

Outcome FindArn(Context& context, const std::string& resource, std::string* arn) {
  if (resource.starts_with("arn:")) {
    *arn = resource;
    return {};
  }
  v1::CacheCluster cluster;
  const Outcome found = FindCluster(context, resource, &cluster);
  *arn = cluster.arn();
  if (!IsNotFound(found)) return found;
  v1::ReplicationGroup group;
  if (!FindGroup(context, resource, &group).ok()) return found;
  *arn = group.arn();
  return {};
}

Outcome ParseTag(const std::string& text, v1::Tag* tag) {
  const size_t equals = text.find('=');
  if (equals == 0 || text.empty()) {
    return UsageError(fmt::format("'{}' is not a tag of the form key=value", text));
  }
  tag->set_key(text.substr(0, equals));
  tag->set_value(equals == std::string::npos ? "" : text.substr(equals + 1));
  return {};
}

void AddTagCommands(CommandLine& line) {
  CLI::App* tag = line.AddGroup(kClusterSection, "tag", "List, add and remove tags");
  auto options = std::make_shared<TagOptions>();
  const auto add = [&](const std::string& name, const std::string& description, auto function,
                       const std::string& footer) {
    const Action action = [options, function](Context& context) {
      return function(context, *options);
    };
    return line.AddCommand(tag, name, description, action, footer)
        .Argument("RESOURCE", "CLUSTER|GROUP", &options->resource,
                  "The id of a cache cluster or a replication group, or any ARN");
  };
  add("list", "List a resource's tags", ListTags, "Examples:\n  ecctl tag list demo\n");
  add("add", "Add tags, or give them other values", AddTags,
      "Examples:\n  ecctl tag add demo team=web stage=test\n")
      .Arguments("TAG", "KEY=VALUE", /*required=*/true, &options->words, "key=value");
  add("remove", "Remove tags", RemoveTags, "Examples:\n  ecctl tag remove demo team stage\n")
      .Arguments("KEY", "KEY", /*required=*/true, &options->words, "A tag's key");
}

}  // namespace ec::cli
