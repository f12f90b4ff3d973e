#include "controlplane/gateway/metrics.h"

#include <prometheus/text_serializer.h>

#include <chrono>
#include <deque>
#include <memory>
#include <utility>

#include "ec/v1/elasticache.pb.h"
#include "ec/v1/emulator.pb.h"

namespace ec::gateway {
namespace {

using google::protobuf::MethodDescriptor;

const prometheus::Histogram::BucketBoundaries kBuckets = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                          0.05,   0.1,   0.25,   0.5,   1,    2.5};

// One look at everything, one question after the other and page after page.
class Look : public std::enable_shared_from_this<Look> {
 public:
  Look(Api& api, std::function<void(std::vector<MessagePtr>)> done)
      : api_(api), done_(std::move(done)) {
    const auto* elasticache = v1::CacheCluster::descriptor()->file();
    const auto* emulator = v1::Host::descriptor()->file();
    auto clusters = std::make_unique<v1::DescribeCacheClustersRequest>();
    clusters->set_show_cache_node_info(true);
    Add(elasticache, "DescribeCacheClusters", std::move(clusters));
    Add(elasticache, "DescribeReplicationGroups",
        std::make_unique<v1::DescribeReplicationGroupsRequest>());
    Add(emulator, "DescribeHosts", std::make_unique<v1::DescribeHostsRequest>());
    Add(emulator, "DescribeEndpoints", std::make_unique<v1::DescribeEndpointsRequest>());
    Add(emulator, "DescribeCacheNodeMetrics",
        std::make_unique<v1::DescribeCacheNodeMetricsRequest>());
  }

  void Next() {
    if (questions_.empty()) return done_(std::move(answers_));
    const Question& question = questions_.front();
    MessagePtr request(question.request->New());
    request->CopyFrom(*question.request);
    api_.Call(*question.method, std::move(request),
              [self = shared_from_this()](const grpc::Status& status, MessagePtr answer) {
                self->Take(status.ok() ? std::move(answer) : nullptr);
              });
  }

 private:
  struct Question {
    const MethodDescriptor* method;
    MessagePtr request;
  };

  void Add(const google::protobuf::FileDescriptor* file, const char* name, MessagePtr request) {
    questions_.push_back({file->service(0)->FindMethodByName(name), std::move(request)});
  }

  // The question is over when its last page is there, or there is no answer at all.
  void Take(MessagePtr answer) {
    std::string marker;
    if (answer) {
      const auto* field = answer->GetDescriptor()->FindFieldByName("marker");
      if (field != nullptr) marker = answer->GetReflection()->GetString(*answer, field);
      answers_.push_back(std::move(answer));
    }
    if (marker.empty()) {
      questions_.pop_front();
    } else {
      google::protobuf::Message& request = *questions_.front().request;
      request.GetReflection()->SetString(
          &request, request.GetDescriptor()->FindFieldByName("marker"), marker);
    }
    Next();
  }

  Api& api_;
  const std::function<void(std::vector<MessagePtr>)> done_;
  std::deque<Question> questions_;
  std::vector<MessagePtr> answers_;
};

}  // namespace

Metrics::Metrics(Api& api)
    : api_(api),
      requests_(prometheus::BuildCounter()
                    .Name("emucache_requests_total")
                    .Help("Requests to the HTTP gateway, by face, action and AWS's error code")
                    .Register(registry_)),
      seconds_(prometheus::BuildHistogram()
                   .Name("emucache_request_seconds")
                   .Help("Time from a whole request to its answer")
                   .Register(registry_)) {}

void Metrics::Count(std::string_view face, std::string_view action, std::string_view code,
                    Duration took) {
  const std::string face_label(face);
  const std::string action_label(action);
  requests_.Add({{"face", face_label}, {"action", action_label}, {"code", std::string(code)}})
      .Increment();
  seconds_.Add({{"face", face_label}, {"action", action_label}}, kBuckets)
      .Observe(std::chrono::duration<double>(took).count());
}

void Metrics::Write(std::function<void(std::string)> done) {
  std::make_shared<Look>(api_, [this, done = std::move(done)](std::vector<MessagePtr> answers) {
    std::vector<prometheus::MetricFamily> families = registry_.Collect();
    for (prometheus::MetricFamily& family : MetricsOf(answers)) {
      families.push_back(std::move(family));
    }
    done(prometheus::TextSerializer().Serialize(families));
  })->Next();
}

}  // namespace ec::gateway
