// What a command runs in: the global options, and the connection, made when it is first needed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "cli/client.h"
#include "cli/command_line.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "common/clock.h"

namespace ec::cli {

inline constexpr Duration kCallTimeout = std::chrono::seconds(10);
inline constexpr Duration kWaitTimeout = std::chrono::minutes(10);

class Context {
 public:
  Context(GlobalOptions global, std::vector<std::string> passed_on)
      : global_(std::move(global)), passed_on_(std::move(passed_on)) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const GlobalOptions& global() const { return global_; }
  bool json() const { return global_.json; }
  // Whether to colour what goes to standard output.
  bool color() const;
  // The words behind --.
  const std::vector<std::string>& passed_on() const { return passed_on_; }

  Now now() const { return clock_.now(); }
  // When --timeout is over, if it is counted from now on.
  Instant Deadline(Duration otherwise) const {
    return now().instant + global_.timeout.value_or(otherwise);
  }

  // The installation's directory, absolute.
  Outcome Directory(std::string* dir) const;
  // Neither --dir nor EC_DIR was given.
  bool IsDefaultDirectory() const { return !global_.dir; }

  // The control plane's address in the installation's record. Unreachable when there is none.
  Outcome RecordedAddress(std::string* address) const;

  // The client, for --address or the installation's recorded address. Does not connect yet.
  Outcome Connect(Client** client);

  // Connect() and one call.
  template <typename Stub, typename Request, typename Response>
  Outcome Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
               const std::type_identity_t<Request>& request, Response* response) {
    Client* client = nullptr;
    EC_RETURN_UNLESS_OK(Connect(&client));
    return client->Call(method, request, response);
  }

  void Print(const google::protobuf::Message& message) const { PrintLine(ToJson(message)); }
  // `nothing` goes to standard error when the table has no rows.
  void Print(const Table& table, const std::string& nothing) const;

 private:
  const GlobalOptions global_;
  const std::vector<std::string> passed_on_;
  const SystemClock clock_;
  std::unique_ptr<Client> client_;
};

// Asks on the terminal. Success means yes; without a terminal `yes` has to be given.
Outcome Confirm(const std::string& question, bool yes);

}  // namespace ec::cli
