#include "controlplane/server/node_metrics.h"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "controlplane/model/faults.h"
#include "controlplane/model/names.h"
#include "controlplane/server/agent_hub.h"
#include "controlplane/server/controller_loop.h"

namespace ec::server {
namespace {

constexpr Duration kAnswersMax = std::chrono::milliseconds(1000);

// A node that is asked about, and what is said of it besides the figures.
struct Asked {
  MemberId member = 0;
  v1::CacheNodeMetrics heading;
};

// In the order of the answer; and the hosts that they are on.
struct Question {
  std::vector<Asked> nodes;
  std::set<HostId> hosts;
};

void Add(const model::State& state, const model::Cluster& cluster, Question* question) {
  std::map<std::string, const model::Member*> nodes;
  for (const MemberId id : cluster.members) {
    const model::Member& member = state.records.members.at(id);
    if (!member.node_id.empty()) nodes.emplace(member.node_id, &member);
  }
  for (const auto& [node_id, member] : nodes) {
    // Whom a fault keeps from being heard is not heard here, either.
    if (model::IsCutOff(state.records, member->host)) continue;
    if (model::IsLost(state.records, member->host)) continue;
    Asked& asked = question->nodes.emplace_back();
    asked.member = member->id;
    asked.heading.set_cache_cluster_id(cluster.id);
    asked.heading.set_cache_node_id(node_id);
    asked.heading.set_engine(std::string(NameOf(cluster.engine)));
    if (!cluster.group.empty()) asked.heading.set_replication_group_id(cluster.group);
    question->hosts.insert(member->host);
  }
}

Result<Question> QuestionOf(const model::State& state,
                            const v1::DescribeCacheNodeMetricsRequest& request) {
  Question question;
  if (!request.has_cache_cluster_id()) {
    for (const auto& [id, cluster] : state.records.clusters) Add(state, cluster, &question);
    return question;
  }
  Result<std::string> id = model::ParseClusterId(request.cache_cluster_id());
  if (!id.ok()) return id.status();
  const auto found = state.records.clusters.find(*id);
  if (found == state.records.clusters.end()) {
    return Status(Fault::kCacheClusterNotFound, fmt::format("CacheCluster not found: {}", *id));
  }
  Add(state, found->second, &question);
  return question;
}

}  // namespace

Status DescribeCacheNodeMetrics(ControllerLoop& loop, AgentHub& agents,
                                const v1::DescribeCacheNodeMetricsRequest& request,
                                v1::DescribeCacheNodeMetricsResponse* response) {
  const Result<Question> question =
      loop.Read([&](const model::State& state) { return QuestionOf(state, request); });
  if (!question.ok()) return question.status();
  const std::map<MemberId, EngineFigures> answers = agents.AskFigures(question->hosts, kAnswersMax);
  for (const Asked& asked : question->nodes) {
    const auto answer = answers.find(asked.member);
    if (answer == answers.end()) continue;
    v1::CacheNodeMetrics* out = response->add_cache_nodes();
    *out = asked.heading;
    for (const EngineFigure& figure : answer->second) {
      v1::CacheNodeMetric* metric = out->add_metrics();
      metric->set_name(figure.name);
      metric->set_value(figure.value);
      metric->set_rises(figure.rises);
    }
  }
  return {};
}

}  // namespace ec::server
