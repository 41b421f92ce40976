/* feed: replays a recorded table transfer (BGP UPDATEs back to back, IPv4) from k iBGP peers, bytes as they
 * are, to the speaker, whose eBGP sink must then hold every prefix with the attributes that were sent.
 * Prefixes that a speaker may refuse are not counted: those whose path contains AS 0 (RFC 7607), 0.0.0.0/0 and
 * 0.0.0.0/32; "optional" in the result says how many. With -n only the first messages are replayed. */
#include "blast.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PREFIXES = 1 << 20 };

/* Open addressing over (address, bits); slots hold an index into entries[], -1 = empty. */
typedef struct { uint32_t address, hash; size_t message; uint8_t bits, optional; } Entry;
static Entry *entries;
static int *slots, entry_count;
static uint32_t mask;
static uint8_t *bytes;
static size_t size;

static int *slot_of(uint32_t address, int bits) {
  uint32_t h = (address ^ bits * 0x9e3779b9u) * 0x85ebca6bu;
  h ^= h >> 15;
  for (;; h++) {
    int *s = &slots[h & mask];
    if (*s < 0 || (entries[*s].address == address && entries[*s].bits == bits)) return s;
  }
}

static int feed_index(uint32_t address, int bits) {
  int i = *slot_of(address, bits);
  return i < 0 || entries[i].optional ? -1 : i;
}

static int has_as_zero(const uint8_t *a, size_t len) {
  for (const uint8_t *e = a + len; a + 3 <= e;) {
    size_t n = a[0] & 16 ? a[2] << 8 | a[3] : a[2];
    const uint8_t *v = a + (a[0] & 16 ? 4 : 3);
    if (a[1] == 2)
      for (const uint8_t *s = v; s + 2 <= v + n; s += 2 + 4 * s[1])
        for (int k = 0; k < s[1]; k++) if (get32(s + 2 + 4 * k) == 0) return 1;
    a = v + n;
  }
  return 0;
}

/* What the feed says last counts; a withdrawn prefix keeps hash 0. */
static void note_prefixes(const uint8_t *r, const uint8_t *e, Entry entry) {
  while (r < e) {
    int bits = *r++;
    uint32_t address = 0;
    for (int i = 0; i < (bits + 7) / 8; i++) address |= (uint32_t)*r++ << (24 - 8 * i);
    int *s = slot_of(address, bits);
    if (*s < 0) *s = entry_count++;
    entry.address = address, entry.bits = bits;
    entries[*s] = entry;
    entries[*s].optional |= address == 0;
    if (entry_count == MOST_PREFIXES) die(1, "%s: more than %d prefixes", opt.feed, MOST_PREFIXES);
  }
}

static void load(void) {
  FILE *f = fopen(opt.feed, "rb");
  if (!f) die(1, "%s: cannot be read", opt.feed);
  fseek(f, 0, SEEK_END);
  size = ftell(f);
  rewind(f);
  bytes = malloc(size);
  if (fread(bytes, 1, size, f) != size) die(1, "%s: cannot be read", opt.feed);
  fclose(f);
  mask = (1u << 21) - 1;
  slots = malloc((mask + 1) * sizeof *slots);
  memset(slots, 255, (mask + 1) * sizeof *slots);
  entries = malloc(MOST_PREFIXES * sizeof *entries);
  size_t o = 0;
  while (o + 19 <= size && (!opt.prefixes || entry_count < opt.prefixes)) {
    const uint8_t *m = bytes + o, *we = m + 21 + (m[19] << 8 | m[20]), *a = we + 2, *ae = a + (we[0] << 8 | we[1]);
    size_t len = m[16] << 8 | m[17];
    uint32_t hash = ae > a ? hash_attributes(a, ae - a, 0, 1) : 0;
    int zero = has_as_zero(a, ae - a);
    note_prefixes(m + 21, we, (Entry){ 0 });
    note_prefixes(ae, m + len, (Entry){ .hash = hash, .message = o, .optional = zero });
    o += len;
  }
  size = o;
}

static void put_withdraw_one(Peer *p, int i) {
  uint8_t m[64], *q = put_prefix(m + 21, entries[i].address, entries[i].bits);
  size_t w = q - (m + 21);
  m[19] = 0, m[20] = w, *q++ = 0, *q++ = 0;
  put(p, m, header(m, 2, q - m));
}

static void put_announce_one(Peer *p, int i) {
  const uint8_t *m = bytes + entries[i].message, *we = m + 21 + (m[19] << 8 | m[20]);
  size_t n = we[0] << 8 | we[1];
  uint8_t out[4200];
  out[19] = out[20] = 0;
  memcpy(out + 21, we, 2 + n);
  uint8_t *q = put_prefix(out + 23 + n, entries[i].address, entries[i].bits);
  put(p, out, header(out, 2, q - out));
}

static void put_withdraw_all(Peer *p) {
  for (int i = 0; i < entry_count;) {
    uint8_t m[4096], *q = m + 21;
    for (; i < entry_count && q - m < 4080; i++) q = put_prefix(q, entries[i].address, entries[i].bits);
    size_t w = q - (m + 21);
    m[19] = w >> 8, m[20] = w, *q++ = 0, *q++ = 0;
    put(p, m, header(m, 2, q - m));
  }
}

static long long differing(Peer *sink) {
  long long wrong = 0;
  for (int i = 0; i < entry_count; i++)
    if (!entries[i].optional && sink->state[i] != entries[i].hash && ++wrong <= 20)
      fprintf(stderr, "%s/%d is not as sent\n", ipstr(entries[i].address), entries[i].bits);
  return wrong;
}

/* What is missing when nothing moves any more. */
static void explain(void) {
  int shown = 0;
  for (int i = 0; i < entry_count && shown < 5; i++)
    if (!entries[i].optional && entries[i].hash && !peers[0].state[i] && ++shown)
      fprintf(stderr, "not at the sink: %s/%d\n", ipstr(entries[i].address), entries[i].bits);
}

void feed_mode(void) {
  on_stall = explain;
  load();
  prefix_index = feed_index;
  prefix_total = entry_count;
  int optional = 0, full = 0;
  for (int i = 0; i < entry_count; i++) {
    optional += entries[i].optional;
    full += !entries[i].optional && entries[i].hash;
  }
  int n = peer_count = opt.peers + 1;
  peers = calloc(n, sizeof *peers);
  for (int i = 0; i < n; i++) peers[i] = (Peer){ .fd = -1, .ip = opt.base_ip + i, .as = i ? opt.as : 65102, .sink = i == 0, .ebgp = i == 0 };
  peers[0].state = calloc(entry_count, sizeof *peers[0].state);
  open_all();
  long empty_kb = speaker_memory_kb("VmRSS");
  double cpu0 = speaker_cpu();
  for (int i = 1; i < n; i++) {
    peers[i].shared = bytes, peers[i].sharedlen = size;
    put_end_of_rib(&peers[i]);
  }
  double announce_from = now();
  double announce_s = run_until_held(full), cpu_held = speaker_cpu();
  settle();
  double cpu1 = speaker_cpu();
  size_t updates = updates_in;
  long long wrong = differing(&peers[0]);
  if (wrong) fprintf(stderr, "%lld prefixes differ from what was sent\n", wrong);
  long peak_kb = speaker_memory_kb("VmHWM"), loaded_kb = speaker_memory_kb("VmRSS");

  Samples flap = { 0 };
  double cpu2 = speaker_cpu();
  for (int f = 0; f < 200; f++) {
    int i = (int)((long long)f * entry_count / 200);
    while (entries[i].optional || !entries[i].hash) i++;
    for (int k = 1; k < n; k++) put_withdraw_one(&peers[k], i);
    sample(&flap, run_until_held(full - 1) * 1e3);
    put_announce_one(&peers[1], i);
    sample(&flap, run_until_held(full) * 1e3);
  }
  double cpu3 = speaker_cpu();
  for (int i = 1; i < n; i++) put_withdraw_all(&peers[i]);
  double withdraw_s = run_until_held(0);
  settle();
  double cpu4 = speaker_cpu();
  printf("{\"mode\":\"feed\",\"peers\":%d,\"prefixes\":%d,\"announce_from\":%.4f,\"announce_s\":%.4f,\"announce_cpu_s\":%.4f,\"announce_cpu_at_full_s\":%.4f,"
         "\"withdraw_s\":%.4f,\"withdraw_cpu_s\":%.4f,\"flaps\":%d,\"flap_ms_p50\":%.3f,\"flap_ms_p99\":%.3f,\"flap_ms_max\":%.3f,\"flap_cpu_s\":%.4f,"
         "\"updates_to_sinks\":%zu,\"wrong\":%lld,\"lowest\":0,\"optional\":%d,"
         "\"empty_kb\":%ld,\"loaded_kb\":%ld,\"peak_kb\":%ld,\"end_peak_kb\":%ld,\"end_kb\":%ld}\n",
         n, full, announce_from, announce_s, cpu1 - cpu0, cpu_held - cpu0, withdraw_s, cpu4 - cpu3, flap.n,
         percentile(&flap, .5), percentile(&flap, .99), percentile(&flap, 1), cpu3 - cpu2, updates, wrong, optional,
         empty_kb, loaded_kb, peak_kb, speaker_memory_kb("VmHWM"), speaker_memory_kb("VmRSS"));
}
