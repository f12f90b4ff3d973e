/* What the agent and the library that it preloads into engines (nodeagent/netcard) agree on. C,
 * since the library is.
 *
 * The agent sends datagrams to the engine's passing socket. One for each connection: one byte, and
 * the connected TCP or unix stream socket as SCM_RIGHTS. And one when clients may not connect any
 * more: one byte, and then up to EC_NETCARD_REVOCATIONS_MAX of struct ec_netcard_revocation.
 * Whatever looks different is thrown away. */
#pragma once

#include <stdint.h>

/* Names of the passing socket and, if there is one, of the local listener: paths of unix sockets,
 * which may be relative to the engine's working directory. Without the first one the library does
 * nothing at all. */
#define EC_NETCARD_SOCKET "EC_NETCARD_SOCKET"
#define EC_NETCARD_LOCAL "EC_NETCARD_LOCAL"
/* The member's own address, dotted: where its outgoing connections come from. */
#define EC_NETCARD_ADDRESS "EC_NETCARD_ADDRESS"

/* The byte of a datagram that carries a connection. */
#define EC_NETCARD_CONNECTION 'c'

/* The first byte of a datagram that takes connections back: those from `client` to that address and
 * port, all in network byte order, are shut down. */
#define EC_NETCARD_REVOKE 'r'
#define EC_NETCARD_REVOCATIONS_MAX 64
struct ec_netcard_revocation {
  uint32_t client;
  uint32_t address;
  uint16_t port;
  uint16_t unused;
};
