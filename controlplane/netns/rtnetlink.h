// Network devices, addresses and routes of one network namespace, by rtnetlink(7).
//
// Devices are known by numbers that the caller gives them. 1 is the namespace's own loopback.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "common/address.h"
#include "common/unique_fd.h"

namespace ec::netns {

inline constexpr int kLoopbackDevice = 1;

using Mac = std::array<uint8_t, 6>;

// One end of a pair of devices (veth) that are like the ends of a cable.
struct Plug {
  int device = 0;
  std::string name;
};

class Rtnetlink {
 public:
  // Of that namespace. What follows then fails with the error of this, if there is one.
  explicit Rtnetlink(int netns);

  // All return 0, or an error's number.

  // The other end is in the namespace `other_netns`, and has that address of its own.
  int MakePair(const Plug& own, const Plug& other, const Mac& other_mac, int other_netns) const;
  int Raise(int device) const;
  int AddAddress(int device, Ip4 address) const;
  // Drops the device, and with it the other end of its pair.
  int Drop(int device) const;

  enum class Route {
    kOwn,        // all these addresses are this namespace's own: anybody may listen at them
    kNeighbour,  // they are found at the other end of the device
    kRouter,     // who has `router` at the other end of the device knows the way
    kNowhere,    // what arrives for them is thrown away
  };
  struct Way {
    Route route = Route::kOwn;
    int device = kLoopbackDevice;
    Ip4 source = {};  // where connections come from; 0: the kernel chooses
    Ip4 router = {};
  };
  // A narrower route counts more. There is one way to each block: the last one.
  int AddRoute(const Cidr& to, const Way& way) const;

 private:
  int Ask(const std::string& message) const;

  UniqueFd socket_;
  int error_ = 0;
};

}  // namespace ec::netns
