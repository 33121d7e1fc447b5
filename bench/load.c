/* load.c - closed-loop echo load: each connection has DEPTH messages of SIZE bytes in flight, and sends the next ones when all of these have come back.
 * load.py says the same in Python, for machines without a compiler.
 *
 * usage: load WHERE CONNECTIONS SIZE SECONDS DEPTH KIND IDLE
 * WHERE is told in net.h. KIND is what a message looks like: "bytes", or "lines" (it ends with CR LF), or "strings" (it begins with 32 bits that say
 * how long the rest is), or "requests" (of HTTP, for /; what comes back has to be as long), or "websocket" (a binary message, masked with zeros,
 * whose SIZE is that of what it carries; each connection begins with an opening handshake). IDLE more connections are held, and say nothing.
 * prints "warm" when a fifth of the time is over and counting begins, and at the end one line of JSON: the messages counted, the seconds that took,
 * and how many batches took how many microseconds to come back.
 * cc -O2 -o load load.c, or cc -O2 -DTLS -o load load.c -lssl -lcrypto
 */
#include "net.h"

enum { LOST = 100 * 1000 * 1000 }; /* nanoseconds after which a batch of datagrams is sent anew */

struct connection { struct link link; int watched; size_t sent, got; uint64_t sentAt; };
static char *message, *room;
static size_t batch, due, piece; /* bytes in flight on each connection, and of the answers; bytes of one send */
static int poller;

static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nX: ";

static const char upgrade[] =
  "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/* The head of a masked frame of WebSocket with `size` bytes; how long it is. */
static size_t head(unsigned char *to, size_t size) {
  size_t n = 2;
  to[0] = 0x82;
  if (size < 126) to[1] = 0x80 | size;
  else {
    int bytes = size < 65536 ? 2 : 8;
    to[1] = 0x80 | (bytes == 2 ? 126 : 127);
    for (int i = bytes; i--;) to[n++] = size >> 8 * i;
  }
  memset(to + n, 0, 4);
  return n + 4;
}

/* Open a WebSocket on a connection that blocks. */
static void openWebSocket(struct link *link) {
  char got[4];
  memset(got, 0, sizeof got);
  if (put(link, upgrade, sizeof upgrade - 1) != sizeof upgrade - 1) { perror("send"); exit(3); }
  while (memcmp(got, "\r\n\r\n", 4)) {
    memmove(got, got + 1, 3);
    if (get(link, got + 3, 1) != 1) { fprintf(stderr, "no WebSocket\n"); exit(3); }
  }
}

static void frame(const char *kind, char *one, size_t size) {
  if (!strcmp(kind, "lines")) memcpy(one + size - 2, "\r\n", 2);
  else if (!strcmp(kind, "strings")) { uint32_t rest = htonl(size - 4); memcpy(one, &rest, 4); }
  else if (!strcmp(kind, "requests")) {
    if (size < sizeof request + 3) { fprintf(stderr, "no room for a request\n"); exit(2); }
    memcpy(one, request, sizeof request - 1);
    memcpy(one + size - 4, "\r\n\r\n", 4);
  }
}

static void watch(struct connection *c, int events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (c->watched == events) return;
  if (epoll_ctl(poller, c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->link.fd, &event)) { perror("epoll_ctl"); exit(2); }
  c->watched = events;
}

/* Send what the kernel takes of the batch. This never waits: a server that waits for us to read would wait for ever. */
static void proceed(struct connection *c) {
  while (c->sent < batch) {
    ssize_t n = put(&c->link, message + c->sent, isDatagram ? piece : batch - c->sent);
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

/* Read; whether that completed the batch. What TLS has decrypted already epoll does not tell of, and a datagram is a read of its own. */
static int complete(struct connection *c) {
  do {
    ssize_t n = get(&c->link, room, ROOM);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n <= 0) { fprintf(stderr, "connection lost\n"); exit(3); }
    c->got += n;
  } while ((c->link.ssl || isDatagram) && c->got < due);
  return c->got >= due;
}

static void again(struct connection *all, int connections, uint64_t before) {
  for (int i = 0; i < connections; i++)
    if (all[i].sentAt < before) begin(&all[i]);
}

int main(int argc, char **argv) {
  if (argc != 8) { fprintf(stderr, "usage: load WHERE CONNECTIONS SIZE SECONDS DEPTH KIND IDLE\n"); return 2; }
  int connections = atoi(argv[2]), depth = atoi(argv[5]);
  double seconds = atof(argv[4]);
  alarm((unsigned)seconds + 60); /* nobody may be left to end it */
  int isWebSocket = !strcmp(argv[6], "websocket");
  unsigned char begins[14];
  size_t size = atol(argv[3]), more = isWebSocket ? head(begins, size) : 0;
  piece = size + more;
  batch = piece * depth;
  due = isWebSocket ? batch - 4 * depth : batch; /* a server does not mask */
  message = memset(malloc(batch), 'x', batch);
  for (int i = 0; i < depth; i++) {
    frame(argv[6], message + i * piece, piece);
    memcpy(message + i * piece, begins, more);
  }
  room = malloc(ROOM);
  took = calloc(SLOWEST, sizeof *took);
  struct connection *all = calloc(connections, sizeof *all);
  struct epoll_event events[512];
  poller = epoll_create1(0);
  for (int i = 0; i < atoi(argv[7]); i++) resetWhenClosed(dial(argv[1], 1).fd);
  for (int i = 0; i < connections; i++) {
    all[i].link = dial(argv[1], 0);
    resetWhenClosed(all[i].link.fd);
    if (isWebSocket) openWebSocket(&all[i].link);
    fcntl(all[i].link.fd, F_SETFL, O_NONBLOCK);
  }
  uint64_t t = now(), warm = t + (uint64_t)(seconds * 2e8), end = t + (uint64_t)(seconds * 1e9), began = 0, messages = 0, sweep = t + LOST;
  for (int i = 0; i < connections; i++) begin(&all[i]);
  while (t < end || !messages) { /* on a machine that others use, one comes back late */
    int ready = epoll_wait(poller, events, 512, isDatagram ? LOST / 1000000 : 10000);
    if (ready < 0 || (!ready && !isDatagram)) { fprintf(stderr, "nothing came back for 10 seconds\n"); return 3; }
    t = now();
    if (!began && t >= warm) { began = t; printf("warm\n"); fflush(stdout); }
    if (isDatagram && t >= sweep) { again(all, connections, t - LOST); sweep = t + LOST; }
    for (int i = 0; i < ready; i++) {
      struct connection *c = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) proceed(c);
      if (!(events[i].events & ~EPOLLOUT) || !complete(c)) continue;
      t = now();
      if (began) { count(t - c->sentAt); messages += depth; }
      begin(c);
    }
  }
  report(messages, t - began);
  return 0;
}
