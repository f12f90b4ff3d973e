#include "controlplane/server/vpc_slice.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "common/log.h"

namespace ec::server {
namespace {

constexpr uint32_t kLoopback = 127u << 24;
constexpr uint32_t kFirstSlice = 10;
constexpr uint32_t kSlices = 240;
constexpr uint16_t kHoldPort = 7379;

Cidr SliceOf(uint32_t number) { return {{kLoopback | number << 16}, 16}; }

// Binding a datagram socket is a lock that ends with the process, whatever ends it.
UniqueFd Bind(const Cidr& cidr) {
  UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kHoldPort);
  address.sin_addr.s_addr = htonl(cidr.Last().bits - 1);
  if (fd && bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) < 0) fd.reset();
  return fd;
}

}  // namespace

Result<VpcSlice> VpcSlice::Hold(const Cidr& cidr) {
  const Cidr loopback{{kLoopback}, 8};
  if (!loopback.Contains(cidr.network) || cidr.prefix != 16) {
    return Status(
        Fault::kInvalidParameterValue,
        "The VPC must be a /16 of loopback, such as 127.10.0.0/16, not " + ToString(cidr) + ".");
  }
  UniqueFd fd = Bind(cidr);
  if (!fd) {
    return Status(Fault::kUnavailable, "Another installation on this machine is using the VPC " +
                                           ToString(cidr) + " (" + std::strerror(errno) +
                                           "); stop it first.");
  }
  return VpcSlice(cidr, std::move(fd));
}

Result<VpcSlice> VpcSlice::Choose(const std::string& dir) {
  const uint32_t begin = static_cast<uint32_t>(std::hash<std::string>{}(dir) % kSlices);
  for (uint32_t i = 0; i < kSlices; ++i) {
    const Cidr cidr = SliceOf(kFirstSlice + (begin + i) % kSlices);
    if (UniqueFd fd = Bind(cidr)) return VpcSlice(cidr, std::move(fd));
  }
  return Status(Fault::kUnavailable, "Every slice of loopback is in use by an installation.");
}

std::set<Cidr> SlicesHeld() {
  std::set<Cidr> held;
  for (uint32_t number = 1; number < 255; ++number) {
    if (!Bind(SliceOf(number))) held.insert(SliceOf(number));
  }
  return held;
}

Status SliceHolder::Begin(const model::State& state) {
  noted_ = state.access->revision;
  return Conform(state.records);
}

void SliceHolder::Note(const model::State& state) {
  if (state.access->revision == noted_) return;
  noted_ = state.access->revision;
  if (const Status held = Conform(state.records); !held.ok()) {
    LogWarning("a VPC's slice is not held", {{"why", held.message()}});
  }
}

Status SliceHolder::Conform(const model::Records& records) {
  std::set<Cidr> wanted;
  for (const auto& [id, vpc] : records.vpcs) wanted.insert(vpc.slice);
  wanted.erase(records.installation.vpc);
  std::erase_if(held_, [&](const auto& one) { return !wanted.contains(one.first); });
  for (const Cidr& slice : wanted) {
    if (held_.contains(slice)) continue;
    Result<VpcSlice> holding = VpcSlice::Hold(slice);
    if (!holding.ok()) return holding.status();
    held_.emplace(slice, std::move(*holding));
  }
  return {};
}

}  // namespace ec::server
