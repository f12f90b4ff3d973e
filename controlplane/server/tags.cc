#include "controlplane/server/tags.h"

#include "controlplane/core/tags.h"
#include "controlplane/server/controller_loop.h"

namespace ec::server {
namespace {

// All three answer with the resource's whole list.
template <typename Response>
Status ListTags(const model::State& state, const std::string& arn, Response* response) {
  Result<core::Tagged> tagged = core::FindTagged(state.records, arn);
  if (!tagged.ok()) return tagged.status();
  for (const auto& [key, value] : core::TagsOf(state.records, *tagged)) {
    v1::Tag* tag = response->add_tag_list();
    tag->set_key(key);
    tag->set_value(value);
  }
  return {};
}

}  // namespace

Status AddTagsToResource(ControllerLoop& loop, const v1::AddTagsToResourceRequest& request,
                         v1::AddTagsToResourceResponse* response) {
  core::AddTags command{request.resource_name(), {}};
  for (const v1::Tag& tag : request.tags()) command.tags.emplace_back(tag.key(), tag.value());
  return loop.Submit(core::Command(std::move(command)), [&](const model::State& state) {
    (void)ListTags(state, request.resource_name(), response);  // it was there a moment ago
  });
}

Status ListTagsForResource(ControllerLoop& loop, const v1::ListTagsForResourceRequest& request,
                           v1::ListTagsForResourceResponse* response) {
  return loop.Read([&](const model::State& state) {
    return ListTags(state, request.resource_name(), response);
  });
}

Status RemoveTagsFromResource(ControllerLoop& loop,
                              const v1::RemoveTagsFromResourceRequest& request,
                              v1::RemoveTagsFromResourceResponse* response) {
  core::RemoveTags command{request.resource_name(),
                           {request.tag_keys().begin(), request.tag_keys().end()}};
  return loop.Submit(core::Command(std::move(command)), [&](const model::State& state) {
    (void)ListTags(state, request.resource_name(), response);  // it was there a moment ago
  });
}

}  // namespace ec::server
