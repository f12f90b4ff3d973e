// What the records' faults are about, and what each host is to have of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/wire_fault.h"
#include "controlplane/model/records.h"

namespace ec::model {

// The other side of a partition that cuts a zone or a host off from the control plane.
inline constexpr std::string_view kControlPlaneSide = "control-plane";

// What a fault's target names:
//
//   orders             a group with its two endpoints and its members; else a cluster
//   orders/primary     a group's endpoint: primary or reader. With engines: who leads
//   pages/0002         a node; pages/configuration, a cluster's configuration endpoint
//   127.185.0.4:6379   an endpoint by its address; the port may be left out
struct FaultTarget {
  struct On {
    HostId host;
    EndpointId endpoint = 0;
    MemberId member = 0;  // 0: the endpoint belongs to no single engine
  };
  std::vector<On> parts;
  // Whose events tell of it; at most one of the two.
  ClusterId cluster;
  GroupId group;
};

// nullopt when there is no such thing (any more).
std::optional<FaultTarget> FindFaultTarget(const Records& records, const std::string& target);

// The addresses on this machine from which a zone's instances and cache nodes connect.
std::vector<Cidr> SlicesOf(const Records& records, const std::string& zone);

// The faults as one host is to have them.
HostFaults FaultsOf(const Records& records, const HostId& host);

// Whether some host's FaultsOf() may differ once the edit has been applied to the records.
bool ChangesFaults(const Records& records, const Edit& edit);

// The control plane does not hear the host: it is lost. It is still told of its end.
bool IsLost(const Records& records, const HostId& host);
// Neither hears the other.
bool IsCutOff(const Records& records, const HostId& host);

std::string IdOf(const WireFault& fault);  // "fault-7"
// "latency of 200 ms between us-east-1a and us-east-1b".
std::string TextOf(const WireFault& fault);

}  // namespace ec::model
