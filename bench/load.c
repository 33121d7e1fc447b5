/* load.c - closed-loop echo load on a TCP port of 127.0.0.1: each connection has DEPTH messages of SIZE bytes in flight, and sends the next ones when
 * all of these have come back. load.py says the same in Python, for machines without a compiler.
 *
 * usage: load PORT CONNECTIONS SIZE SECONDS DEPTH [KIND]
 * KIND is what a message looks like: "bytes", or "lines" (it ends with CR LF), or "strings" (it begins with 32 bits that say how long the rest is).
 * prints "warm" when a fifth of the time is over and counting begins, and at the end one line of JSON: the messages counted, the seconds that took,
 * and how many batches took how many microseconds to come back.
 * cc -O2 -o load load.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SLOWEST = 10 * 1000 * 1000, ROOM = 1 << 20 }; /* microseconds that are told apart; bytes taken by one read */

struct connection { int fd, watched; size_t sent, got; uint64_t sentAt; };
static char *message, *room;
static size_t batch; /* bytes in flight on each connection */
static uint32_t *took;
static int poller;

static void frame(const char *kind, char *one, size_t size) {
  if (!strcmp(kind, "lines")) memcpy(one + size - 2, "\r\n", 2);
  else if (!strcmp(kind, "strings")) { uint32_t rest = htonl(size - 4); memcpy(one, &rest, 4); }
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int dial(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  if (fd < 0 || connect(fd, (void *)&address, sizeof address)) { perror("connect"); exit(2); }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

static void watch(struct connection *c, int events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (c->watched == events) return;
  if (epoll_ctl(poller, c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &event)) { perror("epoll_ctl"); exit(2); }
  c->watched = events;
}

/* Send what the kernel takes of the batch. This never waits: a server that waits for us to read would wait for ever. */
static void proceed(struct connection *c) {
  while (c->sent < batch) {
    ssize_t n = send(c->fd, message + c->sent, batch - c->sent, MSG_NOSIGNAL);
    if (n >= 0) c->sent += n;
    else if (errno == EAGAIN) break;
    else { perror("send"); exit(3); }
  }
  watch(c, c->sent < batch ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void begin(struct connection *c) {
  c->got = c->sent = 0;
  c->sentAt = now();
  proceed(c);
}

/* Whether this read completed the batch. */
static int complete(struct connection *c) {
  ssize_t n = read(c->fd, room, ROOM);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n <= 0) { fprintf(stderr, "connection lost\n"); exit(3); }
  return (c->got += n) >= batch;
}

static void report(uint64_t messages, uint64_t nanoseconds) {
  const char *comma = "";
  printf("{\"messages\": %llu, \"seconds\": %.6f, \"took\": {", (unsigned long long)messages, nanoseconds / 1e9);
  for (int i = 0; i < SLOWEST; i++)
    if (took[i]) { printf("%s\"%d\": %u", comma, i, took[i]); comma = ", "; }
  printf("}}\n");
}

int main(int argc, char **argv) {
  if (argc != 6 && argc != 7) { fprintf(stderr, "usage: load PORT CONNECTIONS SIZE SECONDS DEPTH [KIND]\n"); return 2; }
  int connections = atoi(argv[2]), depth = atoi(argv[5]);
  double seconds = atof(argv[4]);
  alarm((unsigned)seconds + 60); /* nobody may be left to end it */
  batch = (size_t)atol(argv[3]) * depth;
  message = memset(malloc(batch), 'x', batch);
  for (int i = 0; i < depth && argc == 7; i++) frame(argv[6], message + i * (batch / depth), batch / depth);
  room = malloc(ROOM);
  took = calloc(SLOWEST, sizeof *took);
  struct connection *all = calloc(connections, sizeof *all);
  struct epoll_event events[512];
  poller = epoll_create1(0);
  for (int i = 0; i < connections; i++) all[i].fd = dial(atoi(argv[1]));
  uint64_t t = now(), warm = t + (uint64_t)(seconds * 2e8), end = t + (uint64_t)(seconds * 1e9), began = 0, messages = 0;
  for (int i = 0; i < connections; i++) begin(&all[i]);
  while (t < end) {
    int ready = epoll_wait(poller, events, 512, 10000);
    if (ready <= 0) { fprintf(stderr, "nothing came back for 10 seconds\n"); return 3; }
    t = now();
    if (!began && t >= warm) { began = t; printf("warm\n"); fflush(stdout); }
    for (int i = 0; i < ready; i++) {
      struct connection *c = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) proceed(c);
      if (!(events[i].events & ~EPOLLOUT) || !complete(c)) continue;
      t = now();
      if (began) {
        uint64_t us = (t - c->sentAt) / 1000;
        took[us < SLOWEST ? us : SLOWEST - 1]++;
        messages += depth;
      }
      begin(c);
    }
  }
  if (!messages) { fprintf(stderr, "no message came back while it counted\n"); return 3; }
  report(messages, t - began);
  return 0;
}
