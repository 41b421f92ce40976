/* table and reflect: synthetic routes in, the time until the sinks hold them all, single flaps, withdraw. */
#include "blast.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int reflecting;

uint32_t synthetic_prefix(int i) {
  uint32_t b = (20u << 16) + i;
  if (b >> 16 >= 127) b += 1 << 16;
  return b << 8;
}

int synthetic_index(uint32_t address, int bits) {
  uint32_t b = address >> 8;
  if (b >> 16 > 127) b -= 1 << 16;
  int i = (int)(b - (20u << 16));
  return bits == 24 && i >= 0 && i < prefix_total ? i : -1;
}

/* One UPDATE that announces prefixes [from, to) with attribute set number `set`; returns its hash. */
static uint32_t announce(Peer *p, int from, int to, int set, unsigned *random) {
  uint8_t m[4096], *q = m + 19;
  *q++ = 0, *q++ = 0;
  uint8_t *length = q, *first = q + 2;
  q += 2;
  memcpy(q, "\x40\x01\x01\x00", 4), q += 4;
  if (reflecting) memcpy(q, "\x40\x02\x00", 3), q += 3;
  else {
    *random = *random * 1103515245 + 12345;
    int hops = 2 + (*random >> 16) % 5;
    *q++ = 0x40, *q++ = 2, *q++ = 2 + 4 * (hops + 1), *q++ = 2, *q++ = hops + 1;
    q = put32(q, p->as);
    for (int j = 0; j < hops; j++) {
      *random = *random * 1103515245 + 12345;
      q = put32(q, 1000 + (*random >> 8) % 60000);
    }
  }
  *q++ = 0x40, *q++ = 3, *q++ = 4, q = put32(q, p->ip);
  if (reflecting) memcpy(q, "\x40\x05\x04\x00\x00\x00\x64", 7), q += 7;
  *q++ = 0xc0, *q++ = 8, *q++ = 8;
  q = put32(q, (1000u + set % 30000) << 16 | (set & 65535));
  q = put32(q, (p->as & 65535) << 16 | 100);
  size_t n = q - first;
  length[0] = n >> 8, length[1] = n;
  for (int j = from; j < to; j++) q = put_prefix(q, synthetic_prefix(j), 24);
  put(p, m, header(m, 2, q - m));
  return hash_attributes(first, n, 0, !reflecting);
}

void put_withdraw(Peer *p, const int *indexes, int n) {
  while (n > 0) {
    uint8_t m[4096], *q = m + 21;
    for (int k = 0; k < 900 && n > 0; k++, n--) q = put_prefix(q, synthetic_prefix(*indexes++), 24);
    size_t w = q - (m + 21);
    m[19] = w >> 8, m[20] = w;
    *q++ = 0, *q++ = 0;
    put(p, m, header(m, 2, q - m));
  }
}

static void withdraw_range(Peer *p, int from, int to) {
  int *indexes = malloc((to - from) * sizeof *indexes);
  for (int i = from; i < to; i++) indexes[i - from] = i;
  put_withdraw(p, indexes, to - from);
  free(indexes);
}

/* Queues [from, to), notes in expected[] what each prefix should look like at a sink. */
static void announce_range(Peer *p, int from, int to, int first_set, uint32_t *expected) {
  unsigned random = 12345;
  int step = reflecting ? 200 : opt.per_update;
  for (int i = from, set = first_set; i < to; i += step, set++) {
    int end = i + step < to ? i + step : to;
    uint32_t hash = announce(p, i, end, set, &random);
    for (int j = i; j < end; j++) expected[j] = hash;
  }
  put_end_of_rib(p);
}

/* Compares every sink with what was sent. Any injector's route is right; `lowest` counts the first one's,
 * which wins by router ID. Own prefixes do not come back to a reflector's client. */
static void compare(uint32_t **expected, int sources, long long *wrong, long long *lowest) {
  for (int s = 0; s < peer_count; s++) {
    if (!peers[s].sink) continue;
    for (int j = 0; j < prefix_total; j++) {
      uint32_t have = peers[s].state[j];
      if (reflecting) {
        int own = j / opt.prefixes == s;
        if (have != (own ? 0 : expected[0][j])) ++*wrong;
        continue;
      }
      int k = 0;
      while (k < sources && expected[k][j] != have) k++;
      if (k == sources) ++*wrong;
      else if (k == 0) ++*lowest;
    }
  }
}

void table_mode(int reflect) {
  reflecting = reflect;
  prefix_index = synthetic_index;
  int n = reflect ? opt.peers : opt.peers + 1, sources = reflect ? 1 : opt.peers;
  prefix_total = reflect ? opt.prefixes * opt.peers : opt.prefixes;
  peers = calloc(n, sizeof *peers);
  for (int i = 0; i < n; i++) {
    peers[i] = (Peer){ .fd = -1, .ip = opt.base_ip + i, .as = reflect ? opt.as : 65100 + i, .sink = reflect || i == 0, .ebgp = !reflect };
    if (reflect) peers[i].own_from = i * opt.prefixes, peers[i].own_to = (i + 1) * opt.prefixes;
    if (peers[i].sink) peers[i].state = calloc(prefix_total, sizeof *peers[i].state);
  }
  peer_count = n;
  open_all();
  long empty_kb = speaker_memory_kb("VmRSS");
  double cpu0 = speaker_cpu();

  uint32_t **expected = calloc(sources, sizeof *expected);
  for (int k = 0; k < sources; k++) expected[k] = calloc(prefix_total, sizeof **expected);
  long long full = reflect ? (long long)opt.peers * (opt.peers - 1) * opt.prefixes : opt.prefixes;
  if (reflect) for (int i = 0; i < n; i++) announce_range(&peers[i], i * opt.prefixes, (i + 1) * opt.prefixes, i, expected[0]);
  else for (int i = 1; i < n; i++) announce_range(&peers[i], 0, opt.prefixes, 0, expected[i - 1]);
  double announce_from = now();
  double announce_s = run_until_held(full);
  double cpu_held = speaker_cpu();
  settle();
  size_t updates = updates_in;
  double cpu1 = speaker_cpu();
  long long wrong = 0, lowest = 0;
  compare(expected, sources, &wrong, &lowest);
  long peak_kb = speaker_memory_kb("VmHWM"), loaded_kb = speaker_memory_kb("VmRSS");

  Samples flap = { 0 };
  int flaps = reflect ? 50 : 200;
  double cpu2 = speaker_cpu();
  for (int f = 0; f < flaps; f++) {
    Peer *source = &peers[reflect ? f % n : 1];
    int i = reflect ? (f % n) * opt.prefixes : f % opt.prefixes, gone = reflect ? opt.peers - 1 : 1;
    unsigned random = 7;
    for (int k = 2; !reflect && k < n; k++) withdraw_range(&peers[k], i, i + 1);
    withdraw_range(source, i, i + 1);
    sample(&flap, run_until_held(full - gone) * 1e3);
    announce(source, i, i + 1, 77, &random);
    sample(&flap, run_until_held(full) * 1e3);
  }
  double cpu3 = speaker_cpu();
  if (reflect) for (int i = 0; i < n; i++) withdraw_range(&peers[i], i * opt.prefixes, (i + 1) * opt.prefixes);
  else for (int i = 1; i < n; i++) withdraw_range(&peers[i], 0, opt.prefixes);
  double withdraw_s = run_until_held(0);
  settle();
  double cpu4 = speaker_cpu();
  printf("{\"mode\":\"%s\",\"peers\":%d,\"prefixes\":%d,\"announce_from\":%.4f,\"announce_s\":%.4f,\"announce_cpu_s\":%.4f,\"announce_cpu_at_full_s\":%.4f,"
         "\"withdraw_s\":%.4f,\"withdraw_cpu_s\":%.4f,\"flaps\":%d,\"flap_ms_p50\":%.3f,\"flap_ms_p99\":%.3f,\"flap_ms_max\":%.3f,\"flap_cpu_s\":%.4f,"
         "\"updates_to_sinks\":%zu,\"wrong\":%lld,\"lowest\":%lld,\"optional\":0,"
         "\"empty_kb\":%ld,\"loaded_kb\":%ld,\"peak_kb\":%ld,\"end_peak_kb\":%ld,\"end_kb\":%ld}\n",
         opt.mode, n, prefix_total, announce_from, announce_s, cpu1 - cpu0, cpu_held - cpu0, withdraw_s, cpu4 - cpu3, flap.n,
         percentile(&flap, .5), percentile(&flap, .99), percentile(&flap, 1), cpu3 - cpu2, updates, wrong, lowest,
         empty_kb, loaded_kb, peak_kb, speaker_memory_kb("VmHWM"), speaker_memory_kb("VmRSS"));
}
