// The agent's numbers for Prometheus. What docs/metrics.md says of them is held by metrics-page.test.ts.
import { collections, type Kind } from '#api';
import { FAMILIES, type Family, familyIndex } from '#ip';
import { Exposition, label, type Sample } from './exposition.ts';
import type { Figures, ProcessFigures } from './figures.ts';
import { addPoolMetrics } from './pool-metrics.ts';
import { addRangeMetrics, addSessionMetrics } from './session-metrics.ts';
import type { PerFamily, StatusProblem } from '#agent-api';

/** @param turn lets other work of the process go first */
export async function metricsText(figures: Figures, turn: () => Promise<void>): Promise<string> {
  const out = new Exposition(turn);
  const metric = out.metric.bind(out);
  const { version, node, speaker, rib } = figures;
  metric('podroute_build_info', 'gauge', 'Always 1.', [
    { labels: `${label('version', version)},${label('node', node)}`, value: 1 },
  ]);
  metric('podroute_ready', 'gauge', '1: as /readyz says; 0: it says why not.', [flag(figures.isReady)]);
  addProcessMetrics(out, figures.process);
  await addSessionMetrics(out, figures.sessions);
  metric(
    'podroute_bgp_sessions_waiting',
    'gauge',
    'Sessions that wait for a neighbour to be found on their link.',
    [{ value: figures.waiting }],
  );
  addRangeMetrics(out, figures.ranges);
  metric('podroute_rib_prefixes', 'gauge', 'Prefixes in the RIB.', byFamily(rib.prefixes));
  metric('podroute_rib_paths', 'gauge', 'Paths in the RIB.', [{ value: rib.paths }]);
  metric('podroute_rib_changes_waiting', 'gauge', 'Prefixes whose change is still to be decided and sent.', [
    { value: rib.changesWaiting },
  ]);
  metric(
    'podroute_bgp_strangers_refused_total',
    'counter',
    "Connections from addresses that are nobody's.",
    speaker ? [{ value: speaker.strangersRefused }] : [],
  );
  metric(
    'podroute_bgp_log_lines_left_out_total',
    'counter',
    'Log lines of neighbours above the rate of their kind.',
    speaker ? [{ value: speaker.logLinesLeftOut }] : [],
  );
  metric(
    'podroute_bfd_unclaimed_packets_total',
    'counter',
    'BFD packets that belonged to no session; none while nobody listens.',
    figures.bfdUnclaimed === undefined ? [] : [{ value: figures.bfdUnclaimed }],
  );
  const deferred = (family: Family) => figures.deferred.find((one) => one.family === family);
  metric(
    'podroute_bgp_selection_deferred',
    'gauge',
    '1: restarted, and nothing is chosen among learned routes yet.',
    FAMILIES.map((family) => ({ labels: `family="${family}"`, ...flag(deferred(family) !== undefined) })),
  );
  metric(
    'podroute_bgp_selection_waits_for',
    'gauge',
    'Sessions whose routes selection waits for.',
    FAMILIES.map((family) => ({
      labels: `family="${family}"`,
      value: deferred(family)?.neighbours ?? 0,
    })),
  );
  addFibMetrics(out, figures.fib);
  metric(
    'podroute_pods_ready',
    'gauge',
    '1: a pod can be given an address now.',
    figures.canGiveAddresses === undefined ? [] : [flag(figures.canGiveAddresses)],
  );
  addSourceMetrics(out, figures);
  addPoolMetrics(out, figures);
  addCallMetrics(out, figures.calls);
  addStoreMetrics(out, figures.store);
  addProblemMetrics(out, figures.problems);
  metric('podroute_plan_generation', 'gauge', 'Plans put in force since start.', [
    { value: figures.generation },
  ]);
  return out.text;
}

/** Names and meanings as Prometheus' own client libraries have them. */
function addProcessMetrics(out: Exposition, of: ProcessFigures): void {
  const gauge = (name: string, help: string, value: number | undefined): void =>
    out.metric(name, 'gauge', help, value === undefined ? [] : [{ value }]);
  out.metric('process_cpu_seconds_total', 'counter', 'CPU time, of user and system.', [
    { value: of.cpuSeconds },
  ]);
  gauge('process_resident_memory_bytes', 'Resident memory.', of.residentBytes);
  gauge('process_open_fds', 'Open file descriptors.', of.openFiles);
  gauge('process_max_fds', 'File descriptors that may be open.', of.mostFiles);
  gauge('process_start_time_seconds', 'When the process started, since 1970.', of.startedAtSeconds);
  gauge('nodejs_heap_size_used_bytes', "Of the engine's heap, what is in use.", of.heapUsedBytes);
  gauge(
    'podroute_event_loop_delay_p99_seconds',
    'How late the event loop is.',
    seconds(of.eventLoopDelayP99Ms),
  );
  gauge(
    'podroute_event_loop_delay_max_seconds',
    'How late the event loop was at worst.',
    seconds(of.eventLoopDelayMaxMs),
  );
  gauge('podroute_resident_memory_bytes', 'As process_resident_memory_bytes.', of.residentBytes);
}

function addFibMetrics(out: Exposition, fib: Figures['fib']): void {
  const metric = out.metric.bind(out);
  metric('podroute_fib_routes_wanted', 'gauge', 'Kernel routes that should exist.', byFamily(fib?.wanted));
  metric(
    'podroute_fib_routes_installed',
    'gauge',
    'Of these, in the kernel as wanted.',
    byFamily(fib?.installed),
  );
  metric(
    'podroute_fib_routes_failed',
    'gauge',
    'Routes that the kernel refused.',
    fib ? [{ value: fib.failed }] : [],
  );
  metric(
    'podroute_fib_routes_repaired_total',
    'counter',
    'Routes put back after somebody else changed them.',
    fib ? [{ value: fib.repaired }] : [],
  );
  if (fib === undefined) return;
  const { taken, refusals, batches } = fib.sync;
  metric(
    'podroute_fib_changes_total',
    'counter',
    'Changes of routes that the kernel took.',
    FAMILIES.map((family) => ({ labels: `family="${family}"`, value: taken[familyIndex(family)] })),
  );
  metric(
    'podroute_fib_refusals_total',
    'counter',
    'Changes of routes that the kernel refused, by its error.',
    [...refusals].map(([errno, value]) => ({ labels: label('errno', errno), value })),
  );
  out.histogram('podroute_fib_batch_duration_seconds', 'How long the kernel takes for a batch of changes.', [
    ['', batches],
  ]);
}

function addSourceMetrics(out: Exposition, { fib, podPacketsDropped }: Figures): void {
  out.metric(
    'podroute_pod_sources_checked',
    'gauge',
    '1: the kernel drops what pods send from addresses that are not theirs.',
    fib ? [flag(podPacketsDropped !== undefined)] : [],
  );
  out.metric(
    'podroute_pod_packets_dropped_total',
    'counter',
    'Packets of pods that were dropped, by reason.',
    Object.entries(podPacketsDropped ?? {}).map(([reason, value]) => ({
      labels: label('reason', reason),
      value,
    })),
  );
}

function addCallMetrics(out: Exposition, calls: Figures['calls']): void {
  if (calls === undefined) return;
  out.histogram(
    'podroute_cni_call_duration_seconds',
    'From a call of the CNI executable to its answer, by verb; verbs that never came are left out.',
    [...calls.durations].map(([verb, durations]) => [`verb="${verb}"`, durations] as const),
  );
  out.metric(
    'podroute_cni_errors_total',
    'counter',
    'Calls that were answered with an error, by its CNI code.',
    [...calls.errors].map(({ verb, code, count }) => ({
      labels: `verb="${verb}",code="${code}"`,
      value: count,
    })),
  );
}

function addStoreMetrics(out: Exposition, store: Figures['store']): void {
  out.metric(
    'podroute_store_connected',
    'gauge',
    '1: all that is followed is heard from the API server.',
    store ? [flag(store.isConnected)] : [],
  );
  out.metric(
    'podroute_store_silent_seconds',
    'gauge',
    'Since anything was heard from the API server.',
    store?.silentMs === undefined ? [] : [{ value: seconds(store.silentMs) }],
  );
}

/** By kind of object, and by who found them: the objects' names are an operator's, and may be many. */
function addProblemMetrics(out: Exposition, problems: readonly StatusProblem[]): void {
  out.metric('podroute_problems', 'gauge', 'Problems in the configuration or its execution.', [
    { value: problems.length },
  ]);
  const byLabels = Map.groupBy(problems, ({ object, from }) => `kind="${kindOf(object)}",source="${from}"`);
  out.metric(
    'podroute_object_problems',
    'gauge',
    'Of these, by kind of the object and by who found them; kinds without problems are left out.',
    [...byLabels].map(([labels, { length }]) => ({ labels, value: length })),
  );
}

/** 'BGPPeer tor-a' is a BGPPeer. */
function kindOf(object: string): Kind | 'other' {
  const [kind = ''] = object.split(' ', 1);
  return isKind(kind) ? kind : 'other';
}

function isKind(text: string): text is Kind {
  return Object.hasOwn(collections, text);
}

function byFamily(counts: PerFamily | undefined): Sample[] {
  if (counts === undefined) return [];
  return FAMILIES.map((family) => ({ labels: `family="${family}"`, value: counts[family] }));
}

function flag(isSo: boolean): Sample {
  return { value: isSo ? 1 : 0 };
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10_000;
}
