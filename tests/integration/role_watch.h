// Looks every few milliseconds whether two engines take writes behind one primary endpoint.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <thread>

#include "ec/v1/elasticache.pb.h"
#include "tests/integration/clients.h"

namespace ec::integration {

class RoleWatch {
 public:
  // Opens connections through the endpoint again and again, and keeps the old ones, as clients do
  // that do not notice a change.
  explicit RoleWatch(v1::Endpoint primary);
  ~RoleWatch() { Stop(); }
  RoleWatch(const RoleWatch&) = delete;
  RoleWatch& operator=(const RoleWatch&) = delete;

  void Stop();
  int looks() const { return looks_; }
  // What was seen of two engines that took writes; empty when there was nothing. REQUIRES: stopped
  const std::string& violation() const { return violation_; }

 private:
  struct Connection {
    std::unique_ptr<RedisClient> client;
    std::string engine;  // its run id
  };
  void Run();
  void Open();
  bool Writes(Connection& connection);
  void Look();

  const v1::Endpoint primary_;
  std::deque<Connection> connections_;  // the thread's, as is the violation
  std::string violation_;
  std::atomic<int> looks_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace ec::integration
