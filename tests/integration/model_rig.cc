#include <map>

#include "tests/integration/replication_rig.h"
#include "tests/sim/engine.h"

namespace ec::integration {
namespace {

using sim::Engine;
using std::chrono::milliseconds;

class ModelRig : public Rig {
 public:
  explicit ModelRig(uint64_t seed) : random_(seed) {}

  void Start(int engine) override {
    Place& place = places_[engine];
    place = {};
    place.engine.emplace();
    place.engine->ready_at = now_;
    place.engine->pid = place.engine->start_time = ++last_pid_;
  }
  void StartFollowing(int engine, int leader) override {
    Start(engine);
    Follow(engine, leader);
  }
  void Kill(int engine) override { places_.at(engine).engine.reset(); }
  void Stop(int engine) override { At(engine).stopped = true; }
  void GoOn(int engine) override { At(engine).stopped = false; }
  bool Answers(int engine) override {
    const auto& process = places_.at(engine).engine;
    return process && process->Answers(now_);
  }

  void Follow(int engine, int leader) override { At(engine).Follow(AddressOf(leader)); }
  void Lead(int engine) override { At(engine).Lead(); }
  void PauseWrites(int engine) override { At(engine).PauseWrites(now_); }
  void ResumeWrites(int engine) override { At(engine).ResumeWrites(now_); }
  void CutLink(int follower) override { At(follower).Pull(nullptr, now_, random_); }

  Reply Write(int engine, uint64_t value) override {
    if (!Answers(engine)) return Reply::kNone;
    switch (At(engine).Write(value, now_)) {
      case Engine::Reply::kDone:
        return Reply::kDone;
      case Engine::Reply::kReadOnly:
        return Reply::kReadOnly;
      case Engine::Reply::kHeld:
        break;
    }
    return Reply::kNone;
  }
  size_t BeginWrite(int engine, uint64_t value) override {
    waiting_.push_back({engine, value, false});
    GoOnWriting();
    return waiting_.size() - 1;
  }
  bool IsDone(size_t write) override { return waiting_.at(write).done; }
  std::optional<Writes> Holds(int engine) override {
    if (!Answers(engine)) return std::nullopt;
    return At(engine).writes;
  }

  int64_t Offset(int engine) override { return At(engine).offset(); }
  bool LinkIsUp(int follower) override { return At(follower).synced_with != 0; }
  int FullCopiesBy(int leader) override { return places_.at(leader).full_copies; }

  Instant now() override { return now_; }
  bool Await(const std::function<bool()>& condition, Duration limit) override {
    const Instant end = now_ + limit;
    while (!condition()) {
      if (now_ >= end) return false;
      now_ += milliseconds(1);
      GoOnWriting();
      for (auto& [number, place] : places_) GoOnFollowing(place);
    }
    return true;
  }

 private:
  struct Place {
    std::optional<Engine> engine;
    Instant next_pull;
    int full_copies = 0;
  };
  struct Waiting {
    int engine = 0;
    uint64_t value = 0;
    bool done = false;
  };

  static Address AddressOf(int engine) { return {{}, static_cast<uint16_t>(engine)}; }
  Engine& At(int engine) { return *places_.at(engine).engine; }

  void GoOnWriting() {
    for (Waiting& write : waiting_) {
      if (!write.done) write.done = Write(write.engine, write.value) == Reply::kDone;
    }
  }

  void GoOnFollowing(Place& place) {
    if (!place.engine || !place.engine->follows || now_ < place.next_pull) return;
    if (!place.engine->Answers(now_)) return;
    place.next_pull = now_ + milliseconds(random_.Between(2, 50));
    Place& leader = places_.at(place.engine->follows->port);
    const int copies = place.engine->full_copies;
    place.engine->Pull(leader.engine ? &*leader.engine : nullptr, now_, random_);
    leader.full_copies += place.engine->full_copies - copies;
  }

  sim::Random random_;
  Instant now_{std::chrono::hours(1)};
  uint64_t last_pid_ = 0;
  std::map<int, Place> places_;
  std::vector<Waiting> waiting_;
};

}  // namespace

std::unique_ptr<Rig> MakeModelRig(uint64_t seed) { return std::make_unique<ModelRig>(seed); }

}  // namespace ec::integration
