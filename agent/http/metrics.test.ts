// What a scrape says, against Prometheus' conventions and docs/metrics.md.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { answerMetrics } from './endpoints.ts';
import type { Figures } from './figures.ts';
import { metricsText } from './metrics.ts';
import { SESSION, wholeFigures } from './testing/whole-figures.ts';

const write = (figures: Partial<Figures> = {}, turn = () => Promise.resolve()) =>
  metricsText({ ...wholeFigures(), ...figures }, turn);

const typesOf = (text: string) =>
  new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]));

describe('a scrape', () => {
  it('says of BFD what a session with it has, and nothing of the others', async () => {
    const bfd = { profile: 'defaults', state: 'Up', since: '', transmitMicros: 300_000, downs: 4 } as const;
    const { bfd: _, ...without } = SESSION;
    const text = await write({
      sessions: [
        { ...SESSION, id: 'a', bfd: { ...bfd, detectionMicros: 900_000, refused: 5, lastRefusal: 'TTL' } },
        { ...SESSION, id: 'b', bfd: { ...bfd, state: 'Init' } },
        { ...without, id: 'c' },
      ],
    });
    assert.deepEqual(
      text
        .match(/^podroute_bgp_session_bfd_.*$/gm)
        ?.map((line) => line.slice('podroute_bgp_session_'.length)),
      [
        'bfd_up{session="a"} 1',
        'bfd_up{session="b"} 0',
        'bfd_downs_total{session="a"} 4',
        'bfd_downs_total{session="b"} 4',
        'bfd_detection_seconds{session="a"} 0.9',
        'bfd_detection_seconds{session="b"} 0',
        'bfd_refused_packets_total{session="a"} 5',
        'bfd_refused_packets_total{session="b"} 0',
      ],
    );
  });

  it('says what the parts of the agent counted', async () => {
    const lines = new Set((await write()).split('\n'));
    const session = 'session="tor \\"a\\""';
    for (const line of [
      `podroute_bgp_session_info{${session},kind="peer",peer_address="10.0.1.0",remote_as="65000"} 1`,
      `podroute_bgp_session_state{${session}} 6`,
      `podroute_bgp_session_up{${session}} 1`,
      `podroute_bgp_session_losses_total{${session},kind="hold_timer_expired"} 6`,
      `podroute_bgp_session_messages_total{${session},direction="out",type="update"} 2`,
      `podroute_bgp_session_notifications_total{${session},direction="in",code="cease"} 2`,
      `podroute_bgp_session_notifications_total{${session},direction="in",code="other"} 2`,
      `podroute_bgp_session_notifications_total{${session},direction="out",code="hold_timer"} 1`,
      `podroute_bgp_session_malformed_updates_total{${session},action="treat_as_withdraw"} 3`,
      `podroute_bgp_session_bfd_up{${session}} 1`,
      `podroute_bgp_session_bfd_downs_total{${session}} 2`,
      `podroute_bgp_session_bfd_detection_seconds{${session}} 0.9`,
      `podroute_bgp_session_bfd_refused_packets_total{${session}} 3`,
      `podroute_bgp_session_prefixes_filtered{${session},family="ipv4"} 1`,
      'podroute_bgp_sessions_waiting 1',
      'podroute_bgp_range_neighbours{range="racks"} 3',
      'podroute_bgp_range_neighbours_established{range="racks"} 2',
      'podroute_bgp_range_prefixes_accepted{range="racks",family="ipv4"} 7',
      'podroute_rib_prefixes{family="ipv6"} 1',
      'podroute_bgp_strangers_refused_total 5',
      'podroute_bgp_selection_deferred{family="ipv4"} 0',
      'podroute_bgp_selection_deferred{family="ipv6"} 1',
      'podroute_bgp_selection_waits_for{family="ipv6"} 3',
      'podroute_bgp_log_lines_left_out_total 7',
      'podroute_fib_changes_total{family="ipv4"} 9',
      'podroute_fib_refusals_total{errno="ENETUNREACH"} 1',
      'podroute_fib_batch_duration_seconds_bucket{le="0.001"} 0',
      'podroute_fib_batch_duration_seconds_bucket{le="0.0025"} 1',
      'podroute_fib_batch_duration_seconds_bucket{le="+Inf"} 1',
      'podroute_ipam_addresses_used{family="ipv4"} 6',
      'podroute_ipam_pool_addresses{pool="pods",family="ipv4"} 65536',
      'podroute_ipam_pool_addresses{pool="spare",family="ipv6"} 18446744073709552000',
      'podroute_ipam_pool_blocks{pool="pods",family="ipv4"} 2',
      'podroute_ipam_pool_blocks{pool="spare",family="ipv6"} 0',
      'podroute_ipam_pool_addresses_used{pool="pods",family="ipv4"} 4',
      'podroute_ipam_pool_addresses_free{pool="podCIDRs",family="ipv4"} 61',
      'podroute_cni_call_duration_seconds_count{verb="ADD"} 2',
      'podroute_cni_call_duration_seconds_sum{verb="ADD"} 0.015',
      'podroute_cni_errors_total{verb="ADD",code="100"} 1',
      'podroute_pod_sources_checked 1',
      'podroute_pod_packets_dropped_total{reason="source"} 4',
      'podroute_pod_packets_dropped_total{reason="advertisement"} 1',
      'podroute_pod_packets_dropped_total{reason="linkLocal"} 2',
      'podroute_store_connected 0',
      'podroute_store_silent_seconds 90.5',
      'podroute_problems 3',
      'podroute_object_problems{kind="BGPPeer",source="plan"} 2',
      'podroute_object_problems{kind="other",source="store"} 1',
      'podroute_ready 1',
      'podroute_pods_ready 1',
      'podroute_event_loop_delay_p99_seconds 0.0015',
      'process_cpu_seconds_total 1.5',
      'process_open_fds 30',
      'process_start_time_seconds 1800000000.25',
    ]) {
      assert.ok(lines.has(line), line);
    }
  });

  it('leaves out what an agent does not have', async () => {
    const { fib: _, canGiveAddresses: _1, calls: _2, ...rest } = wholeFigures();
    const text = await metricsText({ ...rest, usage: undefined }, () => Promise.resolve());
    assert.doesNotMatch(text, /podroute_(fib|cni|pods)_/);
    assert.doesNotMatch(text, /prefixes_received\{[^}]*family="ipv6"/, 'only families in use');
  });

  it('tells that pods are not kept to their addresses, and counts no packets then', async () => {
    const { podPacketsDropped: _, ...rest } = wholeFigures();
    const text = await metricsText(rest, () => Promise.resolve());
    assert.match(text, /^podroute_pod_sources_checked 0$/m);
    assert.doesNotMatch(text, /pod_packets_dropped/);
  });

  it('is text with a help and a type line before the samples of each metric, which stand together', async () => {
    const text = await write();
    const seen = new Set<string>();
    let current = '';
    for (const line of text.trimEnd().split('\n')) {
      const head = /^# (HELP|TYPE) (\S+) ./.exec(line);
      if (head !== null) {
        if (head[1] === 'HELP') {
          assert.ok(!seen.has(head[2]!), `${head[2]} twice`);
          seen.add((current = head[2]!));
        }
        continue;
      }
      const name = /^([a-z][a-z0-9_]+)(\{([a-z_]+="(\\.|[^"\\])*",?)+\})? -?[0-9.e+-]+$/.exec(line)?.[1];
      assert.ok(name !== undefined, line);
      assert.equal(
        name.replace(/_(bucket|sum|count)$/, ''),
        current.replace(/_(bucket|sum|count)$/, ''),
        line,
      );
    }
  });

  it('has a line in docs/metrics.md for each metric, and no other metric stands there', async () => {
    const types = typesOf(await write());
    const page = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');
    const table = page.split('\n').filter((line) => line.startsWith('| `'));
    const named = table.flatMap((line) =>
      [...line.split('|')[1]!.matchAll(/`([a-z_0-9]+)`/g)].map((match) => match[1]!),
    );
    assert.deepEqual(named.toSorted(), [...types.keys()].toSorted());
    for (const line of table) {
      for (const [, name = ''] of line.split('|')[1]!.matchAll(/`([a-z_0-9]+)`/g))
        assert.equal(line.split('|')[2]!.trim(), types.get(name), line);
    }
  });

  it('says nothing that a neighbour of a range could multiply, and of 1,000 sessions a line each', async () => {
    const sessions = Array.from({ length: 1000 }, (_, i) => ({ ...SESSION, id: `mesh/node-${i}/ipv4` }));
    const text = await write({ sessions });
    assert.equal(text.match(/^podroute_bgp_session_state\{/gm)?.length, 1000);
    assert.equal(text.match(/^podroute_bgp_range_neighbours\{/gm)?.length, 1);
  });

  it('is asked for by GET /metrics only', async () => {
    const source = { metrics: () => Promise.resolve('text\n') };
    const reply = await answerMetrics({ method: 'GET', url: '/metrics?x=1' }, source);
    assert.deepEqual([reply?.status, reply?.body], [200, 'text\n']);
    assert.equal(answerMetrics({ method: 'POST', url: '/metrics' }, source), undefined);
    assert.equal(answerMetrics({ method: 'GET', url: '/healthz' }, source), undefined);
  });
});
