// Network namespaces that have names, as ip-netns(8) knows them: files in /run/netns. Nobody but
// root can use them.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/unique_fd.h"

namespace ec {

// What all names of the installation in that directory begin with: "ec-3f9a02". No other
// installation of the machine has the same, whether it runs or not.
std::string NetnsPrefix(const std::string& installation_dir);
// "ec-3f9a02-i-web", of an instance or a VPC.
std::string NetnsName(std::string_view prefix, std::string_view id);

// The one of that name; empty, with errno set, if there is none.
UniqueFd OpenNetns(const std::string& name);
// Tells it from any that the name meant before; nullopt if there is none.
std::optional<ino_t> InodeOfNetns(const std::string& name);
// The names that begin with the prefix, also those that mean nothing any more.
std::vector<std::string> NetnsNames(const std::string& prefix);

// A new one, empty. It ends with the last descriptor, name, process and socket that it has. Empty,
// with errno set, if this process may not make any.
UniqueFd MakeNetns();
// Gives it a name that no other has. False, with errno set, if that cannot be done.
bool NameNetns(int netns, const std::string& name);
// Takes the name away. False, with errno set, if it cannot be; true if there was none.
bool UnnameNetns(const std::string& name);

// Calls `work` on a thread that is in that namespace: sockets stay in the one they were made in.
// False, with errno set, and without a call, if this process may not enter it.
bool InNetns(int netns, const std::function<void()>& work);

}  // namespace ec
