// Faults that are put in on purpose: what one host is to have of them, and what they do to a
// connection. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/address.h"
#include "common/shared.h"
#include "common/time.h"

namespace ec {

enum class FaultKind {
  kLatency,      // every byte comes late, in both directions
  kBandwidth,    // only so many bytes pass in a second, in each direction
  kBlackhole,    // no byte passes, and nobody is told
  kRefuse,       // new connections are reset
  kResetAfter,   // a connection is reset once it has carried so many bytes
  kCut,          // the connections that are there are reset, once
  kPartition,    // between zones: no byte passes; else a host and the control plane are apart
  kEngineKill,   // SIGKILL, once
  kEnginePause,  // SIGSTOP, and SIGCONT at its end
  kHostLoss,     // the host's engines are killed and its endpoints closed, and it is not heard
};

std::string_view NameOf(FaultKind kind);  // "reset-after"
std::optional<FaultKind> ParseFaultKind(std::string_view name);

// Whether it is over as soon as it has been done.
bool IsMoment(FaultKind kind);

// A fault as one host is to have it. The ids are those of common/host_plan.h.
struct HostFault {
  std::string id;  // "fault-7"; never used again
  FaultKind kind = FaultKind::kLatency;
  std::vector<uint64_t> endpoints;  // whose connections it is about; empty: all of the host's
  std::vector<Cidr> sources;        // where those come from; empty: from anywhere
  std::vector<uint64_t> members;    // with kEngineKill and kEnginePause
  Duration delay{0};
  Duration jitter{0};
  uint64_t bytes = 0;  // in a second, or until the reset
  friend bool operator==(const HostFault&, const HostFault&) = default;
};

// All of a host's faults. Numbered: of two lists, the higher one is newer.
struct HostFaults {
  uint64_t revision = 0;
  std::vector<HostFault> faults;
  friend bool operator==(const HostFaults&, const HostFaults&) = default;
};
using SharedFaults = Shared<HostFaults>;

// What faults do, together, to a connection.
struct WireEffect {
  Duration delay{0};              // of each byte, in each direction; several delays add up
  Duration jitter{0};             // up to this much more or less
  uint64_t bytes_per_second = 0;  // in each direction; 0: as many as there are
  std::optional<uint64_t> reset_after;
  bool blackhole = false;
  bool refuse = false;

  // Whether somebody has to stand in the path for it.
  bool acts_on_bytes() const {
    return delay.count() > 0 || jitter.count() > 0 || bytes_per_second > 0 || reset_after ||
           blackhole;
  }
  friend bool operator==(const WireEffect&, const WireEffect&) = default;
};

// Those of a host's faults that are about one endpoint's connections.
class EndpointFaults {
 public:
  // What comes from the endpoint's own address is the service's own, and is spared.
  EndpointFaults(std::span<const HostFault> faults, uint64_t endpoint, Ip4 own);

  WireEffect On(Ip4 source) const;
  // Whether this fault is among them and is about connections from there.
  bool Concerns(std::string_view fault, Ip4 source) const;

  bool empty() const { return faults_.empty(); }
  friend bool operator==(const EndpointFaults&, const EndpointFaults&) = default;

 private:
  bool Matches(const HostFault& fault, Ip4 source) const;

  std::vector<HostFault> faults_;
  Ip4 own_;
};

}  // namespace ec
