/* pace.c - echo load at a given rate: RATE messages of SIZE bytes a second, evenly in time and over CONNECTIONS, whether or not the earlier ones are back.
 *
 * usage: pace WHERE CONNECTIONS SIZE SECONDS RATE SLOW
 * A latency counts from the moment when the message was due, not from when it could be sent: a server that stands still for a while is late for all that
 * were due meanwhile. With SLOW 1 there is one more connection, whose client sends as much as it may have outstanding (AHEAD bytes) and takes back
 * only a sip every millisecond; what it sees is not counted.
 * prints what load.c prints.
 */
#include "net.h"

/* Messages due on one connection and not back yet, beyond which the server does not keep up; and the slow client's habits. */
enum { UNANSWERED = 4096, AHEAD = 1 << 20, SIP = 4096, MILLISECOND = 1000 * 1000 };

struct connection { struct link link; size_t owed, got; uint64_t due[UNANSWERED]; unsigned first, last; };
static char *message, *room;
static size_t size;
static uint64_t warm, messages;

/* Send what is owed, as far as the kernel takes it. */
static void proceed(struct connection *c) {
  while (c->owed) {
    size_t piece = c->owed % size ? c->owed % size : size;
    ssize_t n = put(&c->link, message, piece);
    if (n >= 0) c->owed -= n;
    else if (errno == EAGAIN) return;
    else { perror("send"); exit(3); }
  }
}

static void receive(struct connection *c) {
  ssize_t n = get(&c->link, room, ROOM);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) { fprintf(stderr, "connection lost\n"); exit(3); }
  uint64_t t = now();
  for (c->got += n; c->got >= size; c->got -= size) {
    uint64_t due = c->due[c->first++ % UNANSWERED];
    if (due >= warm) { count(t - due); messages++; }
  }
}

static void sip(struct link *slow) {
  static size_t outstanding;
  ssize_t n = get(slow, room, SIP);
  if (n > 0) outstanding -= n;
  while (outstanding < AHEAD && (n = put(slow, room, AHEAD - outstanding)) > 0) outstanding += n;
}

static struct link dialNonBlocking(const char *where) {
  struct link link = dial(where, 0);
  resetWhenClosed(link.fd);
  fcntl(link.fd, F_SETFL, O_NONBLOCK);
  return link;
}

int main(int argc, char **argv) {
  if (argc != 7) { fprintf(stderr, "usage: pace WHERE CONNECTIONS SIZE SECONDS RATE SLOW\n"); return 2; }
  int connections = atoi(argv[2]), isSlow = atoi(argv[6]), told = 0, poller = epoll_create1(0);
  double seconds = atof(argv[4]), between = 1e9 / atof(argv[5]);
  alarm((unsigned)seconds + 60); /* nobody may be left to end it */
  size = atol(argv[3]);
  message = memset(malloc(size), 'x', size);
  room = calloc(1, ROOM);
  took = calloc(SLOWEST, sizeof *took);
  struct connection *all = calloc(connections, sizeof *all);
  struct epoll_event events[512];
  for (int i = 0; i < connections; i++) {
    all[i].link = dialNonBlocking(argv[1]);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
    epoll_ctl(poller, EPOLL_CTL_ADD, all[i].link.fd, &event);
  }
  struct link slow = {0};
  if (isSlow) slow = dialNonBlocking(argv[1]);
  uint64_t start = now(), t = start, end = start + (uint64_t)(seconds * 1e9), sipAt = start, sent = 0;
  warm = start + (uint64_t)(seconds * 2e8);
  /* It never sleeps: to wake up would take longer than the latencies that it measures. */
  while ((t = now()) < end || !messages) { /* on a machine that others use, one comes back late */
    if (!told && t >= warm) { told = 1; printf("warm\n"); fflush(stdout); }
    for (uint64_t due; (due = start + (uint64_t)(sent * between)) <= t; sent++) {
      struct connection *c = &all[sent % connections];
      if (c->last - c->first == UNANSWERED) { fprintf(stderr, "the server does not keep up with %s messages a second\n", argv[5]); return 3; }
      c->due[c->last++ % UNANSWERED] = due;
      c->owed += size;
      proceed(c);
    }
    int ready = epoll_wait(poller, events, 512, 0);
    for (int i = 0; i < ready; i++) {
      receive(events[i].data.ptr);
      proceed(events[i].data.ptr);
    }
    if (isSlow && t >= sipAt) { sip(&slow); sipAt = t + MILLISECOND; }
  }
  report(messages, t - warm);
  return 0;
}
