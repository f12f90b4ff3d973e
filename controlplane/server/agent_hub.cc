#include "controlplane/server/agent_hub.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/log.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/grpc_status.h"
#include "proto/engine_figures_proto.h"
#include "proto/host_plan_proto.h"

namespace ec::server {

void AgentHub::End(Session& session) {
  {
    const std::lock_guard lock(session.mutex);
    session.ended = true;
  }
  session.changed.notify_all();
  session.context->TryCancel();
}

void AgentHub::Shutdown() {
  const std::lock_guard lock(mutex_);
  shut_down_ = true;
  for (auto& [host, session] : sessions_) End(*session);
}

bool AgentHub::Enter(const HostId& host, const std::shared_ptr<Session>& session) {
  const std::lock_guard lock(mutex_);
  if (shut_down_) return false;
  std::shared_ptr<Session>& present = sessions_[host];
  if (present) End(*present);
  present = session;
  return true;
}

void AgentHub::Leave(const HostId& host, const std::shared_ptr<Session>& session) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(host);
  if (found != sessions_.end() && found->second == session) sessions_.erase(found);
}

void AgentHub::SendPlan(const HostId& host, const PlanUpdate& update) {
  std::shared_ptr<Session> session;
  {
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(host);
    if (found == sessions_.end()) return;
    session = found->second;
  }
  {
    const std::lock_guard lock(session->mutex);
    session->next = update;
  }
  session->changed.notify_all();
}

void AgentHub::Certify(PlanUpdate* update) {
  for (MemberSpec& spec : update->members) {
    if (!spec.tls) continue;
    Result<tls::Certificate> made = authority_.Issue(spec.tls->names);
    if (!made.ok()) {
      LogError("no certificate for a member",
               {{"member", spec.id}, {"label", spec.label}, {"why", made.status().message()}});
      continue;
    }
    spec.tls->certificate = std::move(made->certificate);
    spec.tls->key = std::move(made->key);
    spec.tls->authority = std::move(made->authority);
  }
}

// An answer to a later question serves as well: it is newer.
std::map<MemberId, EngineFigures> AgentHub::AskFigures(const std::set<HostId>& hosts,
                                                       Duration max) {
  const SystemClock clock;
  const Instant deadline = clock.now().instant + max;
  std::vector<std::shared_ptr<Session>> asked;
  uint64_t question = 0;
  {
    const std::lock_guard lock(mutex_);
    question = ++figures_questions_;
    for (const auto& [host, session] : sessions_) {
      if (hosts.contains(host)) asked.push_back(session);
    }
  }
  for (const auto& session : asked) {
    {
      const std::lock_guard lock(session->mutex);
      session->figures_question = std::max(session->figures_question, question);
    }
    session->changed.notify_all();
  }
  std::map<MemberId, EngineFigures> figures;
  for (const auto& session : asked) {
    std::unique_lock lock(session->mutex);
    const Duration left =
        std::max(std::chrono::duration_cast<Duration>(deadline - clock.now().instant), Duration(0));
    const bool answered = session->changed.wait_for(
        lock, left, [&] { return session->ended || session->figures.question >= question; });
    if (!answered || session->ended) continue;
    figures.insert(session->figures.members.begin(), session->figures.members.end());
  }
  return figures;
}

void AgentHub::TakeFigures(Session& session, HostFigures figures) {
  {
    const std::lock_guard lock(session.mutex);
    session.figures = std::move(figures);
  }
  session.changed.notify_all();
}

void AgentHub::WritePlans(Session& session,
                          grpc::ServerReaderWriter<v1::PlanUpdate, v1::AgentMessage>* stream) {
  for (;;) {
    std::optional<PlanUpdate> update;
    uint64_t figures_question = 0;
    {
      std::unique_lock lock(session.mutex);
      session.changed.wait(lock, [&] {
        return session.ended || session.next.has_value() || session.figures_question != 0;
      });
      if (session.ended) return;
      if (session.next) {
        update.swap(session.next);
      } else {
        figures_question = std::exchange(session.figures_question, 0);
      }
    }
    v1::PlanUpdate message;
    if (update) {
      Certify(&*update);
      ToProto(*update, &message);
    } else {
      message.set_figures_question(figures_question);
    }
    if (!stream->Write(message)) return;
  }
}

grpc::Status AgentHub::Connect(grpc::ServerContext* context,
                               grpc::ServerReaderWriter<v1::PlanUpdate, v1::AgentMessage>* stream) {
  v1::AgentMessage message;
  if (!stream->Read(&message) || !message.has_hello()) {
    return ToGrpc({Fault::kInvalidParameterValue, "An agent's first message must be a hello."});
  }
  Result<HostHello> hello = FromProto(message.hello());
  if (!hello.ok()) return ToGrpc(hello.status());
  const HostId host = hello->host;
  const auto session = std::make_shared<Session>(context);
  if (const Status verdict = loop_->Submit(*hello); !verdict.ok()) {
    LogWarning("agent refused", {{"host", host}, {"why", verdict.message()}});
    return ToGrpc(verdict);
  }
  if (!Enter(host, session)) return ToGrpc({Fault::kUnavailable, "The control plane is stopping."});
  LogInfo("agent connected", {{"host", host},
                              {"zone", hello->zone},
                              {"incarnation", hello->incarnation},
                              {"pid", hello->pid}});

  std::thread writer([&] { WritePlans(*session, stream); });
  while (stream->Read(&message)) {
    if (message.has_figures()) TakeFigures(*session, FromProto(message.figures()));
    if (!message.has_report() || message.report().host() != host) continue;
    loop_->Post(core::Reported{FromProto(message.report()), 0});
  }
  Leave(host, session);
  End(*session);
  writer.join();
  LogInfo("agent disconnected", {{"host", host}, {"incarnation", hello->incarnation}});
  return grpc::Status::OK;
}

}  // namespace ec::server
