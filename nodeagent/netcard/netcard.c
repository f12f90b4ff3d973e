/* The network card of an engine: a library that is preloaded into an unmodified program, and gives
 * it a network that consists of the agent alone.
 *
 *   - A TCP socket that the program listens on becomes a unix datagram socket, under the same
 *     descriptor. The agent passes connections there that it has accepted and judged, or that end
 *     at itself (a unix socket of a pair), and accept() returns them. All TCP listeners of a
 * process share one such socket, which exists as long as one of them is open.
 *   - If EC_NETCARD_LOCAL is set, the first listener at another address than the member's own
 *     becomes a unix stream listener instead, for programs that cannot have one beside TCP.
 *   - Connections to this machine's loopback leave from the member's own address.
 *
 *   - When the agent says that a client may not connect any more, its connections are shut down
 *     where they are, which the program sees as an end like any other.
 *
 * Everything else is passed on untouched. A datagram socket, because it behaves like a listener:
 * it is readable while a connection waits, a receive takes exactly one or says EAGAIN, the sender
 * sees EAGAIN when it is full, and what still waits is closed when the process ends.
 *
 * A child that is forked gets none of the connections: its listeners are replaced by sockets that
 * nothing ever arrives at, so that the passing socket ends with the process that made it. A program
 * that forks to go into the background must do so before it listens.
 *
 * Descriptors are recognised by number and inode, so that nobody has to be told of close(). */
#include "common/netcard.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
/* Listeners that a process may have at once; further ones are refused with ENOBUFS. */
#define LISTENERS_MAX 16
/* Descriptors that a malformed message may carry without the kernel dropping some itself. */
#define DESCRIPTORS_MAX 4

enum Role {
  kBound,  /* still a TCP socket; its address is only noted */
  kPasses, /* connections come from the agent */
  kLocal,  /* a unix stream listener */
};

struct Listener {
  atomic_int fd; /* -1: a free place */
  atomic_int role;
  atomic_uint_fast64_t inode;
  atomic_bool keepalive; /* what accepted sockets would inherit from it */
  /* Guarded by the mutex: */
  struct sockaddr_storage address; /* as the program sees it */
  socklen_t length;
};

static struct Listener listeners[LISTENERS_MAX];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/* No connection that was ever passed had a higher descriptor. */
static atomic_int highest_connection = -1;

/* Copies: programs overwrite their environment. Empty: not set. */
static char passing_path[sizeof(((struct sockaddr_un*)0)->sun_path)];
static char local_path[sizeof(passing_path)];
static struct in_addr own_address; /* INADDR_ANY: not set */

/* The C library's function of this name. */
#define REAL(name) ((__typeof__(&name))Resolve(&real_##name, #name))
typedef _Atomic(void*) RealFunction;
static RealFunction real_accept4, real_bind, real_listen, real_connect, real_setsockopt,
    real_getsockname;

static void* Resolve(RealFunction* function, const char* name) {
  void* found = atomic_load_explicit(function, memory_order_relaxed);
  if (found == NULL) {
    found = dlsym(RTLD_NEXT, name);
    if (found == NULL) abort(); /* not even a C library */
    atomic_store_explicit(function, found, memory_order_relaxed);
  }
  return found;
}

static bool IsOn(void) { return passing_path[0] != '\0'; }

/* 0 when there is no such descriptor. Leaves errno alone. */
static uint64_t InodeOf(int fd) {
  struct stat status;
  const int error = errno;
  const uint64_t inode = fstat(fd, &status) == 0 ? status.st_ino : 0;
  errno = error;
  return inode;
}

/* The place of this descriptor; NULL for any but a listener, which is found out without a system
 * call. No lock: a program does not use a descriptor before it has got it. */
static struct Listener* Find(int fd) {
  if (fd < 0) return NULL;
  for (int i = 0; i < LISTENERS_MAX; ++i) {
    struct Listener* listener = &listeners[i];
    if (atomic_load(&listener->fd) != fd) continue;
    return InodeOf(fd) == atomic_load(&listener->inode) ? listener : NULL;
  }
  return NULL;
}

static struct Listener* FindWithRole(int fd, int role) {
  struct Listener* listener = Find(fd);
  return listener != NULL && atomic_load(&listener->role) == role ? listener : NULL;
}

/* An open listener of this role. The mutex is held. */
static struct Listener* AnyOpen(int role) {
  for (int i = 0; i < LISTENERS_MAX; ++i) {
    struct Listener* found = FindWithRole(atomic_load(&listeners[i].fd), role);
    if (found != NULL) return found;
  }
  return NULL;
}

/* A place for this descriptor: the one that it has or had, or one whose owner is closed. The mutex
 * is held. */
static struct Listener* Place(int fd) {
  struct Listener* place = NULL;
  for (int i = 0; i < LISTENERS_MAX; ++i) {
    struct Listener* listener = &listeners[i];
    const int other = atomic_load(&listener->fd);
    if (other == fd) return listener;
    if (place == NULL && Find(other) == NULL) place = listener;
  }
  return place;
}

static void Occupy(struct Listener* listener, int fd, int role) {
  atomic_store(&listener->inode, InodeOf(fd));
  atomic_store(&listener->role, role);
  atomic_store(&listener->fd, fd);
}

static int OptionOf(int fd, int level, int option) {
  int value = 0;
  socklen_t length = sizeof(value);
  const int error = errno;
  if (getsockopt(fd, level, option, &value, &length) < 0) value = -1;
  errno = error;
  return value;
}

static bool IsTcp(int fd) {
  const int domain = OptionOf(fd, SOL_SOCKET, SO_DOMAIN);
  return (domain == AF_INET || domain == AF_INET6) &&
         OptionOf(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM &&
         OptionOf(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP;
}

/* What may be passed: a client's connection, or one that the agent copies bytes to. */
static bool IsConnection(int fd) {
  return IsTcp(fd) || (OptionOf(fd, SOL_SOCKET, SO_DOMAIN) == AF_UNIX &&
                       OptionOf(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
}

/* --- a program begins to listen --------------------------------------------------------------- */

static in_port_t PortOf(const struct sockaddr* address, socklen_t length) {
  if (length >= sizeof(struct sockaddr_in) && address->sa_family == AF_INET) {
    return ntohs(((const struct sockaddr_in*)address)->sin_port);
  }
  if (length >= sizeof(struct sockaddr_in6) && address->sa_family == AF_INET6) {
    return ntohs(((const struct sockaddr_in6*)address)->sin6_port);
  }
  return 0;
}

/* The address and port of a listener belong to the agent, so they are only noted. Port 0 is what
 * clients bind to, for the sake of the address. */
EXPORT int bind(int fd, const struct sockaddr* address, socklen_t length) {
  if (!IsOn() || address == NULL || length > sizeof(struct sockaddr_storage) ||
      PortOf(address, length) == 0 || !IsTcp(fd)) {
    return REAL(bind)(fd, address, length);
  }
  pthread_mutex_lock(&mutex);
  struct Listener* listener = Place(fd);
  if (listener != NULL) {
    memcpy(&listener->address, address, length);
    listener->length = length;
    Occupy(listener, fd, kBound);
  }
  pthread_mutex_unlock(&mutex);
  if (listener != NULL) return 0;
  errno = ENOBUFS;
  return -1;
}

/* A unix socket of this name that nothing else has; -1 with errno. */
static int OpenUnix(int type, const char* path) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  memcpy(name.sun_path, path, sizeof(name.sun_path));
  const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  unlink(path);
  if (REAL(bind)(fd, (const struct sockaddr*)&name, sizeof(name)) < 0 || chmod(path, 0600) < 0) {
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

/* Puts a copy of `from` in the place of `fd`, which keeps its flags. False with errno. */
static bool Replace(int fd, int from) {
  const int close_flag = fcntl(fd, F_GETFD);
  const int flags = fcntl(fd, F_GETFL);
  if (close_flag < 0 || flags < 0) return false;
  if (dup3(from, fd, (close_flag & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0) < 0) return false;
  return fcntl(fd, F_SETFL, flags & O_NONBLOCK) == 0;
}

static bool IsElsewhere(const struct Listener* listener) {
  const struct sockaddr_in* address = (const struct sockaddr_in*)&listener->address;
  return address->sin_family != AF_INET || address->sin_addr.s_addr != own_address.s_addr;
}

/* The mutex is held; `listener` has its address. */
static int BeginToListen(struct Listener* listener, int fd, int backlog) {
  const bool local = local_path[0] != '\0' && IsElsewhere(listener) && AnyOpen(kLocal) == NULL;
  const struct Listener* shared = local ? NULL : AnyOpen(kPasses);
  int from;
  if (shared != NULL) {
    from = fcntl(atomic_load(&shared->fd), F_DUPFD_CLOEXEC, 0);
  } else {
    from = local ? OpenUnix(SOCK_STREAM, local_path) : OpenUnix(SOCK_DGRAM, passing_path);
  }
  if (from < 0) return -1;
  atomic_store(&listener->keepalive, OptionOf(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
  int result = local ? REAL(listen)(from, backlog) : 0;
  if (result == 0 && !Replace(fd, from)) result = -1;
  if (result == 0) Occupy(listener, fd, local ? kLocal : kPasses);
  const int error = errno;
  close(from);
  errno = error;
  return result;
}

EXPORT int listen(int fd, int backlog) {
  if (!IsOn()) return REAL(listen)(fd, backlog);
  /* Again, as some programs do to turn the backlog up and down: the agent's is what counts. */
  if (FindWithRole(fd, kPasses) != NULL) return 0;
  if (!IsTcp(fd)) return REAL(listen)(fd, backlog);
  pthread_mutex_lock(&mutex);
  struct Listener* listener = FindWithRole(fd, kBound);
  if (listener == NULL && (listener = Place(fd)) != NULL) {
    listener->length = sizeof(listener->address);
    REAL(getsockname)(fd, (struct sockaddr*)&listener->address, &listener->length);
  }
  int result = -1;
  if (listener != NULL) {
    result = BeginToListen(listener, fd, backlog);
  } else {
    errno = ENOBUFS;
  }
  pthread_mutex_unlock(&mutex);
  return result;
}

/* --- connections arrive ----------------------------------------------------------------------- */

/* Whether the process has room for one more descriptor. A message whose socket finds none would be
 * lost with it, while a connection that cannot be accepted for want of one has to wait. */
static bool HasRoom(int fd) {
  const int spare = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (spare >= 0) close(spare);
  return spare >= 0;
}

/* Takes the sockets out of a message: the one it is to carry, or -1 if it is malformed, and then
 * whatever it carried is closed. */
static int SocketIn(struct msghdr* message, bool is_well_formed) {
  int found = -1;
  int count = 0;
  for (struct cmsghdr* header = CMSG_FIRSTHDR(message); header != NULL;
       header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < here; ++i) {
      if (found >= 0) close(found);
      memcpy(&found, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      ++count;
    }
  }
  if (found >= 0 && (!is_well_formed || count != 1 || !IsConnection(found))) {
    close(found);
    found = -1;
  }
  return found;
}

static bool IsAt(const struct sockaddr_in* name, uint32_t address) {
  return name->sin_family == AF_INET && name->sin_addr.s_addr == address;
}

/* Whether it is a connection that the revocation speaks of. */
static bool IsRevoked(int fd, const struct ec_netcard_revocation* revocation) {
  struct sockaddr_in peer, own;
  socklen_t peer_length = sizeof(peer), own_length = sizeof(own);
  if (getpeername(fd, (struct sockaddr*)&peer, &peer_length) < 0) return false;
  if (!IsAt(&peer, revocation->client)) return false;
  if (REAL(getsockname)(fd, (struct sockaddr*)&own, &own_length) < 0) return false;
  return IsAt(&own, revocation->address) && own.sin_port == revocation->port;
}

/* A descriptor may be closed by another thread meanwhile, but not be used anew for a connection:
 * whoever calls us is the one who takes those. */
static void Revoke(const char* bytes, size_t length) {
  const size_t count = length / sizeof(struct ec_netcard_revocation);
  const int highest = atomic_load(&highest_connection);
  const int error = errno;
  for (int fd = 0; fd <= highest; ++fd) {
    for (size_t i = 0; i < count; ++i) {
      struct ec_netcard_revocation revocation;
      memcpy(&revocation, bytes + i * sizeof(revocation), sizeof(revocation));
      if (IsRevoked(fd, &revocation)) shutdown(fd, SHUT_RDWR);
    }
  }
  errno = error;
}

static void NoteConnection(int fd) {
  int highest = atomic_load(&highest_connection);
  while (fd > highest && !atomic_compare_exchange_weak(&highest_connection, &highest, fd)) {
  }
}

/* One message's socket. -1: none, with errno 0 if it was none to carry one. */
static int ReceiveSocket(int fd, int flags) {
  /* One more than there are to be. */
  char bytes[1 + EC_NETCARD_REVOCATIONS_MAX * sizeof(struct ec_netcard_revocation) + 1];
  union {
    struct cmsghdr aligned;
    char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
  } control;
  struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof(control)};
  if (!HasRoom(fd)) return -1;
  const ssize_t length = recvmsg(fd, &message, (flags & SOCK_CLOEXEC) != 0 ? MSG_CMSG_CLOEXEC : 0);
  if (length < 0) return -1;
  const bool is_whole = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
  const int found =
      SocketIn(&message, length == 1 && bytes[0] == EC_NETCARD_CONNECTION && is_whole);
  if (found >= 0) NoteConnection(found);
  if (length > 1 && bytes[0] == EC_NETCARD_REVOKE && is_whole && (size_t)length < sizeof(bytes)) {
    Revoke(bytes + 1, (size_t)length - 1);
  }
  errno = 0;
  return found;
}

/* Makes a socket what accept4() promises. False: its client has gone already. */
static bool Prepare(const struct Listener* listener, int fd, struct sockaddr* address,
                    socklen_t* length, int flags) {
  struct sockaddr_storage peer;
  socklen_t peer_length = sizeof(peer);
  if (getpeername(fd, (struct sockaddr*)&peer, &peer_length) < 0) return false;
  if (peer.ss_family == AF_UNIX) { /* the program has asked for TCP: 0.0.0.0 is nobody's address */
    memset(&peer, 0, sizeof(peer));
    peer.ss_family = AF_INET;
    peer_length = sizeof(struct sockaddr_in);
  }
  if (address != NULL && length != NULL) {
    memcpy(address, &peer, *length < peer_length ? *length : peer_length);
    *length = peer_length;
  }
  const int old_flags = fcntl(fd, F_GETFL);
  const int new_flags =
      (flags & SOCK_NONBLOCK) != 0 ? old_flags | O_NONBLOCK : old_flags & ~O_NONBLOCK;
  if (new_flags != old_flags && fcntl(fd, F_SETFL, new_flags) < 0) return false;
  const int on = 1;
  if (atomic_load(&listener->keepalive)) {
    REAL(setsockopt)(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  }
  return true;
}

EXPORT int accept4(int fd, struct sockaddr* address, socklen_t* length, int flags) {
  const struct Listener* listener = FindWithRole(fd, kPasses);
  if (listener == NULL) return REAL(accept4)(fd, address, length, flags);
  if ((flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) {
    errno = EINVAL;
    return -1;
  }
  const int error = errno;
  /* Ends with the messages: if there is none left, this waits or fails as the descriptor says. */
  for (;;) {
    const int connection = ReceiveSocket(fd, flags);
    if (connection < 0 && errno != 0) return -1;
    if (connection >= 0 && Prepare(listener, connection, address, length, flags)) {
      errno = error;
      return connection;
    }
    if (connection >= 0) close(connection);
  }
}

EXPORT int accept(int fd, struct sockaddr* address, socklen_t* length) {
  return accept4(fd, address, length, 0);
}

/* --- what else a program does with sockets ---------------------------------------------------- */

static bool IsLoopback(struct in_addr address) { return ntohl(address.s_addr) >> 24 == 127; }

/* Gives a TCP socket without an address of its own the member's. */
static void BindToOwnAddress(int fd, const struct sockaddr_in* to) {
  struct sockaddr_in name;
  socklen_t length = sizeof(name);
  if (own_address.s_addr == INADDR_ANY || !IsLoopback(to->sin_addr) || !IsTcp(fd)) return;
  if (REAL(getsockname)(fd, (struct sockaddr*)&name, &length) < 0 || name.sin_family != AF_INET ||
      name.sin_addr.s_addr != INADDR_ANY || name.sin_port != 0) {
    return;
  }
  /* The port is chosen when the peer is known, so that as many can be had as without us. */
  const int on = 1;
  name.sin_addr = own_address;
  REAL(setsockopt)(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  REAL(bind)(fd, (const struct sockaddr*)&name, sizeof(name));
}

EXPORT int connect(int fd, const struct sockaddr* address, socklen_t length) {
  if (!IsOn() || address == NULL) return REAL(connect)(fd, address, length);
  const int error = errno;
  const struct Listener* bound = FindWithRole(fd, kBound);
  if (bound != NULL) { /* it was no listener after all */
    if (REAL(bind)(fd, (const struct sockaddr*)&bound->address, bound->length) < 0) return -1;
  } else if (length >= sizeof(struct sockaddr_in) && address->sa_family == AF_INET) {
    BindToOwnAddress(fd, (const struct sockaddr_in*)address);
  }
  errno = error;
  return REAL(connect)(fd, address, length);
}

/* What is said to a listener has no meaning for what stands in its place, but that a time limit for
 * accept() is one for receiving. */
EXPORT int setsockopt(int fd, int level, int option, const void* value, socklen_t length) {
  const struct Listener* listener = Find(fd);
  const int role = listener == NULL ? kBound : atomic_load(&listener->role);
  const bool is_real = role == kBound || (level == SOL_SOCKET && option == SO_RCVTIMEO);
  return is_real ? REAL(setsockopt)(fd, level, option, value, length) : 0;
}

EXPORT int getsockname(int fd, struct sockaddr* address, socklen_t* length) {
  const struct Listener* listener = Find(fd);
  if (listener == NULL || address == NULL || length == NULL) {
    return REAL(getsockname)(fd, address, length);
  }
  pthread_mutex_lock(&mutex);
  memcpy(address, &listener->address, *length < listener->length ? *length : listener->length);
  *length = listener->length;
  pthread_mutex_unlock(&mutex);
  return 0;
}

/* --- beginnings ------------------------------------------------------------------------------- */

static void Lock(void) { pthread_mutex_lock(&mutex); }
static void Unlock(void) { pthread_mutex_unlock(&mutex); }

static void LeaveToTheParent(void) {
  for (int i = 0; i < LISTENERS_MAX; ++i) {
    const int fd = atomic_load(&listeners[i].fd);
    if (FindWithRole(fd, kPasses) == NULL) continue;
    const int silent = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (silent < 0 || !Replace(fd, silent)) close(fd);
    if (silent >= 0) close(silent);
    Occupy(&listeners[i], fd, kPasses);
  }
  Unlock();
}

static void CopyPath(const char* variable, char* path) {
  const char* value = getenv(variable);
  /* A longer one would be no name of a socket: the program then listens as if we were not here. */
  if (value != NULL && strlen(value) < sizeof(passing_path)) strcpy(path, value);
}

__attribute__((constructor)) static void Begin(void) {
  for (int i = 0; i < LISTENERS_MAX; ++i) atomic_store(&listeners[i].fd, -1);
  CopyPath(EC_NETCARD_SOCKET, passing_path);
  if (!IsOn()) return;
  CopyPath(EC_NETCARD_LOCAL, local_path);
  const char* address = getenv(EC_NETCARD_ADDRESS);
  if (address == NULL || inet_pton(AF_INET, address, &own_address) != 1) {
    own_address.s_addr = INADDR_ANY;
  }
  pthread_atfork(Lock, Unlock, LeaveToTheParent);
}
