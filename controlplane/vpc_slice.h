// Which slice of loopback an installation lives in. Every address in 127.0.0.0/8 is this machine's,
// so a VPC is a /16 of it: 127.10.0.0/16 and so on. Two installations must not share one.
#pragma once

#include <optional>
#include <string>

#include "common/address.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace ec {

// Holds a slice for as long as it lives; while it does, no other control plane of this machine gets
// the same one.
class VpcSlice {
 public:
  // The slice given; kUnavailable when another installation that is running holds it.
  static Result<VpcSlice> Hold(const Cidr& cidr);

  // A free one for a new installation: where the search begins depends on its directory, so that
  // installations that do not run at the same time rarely choose alike.
  static Result<VpcSlice> Choose(const std::string& dir);

  const Cidr& cidr() const { return cidr_; }

 private:
  VpcSlice(const Cidr& cidr, UniqueFd socket) : cidr_(cidr), socket_(std::move(socket)) {}

  Cidr cidr_;
  UniqueFd socket_;  // bound to an address in the slice that is never given out
};

}  // namespace ec
