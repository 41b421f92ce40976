/* What the injectors of churn announce. Every block of 8 prefixes has one to seven injectors as sources; each
 * source has a route to each prefix or not. A route is a seed from which its attributes are made again when they
 * are needed: 0 = none, the upper 20 bits make AS_PATH and ORIGIN, the lower 12 the rest.
 * Which route must win: the shortest AS_PATH, then the lowest ORIGIN, then the lowest injector (router ID); the
 * sources of a prefix are in different ASes, so that MED is never compared. */
#include "blast.h"
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8, SOURCES = 7, VARIANT_BITS = 12, BEHIND = 8 << 20 };

static Peer *injectors;
static int injector_count, block_count;
static uint32_t *seeds; /* [prefix * SOURCES + source] */

static uint32_t mix(uint32_t x) {
  x = (x ^ x >> 16) * 0x7feb352du;
  x = (x ^ x >> 15) * 0x846ca68bu;
  return x ^ x >> 16;
}

static uint32_t random32(void) {
  static uint64_t state = 0x2545f4914f6cdd1dull;
  state = state * 6364136223846793005ull + 1442695040888963407ull;
  return state >> 32;
}

static int source_count(int block) {
  int most = injector_count < SOURCES ? injector_count : SOURCES;
  return 1 + mix(block) % most;
}

static int source(int block, int j) { return (mix(block ^ 0x5bd1e995u) + j) % injector_count; }

static uint32_t *seed_of(int block, int k, int j) { return &seeds[(block * BLOCK + k) * SOURCES + j]; }

static int block_size(int block) {
  int left = prefix_total - block * BLOCK;
  return left < BLOCK ? left : BLOCK;
}

static uint32_t new_seed(void) { return random32() | 1u << VARIANT_BITS; }

static int hops_of(uint32_t seed) { return 2 + mix(seed >> VARIANT_BITS) % 5; }

/* 3 of 4 are IGP */
static int origin_of(uint32_t seed) {
  int x = mix(seed >> VARIANT_BITS ^ 0x3c6ef372u) & 7;
  return x < 6 ? 0 : x - 5;
}

/* Lower is better. */
static int rank_of(uint32_t seed, int injector) {
  return (hops_of(seed) * 3 + origin_of(seed)) * 256 + injector;
}

/* Path attributes of a route; where they end. */
static uint8_t *put_attributes(uint8_t *q, const Peer *p, uint32_t seed) {
  uint32_t path = seed >> VARIANT_BITS, rest = mix(seed);
  int hops = hops_of(seed);
  *q++ = 0x40, *q++ = 1, *q++ = 1, *q++ = origin_of(seed);
  *q++ = 0x40, *q++ = 2, *q++ = 2 + 4 * hops, *q++ = 2, *q++ = hops;
  q = put32(q, p->as);
  for (int i = 1; i < hops; i++) q = put32(q, 1000 + mix(path * 8 + i) % 60000);
  *q++ = 0x40, *q++ = 3, *q++ = 4, q = put32(q, p->ip);
  if (rest & 1) *q++ = 0x80, *q++ = 4, *q++ = 4, q = put32(q, rest >> 16);
  *q++ = 0xc0, *q++ = 8, *q++ = 8;
  q = put32(q, (p->as & 65535) << 16 | (rest >> 8 & 255));
  q = put32(q, 1000u << 16 | (rest >> 16));
  if ((rest & 6) == 0) *q++ = 0xc0, *q++ = 32, *q++ = 12, q = put32(q, p->as), q = put32(q, 1), q = put32(q, rest);
  return q;
}

static void put_announce(Peer *p, int block, int mask, uint32_t seed) {
  uint8_t m[512], *first = m + 23, *q = put_attributes(first, p, seed);
  size_t n = q - first;
  m[19] = m[20] = 0, m[21] = n >> 8, m[22] = n;
  for (int k = 0; k < BLOCK; k++) if (mask >> k & 1) q = put_prefix(q, synthetic_prefix(block * BLOCK + k), 24);
  put(p, m, header(m, 2, q - m));
}

void routes_make(int count, Peer *first) {
  injectors = first, injector_count = count;
  block_count = (prefix_total + BLOCK - 1) / BLOCK;
  seeds = calloc((size_t)block_count * BLOCK * SOURCES, sizeof *seeds);
  for (int b = 0; b < block_count; b++)
    for (int j = 0; j < source_count(b); j++) {
      uint32_t seed = new_seed();
      for (int k = 0; k < block_size(b); k++) *seed_of(b, k, j) = seed;
    }
}

void routes_announce_share(Peer *p) {
  for (int b = 0; b < block_count; b++)
    for (int j = 0; j < source_count(b); j++) {
      if (&injectors[source(b, j)] != p) continue;
      for (int done = 0, k = 0; k < BLOCK; k++) {
        uint32_t seed = *seed_of(b, k, j);
        if (!seed || done >> k & 1) continue;
        int mask = 0;
        for (int l = k; l < BLOCK; l++) if (*seed_of(b, l, j) == seed) mask |= 1 << l;
        put_announce(p, b, mask, seed);
        done |= mask;
      }
    }
  put_end_of_rib(p);
}

/* One UPDATE about one to eight neighbouring prefixes of one source: of four, one withdraws, one changes MED and
 * communities only, two have a new path; one of twenty says again what the speaker knows. */
int routes_change(void) {
  int b = random32() % block_count, j = random32() % source_count(b);
  Peer *p = &injectors[source(b, j)];
  if (!p->up || p->outlen - p->outpos > BEHIND) return 0;
  int from = random32() % block_size(b), to = from + 1 + random32() % (block_size(b) - from), held = 0, n = 0;
  for (int k = from; k < to; k++) if (*seed_of(b, k, j)) held |= 1 << k;
  int what = held ? (int)(random32() % 100) : 99;
  if (what < 25) {
    int gone[BLOCK];
    for (int k = from; k < to; k++)
      if (held >> k & 1) gone[n++] = b * BLOCK + k, *seed_of(b, k, j) = 0;
    put_withdraw(p, gone, n);
    return n;
  }
  uint32_t seed = new_seed(), old = held ? *seed_of(b, __builtin_ctz(held), j) : 0;
  if (what < 30) seed = old;
  else if (what < 50) seed = (old & ~0u << VARIANT_BITS) | seed >> (32 - VARIANT_BITS);
  int mask = ((1 << to) - 1) & ~((1 << from) - 1);
  for (int k = from; k < to; k++) *seed_of(b, k, j) = seed;
  put_announce(p, b, mask, seed);
  return to - from;
}

uint32_t routes_expected(int i) {
  int b = i / BLOCK, best = -1;
  uint32_t seed = 0;
  Peer *from = NULL;
  for (int j = 0; j < source_count(b); j++) {
    uint32_t s = *seed_of(b, i % BLOCK, j);
    if (!s || (best >= 0 && rank_of(s, source(b, j)) >= best)) continue;
    best = rank_of(s, source(b, j)), seed = s, from = &injectors[source(b, j)];
  }
  uint8_t a[256];
  return best < 0 ? 0 : hash_attributes(a, put_attributes(a, from, seed) - a, 0, 1);
}

int routes_alive(void) {
  int alive = 0;
  for (int i = 0; i < prefix_total; i++) alive += routes_expected(i) != 0;
  return alive;
}

uint32_t routes_probe(Peer *p, uint32_t address, uint32_t seed) {
  uint8_t m[512], *first = m + 23, *q;
  memset(m + 19, 0, 4);
  if (!seed) {
    q = put_prefix(m + 21, address, 24);
    m[20] = q - (m + 21), *q++ = 0, *q++ = 0;
    put(p, m, header(m, 2, q - m));
    return 0;
  }
  q = put_attributes(first, p, seed);
  size_t n = q - first;
  m[21] = n >> 8, m[22] = n;
  q = put_prefix(q, address, 24);
  put(p, m, header(m, 2, q - m));
  return hash_attributes(first, n, 0, 1);
}
