/* limit.c - the floor: an echo server on epoll, one read and one write for each readable socket.
 *
 * usage: limit LIFETIME     listens on a port of 127.0.0.1, prints "ready PORT", ends after LIFETIME seconds (nobody may be left to end it)
 * cc -O2 -o limit limit.c
 *
 * The peer that closes first keeps its port in TIME_WAIT. Closing by reset (SO_LINGER 0) behind the peer's FIN spares it that, so that a benchmark of
 * connections does not slow down as it fills the table of ports.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const int one = 1;
static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
static char buffer[1 << 18];

static void watch(int poller, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) { perror("epoll_ctl"); exit(2); }
}

static int listenOnLoopback(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (fd < 0 || bind(fd, (void *)&address, length) || listen(fd, 1024)) { perror("listen"); exit(2); }
  getsockname(fd, (void *)&address, &length);
  printf("ready %d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

static void acceptAll(int poller, int listener) {
  int fd;
  while ((fd = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    watch(poller, fd);
  }
}

/* What the kernel does not take at once is waited for: this server has no buffers, and all others wait as well. */
static void echo(int fd) {
  ssize_t got = read(fd, buffer, sizeof buffer), sent = 0;
  while (sent < got) {
    ssize_t n = send(fd, buffer + sent, got - sent, MSG_NOSIGNAL);
    if (n >= 0) { sent += n; continue; }
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    if (errno != EAGAIN || poll(&writable, 1, 10000) <= 0) break;
  }
  if (got <= 0 || sent < got) close(fd);
}

int main(int argc, char **argv) {
  if (argc != 2) { fprintf(stderr, "usage: limit LIFETIME\n"); return 2; }
  alarm(atoi(argv[1]));
  int listener = listenOnLoopback(), poller = epoll_create1(0);
  struct epoll_event events[512];
  watch(poller, listener);
  for (;;) {
    int ready = epoll_wait(poller, events, 512, -1);
    for (int i = 0; i < ready; i++)
      if (events[i].data.fd == listener) acceptAll(poller, listener);
      else echo(events[i].data.fd);
  }
}
