#include "nodeagent/endpoint/carrier.h"

#include <algorithm>
#include <cstdint>
#include <latch>
#include <thread>
#include <utility>

namespace ec::endpoint {
namespace {

int ThreadCount(int wanted) {
  if (wanted > 0) return wanted;
  return std::thread::hardware_concurrency() >= 2 ? 2 : 1;
}

}  // namespace

Carriage CarriageFor(const Endpoint& /*endpoint*/) { return Carriage::kRelay; }

Carrier::Carrier(const Settings& settings, EnginePath engine_path) {
  for (int i = 0; i < ThreadCount(settings.threads); ++i) {
    relays_.push_back(std::make_unique<Relay>(settings.hold_max, engine_path));
  }
}

void Carrier::Carry(UniqueFd client, std::shared_ptr<Endpoint> endpoint) {
  switch (CarriageFor(*endpoint)) {
    case Carriage::kRelay: {
      // The one with the fewest connections: a few busy ones are then spread evenly as well.
      const auto& relay =
          *std::ranges::min_element(relays_, {}, [](const auto& r) { return r->open(); });
      relay->Carry(std::move(client), std::move(endpoint));
      break;
    }
  }
}

void Carrier::Cut(const std::vector<std::shared_ptr<Endpoint>>& endpoints) {
  if (endpoints.empty()) return;
  const auto done = std::make_shared<std::latch>(std::ssize(relays_));
  for (const auto& relay : relays_) relay->Cut(endpoints, done);
  done->wait();
}

size_t Carrier::open() const {
  size_t open = 0;
  for (const auto& relay : relays_) open += relay->open();
  return open;
}

}  // namespace ec::endpoint
