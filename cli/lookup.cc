#include "cli/lookup.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace ec::cli {
namespace {

constexpr int kPageSize = 100;

}  // namespace

bool IsNotFound(const Outcome& outcome) {
  return outcome.code == "CacheClusterNotFound" || outcome.code == "ReplicationGroupNotFoundFault";
}

std::string LowerCase(std::string id) {
  std::transform(id.begin(), id.end(), id.begin(), [](unsigned char c) { return std::tolower(c); });
  return id;
}

std::string UpperCase(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  return word;
}

Outcome FindCluster(Context& context, const std::string& id, v1::CacheCluster* cluster) {
  v1::DescribeCacheClustersRequest request;
  request.set_cache_cluster_id(id);
  request.set_show_cache_node_info(true);
  v1::DescribeCacheClustersResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::DescribeCacheClusters, request, &response));
  if (response.cache_clusters_size() != 1) {
    return Refused(fmt::format("the control plane described {} clusters instead of {}",
                               response.cache_clusters_size(), id));
  }
  *cluster = std::move(*response.mutable_cache_clusters(0));
  return {};
}

Outcome FindClusters(Context& context, v1::DescribeCacheClustersResponse* response) {
  v1::DescribeCacheClustersRequest request;
  request.set_show_cache_node_info(true);
  request.set_max_records(kPageSize);
  do {
    v1::DescribeCacheClustersResponse page;
    EC_RETURN_UNLESS_OK(
        context.Call(&v1::ElastiCache::Stub::DescribeCacheClusters, request, &page));
    request.set_marker(page.marker());
    response->mutable_cache_clusters()->MergeFrom(page.cache_clusters());
  } while (!request.marker().empty());
  return {};
}

Outcome FindGroup(Context& context, const std::string& id, v1::ReplicationGroup* group) {
  v1::DescribeReplicationGroupsRequest request;
  request.set_replication_group_id(id);
  v1::DescribeReplicationGroupsResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::DescribeReplicationGroups, request, &response));
  if (response.replication_groups_size() != 1) {
    return Refused(fmt::format("the control plane described {} groups instead of {}",
                               response.replication_groups_size(), id));
  }
  *group = std::move(*response.mutable_replication_groups(0));
  return {};
}

Outcome FindGroups(Context& context, v1::DescribeReplicationGroupsResponse* response) {
  v1::DescribeReplicationGroupsRequest request;
  request.set_max_records(kPageSize);
  do {
    v1::DescribeReplicationGroupsResponse page;
    EC_RETURN_UNLESS_OK(
        context.Call(&v1::ElastiCache::Stub::DescribeReplicationGroups, request, &page));
    request.set_marker(page.marker());
    response->mutable_replication_groups()->MergeFrom(page.replication_groups());
  } while (!request.marker().empty());
  return {};
}

Outcome FindEvents(Context& context, v1::DescribeEventsRequest request,
                   v1::DescribeEventsResponse* response) {
  request.set_max_records(kPageSize);
  do {
    v1::DescribeEventsResponse page;
    EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::DescribeEvents, request, &page));
    request.set_marker(page.marker());
    response->mutable_events()->MergeFrom(page.events());
  } while (!request.marker().empty());
  return {};
}

Outcome FindLastSerial(Context& context, const std::string& source_type, const std::string& id,
                       uint64_t* serial) {
  *serial = 0;
  // Events come oldest first and there may be many, so short spans are tried before long ones.
  for (const int minutes : {1, 60, 24 * 60, 14 * 24 * 60}) {
    v1::DescribeEventsRequest request;
    request.set_duration(minutes);
    if (!id.empty()) {
      request.set_source_type(source_type);
      request.set_source_identifier(LowerCase(id));
    }
    v1::DescribeEventsResponse response;
    EC_RETURN_UNLESS_OK(FindEvents(context, request, &response));
    for (const v1::Event& event : response.events()) {
      *serial = std::max<uint64_t>(*serial, event.serial());
    }
    if (*serial > 0) return {};
  }
  return {};
}

}  // namespace ec::cli
