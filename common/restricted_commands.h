// The commands of Redis that ElastiCache keeps from its customers, by [AWS docs]; those marked
// "ours" would change who leads, or what the engine is, behind the control plane's back.
//
// The node agent denies them to every user but its own, and access strings must not grant them.
#pragma once

#include <array>
#include <string_view>

namespace ec {

// Whole commands. Clients read "unknown command", as on ElastiCache, because engines know them by
// other names, too.
inline constexpr std::array<std::string_view, 11> kRestrictedCommands = {"bgrewriteaof",
                                                                         "bgsave",
                                                                         "config",
                                                                         "debug",
                                                                         "failover" /* ours */,
                                                                         "migrate",
                                                                         "module" /* ours */,
                                                                         "replicaof",
                                                                         "save",
                                                                         "shutdown",
                                                                         "slaveof"};

// These keep their names, because replicas speak them to their leaders.
inline constexpr std::array<std::string_view, 2> kRestrictedLinkCommands = {"psync", "sync"};

// Subcommands, as access rules write them.
inline constexpr std::array<std::string_view, 19> kRestrictedSubcommands = {
    "acl|deluser",
    "acl|load",
    "acl|save",
    "acl|setuser",
    "cluster|addslots",
    "cluster|addslotsrange",
    "cluster|bumpepoch",
    "cluster|delslots",
    "cluster|delslotsrange",
    "cluster|failover",
    "cluster|flushslots",
    "cluster|forget",
    "cluster|links",
    "cluster|meet",
    "cluster|replicate",         // ours
    "cluster|reset",             // ours
    "cluster|saveconfig",        // ours
    "cluster|set-config-epoch",  // ours
    "cluster|setslot",
};

}  // namespace ec
