// The one thread that owns the controller: an inbox, and a timer.
//
// Inputs that wait together share one commit. Reads run on their callers' threads, under a lock
// that the loop takes only to apply an edit, never while it writes to disk.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "common/clock.h"
#include "common/status.h"
#include "controlplane/server/controller.h"
#include "controlplane/server/process_watch.h"

namespace ec::server {

class ControllerLoop {
 public:
  // `on_fatal` is called once, on the loop's thread, when what is on disk is not known any more;
  // it must end the process. REQUIRES: controller.Start() has succeeded.
  ControllerLoop(Controller& controller, Clock& clock, std::function<void()> on_fatal);
  ~ControllerLoop();  // stops

  void Start();
  void Stop();

  // Waits for the verdict. `look` is called on the loop's thread, if the verdict is OK, with the
  // state right after the change. kUnavailable: the inbox is full, or the loop has stopped.
  Status Submit(core::Input input, std::function<void(const model::State&)> look = {});

  // For inputs that nobody waits for and that may be lost, such as reports.
  void Post(core::Input input);

  // Calls `look` with the present state, which does not change meanwhile. Must be quick.
  template <typename Look>
  auto Read(Look look) const {
    const std::shared_lock lock(state_mutex_);
    return look(controller_.state());
  }

  // Waits until an event with a serial of at least `serial` has been committed, until `cancelled`
  // says so, or until the loop stops; false in the last two cases. Looks at `cancelled` now and
  // then.
  bool AwaitEvent(uint64_t serial, const std::function<bool()>& cancelled);

  const core::Settings& settings() const { return controller_.settings(); }

 private:
  struct Item {
    core::Input input;
    std::function<void(const model::State&)> look;
    std::function<void(Status)> answer;  // empty: nobody waits
  };

  void Run();
  // Waits for work or the next deadline; the items to take, empty for a tick.
  std::deque<Item> NextBatch();
  void Take(std::deque<Item> batch);
  bool Enqueue(Item item);

  Controller& controller_;
  Clock& clock_;
  const std::function<void()> on_fatal_;

  mutable std::shared_mutex state_mutex_;  // guards the controller's state against readers

  std::mutex inbox_mutex_;
  std::condition_variable inbox_changed_;
  std::deque<Item> inbox_;
  bool stopping_ = false;

  std::mutex events_mutex_;
  std::condition_variable events_changed_;
  uint64_t next_event_ = 0;
  bool events_ended_ = false;

  ProcessWatch watch_;
  std::thread thread_;
};

}  // namespace ec::server
