#include "controlplane/server/controller_loop.h"

#include <algorithm>
#include <future>
#include <utility>
#include <vector>

#include "common/log.h"

namespace ec::server {
namespace {

// Inputs that may wait; beyond this, callers are told that the control plane is busy.
constexpr size_t kInboxMax = 4096;
// Inputs that share one commit.
constexpr size_t kBatchMax = 64;
// A deadline that has passed is not acted on more often than this.
constexpr Duration kTickMin = std::chrono::milliseconds(10);

bool IsReset(const core::Input& input) {
  const auto* command = std::get_if<core::Command>(&input);
  return command != nullptr && std::holds_alternative<core::Reset>(*command);
}

Status Stopped() { return {Fault::kUnavailable, "The control plane is stopping."}; }

}  // namespace

ControllerLoop::ControllerLoop(Controller& controller, Clock& clock, std::function<void()> on_fatal)
    : controller_(controller),
      clock_(clock),
      on_fatal_(std::move(on_fatal)),
      watch_([this](const core::EngineEnded& ended) { Post(ended); }) {
  next_event_ = controller_.state().records.installation.next_event;
}

ControllerLoop::~ControllerLoop() { Stop(); }

void ControllerLoop::Start() {
  thread_ = std::thread([this] { Run(); });
}

void ControllerLoop::Stop() {
  {
    const std::lock_guard lock(inbox_mutex_);
    stopping_ = true;
  }
  inbox_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  {
    const std::lock_guard lock(events_mutex_);
    events_ended_ = true;
  }
  events_changed_.notify_all();
}

bool ControllerLoop::Enqueue(Item item) {
  {
    const std::lock_guard lock(inbox_mutex_);
    if (stopping_ || inbox_.size() >= kInboxMax) return false;
    inbox_.push_back(std::move(item));
  }
  inbox_changed_.notify_one();
  return true;
}

Status ControllerLoop::Submit(core::Input input, std::function<void(const model::State&)> look) {
  std::promise<Status> verdict;
  std::future<Status> answered = verdict.get_future();
  const bool taken = Enqueue({std::move(input), std::move(look),
                              [&](Status status) { verdict.set_value(std::move(status)); }});
  if (!taken) return {Fault::kUnavailable, "The control plane is too busy or is stopping."};
  return answered.get();
}

void ControllerLoop::Post(core::Input input) { Enqueue({std::move(input), {}, {}}); }

std::deque<ControllerLoop::Item> ControllerLoop::NextBatch() {
  const Instant now = clock_.now().instant;
  Duration wait = kStepEvery;
  if (const auto deadline = controller_.NextDeadline()) {
    wait = std::clamp<Duration>(*deadline - now, kTickMin, kStepEvery);
  }
  std::unique_lock lock(inbox_mutex_);
  inbox_changed_.wait_for(lock, wait, [this] { return stopping_ || !inbox_.empty(); });
  std::deque<Item> batch;
  while (!inbox_.empty() && batch.size() < kBatchMax) {
    const bool alone = IsReset(inbox_.front().input);
    if (alone && !batch.empty()) break;
    batch.push_back(std::move(inbox_.front()));
    inbox_.pop_front();
    if (alone) break;
  }
  return batch;
}

void ControllerLoop::Run() {
  for (;;) {
    std::deque<Item> batch = NextBatch();
    {
      const std::lock_guard lock(inbox_mutex_);
      if (stopping_) {
        for (Item& item : batch) inbox_.push_front(std::move(item));
        break;
      }
    }
    Take(std::move(batch));
  }
  const std::lock_guard lock(inbox_mutex_);
  for (Item& item : inbox_) {
    if (item.answer) item.answer(Stopped());
  }
  inbox_.clear();
}

void ControllerLoop::Take(std::deque<Item> batch) {
  // A deadline may have passed whether or not there is input: every batch brings a tick along.
  std::vector<core::Input> inputs;
  for (Item& item : batch) inputs.push_back(std::move(item.input));
  inputs.push_back(controller_.MakeTick());
  const Instant listening_since = controller_.state().listening_since;
  std::vector<Status> verdicts =
      controller_.Step(std::move(inputs), [this](const std::function<void()>& apply) {
        const std::unique_lock lock(state_mutex_);
        apply();
      });
  if (controller_.state().listening_since != listening_since) {
    LogWarning("the control plane stood still; every host gets its full time again");
  }
  const bool fatal = std::ranges::any_of(
      verdicts, [](const Status& v) { return v.fault() == Fault::kOutcomeUnknown; });
  for (size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].look && verdicts[i].ok()) batch[i].look(controller_.state());
    if (batch[i].answer) batch[i].answer(std::move(verdicts[i]));
  }
  if (fatal) on_fatal_();
  watch_.Conform(controller_.Fences());
  const uint64_t next_event = controller_.state().records.installation.next_event;
  {
    const std::lock_guard lock(events_mutex_);
    if (next_event == next_event_) return;
    next_event_ = next_event;
  }
  events_changed_.notify_all();
}

bool ControllerLoop::AwaitEvent(uint64_t serial, const std::function<bool()>& cancelled) {
  constexpr auto kLookEvery = std::chrono::milliseconds(100);
  std::unique_lock lock(events_mutex_);
  while (!events_ended_ && next_event_ <= serial) {
    if (cancelled()) return false;
    events_changed_.wait_for(lock, kLookEvery);
  }
  return !events_ended_;
}

}  // namespace ec::server
