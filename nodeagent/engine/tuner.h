// Tells running Redis engines what has changed of their parameters and their users.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>

#include "common/host_plan.h"

namespace ec::engine {

// Sends every setting that a running Redis takes, over its own socket. `done` is called once,
// within a second and never from in here, on the thread that runs `io`: true when all has been
// answered, and all users are as they should be. A setting that this version of the engine does not
// know is passed over.
//
// What the engine has been told of its users is noted beside its socket. An engine that an earlier
// version of the agent has started, which let everybody in, gets all users so, too.
void TuneRedis(boost::asio::io_context& io, const MemberSpec& spec, const std::string& socket_path,
               std::function<void(bool ok)> done);

}  // namespace ec::engine
