// A real engine that takes clients' sockets, as the agent starts it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/netcard.h"
#include "tests/endpoint/support.h"

namespace ec::endpoint {

inline constexpr MemberId kMember = 7;

class EngineFixture : public testing::Test {
 protected:
  std::string PassingSocket(MemberId id) const {
    return directory_.path() + "/" + std::to_string(id) + ".netcard";
  }
  // As the agent starts them: `env` gives the engine its network card.
  std::vector<std::string> WithNetcard(MemberId id, std::vector<std::string> engine) const {
    std::vector<std::string> argv = {"env", "LD_PRELOAD=" EC_BIN_DIR "/libec_netcard.so",
                                     EC_NETCARD_SOCKET "=" + PassingSocket(id),
                                     EC_NETCARD_ADDRESS "=" + ToString(address_.ip)};
    if (engine.front() == "memcached") {
      argv.push_back(EC_NETCARD_LOCAL "=" + EngineSocket(directory_, id));
    }
    argv.insert(argv.end(), engine.begin(), engine.end());
    return argv;
  }
  void StartRedis(MemberId id = kMember) {
    engine_ = std::make_unique<EngineProcess>(WithNetcard(
        id,
        {"redis-server", "--bind", ToString(address_.ip), "--port", std::to_string(address_.port),
         "--unixsocket", EngineSocket(directory_, id), "--protected-mode", "no", "--save", ""}));
    EXPECT_TRUE(Eventually([&] {
      Socket socket = ConnectToUnix(EngineSocket(directory_, id));
      return socket && socket.Send("PING\r\n") && socket.ReceiveUntil("\r\n") == "+PONG\r\n";
    }));
  }
  void StartMemcached() {
    engine_ = std::make_unique<EngineProcess>(WithNetcard(
        kMember, {"memcached", "-u", "root", "-U", "0", "-p", std::to_string(address_.port), "-l",
                  ToString(address_.ip) + ",127.0.0.1"}));
    EXPECT_TRUE(Eventually([&] {
      Socket socket = ConnectToUnix(EngineSocket(directory_, kMember));
      return socket && socket.Send("mn\r\n") && socket.ReceiveUntil("\r\n") == "MN\r\n";
    }));
  }

  TempDir directory_;
  const Address address_ = FreshAddress();
  std::unique_ptr<EngineProcess> engine_;
};

}  // namespace ec::endpoint
