#include "proto/wire_fault_proto.h"

#include <string>
#include <utility>

namespace ec {

void ToProto(const HostFaults& faults, v1::HostFaults* out) {
  out->set_revision(faults.revision);
  for (const HostFault& fault : faults.faults) {
    v1::HostFault* const added = out->add_faults();
    added->set_id(fault.id);
    added->set_kind(std::string(NameOf(fault.kind)));
    for (const uint64_t id : fault.endpoints) added->add_endpoints(id);
    for (const Cidr& source : fault.sources) added->add_sources(ToString(source));
    for (const uint64_t id : fault.members) added->add_members(id);
    added->set_delay_us(fault.delay.count());
    added->set_jitter_us(fault.jitter.count());
    added->set_bytes(fault.bytes);
  }
}

// One that cannot be understood is left out: it must not become one about everything.
HostFaults FromProto(const v1::HostFaults& in) {
  HostFaults faults;
  faults.revision = in.revision();
  for (const v1::HostFault& one : in.faults()) {
    const auto kind = ParseFaultKind(one.kind());
    if (!kind) continue;
    HostFault fault{.id = one.id(), .kind = *kind};
    fault.endpoints.assign(one.endpoints().begin(), one.endpoints().end());
    for (const std::string& source : one.sources()) {
      if (const auto cidr = ParseCidr(source)) fault.sources.push_back(*cidr);
    }
    if (fault.sources.empty() && !one.sources().empty()) continue;
    fault.members.assign(one.members().begin(), one.members().end());
    fault.delay = Duration(one.delay_us());
    fault.jitter = Duration(one.jitter_us());
    fault.bytes = one.bytes();
    faults.faults.push_back(std::move(fault));
  }
  return faults;
}

}  // namespace ec
