// What the API's answers say, as metrics.
#include <google/protobuf/descriptor.h>

#include <map>
#include <set>
#include <utility>

#include "controlplane/gateway/metrics.h"
#include "ec/v1/elasticache.pb.h"
#include "ec/v1/emulator.pb.h"

namespace ec::gateway {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::map<std::string, std::string>;

// Families in the order in which they are named, each with what was put into it.
class Families {
 public:
  void Put(const std::string& name, const std::string& help, MetricType type, const Labels& labels,
           double value) {
    const auto [place, is_new] = places_.try_emplace(name, families_.size());
    if (is_new) families_.push_back({name, help, type, {}});
    ClientMetric metric;
    for (const auto& [key, text] : labels) metric.label.push_back({key, text});
    metric.gauge.value = value;
    metric.counter.value = value;
    families_[place->second].metric.push_back(std::move(metric));
  }
  void Gauge(const std::string& name, const std::string& help, const Labels& labels, double value) {
    Put(name, help, MetricType::Gauge, labels, value);
  }
  void Counter(const std::string& name, const std::string& help, const Labels& labels,
               uint64_t value) {
    Put(name, help, MetricType::Counter, labels, static_cast<double>(value));
  }
  std::vector<MetricFamily> Take() { return std::move(families_); }

 private:
  std::vector<MetricFamily> families_;
  std::map<std::string, size_t> places_;
};

// How many there are of each set of labels.
class Counts {
 public:
  void Add(Labels labels) { ++counts_[std::move(labels)]; }
  void Into(const std::string& name, const std::string& help, Families* families) const {
    for (const auto& [labels, count] : counts_) families->Gauge(name, help, labels, count);
  }

 private:
  std::map<Labels, int> counts_;
};

struct Totals {
  Counts clusters;
  Counts members;
  Counts groups;
  Counts hosts;
};

void Take(const v1::DescribeCacheClustersResponse& answer, Totals* totals) {
  for (const v1::CacheCluster& cluster : answer.cache_clusters()) {
    totals->clusters.Add(
        {{"engine", cluster.engine()}, {"status", cluster.cache_cluster_status()}});
    for (const v1::CacheNode& node : cluster.cache_nodes()) {
      totals->members.Add({{"engine", cluster.engine()}, {"status", node.cache_node_status()}});
    }
  }
}

void Take(const v1::DescribeReplicationGroupsResponse& answer, Totals* totals, Families* out) {
  for (const v1::ReplicationGroup& group : answer.replication_groups()) {
    totals->groups.Add({{"status", group.status()}});
    const Labels of_group = {{"replication_group", group.replication_group_id()}};
    out->Counter("emucache_replication_group_epoch",
                 "Rises at every change of the group's primary, planned or not", of_group,
                 group.epoch());
    const char* const failovers = "emucache_failovers_total";
    const char* const since =
        "Changes of primary since the control plane started: planned, or because it had ended";
    const auto with = [&](const char* planned) {
      Labels more = of_group;
      more["planned"] = planned;
      return more;
    };
    out->Counter(failovers, since, with("false"), group.failovers());
    out->Counter(failovers, since, with("true"), group.planned_failovers());
    if (group.has_last_failover_lost_bytes()) {
      out->Gauge("emucache_last_failover_lost_bytes",
                 "What the last failover's new primary did not have of the replication stream",
                 of_group, static_cast<double>(group.last_failover_lost_bytes()));
    }
    if (group.has_last_failover_lost_ms()) {
      out->Gauge("emucache_last_failover_lost_seconds", "The time in which that was written",
                 of_group, static_cast<double>(group.last_failover_lost_ms()) / 1000);
    }
    for (const v1::NodeGroup& shard : group.node_groups()) {
      for (const v1::NodeGroupMember& member : shard.node_group_members()) {
        const Labels labels = {{"replication_group", group.replication_group_id()},
                               {"cache_cluster", member.cache_cluster_id()}};
        out->Gauge("emucache_member_is_primary", "1: it leads its group", labels,
                   member.current_role() == "primary" ? 1 : 0);
        if (member.has_lag_bytes()) {
          out->Gauge("emucache_replication_lag_bytes",
                     "How far a replica's offset is behind its primary's", labels,
                     static_cast<double>(member.lag_bytes()));
        }
      }
    }
  }
}

void Take(const v1::DescribeHostsResponse& answer, Totals* totals) {
  for (const v1::Host& host : answer.hosts()) totals->hosts.Add({{"status", host.status()}});
}

void Take(const v1::DescribeEndpointsResponse& answer, Families* out) {
  for (const v1::EndpointStatus& endpoint : answer.endpoints()) {
    const Labels labels = {{"kind", endpoint.kind()},
                           {"cache_cluster", endpoint.cache_cluster_id()},
                           {"cache_node", endpoint.cache_node_id()},
                           {"replication_group", endpoint.replication_group_id()},
                           {"address", endpoint.endpoint().address()}};
    const auto with = [&](const char* name, const char* value) {
      Labels more = labels;
      more[name] = value;
      return more;
    };
    out->Gauge("emucache_endpoint_listening", "1: its host serves it", labels,
               endpoint.listening() ? 1 : 0);
    out->Counter("emucache_connections_accepted_total", "Connections, since the agent started",
                 labels, endpoint.connections_accepted());
    const char* const carried = "emucache_connections_carried_total";
    const char* const how = "How connections got to the engine: handed over, or byte by byte";
    out->Counter(carried, how, with("how", "hand-over"), endpoint.connections_handed_over());
    out->Counter(carried, how, with("how", "relay"), endpoint.connections_relayed());
    const char* const refused = "emucache_connections_refused_total";
    const char* const why = "Connections that were not let in, by the reason";
    const uint64_t named =
        endpoint.connections_refused_full() + endpoint.connections_refused_outside() +
        endpoint.connections_refused_by_rules() + endpoint.connections_refused_by_fault();
    const uint64_t all = endpoint.connections_refused();
    out->Counter(refused, why, with("reason", "full"), endpoint.connections_refused_full());
    out->Counter(refused, why, with("reason", "outside"), endpoint.connections_refused_outside());
    out->Counter(refused, why, with("reason", "rules"), endpoint.connections_refused_by_rules());
    out->Counter(refused, why, with("reason", "fault"), endpoint.connections_refused_by_fault());
    out->Counter(refused, why, with("reason", "no-engine"), all > named ? all - named : 0);
    const char* const dropped = "emucache_connections_dropped_total";
    const char* const unanswered = "Attempts that were left without an answer, by the reason";
    out->Counter(dropped, unanswered, with("reason", "outside"),
                 endpoint.connections_dropped_outside());
    out->Counter(dropped, unanswered, with("reason", "rules"),
                 endpoint.connections_dropped_by_rules());
    out->Counter("emucache_connections_cut_total",
                 "Connections that ended because what is behind them went away", labels,
                 endpoint.connections_cut());
    const char* const bytes = "emucache_relayed_bytes_total";
    const char* const whose = "Bytes of relayed connections: in from clients, out from engines";
    out->Counter(bytes, whose, with("direction", "in"), endpoint.relayed_bytes_in());
    out->Counter(bytes, whose, with("direction", "out"), endpoint.relayed_bytes_out());
    out->Gauge("emucache_connections_open", "Connections at the agent: relayed, or waiting", labels,
               static_cast<double>(endpoint.connections_open()));
  }
}

// Each under CloudWatch's name.
void Take(const v1::DescribeCacheNodeMetricsResponse& answer, Families* out) {
  for (const v1::CacheNodeMetrics& node : answer.cache_nodes()) {
    const Labels labels = {{"engine", node.engine()},
                           {"cache_cluster", node.cache_cluster_id()},
                           {"cache_node", node.cache_node_id()},
                           {"replication_group", node.replication_group_id()}};
    for (const v1::CacheNodeMetric& metric : node.metrics()) {
      const std::string help = "CloudWatch's " + metric.name();
      const std::string name = "elasticache_" + metric.name();
      if (metric.rises()) {
        out->Put(name + "_total", help + ", since the engine's start", MetricType::Counter, labels,
                 metric.value());
      } else {
        out->Gauge(name, help, labels, metric.value());
      }
    }
  }
}

}  // namespace

std::vector<MetricFamily> MetricsOf(const std::vector<MessagePtr>& answers) {
  Families families;
  Totals totals;
  for (const MessagePtr& answer : answers) {
    using google::protobuf::DynamicCastToGenerated;
    if (auto* clusters = DynamicCastToGenerated<v1::DescribeCacheClustersResponse>(answer.get())) {
      Take(*clusters, &totals);
    } else if (auto* groups =
                   DynamicCastToGenerated<v1::DescribeReplicationGroupsResponse>(answer.get())) {
      Take(*groups, &totals, &families);
    } else if (auto* hosts = DynamicCastToGenerated<v1::DescribeHostsResponse>(answer.get())) {
      Take(*hosts, &totals);
    } else if (auto* endpoints =
                   DynamicCastToGenerated<v1::DescribeEndpointsResponse>(answer.get())) {
      Take(*endpoints, &families);
    } else if (auto* nodes =
                   DynamicCastToGenerated<v1::DescribeCacheNodeMetricsResponse>(answer.get())) {
      Take(*nodes, &families);
    }
  }
  totals.clusters.Into("emucache_cache_clusters", "Cache clusters by engine and status", &families);
  totals.members.Into("emucache_cache_nodes", "Cache nodes by engine and status", &families);
  totals.groups.Into("emucache_replication_groups", "Replication groups by status", &families);
  totals.hosts.Into("emucache_hosts", "Hosts by status", &families);
  return families.Take();
}

}  // namespace ec::gateway
