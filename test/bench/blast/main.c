/* bgpblast: loads any BGP speaker from outside and times what comes back.
 *
 *   bgpblast table   -t DUT -p PORT -a BASE -n PREFIXES -k INJECTORS -u PER_UPDATE
 *   bgpblast reflect -t DUT -p PORT -a BASE -n PREFIXES_PER_CLIENT -k CLIENTS
 *   bgpblast feed    -t DUT -p PORT -a BASE -f FILE -k INJECTORS [-n PREFIXES]
 *   bgpblast churn   -t DUT -p PORT -a BASE -n PREFIXES -k PEERS -r CHANGES_PER_S -d SECONDS
 *                    -R RESET_EVERY_S -S SLOW_READER_BYTES_PER_S -J JOIN_EVERY_S
 *
 * table:   INJECTORS eBGP peers (AS 65101, 65102, ...) each announce the same PREFIXES /24s, PER_UPDATE
 *          prefixes to one distinct attribute set; one eBGP sink (AS 65100) waits until it has learned all.
 *          Then 200 single-prefix flaps are timed injector -> sink with the table loaded, then all is withdrawn.
 * reflect: CLIENTS iBGP peers (the speaker's AS) each announce their own prefixes, as nodes behind a route
 *          reflector do, and wait until each has learned every other's. Then 50 flaps are timed until the
 *          last client has seen them, then all is withdrawn.
 * feed:    see feed.c.   churn: see churn.c.
 *
 * Peer i connects from BASE + i (the sink is BASE) to DUT:PORT, so those addresses must exist here. The speaker's
 * AS is -A (65000 unless told); it must accept all, export all, set next-hop-self for eBGP, and have passive or
 * dynamic neighbours. With -P PID the speaker's CPU seconds and memory are read at the phases' ends; CPU and
 * peak of "announce" are read when the sinks have been quiet for a second, so that late work counts.
 * One JSON line is printed (churn: one a second before it). Exit: 0 done, 1 wrong use, 2 no session, 3 session lost, 4 stalled. */
#define _GNU_SOURCE
#include "blast.h"
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

Options opt = { .target = "127.0.0.1", .port = 179, .prefixes = 100000, .peers = 1, .per_update = 5, .as = 65000,
                .rate = 20000, .seconds = 600, .reset_every = 10, .slow_rate = 10000, .join_every = 60 };
int prefix_total;
int (*prefix_index)(uint32_t, int);

static uint32_t address(const char *text) {
  struct in_addr a;
  if (inet_pton(AF_INET, text, &a) != 1) die(1, "%s: not an IPv4 address", text);
  return ntohl(a.s_addr);
}

int main(int argc, char **argv) {
  if (argc < 2) die(1, "usage: bgpblast table|reflect|feed|churn ...; see the head of main.c");
  opt.mode = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    const char *v = argv[i + 1];
    switch (argv[i][1]) {
      case 'n': opt.prefixes = atoi(v); break;
      case 'k': opt.peers = atoi(v); break;
      case 'u': opt.per_update = atoi(v); break;
      case 'p': opt.port = atoi(v); break;
      case 't': strncpy(opt.target, v, 63); opt.target_ip = address(v); break;
      case 'a': opt.base_ip = address(v); break;
      case 'A': opt.as = atoi(v); break;
      case 'P': opt.pid = atoi(v); break;
      case 'f': opt.feed = v; break;
      case 'r': opt.rate = atoi(v); break;
      case 'd': opt.seconds = atoi(v); break;
      case 'R': opt.reset_every = atoi(v); break;
      case 'S': opt.slow_rate = atoi(v); break;
      case 'J': opt.join_every = atoi(v); break;
      default: die(1, "unknown option %s", argv[i]);
    }
  }
  struct rlimit files = { 65536, 65536 };
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGPIPE, SIG_IGN);
  if (!strcmp(opt.mode, "table")) table_mode(0);
  else if (!strcmp(opt.mode, "reflect")) table_mode(1);
  else if (!strcmp(opt.mode, "feed")) feed_mode();
  else if (!strcmp(opt.mode, "churn")) churn_mode();
  else die(1, "unknown mode %s", opt.mode);
  return 0;
}
