#include "nodeagent/core/report_log.h"

#include <algorithm>

namespace ec::host {

bool ReportLog::Put(const MemberReport& member) {
  Noted<MemberReport>& noted = members_[member.id];
  if (noted.changed_at != 0 && noted.report == member) return false;
  // A replication offset rises all the time: it goes with the next report, but hurries none.
  MemberReport without = member;
  if (without.replication && noted.report.replication) {
    without.replication->offset = noted.report.replication->offset;
  }
  const bool news = noted.changed_at == 0 || noted.report != without;
  noted = {member, next_sequence_};
  has_news_ = has_news_ || news;
  return news;
}

bool ReportLog::Put(const EndpointReport& endpoint) {
  Noted<EndpointReport>& noted = endpoints_[endpoint.id];
  if (noted.changed_at != 0 && noted.report == endpoint) return false;
  // Counts change all the time: they go with the next report, but do not hurry one.
  EndpointReport uncounted = endpoint;
  uncounted.counts = noted.report.counts;
  uncounted.relayed_bytes = noted.report.relayed_bytes;
  const bool news = noted.changed_at == 0 || noted.report != uncounted;
  noted = {endpoint, next_sequence_};
  has_news_ = has_news_ || news;
  return news;
}

void ReportLog::DropMember(MemberId id) {
  if (members_.erase(id) == 0) return;
  gone_members_.push_back({id, next_sequence_});
  has_news_ = true;
}

void ReportLog::DropEndpoint(EndpointId id) {
  if (endpoints_.erase(id) == 0) return;
  gone_endpoints_.push_back({id, next_sequence_});
  has_news_ = true;
}

void ReportLog::Acknowledge(uint64_t sequence) {
  if (sequence >= next_sequence_) return;  // not one of ours
  acknowledged_ = sequence;
  gone_since_ = std::max(gone_since_, sequence);
  const auto known = [&](const Gone& gone) { return gone.changed_at <= sequence; };
  std::erase_if(gone_members_, known);
  std::erase_if(gone_endpoints_, known);
}

HostReport ReportLog::Make(uint64_t plan_revision) {
  HostReport report;
  report.host = host_;
  report.incarnation = incarnation_;
  report.sequence = next_sequence_++;
  // What was gone by then is not known any more: nothing less than everything would do.
  report.base = acknowledged_ < gone_since_ ? 0 : acknowledged_;
  report.plan_revision = plan_revision;
  for (const auto& [id, noted] : members_) {
    if (noted.changed_at > report.base) report.members.push_back(noted.report);
  }
  for (const auto& [id, noted] : endpoints_) {
    if (noted.changed_at > report.base) report.endpoints.push_back(noted.report);
  }
  if (report.base > 0) {
    for (const Gone& gone : gone_members_) report.gone_members.push_back(gone.id);
    for (const Gone& gone : gone_endpoints_) report.gone_endpoints.push_back(gone.id);
  }
  has_news_ = false;
  return report;
}

}  // namespace ec::host
