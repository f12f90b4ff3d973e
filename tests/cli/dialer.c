/* A client that connects in one of many ways, and prints "ok" and where from, or the error.
 *
 *   dialer MODE ADDRESS PORT [N]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in destination;
static const char* mode;

static int Is(const char* name) { return strcmp(mode, name) == 0; }

static void Print(int socket, int error) {
  struct sockaddr_storage own;
  socklen_t size = sizeof(own);
  char text[INET6_ADDRSTRLEN] = "?";
  if (error != 0) {
    printf("%s\n", strerror(error));
    return;
  }
  getsockname(socket, (struct sockaddr*)&own, &size);
  const void* bytes = own.ss_family == AF_INET
                          ? (const void*)&((struct sockaddr_in*)&own)->sin_addr
                          : (const void*)&((struct sockaddr_in6*)&own)->sin6_addr;
  inet_ntop(own.ss_family, bytes, text, sizeof(text));
  printf("ok %s\n", text);
}

static int Dial(int socket) {
  return connect(socket, (struct sockaddr*)&destination, sizeof(destination)) == 0 ? 0 : errno;
}

static int NewSocket(void) { return socket(AF_INET, SOCK_STREAM, 0); }

static int DialPlain(void) {
  const int fd = NewSocket();
  const int error = Dial(fd);
  if ((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0) printf("it does not block any more\n");
  Print(fd, error);
  return error != 0;
}

static int DialWithoutBlocking(void) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int error = Dial(fd);
  if (error == EINPROGRESS) {
    struct pollfd poller = {fd, POLLOUT, 0};
    socklen_t size = sizeof(error);
    poll(&poller, 1, 10000);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if ((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0) printf("it blocks\n");
  Print(fd, error);
  return error != 0;
}

static int DialMapped(void) {
  struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = destination.sin_port};
  memset(mapped.sin6_addr.s6_addr + 10, 0xff, 2);
  memcpy(mapped.sin6_addr.s6_addr + 12, &destination.sin_addr, 4);
  const int fd = socket(AF_INET6, SOCK_STREAM, 0);
  const int error = connect(fd, (struct sockaddr*)&mapped, sizeof(mapped)) == 0 ? 0 : errno;
  Print(fd, error);
  return error != 0;
}

/* From an address, or a port, of its own choice. */
static int DialBound(const char* address) {
  struct sockaddr_in source = {.sin_family = AF_INET};
  inet_pton(AF_INET, address, &source.sin_addr);
  const int fd = NewSocket();
  int error = bind(fd, (struct sockaddr*)&source, sizeof(source)) == 0 ? 0 : errno;
  if (error == 0) error = Dial(fd);
  Print(fd, error);
  return error != 0;
}

static int DialUdp(void) {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  const int error = Dial(fd);
  Print(fd, error);
  return error != 0;
}

/* The second call finds the socket connected. */
static int DialTwice(void) {
  const int fd = NewSocket();
  Print(fd, Dial(fd));
  Print(fd, Dial(fd));
  return 0;
}

static void Ignore(int signal) { (void)signal; }

static void StartAlarm(int flags, int first_us, int every_us) {
  struct sigaction action = {.sa_handler = Ignore, .sa_flags = flags};
  struct itimerval timer = {{0, every_us}, {0, first_us}};
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &timer, NULL);
}

static int DialUntilAlarm(void) {
  StartAlarm(0, 100 * 1000, 0);
  return DialPlain();
}

static int DialWithTimeout(void) {
  const struct timeval limit = {0, 100 * 1000};
  const int fd = NewSocket();
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  Print(fd, Dial(fd));
  return 0;
}

/* Many one after the other, while signals rain that restart what they interrupt. */
static int DialInTheRain(int count) {
  StartAlarm(SA_RESTART, 50, 50);
  for (int i = 0; i < count; ++i) {
    const int without_blocking = i % 2;
    const int fd = socket(AF_INET, SOCK_STREAM | (without_blocking ? SOCK_NONBLOCK : 0), 0);
    const int error = Dial(fd);
    if (error != 0 && !(without_blocking && error == EINPROGRESS)) {
      Print(fd, error);
      return 1;
    }
    close(fd);
  }
  printf("ok %d\n", count);
  return 0;
}

static void* DialInThread(void* unused) {
  (void)unused;
  return (void*)(long)Dial(NewSocket());
}

/* All at once; none is closed before the last is there. */
static int DialInThreads(int count) {
  pthread_t* threads = calloc((size_t)count, sizeof(*threads));
  pthread_attr_t small;
  int good = 0;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 * 1024);
  for (int i = 0; i < count; ++i) pthread_create(&threads[i], &small, DialInThread, NULL);
  for (int i = 0; i < count; ++i) {
    void* error = NULL;
    pthread_join(threads[i], &error);
    good += error == NULL;
  }
  printf("ok %d\n", good);
  return good != count;
}

static int DialInChildren(int count) {
  int good = 0;
  for (int i = 0; i < count; ++i) {
    if (fork() == 0) _exit(Dial(NewSocket()) != 0);
  }
  for (int i = 0; i < count; ++i) {
    int status = 1;
    wait(&status);
    good += status == 0;
  }
  printf("ok %d\n", good);
  return good != count;
}

/* Ends at once; what it leaves behind connects at the end of its input. */
static int DialLater(void) {
  char byte;
  if (fork() != 0) return 0;
  setsid();
  while (read(0, &byte, 1) > 0) {
  }
  return DialPlain();
}

/* Says how often Ctrl-C came. */
static int CountInterrupts(void) {
  sigset_t interrupt;
  struct timespec limit = {10, 0};
  int count = 0;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  sigprocmask(SIG_BLOCK, &interrupt, NULL);
  printf("ready\n");
  fflush(stdout);
  while (sigtimedwait(&interrupt, NULL, &limit) == SIGINT) {
    ++count;
    limit = (struct timespec){0, 200 * 1000 * 1000};
  }
  printf("interrupts: %d\n", count);
  return 0;
}

static int TryOtherWays(void) {
  char parameters[256] = {0};
  const int fd = NewSocket();
  const ssize_t sent = sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL,
                              (struct sockaddr*)&destination, sizeof(destination));
  printf("%s\n", sent < 0 ? strerror(errno) : "sent");
  printf("%s\n", syscall(SYS_io_uring_setup, 1, parameters) < 0 ? strerror(errno) : "set up");
  printf("%s\n", connect(99, (struct sockaddr*)&destination, sizeof(destination)) < 0
                     ? strerror(errno)
                     : "connected");
  printf("%s\n", connect(fd, (struct sockaddr*)16, sizeof(destination)) < 0 ? strerror(errno)
                                                                            : "connected");
  printf("%s\n",
         connect(fd, (struct sockaddr*)&destination, 3) < 0 ? strerror(errno) : "connected");
  return 0;
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const int count = argc > 4 ? atoi(argv[4]) : 1;
  mode = argv[1];
  destination.sin_family = AF_INET;
  destination.sin_port = htons((unsigned short)atoi(argv[3]));
  if (inet_pton(AF_INET, argv[2], &destination.sin_addr) != 1) return 2;
  if (Is("plain")) return DialPlain();
  if (Is("non-blocking")) return DialWithoutBlocking();
  if (Is("mapped")) return DialMapped();
  if (Is("bound-address")) return DialBound("127.77.200.1");
  if (Is("bound-port")) return DialBound("0.0.0.0");
  if (Is("udp")) return DialUdp();
  if (Is("twice")) return DialTwice();
  if (Is("alarm")) return DialUntilAlarm();
  if (Is("timeout")) return DialWithTimeout();
  if (Is("rain")) return DialInTheRain(count);
  if (Is("threads")) return DialInThreads(count);
  if (Is("children")) return DialInChildren(count);
  if (Is("later")) return DialLater();
  if (Is("interrupts")) return CountInterrupts();
  if (Is("other-ways")) return TryOtherWays();
  return 2;
}
