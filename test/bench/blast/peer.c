/* Connections of the simulated peers, and the loop that moves their bytes. */
#define _GNU_SOURCE
#include "blast.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 1 << 20, STALL_SECONDS = 120 };

Peer *peers;
int peer_count, survive_loss, hold_time = 600;
size_t updates_in;
void (*on_stall)(void);
static uint8_t scratch[READ_SIZE + 65536];

double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

void die(int code, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  exit(code);
}

const char *ipstr(uint32_t host_order) {
  static char text[4][16];
  static int k;
  k = (k + 1) & 3;
  struct in_addr a = { htonl(host_order) };
  return inet_ntop(AF_INET, &a, text[k], 16);
}

void put(Peer *p, const void *bytes, size_t len) {
  if (p->outlen + len > p->outcap) {
    p->outcap = (p->outlen + len) * 2;
    p->out = realloc(p->out, p->outcap);
  }
  memcpy(p->out + p->outlen, bytes, len);
  p->outlen += len;
}

void put_keepalive(Peer *p) {
  uint8_t m[19];
  put(p, m, header(m, 4, 19));
}

void put_end_of_rib(Peer *p) {
  uint8_t m[23];
  memset(m + 19, 0, 4);
  put(p, m, header(m, 2, 23));
}

static void put_open(Peer *p) {
  uint8_t m[64], *q = m + 19;
  int as16 = p->as > 65535 ? 23456 : p->as;
  *q++ = 4, *q++ = as16 >> 8, *q++ = as16, *q++ = hold_time >> 8, *q++ = hold_time;
  q = put32(q, p->ip);
  /* multiprotocol IPv4 unicast, and four-byte AS */
  uint8_t caps[] = { 2, 6, 1, 4, 0, 1, 0, 1, 2, 6, 65, 4, p->as >> 24, p->as >> 16, p->as >> 8, p->as };
  *q++ = sizeof caps;
  memcpy(q, caps, sizeof caps);
  q += sizeof caps;
  put(p, m, header(m, 1, q - m));
}

int dial(Peer *p) {
  int one = 1, size = 4 << 20;
  p->fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &one, 4);
  if (p->read_rate) size = 16 << 10; /* so that the speaker feels how slow the reader is */
  setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &size, 4);
  struct sockaddr_in s = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(p->ip) };
  if (bind(p->fd, (void *)&s, sizeof s)) die(2, "bind %s: %s", ipstr(p->ip), strerror(errno));
  struct sockaddr_in d = { .sin_family = AF_INET, .sin_port = htons(opt.port), .sin_addr.s_addr = htonl(opt.target_ip) };
  /* Where sessions come and go, one that is slow to connect must not hold up the others. */
  if (survive_loss) fcntl(p->fd, F_SETFL, O_NONBLOCK);
  if (connect(p->fd, (void *)&d, sizeof d) && errno != EINPROGRESS) return close(p->fd), p->fd = -1;
  setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, 4);
  fcntl(p->fd, F_SETFL, O_NONBLOCK);
  p->inlen = p->outlen = p->outpos = 0;
  p->up = p->lost = p->end_of_rib = 0;
  p->read_budget = 0;
  p->last_in = now();
  put_open(p);
  return 0;
}

static void closed(Peer *p) {
  close(p->fd);
  p->fd = -1;
  p->up = p->leaving = 0;
  p->inlen = p->outlen = p->outpos = 0;
}

/* Ends a session: by Cease (administrative reset), which the speaker answers by closing, or by closing only. */
void hang_up(Peer *p, int politely) {
  uint8_t m[21];
  m[19] = 6, m[20] = 4;
  int between_messages = p->outpos == 0 || p->outpos == p->outlen;
  if (!politely || !between_messages || write(p->fd, m, header(m, 3, 21)) != 21) return closed(p);
  shutdown(p->fd, SHUT_WR);
  p->up = 0;
  p->leaving = 1;
  p->outlen = p->outpos = 0;
}

static void lost(Peer *p, const char *why) {
  if (p->leaving) return closed(p);
  if (!survive_loss) die(3, "%s: %s", ipstr(p->ip), why);
  int was_up = p->up;
  if (was_up) fprintf(stderr, "%s lost its session: %s\n", ipstr(p->ip), why);
  closed(p);
  p->lost = was_up; /* else refused, as some speakers do for a while with who came and went */
}

static int message(Peer *p, const uint8_t *m, size_t len) {
  double t = now();
  if (p->leaving) return 1;
  if (p->up && t - p->last_in > p->widest_gap) p->widest_gap = t - p->last_in;
  p->last_in = t;
  switch (m[18]) {
    case 1: put_keepalive(p); break;
    case 2: if (p->sink) sink_update(p, m, len); break;
    case 3:
      fprintf(stderr, "%s got NOTIFICATION %d/%d\n", ipstr(p->ip), m[19], m[20]);
      lost(p, "NOTIFICATION");
      return 0;
    case 4:
      if (p->up) put_keepalive(p);
      p->up = 1;
      break;
  }
  return 1;
}

static void readable(Peer *p) {
  for (;;) {
    size_t most = READ_SIZE;
    if (p->read_rate && p->read_budget < READ_SIZE) most = p->read_budget;
    if (most < 1) return;
    if (p->inlen) memcpy(scratch, p->in, p->inlen);
    ssize_t r = read(p->fd, scratch + p->inlen, most);
    if (r < 0 && errno == EAGAIN) return;
    if (r <= 0) { lost(p, r ? strerror(errno) : "closed by the speaker"); return; }
    p->read_budget -= r;
    size_t have = p->inlen + r, o = 0;
    p->inlen = 0;
    while (have - o >= 19) {
      size_t len = scratch[o + 16] << 8 | scratch[o + 17];
      if (have - o < len) break;
      if (!message(p, scratch + o, len)) return;
      o += len;
    }
    p->inlen = have - o;
    if (p->inlen > p->incap) p->in = realloc(p->in, p->incap = 65536);
    if (p->inlen) memcpy(p->in, scratch + o, p->inlen);
    if (r < READ_SIZE) return;
  }
}

static int pending(const Peer *p) { return p->sharedpos < p->sharedlen || p->outpos < p->outlen; }

static void writable(Peer *p) {
  if (p->sharedpos < p->sharedlen) {
    ssize_t w = write(p->fd, p->shared + p->sharedpos, p->sharedlen - p->sharedpos);
    if (w > 0) p->sharedpos += w;
    if (p->sharedpos < p->sharedlen) return;
  }
  if (p->outpos == p->outlen) return;
  ssize_t w = write(p->fd, p->out + p->outpos, p->outlen - p->outpos);
  if (w > 0) p->outpos += w;
  if (p->outpos == p->outlen) p->outpos = p->outlen = 0;
}

static int may_read(const Peer *p) { return !p->read_rate || p->read_budget >= 1; }

void pump(int timeout_ms) {
  static struct pollfd *f;
  static int cap;
  if (peer_count > cap) f = realloc(f, (cap = peer_count) * sizeof *f);
  for (int i = 0; i < peer_count; i++) {
    f[i].events = (may_read(&peers[i]) ? POLLIN : 0) | (pending(&peers[i]) ? POLLOUT : 0);
    f[i].fd = f[i].events ? peers[i].fd : -1;
    f[i].revents = 0;
  }
  poll(f, peer_count, timeout_ms);
  for (int i = 0; i < peer_count; i++) {
    if (f[i].revents & (POLLIN | POLLHUP | POLLERR)) readable(&peers[i]);
    if (peers[i].fd >= 0 && pending(&peers[i])) writable(&peers[i]);
  }
}

void open_all(void) {
  int all = peer_count;
  for (int i = 0; i < all; i++) {
    double t0 = now();
    while (dial(&peers[i])) {
      if (now() - t0 > 60) die(2, "%s: no connection to %s port %d", ipstr(peers[i].ip), opt.target, opt.port);
      usleep(100000);
    }
    peer_count = i + 1;
    if ((i & 31) == 31) pump(0);
  }
  for (double t0 = now();;) {
    int up = 0;
    for (int i = 0; i < all; i++) up += peers[i].up;
    if (up == all) break;
    if (now() - t0 > 60) die(2, "only %d of %d sessions came up", up, all);
    pump(50);
  }
  for (double t = now(); now() - t < 2;) pump(50); /* what the speaker does after the last OPEN */
}

static long long held(void) {
  long long sum = 0;
  for (int i = 0; i < peer_count; i++) if (peers[i].sink) sum += peers[i].held;
  return sum;
}

double run_until_held(long long want) {
  double t0 = now(), last = t0;
  for (long long seen = -1;;) {
    long long h = held();
    if (h == want) return now() - t0;
    if (h != seen) seen = h, last = now();
    if (now() - last > STALL_SECONDS) {
      if (on_stall) on_stall();
      die(4, "stalled: sinks hold %lld of %lld", h, want);
    }
    pump(100);
  }
}

void settle(void) {
  size_t seen = updates_in;
  for (double quiet = now(); now() - quiet < 1;) {
    pump(50);
    int busy = updates_in != seen;
    for (int i = 0; i < peer_count && !busy; i++) busy = pending(&peers[i]);
    if (busy) seen = updates_in, quiet = now();
  }
}
