// The agents' streams: hellos and reports go to the controller's loop, plans go out. Questions for
// engines' figures go past the loop: nothing is decided by them.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "common/engine_figures.h"
#include "controlplane/server/controller.h"
#include "controlplane/tls/authority.h"
#include "ec/v1/agent.grpc.pb.h"

namespace ec::server {

class ControllerLoop;

class AgentHub : public Outlet, public v1::NodeAgent::Service {
 public:
  // `authority` outlives the hub: it makes the certificates that go out with the plans.
  explicit AgentHub(tls::Authority& authority) : authority_(authority) {}

  // The loop needs the hub to be made first. Call before the service is registered.
  void SetLoop(ControllerLoop* loop) { loop_ = loop; }

  // Ends all streams and takes no new ones.
  void Shutdown();

  // An update stands in for an earlier one that has not left yet: it starts from a revision that
  // the agent has said it has, so it carries whatever the earlier one did.
  void SendPlan(const HostId& host, const PlanUpdate& update) override;

  // What the engines of these hosts say of themselves, of those that have answered within `max`.
  // Waits for as long; any thread.
  std::map<MemberId, EngineFigures> AskFigures(const std::set<HostId>& hosts, Duration max);

  grpc::Status Connect(grpc::ServerContext* context,
                       grpc::ServerReaderWriter<v1::PlanUpdate, v1::AgentMessage>* stream) override;

 private:
  // One connected agent. Its own thread writes, the gRPC thread reads.
  struct Session {
    explicit Session(grpc::ServerContext* c) : context(c) {}
    grpc::ServerContext* const context;
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<PlanUpdate> next;
    uint64_t figures_question = 0;  // to be asked; 0: none
    HostFigures figures;            // of the newest answer
    bool ended = false;
  };

  // Enters the session; one of the same host that is still there is ended.
  bool Enter(const HostId& host, const std::shared_ptr<Session>& session);
  void Leave(const HostId& host, const std::shared_ptr<Session>& session);
  static void TakeFigures(Session& session, HostFigures figures);
  void WritePlans(Session& session,
                  grpc::ServerReaderWriter<v1::PlanUpdate, v1::AgentMessage>* stream);
  // Gives the members that speak TLS their certificates; none where none can be made.
  void Certify(PlanUpdate* update);
  static void End(Session& session);

  tls::Authority& authority_;
  ControllerLoop* loop_ = nullptr;
  std::mutex mutex_;
  std::map<HostId, std::shared_ptr<Session>> sessions_;
  bool shut_down_ = false;
  uint64_t figures_questions_ = 0;
};

}  // namespace ec::server
