// A conversation with a Memcached node: lines in, answers out, like telnet.
#pragma once

#include <optional>
#include <string>

#include "cli/outcome.h"
#include "common/address.h"
#include "common/time.h"
#include "common/unique_fd.h"

namespace ec::cli {

// Connects to HOST and PORT, from `source` if one is given. Unreachable when nobody listens there.
Outcome ConnectTo(const std::string& host, int port, std::optional<Ip4> source, Duration timeout,
                  UniqueFd* socket);

// Sends the lines that `input_fd` gives, each ended by \r\n, and prints the answers as they come.
// At the input's end it sends "quit" and reads on until the node closes the connection; a node that
// is silent for `patience` by then has been asked for something that never ends, and is left.
Outcome TalkMemcached(UniqueFd socket, int input_fd, Duration patience);

}  // namespace ec::cli
