#include "controlplane/netns/namespaces.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>

#include "common/netns.h"
#include "common/unique_fd.h"
#include "controlplane/netns/rtnetlink.h"

namespace ec::netns {
namespace {

constexpr char kInstanceDevice[] = "eth0";
// Of devices, by number. Those of instances begin behind what a kernel may have put there itself.
constexpr int kFirstDevice = 1000;

using Route = Rtnetlink::Route;
constexpr Cidr kEverything{};
constexpr Cidr kLoopback{{0x7f00'0000}, 8};
constexpr Cidr kOwnLoopback{{0x7f00'0000}, 16};

Status Failed(std::string_view what, const std::string& name, int error) {
  const char* hint = error == EPERM || error == EACCES || error == EROFS
                         ? " (this needs root, and in a container --privileged)"
                         : "";
  return {Fault::kUnavailable, fmt::format("Cannot {} the network namespace {}: {}{}.", what, name,
                                           std::strerror(error), hint)};
}

// The first error of several steps; the later ones are then not taken.
class Steps {
 public:
  template <typename Step>
  void Take(Step step) {
    if (error_ == 0) error_ = step();
  }
  int error() const { return error_; }

 private:
  int error_ = 0;
};

// Of the instance's end of the pair. It tells which instance of which VPC a namespace is.
Mac MacOf(Ip4 in_slice) {
  const auto byte = [&](int shift) { return static_cast<uint8_t>(in_slice.bits >> shift); };
  constexpr uint8_t kLocallyGiven = 0x02;
  return {kLocallyGiven, 0xec, byte(24), byte(16), byte(8), byte(0)};
}

// Of the VPC's end of the pair: a number of its own for every address of the VPC.
int DeviceOf(Ip4 address) { return kFirstDevice + static_cast<int>(address.bits & 0xffffu); }
std::string DeviceNameOf(Ip4 address) { return fmt::format("i{}", DeviceOf(address)); }

// In the namespace that the thread is in, for all devices to come. An error's number, or 0.
int Set(const char* family, const char* devices, const char* setting, char value) {
  const std::string path = fmt::format("/proc/sys/net/{}/conf/{}/{}", family, devices, setting);
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file && errno == ENOENT && std::string_view(family) == "ipv6") return 0;  // has no IPv6
  return file && write(file.get(), &value, 1) == 1 ? 0 : errno;
}

// What both kinds of namespaces have in common. An error's number, or 0.
int Prepare(int netns) {
  Steps steps;
  const bool entered = InNetns(netns, [&] {
    // Who comes from an address that is not found where it comes from is not heard.
    steps.Take([] { return Set("ipv4", "all", "rp_filter", '1'); });
    // The addresses in the VPC's slice of loopback lead from one namespace to the other.
    steps.Take([] { return Set("ipv4", "all", "route_localnet", '1'); });
    // A new namespace has this from the machine's own, where it is on if that has containers.
    steps.Take([] { return Set("ipv4", "all", "forwarding", '0'); });
    steps.Take([] { return Set("ipv6", "default", "disable_ipv6", '1'); });
  });
  if (!entered) return errno;
  steps.Take([&] { return Rtnetlink(netns).Raise(kLoopbackDevice); });
  return steps.error();
}

Status MakeVpc(const std::string& name, const VpcSpace& vpc) {
  const UniqueFd space = MakeNetns();
  if (!space) return Failed("make", name, errno);
  const Rtnetlink net(space.get());
  Steps steps;
  steps.Take([&] { return Prepare(space.get()); });
  steps.Take([&] { return net.AddRoute(kLoopback, {.route = Route::kNowhere}); });
  for (const Cidr& own : {vpc.blocks.block, vpc.blocks.slice}) {
    steps.Take([&] { return net.AddRoute(own, {.route = Route::kOwn}); });
  }
  steps.Take([&] { return NameNetns(space.get(), name) ? 0 : errno; });
  return steps.error() == 0 ? Status() : Failed("make", name, steps.error());
}

// Sends everything to the router that does not stay in the instance or go to its VPC.
int LeadToRouter(const Rtnetlink& net, const VpcSpace& vpc, Ip4 address) {
  Steps steps;
  steps.Take([&] { return net.AddRoute(kOwnLoopback, {.route = Route::kOwn}); });
  for (const Cidr& far : {kEverything, kLoopback}) {
    const Rtnetlink::Way way{
        Route::kRouter, kFirstDevice, address, {vpc.blocks.block.First().bits + 1}};
    steps.Take([&] { return net.AddRoute(far, way); });
  }
  return steps.error();
}

Status MakeInstance(const std::string& name, int vpc_space, const VpcSpace& vpc, Ip4 address,
                    Beyond beyond) {
  const UniqueFd space = MakeNetns();
  if (!space) return Failed("make", name, errno);
  const Rtnetlink outer(vpc_space);
  const Rtnetlink inner(space.get());
  const int plug = DeviceOf(address);
  const Mac mac = MacOf(*vpc.blocks.InSlice(address));
  const Cidr own{address, 32};
  outer.Drop(plug);  // of a namespace that has lost its name
  Steps steps;
  steps.Take([&] { return Prepare(space.get()); });
  steps.Take([&] {
    return outer.MakePair({plug, DeviceNameOf(address)}, {kFirstDevice, kInstanceDevice}, mac,
                          space.get());
  });
  steps.Take([&] { return outer.Raise(plug); });
  steps.Take([&] { return outer.AddRoute(own, {Route::kNeighbour, plug}); });
  steps.Take([&] { return inner.AddAddress(kFirstDevice, address); });
  steps.Take([&] { return inner.Raise(kFirstDevice); });
  for (const Cidr& block : {vpc.blocks.block, vpc.blocks.slice}) {
    steps.Take([&] { return inner.AddRoute(block, {Route::kNeighbour, kFirstDevice, address}); });
  }
  if (beyond == Beyond::kSilence) {
    steps.Take([&] { return LeadToRouter(inner, vpc, address); });
  }
  steps.Take([&] { return NameNetns(space.get(), name) ? 0 : errno; });
  return steps.error() == 0 ? Status() : Failed("make", name, steps.error());
}

// Whether the namespace is this instance's, and its cable is plugged in.
bool IsWhole(const std::string& name, const Mac& mac) {
  const UniqueFd space = OpenNetns(name);
  if (!space) return false;
  bool whole = false;
  InNetns(space.get(), [&] {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq device = {};
    std::strncpy(device.ifr_name, kInstanceDevice, IFNAMSIZ - 1);
    if (ioctl(socket.get(), SIOCGIFHWADDR, &device) != 0) return;
    whole = std::memcmp(device.ifr_hwaddr.sa_data, mac.data(), mac.size()) == 0;
    whole = whole && ioctl(socket.get(), SIOCGIFFLAGS, &device) == 0 &&
            (device.ifr_flags & IFF_RUNNING) != 0;
  });
  return whole;
}

// Cuts off those who are no instances any more: something may run in their namespaces still.
void Unplug(int vpc_space, const VpcSpace& vpc) {
  std::set<std::string> kept = {"lo"};
  for (const InstanceSpace& instance : vpc.instances) kept.insert(DeviceNameOf(instance.address));
  std::set<int> dropped;
  InNetns(vpc_space, [&] {
    ifaddrs* devices = nullptr;
    if (getifaddrs(&devices) != 0) return;
    for (const ifaddrs* device = devices; device != nullptr; device = device->ifa_next) {
      const unsigned number = if_nametoindex(device->ifa_name);
      if (number < kFirstDevice || kept.contains(device->ifa_name)) continue;
      dropped.insert(static_cast<int>(number));
    }
    freeifaddrs(devices);
  });
  const Rtnetlink net(vpc_space);
  for (const int device : dropped) net.Drop(device);
}

Status ConformVpc(const std::string& prefix, const VpcSpace& vpc, Beyond beyond) {
  const std::string name = NetnsName(prefix, vpc.id);
  UniqueFd space = OpenNetns(name);
  if (!space) {
    // First the names go of what is plugged in to one that was there before.
    for (const InstanceSpace& instance : vpc.instances) {
      UnnameNetns(NetnsName(prefix, instance.id));
    }
    UnnameNetns(name);
    if (Status made = MakeVpc(name, vpc); !made.ok()) return made;
    space = OpenNetns(name);
    if (!space) return Failed("open", name, errno);
  }
  Unplug(space.get(), vpc);
  Status first;
  for (const InstanceSpace& instance : vpc.instances) {
    const std::string own = NetnsName(prefix, instance.id);
    const auto in_slice = vpc.blocks.InSlice(instance.address);
    if (!in_slice || IsWhole(own, MacOf(*in_slice))) continue;
    UnnameNetns(own);
    Status made = MakeInstance(own, space.get(), vpc, instance.address, beyond);
    if (first.ok()) first = std::move(made);
  }
  return first;
}

}  // namespace

Status Conform(const std::string& prefix, const std::vector<VpcSpace>& wanted, Beyond beyond) {
  std::set<std::string> names;
  for (const VpcSpace& vpc : wanted) {
    names.insert(NetnsName(prefix, vpc.id));
    for (const InstanceSpace& instance : vpc.instances) {
      names.insert(NetnsName(prefix, instance.id));
    }
  }
  Status first;
  for (const std::string& name : NetnsNames(prefix)) {
    if (names.contains(name) || UnnameNetns(name)) continue;
    if (first.ok()) first = Failed("remove", name, errno);
  }
  for (const VpcSpace& vpc : wanted) {
    Status conformed = ConformVpc(prefix, vpc, beyond);
    if (first.ok()) first = std::move(conformed);
  }
  return first;
}

}  // namespace ec::netns
