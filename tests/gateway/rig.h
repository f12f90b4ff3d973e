// A gateway without sockets, over a fake API.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <string>
#include <utility>

#include "common/clock.h"
#include "controlplane/gateway/gateway.h"
#include "tests/gateway/fake_api.h"

namespace ec::gateway {

class FixedClock : public Clock {
 public:
  Now now() const override { return now_; }
  void set_wall(WallTime wall) { now_.wall = wall; }

 private:
  Now now_ = {Instant(std::chrono::hours(1)), *ParseWallTime("2026-11-23T05:00:00.000Z")};
};

// Runs whatever the gateway leaves for later until it has answered.
class Rig {
 public:
  explicit Rig(GatewaySettings settings = {}) : gateway(std::move(settings), api, io, clock) {}

  HttpAnswer Send(const HttpRequest& request) {
    HttpAnswer answer;
    bool answered = false;
    gateway.Serve(request, [&](HttpAnswer given) {
      answer = std::move(given);
      answered = true;
    });
    while (!answered && io.run_one() > 0) {
    }
    io.restart();
    return answer;
  }

  static HttpRequest Post(const std::string& body) {
    return {"POST", "/", {{"host", "127.0.0.1:7380"}}, body};
  }
  HttpAnswer Query(const std::string& body) { return Send(Post(body)); }

  FakeApi api;
  boost::asio::io_context io;
  FixedClock clock;
  Gateway gateway;
};

// The answer's body, with the request's id in place of the random one.
inline std::string Body(const HttpAnswer& answer) {
  std::string body = answer.body;
  const size_t at = body.find(answer.request_id);
  if (!answer.request_id.empty() && at != std::string::npos) {
    body.replace(at, answer.request_id.size(), "ID");
  }
  return body;
}

}  // namespace ec::gateway
