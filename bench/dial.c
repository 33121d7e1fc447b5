/* dial.c - clients that come and go: CONNECTIONS at a time, each connects (and shakes hands where WHERE says TLS), has SIZE bytes echoed, closes, and
 * begins again.
 *
 * usage: dial WHERE CONNECTIONS SIZE SECONDS
 * Every one is a thread with blocking calls. It comes from an address of its own in 127.0.0.0/8, and so has a table of ports of its own: those that stay
 * in TIME_WAIT behind it take none from others.
 * prints what load.c prints; the microseconds are those of a whole visit.
 */
#include "net.h"
#include <pthread.h>
#include <stdatomic.h>

static const char *where;
static size_t size;
static uint64_t warm, end;
static atomic_ullong messages;

static void visit(struct link *link, char *room) {
  size_t sent = 0, got = 0;
  while (sent < size) {
    ssize_t n = put(link, room, size - sent);
    if (n <= 0) { perror("send"); exit(3); }
    sent += n;
  }
  while (got < size) {
    ssize_t n = get(link, room, size - got);
    if (n <= 0) { fprintf(stderr, "connection lost\n"); exit(3); }
    got += n;
  }
#ifdef TLS
  if (link->ssl) { SSL_shutdown(link->ssl); SSL_free(link->ssl); }
#endif
  close(link->fd);
}

static void *visits(void *number) {
  char *room = calloc(1, size);
  for (uint64_t began; (began = now()) < end || !messages;) { /* on a machine that others use, one comes through late */
    struct link link = dial(where, (int)(intptr_t)number % 250 + 1);
    visit(&link, room);
    if (began < warm) continue;
    uint64_t us = (now() - began) / 1000;
    atomic_fetch_add((_Atomic uint32_t *)&took[us < SLOWEST ? us : SLOWEST - 1], 1);
    messages++;
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 5) { fprintf(stderr, "usage: dial WHERE CONNECTIONS SIZE SECONDS\n"); return 2; }
  int connections = atoi(argv[2]);
  double seconds = atof(argv[4]);
  alarm((unsigned)seconds + 60); /* nobody may be left to end it */
  where = argv[1];
  size = atol(argv[3]);
  took = calloc(SLOWEST, sizeof *took);
  pthread_t *threads = calloc(connections, sizeof *threads);
  uint64_t start = now();
  struct link first = dial(where, 0); /* makes what all share */
  visit(&first, calloc(1, size));
  warm = start + (uint64_t)(seconds * 2e8), end = start + (uint64_t)(seconds * 1e9);
  for (int i = 0; i < connections; i++)
    if (pthread_create(&threads[i], 0, visits, (void *)(intptr_t)i)) { perror("pthread_create"); return 2; }
  struct timespec until = {.tv_sec = warm / 1000000000, .tv_nsec = warm % 1000000000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, 0);
  printf("warm\n");
  fflush(stdout);
  for (int i = 0; i < connections; i++) pthread_join(threads[i], 0);
  report(messages, now() - warm);
  return 0;
}
