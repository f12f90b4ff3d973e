// Opens an endpoint's listening socket, and takes connections off it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/address.h"
#include "common/host_plan.h"
#include "common/unique_fd.h"

namespace ec::endpoint {

struct Listening {
  UniqueFd socket;  // empty: it could not be opened
  EndpointTrouble trouble = EndpointTrouble::kNone;
  std::string trouble_text;  // a sentence, such as "the address 127.10.0.4:6379 is in use"
};

// Why it is not listened on `address`, given errno.
Listening TroubleWith(Address address, int error);

// Sockets that are accepted from it send small packets at once (TCP_NODELAY).
Listening Listen(Address address);
// The same in the network namespace of that name.
Listening ListenIn(const std::string& netns, Address address);

// Stops listening at once, even while a child that has been forked but not yet executed still
// holds a copy of the descriptor.
void CloseListener(UniqueFd socket);

// From now on, what comes from elsewhere is not answered. False if the system does not do
// that, or there are more than kAdmittedMax.
bool DropAllBut(const std::vector<Cidr>& admitted, int listener);
inline constexpr size_t kAdmittedMax = 1000;
// The packets that were not answered.
uint64_t DroppedAt(int listener);

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
