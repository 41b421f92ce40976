// The agent's numbers in Prometheus' text format (version 0.0.4). Names end in their unit; sessions are labelled by
// id, so that their number is bounded by the plan.
import type { SessionStatus, StatusReply } from './types.ts';

type Labels = Readonly<Record<string, string>>;
interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

export function prometheusText(status: StatusReply): string {
  const out: string[] = [];
  const metric = (name: string, type: 'gauge' | 'counter', help: string, samples: readonly Sample[]) => {
    if (samples.length === 0) return;
    out.push(`# HELP podroute_${name} ${help}`, `# TYPE podroute_${name} ${type}`);
    for (const { labels, value } of samples) out.push(`podroute_${name}${labelText(labels)} ${value}`);
  };
  const bySession = (value: (session: SessionStatus) => number): Sample[] =>
    status.sessions.map((session) => ({ labels: { session: session.id }, value: value(session) }));
  const byFamily = (counts: { ipv4: number; ipv6: number } | undefined): Sample[] =>
    counts === undefined
      ? []
      : (['ipv4', 'ipv6'] as const).map((family) => ({ labels: { family }, value: counts[family] }));
  const prefixes = (which: 'received' | 'accepted' | 'advertised'): Sample[] =>
    status.sessions.flatMap((session) =>
      (['ipv4', 'ipv6'] as const).map((family) => ({
        labels: { session: session.id, family },
        value: session.prefixes[which][family],
      })),
    );

  metric('build_info', 'gauge', 'Always 1.', [
    { labels: { version: status.version, node: status.node }, value: 1 },
  ]);
  metric('session_up', 'gauge', 'Whether the BGP session is established.', [
    ...bySession((session) => (session.state === 'Established' ? 1 : 0)),
  ]);
  metric(
    'session_flaps_total',
    'counter',
    'Times that the established session was lost.',
    bySession((s) => s.flaps),
  );
  metric(
    'session_updates_received_total',
    'counter',
    'UPDATE messages received.',
    bySession((s) => s.messages.updatesIn),
  );
  metric(
    'session_updates_sent_total',
    'counter',
    'UPDATE messages sent.',
    bySession((s) => s.messages.updatesOut),
  );
  metric('session_prefixes_received', 'gauge', 'Prefixes in Adj-RIB-In.', prefixes('received'));
  metric('session_prefixes_accepted', 'gauge', 'Prefixes that policy let in.', prefixes('accepted'));
  metric('session_prefixes_advertised', 'gauge', 'Prefixes in Adj-RIB-Out.', prefixes('advertised'));
  metric('rib_prefixes', 'gauge', 'Prefixes in the RIB.', byFamily(status.rib.prefixes));
  metric('rib_paths', 'gauge', 'Paths in the RIB.', [{ value: status.rib.paths }]);
  const { fib } = status;
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
  return `${out.join('\n')}\n`;
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10_000;
}

function labelText(labels: Labels | undefined): string {
  if (labels === undefined) return '';
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return `{${parts.join(',')}}`;
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
