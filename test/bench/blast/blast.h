/* Shared by the load generator's files. Peers are non-blocking TCP connections driven by one poll loop;
 * addresses are IPv4 in host order; every length is in bytes. */
#ifndef BLAST_H
#define BLAST_H
#include <stddef.h>
#include <stdint.h>

typedef struct {
  int fd, up, sink, ebgp;
  uint32_t as, ip;
  uint8_t *in;                      /* the beginning of a message whose end has not come yet */
  size_t inlen, incap;
  uint8_t *out;                     /* own bytes to send */
  size_t outlen, outpos, outcap;
  const uint8_t *shared;            /* bytes to send before `out` that several peers share (a replayed feed) */
  size_t sharedlen, sharedpos;
  uint32_t *state;                  /* sinks: hash of the attributes held for prefix i, 0 = not held */
  int own_from, own_to;             /* prefixes of its own, which a reflector may or may not send back */
  int held;                         /* how many of state[] are not 0 */
  double last_in, widest_gap;       /* seconds: last message in, and the longest silence while up */
  int leaving;                      /* said Cease and waits for the speaker to close */
  int lost;                         /* the speaker ended the session, which survive_loss allows */
  int end_of_rib;                   /* sinks: End-of-RIB came */
  size_t changes_in;                /* sinks: prefixes announced or withdrawn so far */
  double read_rate, read_budget;    /* slow readers: bytes a second, and bytes that may be read now; 0 = no limit */
} Peer;

typedef struct {
  const char *mode, *feed;
  char target[64];
  uint32_t target_ip, base_ip;
  int port, pid, prefixes, peers, per_update, as;
  int rate, seconds, reset_every;   /* churn */
  int slow_rate, join_every;        /* churn: bytes a second of the slow reader, seconds between joins; 0 = none */
} Options;

extern Options opt;
extern Peer *peers;
extern int peer_count, prefix_total, hold_time;
extern int survive_loss;            /* a session that the speaker ends is hung up instead of ending the run */
extern size_t updates_in;           /* UPDATEs that reached sinks */
extern void (*on_stall)(void);       /* says more before the run is given up */
extern int (*prefix_index)(uint32_t address, int bits); /* -1 = none of ours */

/* wire.c: messages out, and what a sink holds */
size_t header(uint8_t *m, uint8_t type, size_t len);
uint8_t *put32(uint8_t *q, uint32_t v);
uint32_t get32(const uint8_t *q);
/* Hash of an attribute block as any correct speaker passes it on; never 0. `received` by an eBGP or iBGP sink,
 * or as it was sent by us. What the speaker itself must change (prepended AS, next hop, reflection attributes)
 * is checked and left out; what it must not have changed is in. */
uint32_t hash_attributes(const uint8_t *a, size_t len, int received, int ebgp);
void sink_update(Peer *p, const uint8_t *m, size_t len);
uint8_t *put_prefix(uint8_t *q, uint32_t address, int bits);

/* peer.c: connections */
double now(void);
void die(int code, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
const char *ipstr(uint32_t host_order);
void put(Peer *p, const void *bytes, size_t len);
void put_keepalive(Peer *p);
void put_end_of_rib(Peer *p);
int dial(Peer *p);                  /* 0 = connected, or with survive_loss on its way, and OPEN queued */
void hang_up(Peer *p, int politely);
void pump(int timeout_ms);          /* one round of poll, read, write over all peers */
void open_all(void);                /* dials everybody and waits until all are established */
double run_until_held(long long want); /* pump until the sinks together hold `want`; seconds it took */
void settle(void);                  /* pump until no sink got an UPDATE for a second and all is sent */

/* meter.c: the speaker's process, seen from outside */
double speaker_cpu(void);           /* CPU seconds used so far, 0 without -P */
double speaker_wait(void);          /* seconds that its first thread was ready to run but had no core, 0 without -P */
long speaker_memory_kb(const char *field); /* VmRSS or VmHWM of /proc/PID/status, 0 without -P */
typedef struct { double *v; int n, cap; } Samples;
void sample(Samples *s, double v);
double percentile(Samples *s, double q); /* sorts */

/* The modes; each prints one JSON line. */
void table_mode(int reflect);
void feed_mode(void);
void churn_mode(void);

/* churn-routes.c: what the injectors of churn announce, and which route of each prefix must win */
void routes_make(int injector_count, Peer *injectors); /* every source has a route; nothing is queued yet */
void routes_announce_share(Peer *p); /* queues all routes of one injector, then End-of-RIB */
int routes_change(void);            /* queues one random change; number of prefixes, 0 = its injector is away or behind */
uint32_t routes_expected(int i);    /* hash of the winner's attributes, 0 = nobody has the prefix */
int routes_alive(void);             /* prefixes that somebody has */
uint32_t routes_probe(Peer *p, uint32_t address, uint32_t seed); /* one /24 announced, its hash; seed 0 = withdrawn, 0 */

/* table.c: the synthetic prefixes, /24 from 20.0.0.0 up without 127/8 */
uint32_t synthetic_prefix(int i);
int synthetic_index(uint32_t address, int bits);
void put_withdraw(Peer *p, const int *indexes, int n);
#endif
