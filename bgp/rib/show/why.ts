// Why a path is used or not, in words that an operator can act on. Display only: it asks the same code that
// decided, so that the words cannot drift from the decision.
import * as step from '../table/decision.ts';
import { formatIpv4 } from '../../message/index.ts';
import {
  BEST,
  FILTERED,
  INELIGIBLE,
  LONG_LIVED_STALE,
  MULTIPATH,
  type RibTable,
  STALE,
} from '../table/rib-table.ts';
import { LOCAL_SLOT } from '../table/peer-slots.ts';
import type { RibContents } from './rib-contents.ts';

const ORIGINS = ['IGP', 'EGP', 'INCOMPLETE'];

/** One line for one live path. */
export function whyPath(rib: RibContents, table: RibTable, path: number): string {
  const flags = table.flags[path]!;
  const slot = table.peer[path]!;
  const set = table.attribute[path]!;
  const peer = rib.bySlot[slot];
  const epoch = table.epoch[path]!;
  const isRefreshed = rib.slots.isStale(slot, table.family, epoch);
  if (rib.slots.epoch[slot * 2 + table.family] !== epoch && (flags & STALE) === 0 && !isRefreshed)
    return 'its neighbour no longer has it, being removed';
  if ((flags & INELIGIBLE) !== 0 && peer !== undefined) {
    return rib.importer.whyIneligible(peer, set) ?? 'not usable: being looked at again';
  }
  if ((flags & FILTERED) !== 0 && peer !== undefined) return whyFiltered(rib, table, path);
  const stale =
    (flags & LONG_LIVED_STALE) !== 0
      ? ', long-lived stale'
      : (flags & STALE) !== 0 || isRefreshed
        ? ', stale'
        : '';
  if (!rib.decision.isUsable(table, path)) {
    const hop = rib.attributes.nextHop[set]!;
    return hop < 0 ? `not usable${stale}` : `next hop ${rib.nextHops.read(hop).address} is unreachable`;
  }
  if ((flags & BEST) !== 0) return `best${isOnly(rib, table, path) ? ', the only usable path' : ''}${stale}`;
  const best = table.best(table.prefix[path]!);
  if (best < 0) return `not decided yet${stale}`;
  if ((flags & MULTIPATH) !== 0) return `used together with the best path${stale}`;
  return `${whyLost(rib, table, path, best)}${stale}`;
}

function isOnly(rib: RibContents, table: RibTable, path: number): boolean {
  for (let p = table.head[table.prefix[path]!]! - 1; p >= 0; p = table.next[p]! - 1) {
    if (p !== path && rib.decision.isUsable(table, p)) return false;
  }
  return true;
}

function whyFiltered(rib: RibContents, table: RibTable, path: number): string {
  const slot = table.peer[path]!;
  const policy = rib.bySlot[slot]!.importPolicy;
  const prefix = table.prefix[path]!;
  const { prefixes, family } = table;
  const [a1, a2, a3] = [prefixes.a1[prefix] ?? 0, prefixes.a2[prefix] ?? 0, prefixes.a3[prefix] ?? 0];
  const result = policy.evaluate(
    family,
    prefixes.a0[prefix]!,
    a1,
    a2,
    a3,
    prefixes.lengths[prefix]!,
    rib.slots.kind[slot]!,
    table.attribute[path]!,
    rib.reader,
  );
  return result < 0
    ? `filtered by ${policy.whyRejected(result)}`
    : 'filtered: attributes do not fit after policy';
}

function whyLost(rib: RibContents, table: RibTable, path: number, best: number): string {
  let winner = best;
  let result = rib.decision.compare(table, path, best);
  if (result < 0) {
    // Better than the best one when compared alone, but beaten inside its own neighbouring AS (deterministic MED).
    for (let p = table.head[table.prefix[path]!]! - 1; p >= 0; p = table.next[p]! - 1) {
      if (p === path || !rib.decision.isUsable(table, p)) continue;
      const other = rib.decision.compare(table, path, p);
      if (other > 0) {
        winner = p;
        result = other;
        break;
      }
    }
  }
  const slot = table.peer[winner]!;
  const from =
    slot === LOCAL_SLOT ? 'our own route' : `the path from ${rib.bySlot[slot]?.id ?? 'a removed peer'}`;
  return `${stepText(rib, table, path, winner, Math.abs(result))} than ${from}`;
}

function stepText(rib: RibContents, table: RibTable, path: number, winner: number, decided: number): string {
  const a = rib.attributes;
  const x = table.attribute[path]!;
  const y = table.attribute[winner]!;
  const id = (p: number): number => a.originator[table.attribute[p]!]! || rib.slots.routerId[table.peer[p]!]!;
  const metric = (set: number): number => rib.nextHops.metric[a.nextHop[set]!] ?? 0;
  switch (decided) {
    case step.STEP_LONG_LIVED_STALE:
      return 'long-lived stale, worse';
    case step.STEP_LOCAL_PREF:
      return `lower LOCAL_PREF (${a.localPref[x]} < ${a.localPref[y]})`;
    case step.STEP_LOCAL:
      return 'learned, not originated here: worse';
    case step.STEP_AS_PATH_LENGTH:
      return `longer AS_PATH (${a.pathLength[x]} > ${a.pathLength[y]})`;
    case step.STEP_ORIGIN:
      return `worse ORIGIN (${ORIGINS[a.origin[x]!]} > ${ORIGINS[a.origin[y]!]})`;
    case step.STEP_MED:
      return `higher MED (${a.med[x]} > ${a.med[y]})`;
    case step.STEP_EBGP:
      return 'iBGP, worse';
    case step.STEP_METRIC:
      return `farther next hop (metric ${metric(x)} > ${metric(y)})`;
    case step.STEP_ROUTER_ID:
      return `higher router ID (${formatIpv4(id(path))} > ${formatIpv4(id(winner))})`;
    case step.STEP_CLUSTER_LIST:
      return `longer CLUSTER_LIST (${a.clusterLength[x]} > ${a.clusterLength[y]})`;
    case step.STEP_PEER_ADDRESS:
      return 'higher peer address';
    default:
      return `higher path ID (${table.receivedId?.[path] ?? 0} > ${table.receivedId?.[winner] ?? 0})`;
  }
}
