/* net.h - what the programs that load a server share: connecting to WHERE, reading and writing with TLS or without, the clock, latencies by microsecond.
 *
 * WHERE is "PORT" (TCP to 127.0.0.1), "unix:PATH", "udp:PORT", or, where this is compiled with -DTLS and OpenSSL, "tls:PORT". All TLS is done with one
 * suite of TLS 1.3, so that no server is faster for having chosen another; certificates are not verified, and sessions are not resumed.
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
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#ifdef TLS
#include <openssl/ssl.h>
#else
typedef void SSL;
#endif

enum { SLOWEST = 10 * 1000 * 1000, ROOM = 1 << 20 }; /* microseconds that are told apart; bytes taken by one read */

struct link { int fd; SSL *ssl; };
static uint32_t *took;
static int isDatagram;

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

__attribute__((unused)) static void count(uint64_t nanoseconds) {
  uint64_t us = nanoseconds / 1000;
  took[us < SLOWEST ? us : SLOWEST - 1]++;
}

static void report(uint64_t messages, uint64_t nanoseconds) {
  const char *comma = "";
  printf("{\"messages\": %llu, \"seconds\": %.6f, \"took\": {", (unsigned long long)messages, nanoseconds / 1e9);
  for (int i = 0; i < SLOWEST; i++)
    if (took[i]) { printf("%s\"%d\": %u", comma, i, took[i]); comma = ", "; }
  printf("}}\n");
}

static void handshake(struct link *link) {
#ifdef TLS
  static SSL_CTX *context;
  if (!context) {
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    if (!SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) || !SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384")) exit(2);
  }
  link->ssl = SSL_new(context);
  SSL_set_fd(link->ssl, link->fd);
  if (SSL_connect(link->ssl) != 1) { fprintf(stderr, "the handshake failed\n"); exit(2); }
#else
  (void)link;
  fprintf(stderr, "compiled without TLS\n");
  exit(2);
#endif
}

/* A connection that blocks. `source`, when not 0, is the last number of the address that it comes from: each has its own table of ports. */
static struct link dial(const char *where, int source) {
  const char *colon = strchr(where, ':'), *rest = colon ? colon + 1 : where;
  int isUnix = !strncmp(where, "unix:", 5), one = 1;
  isDatagram = !strncmp(where, "udp:", 4);
  struct sockaddr_in inet = {.sin_family = AF_INET, .sin_port = htons(atoi(rest)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + source)};
  struct sockaddr_un local = {.sun_family = AF_UNIX};
  strncpy(local.sun_path, rest, sizeof local.sun_path - 1);
  struct link link = {.fd = socket(isUnix ? AF_UNIX : AF_INET, isDatagram ? SOCK_DGRAM : SOCK_STREAM, 0)};
  if (source) {
    setsockopt(link.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(link.fd, (void *)&from, sizeof from)) { perror("bind"); exit(2); }
  }
  if (link.fd < 0 || connect(link.fd, isUnix ? (void *)&local : (void *)&inet, isUnix ? sizeof local : sizeof inet)) { perror("connect"); exit(2); }
  if (!isUnix && !isDatagram) setsockopt(link.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (!strncmp(where, "tls:", 4)) handshake(&link);
  return link;
}

/* The end of a load shall not fill the table of ports with TIME_WAIT. */
__attribute__((unused)) static void resetWhenClosed(int fd) {
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

#ifdef TLS
static ssize_t outcome(SSL *ssl, int n) {
  if (n > 0) return n;
  int error = SSL_get_error(ssl, n);
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
  return -1;
}
#endif

/* As read(2) and send(2), through TLS where there is any. */
static ssize_t get(struct link *link, char *room, size_t size) {
#ifdef TLS
  if (link->ssl) return outcome(link->ssl, SSL_read(link->ssl, room, size));
#endif
  return read(link->fd, room, size);
}

static ssize_t put(struct link *link, const char *data, size_t size) {
#ifdef TLS
  if (link->ssl) return outcome(link->ssl, SSL_write(link->ssl, data, size));
#endif
  return send(link->fd, data, size, MSG_NOSIGNAL);
}
