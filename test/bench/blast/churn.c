/* churn: a soak. Injectors (AS 65102 and following) share PREFIXES /24s (see churn-routes.c), change them at a
 * steady rate in bursts of 2 ms, and one after the other drop their sessions, by closing or by Cease, and come
 * back with all their routes. Beside them:
 *   peer 0  the sink: it reads all, and at the end its state is compared with what must have won;
 *   peer 1  the probe: flaps one of 64 prefixes of its own 20 times a second; its way to the sink is timed, and a
 *           flap that is late does not hold up the next one;
 *   a slow reader, which from the start reads SLOW_READER_BYTES_PER_S: it never gets all;
 *   a joiner, which every JOIN_EVERY_S connects, reads the whole table at some speed and leaves.
 * A JSON line a second, and one with "end" after the comparison. A fresh reader is compared too, and the memory
 * is read again when all injectors have left. */
#include "blast.h"
#include <stdio.h>
#include <stdlib.h>

enum { SINK, PROBE, INJECTORS, PROBES = 64, PROBES_PER_S = 20, DOWN_S = 2, REST_S = 25, JOIN_PARTS = 4 };
static const double TICK_S = .002, READ_S = .1, RETRY_S = .5;

static Peer *slow, *joiner;
static double started, back_at[4096];
static int is_announced[4096], reset_count, lost_count, join_count, join_at_s, skipped;
static long long sent, sent_before;
static struct { double sent; uint32_t hash, seed; } probes[PROBES];
static Samples second_ms, all_ms, join_ms;
static double widest_loop;

static uint32_t probe_prefix(int k) { return 198u << 24 | 18 << 16 | k << 8; }

static int churn_index(uint32_t address, int bits) {
  if (bits == 24 && address >> 16 == (198 << 8 | 18) && (address >> 8 & 255) < PROBES)
    return prefix_total + (address >> 8 & 255);
  return synthetic_index(address, bits);
}

static void flap(double t) {
  static int next;
  int k = next++ % PROBES;
  static uint32_t number;
  if (probes[k].sent) { skipped++; return; }
  probes[k].seed = probes[k].seed ? 0 : ++number << 12;
  probes[k].hash = routes_probe(&peers[PROBE], probe_prefix(k), probes[k].seed);
  probes[k].sent = t;
}

static void note_arrivals(void) {
  double t = now();
  for (int k = 0; k < PROBES; k++) {
    if (!probes[k].sent || peers[SINK].state[prefix_total + k] != probes[k].hash) continue;
    double ms = (t - probes[k].sent) * 1e3;
    sample(&second_ms, ms);
    sample(&all_ms, ms);
    if (joiner->up && !joiner->end_of_rib) sample(&join_ms, ms);
    probes[k].sent = 0;
  }
}

/* Whoever is away comes back when it is time; whoever has just come up announces its share. */
static void bring_back(double t) {
  for (int i = 0; i < opt.peers; i++) {
    Peer *p = &peers[INJECTORS + i];
    if (p->lost) p->lost = is_announced[i] = 0, lost_count++, back_at[i] = t + DOWN_S;
    if (p->fd < 0 && t >= back_at[i]) dial(p), back_at[i] = t + RETRY_S;
    if (p->up && !is_announced[i]) routes_announce_share(p), is_announced[i] = 1;
  }
  for (int i = 0; i < peer_count; i++) if (peers[i].lost) peers[i].lost = 0, lost_count++;
}

static void reset(double t) {
  static int next;
  int i = next++ % opt.peers;
  Peer *p = &peers[INJECTORS + i];
  if (!p->up) return;
  hang_up(p, ++reset_count & 1);
  is_announced[i] = 0, back_at[i] = t + DOWN_S;
}

static void clear(Peer *p) {
  for (int i = 0; i < prefix_total + PROBES; i++) p->state[i] = 0;
  p->held = p->end_of_rib = 0;
}

/* The joiner leaves when it has everything, or at the latest before it joins again. */
static void join(double t) {
  static double retry_at;
  static int wants, was_up;
  if (joiner->up && !was_up) wants = 0, join_count++;
  was_up = joiner->up;
  if (joiner->up && joiner->end_of_rib) hang_up(joiner, 1), was_up = 0;
  if (opt.join_every && t - started >= join_at_s) {
    join_at_s += opt.join_every;
    if (joiner->fd >= 0) hang_up(joiner, 0);
    wants = 1, was_up = 0, retry_at = t;
  }
  if (!wants || joiner->fd >= 0 || t < retry_at) return;
  clear(joiner);
  dial(joiner);
  retry_at = t + RETRY_S;
}

static void change(double elapsed) {
  static double owed;
  owed += elapsed * opt.rate;
  if (owed > opt.rate * .2) owed = opt.rate * .2; /* a rate that cannot be held shows as such in "sent" */
  for (int vain = 0; owed >= 1 && vain < 64;) {
    int n = routes_change();
    vain += n == 0;
    sent += n;
    owed -= n;
  }
}

static size_t unread(void) {
  size_t sum = 0;
  for (int i = 0; i < opt.peers; i++) sum += peers[INJECTORS + i].outlen - peers[INJECTORS + i].outpos;
  return sum;
}

static void print_second(double t) {
  static size_t seen_before;
  int up = 0;
  for (int i = 0; i < opt.peers; i++) up += peers[INJECTORS + i].up;
  printf("{\"t\":%.1f,\"rss_kb\":%ld,\"cpu_s\":%.3f,\"wait_s\":%.3f,\"sent\":%lld,\"seen\":%zu,\"unread_kb\":%zu,\"up\":%d,\"resets\":%d,\"joining\":%d,"
         "\"flaps\":%d,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"load_ms\":%.1f}\n",
         t - started, speaker_memory_kb("VmRSS"), speaker_cpu(), speaker_wait(), sent - sent_before, peers[SINK].changes_in - seen_before,
         unread() >> 10, up, reset_count, joiner->up, second_ms.n, percentile(&second_ms, .5), percentile(&second_ms, .99),
         percentile(&second_ms, 1), widest_loop * 1e3);
  fflush(stdout);
  sent_before = sent, seen_before = peers[SINK].changes_in;
  second_ms.n = 0, widest_loop = 0;
}

static void keep_alive(void) {
  for (int i = 0; i < peer_count; i++) if (peers[i].up) put_keepalive(&peers[i]);
}

static void churn(void) {
  double last = now(), tick = last, second = last, probe = last, reads = last, alive = last, resets = last;
  started = last, join_at_s = opt.join_every;
  for (;;) {
    pump(1);
    note_arrivals();
    double t = now();
    if (t - last > widest_loop) widest_loop = t - last;
    last = t;
    if (t - tick >= TICK_S) change(t - tick), tick = t;
    if (t - probe >= 1) probe = second = t - 1; /* this process itself was held up */
    if (t - probe >= 1. / PROBES_PER_S) flap(t), probe += 1. / PROBES_PER_S;
    if (t - reads >= READ_S) {
      reads = t;
      slow->read_budget = slow->read_rate * READ_S, joiner->read_budget = joiner->read_rate * READ_S;
      bring_back(t);
      join(t);
    }
    if (t - resets >= opt.reset_every && t - started < opt.seconds - DOWN_S - 1) reset(t), resets = t;
    if (t - alive >= hold_time / 3) keep_alive(), alive = t;
    if (t - second >= 1) print_second(t), second += 1;
    if (t - started >= opt.seconds) return;
  }
}

/* Waits for the last flaps; those that never come are counted as unseen. */
static void drain(void) {
  double t0 = now();
  for (int waiting = 1; waiting && now() - t0 < 5;) {
    pump(1);
    note_arrivals();
    waiting = 0;
    for (int k = 0; k < PROBES; k++) waiting |= probes[k].sent != 0;
  }
}

/* Nothing changes any more: the guests leave, everybody else is there, what is on its way arrives. */
static void come_to_rest(void) {
  if (slow->fd >= 0) hang_up(slow, 0);
  if (joiner->fd >= 0) hang_up(joiner, 0);
  for (int up = 0; up < opt.peers;) {
    pump(10);
    bring_back(now());
    up = 0;
    for (int i = 0; i < opt.peers; i++) up += peers[INJECTORS + i].up && is_announced[i];
    if (now() - started > opt.seconds + 60) die(2, "only %d of %d injectors came back", up, opt.peers);
  }
  settle();
}

static int differing(const Peer *p) {
  int wrong = 0;
  for (int i = 0; i < prefix_total + PROBES; i++) {
    int k = i - prefix_total;
    uint32_t expected = k < 0 ? routes_expected(i) : probes[k].hash;
    if (p->state[i] == expected || ++wrong > 20) continue;
    fprintf(stderr, "%s: %s/24 is %s\n", ipstr(p->ip), ipstr(k < 0 ? synthetic_prefix(i) : probe_prefix(k)),
            !p->state[i] ? "missing" : !expected ? "there, but nobody has it" : "not the route that wins");
  }
  return wrong;
}

static void explain(void) { differing(&peers[SINK]); }

static int differing_when_fresh(void) {
  joiner->read_rate = 0;
  clear(joiner);
  for (double t0 = now(), retry_at = t0; !joiner->end_of_rib; pump(50)) {
    if (joiner->fd < 0 && now() >= retry_at) clear(joiner), dial(joiner), retry_at = now() + RETRY_S;
    if (now() - t0 > 60) die(4, "%s: no End-of-RIB within 60 s", ipstr(joiner->ip));
  }
  settle();
  int wrong = differing(joiner);
  hang_up(joiner, 1);
  return wrong;
}

static long memory_when_left(void) {
  for (int i = 0; i < opt.peers; i++) hang_up(&peers[INJECTORS + i], 1);
  int flapped = 0;
  for (int k = 0; k < PROBES; k++) flapped += probes[k].hash != 0;
  for (double t0 = now(); peers[SINK].held != flapped; pump(50))
    if (now() - t0 > 60) die(4, "sink still holds %d prefixes, %d expected", peers[SINK].held, flapped);
  for (double t0 = now(); now() - t0 < REST_S;) pump(50);
  return speaker_memory_kb("VmRSS");
}

void churn_mode(void) {
  if (opt.peers > 4096 || opt.peers < 1) die(1, "churn: 1 to 4096 peers, not %d", opt.peers);
  prefix_total = opt.prefixes;
  prefix_index = churn_index;
  on_stall = explain;
  survive_loss = 1;
  hold_time = 90;
  peers = calloc(opt.peers + 4, sizeof *peers);
  for (int i = 0; i < opt.peers + 4; i++) peers[i] = (Peer){ .fd = -1, .ip = opt.base_ip + i, .as = 65100 + i, .ebgp = 1 };
  slow = &peers[INJECTORS + opt.peers], joiner = slow + 1;
  peers[SINK].sink = joiner->sink = 1;
  peers[SINK].state = calloc(prefix_total + PROBES, sizeof(uint32_t));
  joiner->state = calloc(prefix_total + PROBES, sizeof(uint32_t));
  slow->read_rate = opt.slow_rate;
  /* The table in about a quarter of the time between two joins, at some 60 bytes a prefix. */
  joiner->read_rate = opt.join_every ? 60. * prefix_total * JOIN_PARTS / opt.join_every : 0;

  peer_count = INJECTORS + opt.peers;
  open_all();
  peer_count += 2;
  long empty_kb = speaker_memory_kb("VmRSS");
  routes_make(opt.peers, &peers[INJECTORS]);
  bring_back(now());
  run_until_held(routes_alive());
  settle();
  long loaded_kb = speaker_memory_kb("VmRSS");
  double cpu0 = speaker_cpu();
  if (slow->read_rate && dial(slow)) die(2, "%s: no connection", ipstr(slow->ip));
  size_t seen0 = peers[SINK].changes_in;
  churn();
  drain();
  double cpu1 = speaker_cpu();
  size_t seen = peers[SINK].changes_in - seen0;
  come_to_rest();
  int wrong = differing(&peers[SINK]), wrong_fresh = differing_when_fresh(), late = 0;
  for (int k = 0; k < PROBES; k++) late += probes[k].sent != 0;
  double silence = 0;
  for (int i = 0; i < peer_count; i++) if (peers[i].widest_gap > silence) silence = peers[i].widest_gap;
  int alive = routes_alive();
  long left_kb = memory_when_left();
  printf("{\"end\":true,\"prefixes\":%d,\"wrong\":%d,\"wrong_fresh\":%d,\"resets\":%d,\"lost\":%d,\"joins\":%d,\"sent\":%lld,\"seen\":%zu,"
         "\"cpu_s\":%.3f,\"empty_kb\":%ld,\"loaded_kb\":%ld,\"left_kb\":%ld,\"peak_kb\":%ld,\"silence_s\":%.1f,"
         "\"flaps\":%d,\"unseen\":%d,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,"
         "\"join_flaps\":%d,\"join_p50_ms\":%.3f,\"join_p99_ms\":%.3f,\"join_max_ms\":%.3f}\n",
         alive, wrong, wrong_fresh, reset_count, lost_count, join_count, sent, seen, cpu1 - cpu0, empty_kb, loaded_kb, left_kb,
         speaker_memory_kb("VmHWM"), silence, all_ms.n, late + skipped, percentile(&all_ms, .5), percentile(&all_ms, .99),
         percentile(&all_ms, 1), join_ms.n, percentile(&join_ms, .5), percentile(&join_ms, .99), percentile(&join_ms, 1));
}
