// What a host's faults mean for its engines and for the host as a whole; those of its connections
// are the endpoints' affair. Pure.
//
// An engine's fault is obeyed once, by the process that is there when it comes: an engine that is
// started in its place is not killed or paused again.
#pragma once

#include <map>
#include <set>
#include <string>

#include "common/host_plan.h"

namespace ec::host {

class HostFaultBook {
 public:
  // `remembered`: the agent's last run has obeyed these.
  explicit HostFaultBook(const SharedFaults& remembered);

  // From now on these are the faults.
  void Take(const SharedFaults& faults);

  // The host's engines are to be dead and its endpoints closed.
  bool is_lost() const { return lost_; }
  // The host and the control plane do not hear each other. Others may have taken its leaders'
  // place.
  bool is_cut_off() const { return cut_off_; }

  enum class Order { kNone, kKill, kPause, kContinue };
  // What is to be done with the member's engine now, if it runs. Once for each fault.
  Order Next(MemberId id, bool runs);
  // The process that was paused is gone.
  void Forget(MemberId id) { paused_.erase(id); }

  // What the endpoints are to act out: cuts of the agent's last run are done.
  const SharedFaults& on_wire() const { return on_wire_; }

 private:
  const HostFault* Find(const std::string& id) const;

  SharedFaults faults_;
  SharedFaults on_wire_;
  bool lost_ = false;
  bool cut_off_ = false;
  std::set<std::string> past_cuts_;
  std::map<MemberId, std::set<std::string>> obeyed_;  // of the faults that are there
  std::map<MemberId, std::set<std::string>> paused_;  // by these faults
};

}  // namespace ec::host
