// The FIB as an operator reads it: counts, failures, next hops, and pages of routes with what the kernel has of each.
import type { FibFailure, FibStatus, NextHopStatus, RouteStatus } from '#agent-api';
import { clearHostBits, type Family, familyName, sameBits } from '#ip';
import type { Columns } from './fib-columns.ts';
import { tablePrefix } from './table-prefix.ts';
import type { Link } from '#linux';
import type { Failures } from './kernel/failures.ts';
import type { SyncFigures } from './kernel/sync-figures.ts';
import type { NextHops } from './tracked-hops.ts';
import { AGGREGATE_SET, type HopSets } from './hop-sets.ts';
import { NO_TARGET, type Targets } from './targets.ts';

const SHOWN_FAILURES = 100;
const SHOWN_NEXT_HOPS = 1_000;

/** What the FIB shows of itself. */
export interface FibState {
  readonly columns: readonly [Columns, Columns];
  readonly targets: Targets;
  readonly sets: HopSets;
  readonly hops: NextHops;
  readonly failures: Failures;
  readonly figures: SyncFigures;
  readonly links: ReadonlyMap<number, Link>;
  readonly repaired: number;
  readonly isSettled: boolean;
  readonly nowMs: number;
}

export function fibStatus(state: FibState, table: number, protocol: number, metric: number): FibStatus {
  const [ipv4, ipv6] = state.columns;
  return {
    table,
    protocol,
    metric,
    wanted: { ipv4: ipv4.wantedCount, ipv6: ipv6.wantedCount },
    installed: { ipv4: installedCount(ipv4), ipv6: installedCount(ipv6) },
    pending: ipv4.pendingCount + ipv6.pendingCount,
    failed: state.failures.count,
    adopted: ipv4.adoptedCount + ipv6.adoptedCount,
    repaired: state.repaired,
    failures: failures(state),
    nextHops: nextHops(state),
    isConverged: state.isSettled,
  };
}

function installedCount(columns: Columns, from = 0, end = columns.prefixes.ids.end): number {
  let count = 0;
  for (let id = from; id < end; id++) {
    if (!columns.prefixes.ids.has(id) || !columns.isWanted(id)) continue;
    if (columns.installedOf(id) !== NO_TARGET && columns.installedOf(id) === columns.targetOf(id)) count++;
  }
  return count;
}

/** Of a family, counted in turns: what changes meanwhile may be missed or counted twice. */
export async function installedInTurns(columns: Columns, turn: () => Promise<void>): Promise<number> {
  let count = 0;
  for (let id = 0; id < columns.prefixes.ids.end; id += SCAN_LIMIT) {
    count += installedCount(columns, id, Math.min(id + SCAN_LIMIT, columns.prefixes.ids.end));
    await turn();
  }
  return count;
}

function failures(state: FibState): FibFailure[] {
  const shown: FibFailure[] = [];
  for (const { family, id, reason, attempts, retryAtMs } of state.failures.all()) {
    if (shown.length === SHOWN_FAILURES) break;
    const retryInSeconds = Math.max(0, Math.ceil((retryAtMs - state.nowMs) / 1000));
    shown.push({ prefix: state.columns[family].textOf(id), reason, attempts, retryInSeconds });
  }
  return shown;
}

function nextHops(state: FibState): NextHopStatus[] {
  const shown: NextHopStatus[] = [];
  for (const { address, device, resolution } of state.hops.all()) {
    if (shown.length === SHOWN_NEXT_HOPS) break;
    const { isReachable, how, metric } = resolution;
    shown.push({ address, ...(device === undefined ? {} : { device }), isReachable, how, metric });
  }
  return shown;
}

export interface FibQuery {
  readonly family?: Family;
  readonly prefix?: string;
  readonly longer?: boolean;
  /** As returned with the page before: 'FAMILY:ID'. */
  readonly cursor?: string;
  readonly limit: number;
}

export interface FibPage {
  readonly routes: RouteStatus[];
  readonly nextCursor?: string;
}

/** Ids looked at in one call, so that a page of a sparse filter does not stall the agent. */
const SCAN_LIMIT = 50_000;

/** One page of the wanted and adopted routes, in no order that means anything. Throws RangeError for a bad prefix or cursor. */
export function fibPage(state: FibState, query: FibQuery): FibPage {
  if (query.prefix !== undefined && !query.prefix.includes('/')) return longestMatch(state, query.prefix);
  const filter = query.prefix === undefined ? undefined : tablePrefix(query.prefix);
  if (filter !== undefined) clearHostBits(filter.bytes, filter.length); // as the RIB's views do
  const [familyText = '0', idText = '0'] = (query.cursor ?? '0:0').split(':');
  let family = Number(familyText);
  let id = Number(idText);
  if (!(family === 0 || family === 1) || !Number.isInteger(id))
    throw new RangeError(`not a cursor: ${query.cursor}`);
  const routes: RouteStatus[] = [];
  let scanned = 0;
  for (; family < 2; family++, id = 0) {
    const columns = state.columns[family as 0 | 1];
    if (query.family !== undefined && query.family !== familyName(columns.family)) continue;
    if (filter !== undefined && filter.family !== family) continue;
    if (filter !== undefined && !query.longer) {
      const found = columns.prefixes.findBytes(filter.bytes, 0, filter.length);
      return { routes: found < 0 ? [] : [routeOf(state, columns, found)] };
    }
    for (; id < columns.prefixes.ids.end; id++) {
      if (routes.length >= query.limit || scanned++ >= SCAN_LIMIT)
        return { routes, nextCursor: `${family}:${id}` };
      if (!columns.prefixes.ids.has(id)) continue;
      if (filter !== undefined && !isInside(columns, id, filter.bytes, filter.length)) continue;
      routes.push(routeOf(state, columns, id));
    }
  }
  return { routes };
}

function longestMatch(state: FibState, address: string): FibPage {
  const { family, bytes } = tablePrefix(address);
  const columns = state.columns[family];
  for (let length = bytes.length * 8; length >= 0; length--) {
    clearHostBits(bytes, length);
    const found = columns.prefixes.findBytes(bytes, 0, length);
    if (found >= 0) return { routes: [routeOf(state, columns, found)] };
  }
  return { routes: [] };
}

function isInside(columns: Columns, id: number, address: Uint8Array, length: number): boolean {
  const own = new Uint8Array(16);
  return columns.prefixes.read(id, own, 0) >= length && sameBits(own, 0, address, 0, length);
}

function routeOf(state: FibState, columns: Columns, id: number): RouteStatus {
  const set = columns.wantedSetOf(id);
  const isHeld = columns.isHeld(id) || set === AGGREGATE_SET;
  const target = columns.targetOf(id);
  const installed = columns.installedOf(id);
  const failure = state.failures.of(columns.family, id);
  const kernelState = columns.isAdopted(id)
    ? 'adopted'
    : failure !== undefined
      ? 'failed'
      : installed === target && target !== NO_TARGET
        ? 'installed'
        : 'pending';
  return {
    prefix: columns.textOf(id),
    family: familyName(columns.family),
    isLocal: isHeld,
    isBest: columns.isWanted(id),
    isMultipath: false,
    nextHops: isHeld ? [] : state.sets.addressesOf(set),
    asPath: '',
    communities: [],
    largeCommunities: [],
    why: whyOf(state, columns, id, failure?.reason),
    kernel: { state: kernelState, route: state.targets.textOf(installed, state.links) },
  };
}

function whyOf(state: FibState, columns: Columns, id: number, refusal: string | undefined): string {
  if (refusal !== undefined) return refusal;
  if (columns.isHeld(id)) return 'block of this node: free addresses answer unreachable';
  if (columns.wantedSetOf(id) === AGGREGATE_SET)
    return 'aggregate of this node: what no route inside it takes answers unreachable';
  if (columns.isAdopted(id)) return 'left by an earlier run; deleted unless learned again';
  const trouble = state.sets.troubleOf(columns.wantedSetOf(id));
  return trouble === '' ? 'best path' : trouble;
}
