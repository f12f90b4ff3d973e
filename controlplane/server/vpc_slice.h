// Which slice of loopback an installation lives in. Every address in 127.0.0.0/8 is this machine's,
// so a VPC is a /16 of it: 127.10.0.0/16 and so on. Two installations must not share one.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "common/address.h"
#include "common/status.h"
#include "common/unique_fd.h"
#include "controlplane/model/state.h"

namespace ec::server {

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

// The slices that some installation of this machine holds at the moment, this one's among them. A
// new VPC is to get none of these.
std::set<Cidr> SlicesHeld();

// Holds the slices of all VPCs but the default one, whose slice is the installation's.
class SliceHolder {
 public:
  // kUnavailable when another installation that is running holds one of them. Call once, first.
  Status Begin(const model::State& state);

  // To be called after every change; quick. One thread at a time. Of two installations that have
  // taken the same slice in the same moment, one logs that it could not hold it.
  void Note(const model::State& state);

 private:
  Status Conform(const model::Records& records);

  uint64_t noted_ = 0;  // the revision of the newest network that has been looked at
  std::map<Cidr, VpcSlice> held_;
};

}  // namespace ec::server
