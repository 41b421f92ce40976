/* Bytes: message headers out, and what a sink reads from the UPDATEs that come back.
 * A sink keeps a 32-bit hash of the attributes per prefix, so that its whole state can be compared with what
 * was sent without keeping it twice. */
#include "blast.h"
#include <string.h>

size_t header(uint8_t *m, uint8_t type, size_t len) {
  memset(m, 255, 16);
  m[16] = len >> 8;
  m[17] = len;
  m[18] = type;
  return len;
}

uint8_t *put32(uint8_t *q, uint32_t v) {
  q[0] = v >> 24, q[1] = v >> 16, q[2] = v >> 8, q[3] = v;
  return q + 4;
}

uint32_t get32(const uint8_t *q) { return (uint32_t)q[0] << 24 | q[1] << 16 | q[2] << 8 | q[3]; }

uint8_t *put_prefix(uint8_t *q, uint32_t address, int bits) {
  *q++ = bits;
  for (int i = 0; i < (bits + 7) / 8; i++) *q++ = address >> (24 - 8 * i);
  return q;
}

static uint64_t fnv(uint64_t h, const uint8_t *v, size_t n) {
  while (n--) h = (h ^ *v++) * 0x100000001b3ull;
  return h ^ h >> 29;
}

/* Sum over distinct members: speakers may sort communities and drop repeated ones. */
static uint64_t hash_set(uint8_t type, const uint8_t *v, size_t n, size_t width, int only_transitive) {
  uint64_t sum = 0;
  for (size_t i = 0; i + width <= n; i += width) {
    int again = 0;
    for (size_t j = 0; j < i && !again; j += width) again = !memcmp(v + i, v + j, width);
    if (again || (only_transitive && (v[i] & 0x40))) continue;
    sum += fnv(0xcbf29ce484222325ull * type, v + i, width);
  }
  return sum;
}

/* AS_PATH with neighbouring sequences joined and, when received over eBGP, the speaker's own AS taken off. */
static uint64_t hash_path(const uint8_t *v, size_t n, uint32_t strip) {
  uint64_t h = 0xcbf29ce484222325ull;
  int last = 0, first = 1;
  for (size_t i = 0; i + 2 <= n;) {
    uint8_t type = v[i], count = v[i + 1];
    i += 2;
    for (int k = 0; k < count && i + 4 <= n; k++, i += 4) {
      if (first && strip) {
        if (type != 2 || get32(v + i) != strip) return 1; /* not prepended */
        first = 0;
        continue;
      }
      first = 0;
      if (type != last || k == 0) if (!(type == 2 && last == 2)) h = fnv(h, &type, 1);
      last = type;
      h = fnv(h, v + i, 4);
    }
  }
  return h;
}

uint32_t hash_attributes(const uint8_t *a, size_t len, int received, int ebgp) {
  uint64_t sum = 0;
  uint32_t next_hop = 0, originator = 0;
  int clusters = 0;
  for (const uint8_t *e = a + len; a + 3 <= e;) {
    uint8_t flags = a[0], type = a[1];
    size_t n = flags & 16 ? a[2] << 8 | a[3] : a[2];
    const uint8_t *v = a + (flags & 16 ? 4 : 3);
    a = v + n;
    if (a > e) break;
    switch (type) {
      case 2: sum += hash_path(v, n, received && ebgp ? (uint32_t)opt.as : 0); break;
      case 3:
        next_hop = get32(v);
        if (!ebgp) sum += fnv(3, v, n);
        else if (received && next_hop != opt.target_ip) sum += 3;
        break;
      case 4: if (!ebgp && get32(v)) sum += fnv(4, v, n); break; /* none and 0 mean the same */
      case 5: if (!ebgp) sum += fnv(5, v, n); else if (received) sum += 5; break;
      case 7: if (n != 8 || get32(v)) sum += fnv(7, v, n); break; /* AS 0: may be dropped (RFC 7607) */
      case 8: sum += hash_set(8, v, n, 4, 0); break;
      case 9: originator = get32(v); if (ebgp && received) sum += 9; break;
      case 10: clusters++; if (ebgp && received) sum += 10; break;
      case 16: sum += hash_set(16, v, n, 8, ebgp); break;
      case 32: sum += hash_set(32, v, n, 12, 0); break;
      default: if ((flags & 0xc0) != 0x80) sum += fnv(type, v, n);
    }
  }
  /* A reflected route names its originator, here the peer that is also the next hop, and one cluster. */
  if (received && !ebgp && (originator != next_hop || clusters != 1)) sum += 9;
  uint32_t h = sum ^ sum >> 32;
  return h ? h : 1;
}

static void sink_prefixes(Peer *p, const uint8_t *r, const uint8_t *e, uint32_t hash) {
  while (r < e) {
    int bits = *r++, bytes = (bits + 7) / 8;
    uint32_t a = 0;
    for (int i = 0; i < bytes; i++) a |= (uint32_t)r[i] << (24 - 8 * i);
    r += bytes;
    int i = prefix_index(a, bits);
    if (i < 0 || (i >= p->own_from && i < p->own_to)) continue;
    p->changes_in++;
    p->held += (hash != 0) - (p->state[i] != 0);
    p->state[i] = hash;
  }
}

void sink_update(Peer *p, const uint8_t *m, size_t len) {
  const uint8_t *w = m + 21, *we = w + (m[19] << 8 | m[20]), *a = we + 2, *ae = a + (we[0] << 8 | we[1]);
  sink_prefixes(p, w, we, 0);
  if (ae < m + len) sink_prefixes(p, ae, m + len, hash_attributes(a, ae - a, 1, p->ebgp));
  if (len == 23) p->end_of_rib = 1;
  updates_in++;
}
