/* A tiny server that knows nothing of its network card, as a test of it:
 *
 *   netcard_server MODE ADDRESS PORT [MORE]
 *
 * It prints a line when it listens, and to each client a line about the connection:
 *
 *   peer=127.0.0.1:4711 local=127.10.0.4:6379 nonblock=1 cloexec=1 keepalive=1 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void Fail(const char* what) {
  printf("failed: %s: %s\n", what, strerror(errno));
  fflush(stdout);
  exit(1);
}

static void Say(const char* what) {
  puts(what);
  fflush(stdout);
}

static struct sockaddr_in Name(const char* address, const char* port) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  if (inet_pton(AF_INET, address, &name.sin_addr) != 1) Fail("address");
  return name;
}

static void SetNonBlocking(int fd) {
  if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0) Fail("O_NONBLOCK");
}

/* As servers do it, with all the options that they set. */
static int Listen(const char* address, const char* port) {
  const struct sockaddr_in name = Name(address, port);
  const int on = 1;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) Fail("socket");
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) Fail("SO_REUSEADDR");
  if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0) Fail("SO_KEEPALIVE");
  if (bind(fd, (const struct sockaddr*)&name, sizeof(name)) < 0) Fail("bind");
  if (listen(fd, 100) < 0) Fail("listen");
  return fd;
}

static void Format(const struct sockaddr_in* name, char* text, size_t size) {
  char address[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &name->sin_addr, address, sizeof(address));
  snprintf(text, size, "%s:%d", address, ntohs(name->sin_port));
}

/* Tells the client about its connection. */
static void Describe(int fd, const struct sockaddr_in* peer) {
  char peer_text[64];
  char local_text[64];
  char line[256];
  struct sockaddr_in local;
  socklen_t length = sizeof(local);
  int keepalive = 0;
  socklen_t option_length = sizeof(keepalive);
  if (getsockname(fd, (struct sockaddr*)&local, &length) < 0) Fail("getsockname");
  getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &keepalive, &option_length);
  Format(peer, peer_text, sizeof(peer_text));
  Format(&local, local_text, sizeof(local_text));
  const int size =
      snprintf(line, sizeof(line), "peer=%s local=%s nonblock=%d cloexec=%d keepalive=%d\n",
               peer_text, local_text, (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0,
               (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, keepalive);
  if (write(fd, line, (size_t)size) != size) Say("a client has gone");
}

static int Accept(int listener, int flags, struct sockaddr_in* peer) {
  socklen_t length = sizeof(*peer);
  memset(peer, 0, sizeof(*peer));
  const int fd = accept4(listener, (struct sockaddr*)peer, &length, flags);
  if (fd >= 0 && length != sizeof(*peer)) Fail("length of the peer's address");
  return fd;
}

/* --- modes ------------------------------------------------------------------------------------ */

static void* Block(void* argument) {
  const int listener = *(const int*)argument;
  for (;;) {
    struct sockaddr_in peer;
    const int fd = Accept(listener, 0, &peer);
    if (fd < 0) Fail("accept");
    Describe(fd, &peer);
    close(fd);
  }
  return NULL;
}

static void BlockInThreads(int listener, int count) {
  pthread_t thread;
  for (int i = 1; i < count; ++i) {
    if (pthread_create(&thread, NULL, Block, &listener) != 0) Fail("pthread_create");
  }
  Say("listening");
  Block(&listener);
}

/* Accepts until there is none left, whenever epoll says so. Keeps the connections open. */
static void Poll(int listener, uint32_t edge) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN | edge};
  SetNonBlocking(listener);
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0) Fail("epoll_ctl");
  struct sockaddr_in peer;
  if (Accept(listener, 0, &peer) >= 0 || errno != EAGAIN) Fail("EAGAIN");
  Say("listening");
  for (;;) {
    if (epoll_wait(epoll, &event, 1, -1) < 1) Fail("epoll_wait");
    int fd;
    while ((fd = Accept(listener, SOCK_NONBLOCK | SOCK_CLOEXEC, &peer)) >= 0) Describe(fd, &peer);
    if (errno == EMFILE) Say("EMFILE");
    if (errno == EMFILE) {
      close(2); /* room for one */
      continue;
    }
    if (errno != EAGAIN) Fail("accept4");
  }
}

/* Listens, and accepts only when it is told to. */
static void Dally(int listener) {
  char byte;
  Say("listening");
  if (read(STDIN_FILENO, &byte, 1) != 1) Fail("read");
  Block(&listener);
}

/* The parent ends when it is told to; the child would take what it could get. */
static void Fork(int listener) {
  SetNonBlocking(listener);
  fflush(stdout);
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  if (child == 0) {
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    struct sockaddr_in peer;
    if (Accept(listener, 0, &peer) >= 0 || errno != EAGAIN) Fail("the child's accept");
    Say("forked");
    /* Until the test closes our input, whatever comes there or to the listener. */
    char byte;
    while (read(STDIN_FILENO, &byte, 1) == 1) {
    }
    Say(poll(&ready, 1, 0) == 0 ? "nothing came" : "the child was offered a connection");
    exit(0);
  }
  struct pollfd ready = {.fd = listener, .events = POLLIN};
  struct sockaddr_in peer;
  while (poll(&ready, 1, -1) == 1) {
    const int fd = Accept(listener, 0, &peer);
    if (fd >= 0) Describe(fd, &peer);
  }
}

/* What a program may do to a listener; each has to look as it does without a network card. */
static void Meddle(int listener, const struct sockaddr_in* expected) {
  struct sockaddr_in name;
  socklen_t length = sizeof(name);
  const int on = 1;
  if (setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0) Fail("TCP_NODELAY");
  if (setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof(on)) < 0) Fail("defer");
  if (setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) Fail("IPV6_V6ONLY");
  if (setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0) Fail("SO_REUSEPORT");
  if (listen(listener, 0) < 0 || listen(listener, 100) < 0) Fail("listen again");
  if (getsockname(listener, (struct sockaddr*)&name, &length) < 0) Fail("getsockname");
  if (length != sizeof(name) || name.sin_port != expected->sin_port ||
      name.sin_addr.s_addr != expected->sin_addr.s_addr) {
    Fail("the listener's name");
  }
  if ((fcntl(listener, F_GETFD) & FD_CLOEXEC) == 0) Fail("FD_CLOEXEC");
  if (accept4(listener, NULL, NULL, 1) >= 0 || errno != EINVAL) Fail("EINVAL");
  const struct timeval soon = {.tv_usec = 1000};
  if (setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)) < 0) Fail("SO_RCVTIMEO");
  if (accept(listener, NULL, NULL) >= 0 || errno != EAGAIN) Fail("accept with a time limit");

  /* The number of a closed listener means something else afterwards. */
  close(listener);
  const int other = socket(AF_INET, SOCK_STREAM, 0);
  if (other != listener) Fail("the same number");
  int nodelay = 0;
  length = sizeof(nodelay);
  if (setsockopt(other, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
      getsockopt(other, IPPROTO_TCP, TCP_NODELAY, &nodelay, &length) < 0 || nodelay == 0) {
    Fail("TCP_NODELAY of another socket");
  }
  if (accept(other, NULL, NULL) >= 0 || errno != EINVAL) Fail("accept without listen");
  close(other);
  Say("listening");
}

/* Listens at a second address, an IPv6 one where the machine knows of such; both deliver what is
 * passed. */
static void ListenTwice(int listener, const char* port) {
  struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port))};
  name.sin6_addr = in6addr_loopback;
  const int second = socket(AF_INET6, SOCK_STREAM, 0);
  if (second < 0) {
    const int other = Listen("127.0.0.2", port);
    close(listener);
    Poll(other, 0);
    return;
  }
  const int on = 1;
  if (setsockopt(second, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0) Fail("SO_KEEPALIVE");
  if (bind(second, (const struct sockaddr*)&name, sizeof(name)) < 0) Fail("bind to IPv6");
  if (listen(second, 10) < 0) Fail("listen on IPv6");
  close(listener); /* the passing socket goes on with the other one */
  Poll(second, 0);
}

/* Listens at a second address, too, and greets those that come there. */
static void ServeLocally(const char* port) {
  const int listener = Listen("127.0.0.1", port);
  Say("listening");
  for (;;) {
    const int fd = accept(listener, NULL, NULL);
    if (fd < 0 || write(fd, "local\n", 6) != 6) Fail("a local client");
    close(fd);
  }
}

/* Connects there and says where from: freely, from MORE, and with datagrams. */
static void Connect(const char* address, const char* port, const char* own) {
  const struct sockaddr_in to = Name(address, port);
  struct sockaddr_in from = Name(own, "0");
  socklen_t length = sizeof(from);
  char text[64];
  for (int bound = 0; bound < 2; ++bound) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bound && bind(fd, (const struct sockaddr*)&from, length) < 0) Fail("bind");
    errno = 0;
    if (connect(fd, (const struct sockaddr*)&to, sizeof(to)) < 0) Fail("connect");
    if (errno != 0) Fail("errno after connect");
    if (getsockname(fd, (struct sockaddr*)&from, &length) < 0) Fail("getsockname");
    Format(&from, text, sizeof(text));
    *strchr(text, ':') = '\0';
    Say(text);
    close(fd);
    from = Name(own, "0");
  }
  const int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
  if (connect(datagrams, (const struct sockaddr*)&to, sizeof(to)) < 0) Fail("connect datagrams");
  if (getsockname(datagrams, (struct sockaddr*)&from, &length) < 0) Fail("getsockname");
  Say(ntohl(from.sin_addr.s_addr) == INADDR_LOOPBACK ? "untouched" : "touched");
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const char* mode = argv[1];
  const char* more = argc > 4 ? argv[4] : "";
  if (strcmp(mode, "connect") == 0) {
    Connect(argv[2], argv[3], more);
    return 0;
  }
  const int listener = Listen(argv[2], argv[3]);
  const struct sockaddr_in name = Name(argv[2], argv[3]);
  if (strcmp(mode, "blocking") == 0) BlockInThreads(listener, 1);
  if (strcmp(mode, "threads") == 0) BlockInThreads(listener, 8);
  if (strcmp(mode, "level") == 0) Poll(listener, 0);
  if (strcmp(mode, "edge") == 0) Poll(listener, EPOLLET);
  if (strcmp(mode, "dally") == 0) Dally(listener);
  if (strcmp(mode, "fork") == 0) Fork(listener);
  if (strcmp(mode, "meddle") == 0) Meddle(listener, &name);
  if (strcmp(mode, "twice") == 0) ListenTwice(listener, argv[3]);
  if (strcmp(mode, "local") == 0) ServeLocally(argv[3]);
  pause();
  return 0;
}
