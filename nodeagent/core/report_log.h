// What the host has said of itself, numbered: so that a report carries only what the control plane
// has not yet taken. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "common/host_plan.h"

namespace ec::host {

class ReportLog {
 public:
  ReportLog(HostId host, uint64_t incarnation)
      : host_(std::move(host)), incarnation_(incarnation) {}

  // Each notes the present state of a thing, and returns whether that is news.
  bool Put(const MemberReport& member);
  bool Put(const EndpointReport& endpoint);
  void DropMember(MemberId id);
  void DropEndpoint(EndpointId id);

  // The control plane has taken the report of this number. A lower number than before means that
  // it has forgotten: the next report then carries everything.
  void Acknowledge(uint64_t sequence);
  // A new connection: the next report carries everything.
  void StartOver() { acknowledged_ = 0; }

  uint64_t incarnation() const { return incarnation_; }
  bool has_news() const { return has_news_; }
  HostReport Make(uint64_t plan_revision);

 private:
  template <typename Report>
  struct Noted {
    Report report;
    uint64_t changed_at = 0;  // the sequence number of the first report that carries it so
  };
  struct Gone {
    uint64_t id = 0;
    uint64_t changed_at = 0;
  };

  const HostId host_;
  const uint64_t incarnation_;
  uint64_t next_sequence_ = 1;
  uint64_t acknowledged_ = 0;
  uint64_t gone_since_ = 0;  // the lists of what is gone are complete after this
  bool has_news_ = true;
  std::map<MemberId, Noted<MemberReport>> members_;
  std::map<EndpointId, Noted<EndpointReport>> endpoints_;
  std::vector<Gone> gone_members_;
  std::vector<Gone> gone_endpoints_;
};

}  // namespace ec::host
