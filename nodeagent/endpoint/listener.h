// Opens an endpoint's listening socket, and takes connections off it.
//
// To leave some attempts unanswered, and to count them by the reason, two more sockets listen at
// the same address (SO_REUSEPORT). The kernel chooses among the three by the packet's source, with
// a program of ours; the two hear nothing, because a filter of theirs takes no packet, and count
// what they did not take. So an attempt costs this process nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/access.h"
#include "common/address.h"
#include "common/host_plan.h"
#include "common/unique_fd.h"

namespace ec::endpoint {

// What becomes of those who may not connect.
enum class Deny {
  kReset,  // accepted, judged, and reset
  kDrop,   // not answered at all, as on AWS
};

struct Listening {
  UniqueFd socket;  // empty: it could not be opened
  // With kDrop: where those are led who come from outside of the VPC, and those whom no rule
  // admits.
  std::array<UniqueFd, 2> sinks;
  EndpointTrouble trouble = EndpointTrouble::kNone;
  std::string trouble_text;  // a sentence, such as "the address 127.10.0.4:6379 is in use"
};

// Why it is not listened on `address`, given errno.
Listening TroubleWith(Address address, int error);

// Sockets that are accepted from it send small packets at once (TCP_NODELAY).
Listening Listen(Address address, Deny deny = Deny::kReset);
// The same in the network namespace of that name.
Listening ListenIn(const std::string& netns, Address address, Deny deny);

// Stops listening at once, even while a child that has been forked but not yet executed still
// holds a copy of the descriptors.
void CloseListener(Listening listening);

// From now on, whom `sources` does not admit is not answered. False, and all are answered, if there
// are no sinks, the system does not do that, or more than kSourcesMax would have to be told apart.
bool DropAllBut(const VpcSources& sources, const Listening& listening);
inline constexpr size_t kSourcesMax = 1000;

// Packets that were not answered, by the reason.
struct Dropped {
  uint64_t outside = 0;   // the source is not of the VPC
  uint64_t by_rules = 0;  // it is, and no rule admits it

  Dropped& operator+=(const Dropped& more) {
    outside += more.outside;
    by_rules += more.by_rules;
    return *this;
  }
};
Dropped DroppedAt(const Listening& listening);

struct Accepted {
  enum class Outcome {
    kAccepted,
    kNoneLeft,
    kGone,       // the client gave up before it was accepted; there may be others
    kExhausted,  // no descriptors or no memory: try again later
  };
  Outcome outcome = Outcome::kNoneLeft;
  UniqueFd socket;  // non-blocking
  Address peer;
};

Accepted Accept(int listener);

}  // namespace ec::endpoint
