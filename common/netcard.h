/* What the agent and the library that it preloads into engines (nodeagent/netcard) agree on. C,
 * since the library is.
 *
 * The agent sends one datagram per connection to the engine's passing socket: one byte, and the
 * connected TCP socket as SCM_RIGHTS. Whatever looks different is thrown away. */
#pragma once

/* Names of the passing socket and, if there is one, of the local listener: paths of unix sockets,
 * which may be relative to the engine's working directory. Without the first one the library does
 * nothing at all. */
#define EC_NETCARD_SOCKET "EC_NETCARD_SOCKET"
#define EC_NETCARD_LOCAL "EC_NETCARD_LOCAL"
/* The member's own address, dotted: where its outgoing connections come from. */
#define EC_NETCARD_ADDRESS "EC_NETCARD_ADDRESS"

/* The byte of a datagram that carries a connection. */
#define EC_NETCARD_CONNECTION 'c'
