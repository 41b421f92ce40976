// The agent's numbers for Prometheus.
import { FAMILIES } from '#ip';
import { Exposition, label, type Sample } from './exposition.ts';
import { addSessionMetrics } from './session-metrics.ts';
import type { StatusReply } from '#agent-api';

export function prometheusText(status: StatusReply): string {
  const out = new Exposition();
  const metric = out.metric.bind(out);
  const byFamily = (counts: { ipv4: number; ipv6: number } | undefined): Sample[] =>
    counts === undefined
      ? []
      : FAMILIES.map((family) => ({
          labels: label('family', family),
          value: counts[family],
        }));
  metric('build_info', 'gauge', 'Always 1.', [
    { labels: `${label('version', status.version)},${label('node', status.node)}`, value: 1 },
  ]);
  addSessionMetrics(out, status.sessions);
  metric('rib_prefixes', 'gauge', 'Prefixes in the RIB.', byFamily(status.rib.prefixes));
  metric('rib_paths', 'gauge', 'Paths in the RIB.', [{ value: status.rib.paths }]);
  const { fib, speaker } = status;
  metric(
    'bgp_strangers_refused_total',
    'counter',
    "Connections from addresses that are nobody's.",
    speaker ? [{ value: speaker.strangersRefused }] : [],
  );
  metric(
    'bgp_log_lines_left_out_total',
    'counter',
    'Log lines of neighbours above the rate of their kind.',
    speaker ? [{ value: speaker.logLinesLeftOut }] : [],
  );
  metric(
    'pods_ready',
    'gauge',
    '1: a pod can be given an address now.',
    fib ? [{ value: status.whyNoPods === undefined ? 1 : 0 }] : [],
  );
  metric(
    'pod_sources_checked',
    'gauge',
    '1: the kernel drops what pods send from addresses that are not theirs.',
    fib ? [{ value: status.podPacketsDropped === undefined ? 0 : 1 }] : [],
  );
  metric(
    'pod_packets_dropped_total',
    'counter',
    'Packets of pods that were dropped, by reason.',
    Object.entries(status.podPacketsDropped ?? {}).map(([reason, value]) => ({
      labels: label('reason', reason),
      value,
    })),
  );
  metric('fib_routes_wanted', 'gauge', 'Kernel routes that should exist.', byFamily(fib?.wanted));
  metric('fib_routes_installed', 'gauge', 'Of these, in the kernel as wanted.', byFamily(fib?.installed));
  metric('fib_routes_failed', 'gauge', 'Routes that the kernel refused.', fib ? [{ value: fib.failed }] : []);
  metric(
    'fib_routes_repaired_total',
    'counter',
    'Routes put back after somebody else changed them.',
    fib ? [{ value: fib.repaired }] : [],
  );
  metric('ipam_blocks', 'gauge', 'Blocks held by this node.', byFamily(status.ipam.blocks));
  metric('ipam_addresses_used', 'gauge', 'Pod addresses given out.', byFamily(status.ipam.addressesInUse));
  metric(
    'ipam_addresses_free',
    'gauge',
    'Pod addresses left in held blocks.',
    byFamily(status.ipam.addressesFree),
  );
  metric('problems', 'gauge', 'Problems in the configuration or its execution.', [
    { value: status.problems.length },
  ]);
  metric('plan_generation', 'gauge', 'Plans put in force since start.', [{ value: status.plan.generation }]);
  metric('event_loop_delay_p99_seconds', 'gauge', 'How late the event loop is.', [
    { value: seconds(status.process.eventLoopDelayP99Ms) },
  ]);
  metric('event_loop_delay_max_seconds', 'gauge', 'How late the event loop was at worst.', [
    { value: seconds(status.process.eventLoopDelayMaxMs) },
  ]);
  metric('resident_memory_bytes', 'gauge', 'Resident memory.', [{ value: status.process.rssBytes }]);
  return out.text;
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10_000;
}
