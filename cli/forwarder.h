// A local port whose traffic comes from another address of this machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "common/address.h"
#include "common/time.h"

namespace ec::cli {

struct ForwarderOptions {
  Ip4 source;
  Address destination;
  Duration patience = {};  // for a connection to the destination
  size_t connections_max = 0;
};

class Forwarder {
 public:
  // `tell` is given why the destination cannot be reached: once, until it has been reached again.
  Forwarder(ForwarderOptions options, std::function<void(const std::string&)> tell);
  ~Forwarder();
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  // Listens at 127.0.0.1; port 0 takes a free one. Returns an errno, 0: none.
  int Listen(uint16_t port);
  uint16_t port() const;

  // Carries connections, for ever. What one side sends, ends or resets, so does the other; a client
  // for whom the destination cannot be reached is reset. At the most connections the next clients
  // wait in the backlog.
  void Run();

 private:
  class Loop;
  const std::unique_ptr<Loop> loop_;
};

}  // namespace ec::cli
