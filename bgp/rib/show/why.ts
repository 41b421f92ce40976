// Why a path is used or not, in words that an operator can act on. Display only: the code that decided gives the
// reason as a number, so that the words cannot drift from the decision.
import { formatIpv4 } from '#ip';
import { HAS_LLGR_STALE } from '../../message/index.ts';
import type { RibPeer } from '../in/rib-peer.ts';
import * as rule from '../in/eligibility.ts';
import * as step from '../table/decision-steps.ts';
import { BEST, MULTIPATH, type RibTable } from '../table/rib-table.ts';
import { LOCAL_SLOT } from '../table/peer-slots.ts';
import type { RibContents } from './rib-contents.ts';

const ORIGINS = ['IGP', 'EGP', 'INCOMPLETE'];

/** One line for one live path. */
export function whyPath(rib: RibContents, table: RibTable, path: number): string {
  const peer = rib.bySlot[table.peer[path]!];
  const stale = staleText(rib, table, path);
  switch (rib.decision.refusal(table, path)) {
    case step.USABLE:
      return `${whyChosen(rib, table, path)}${stale}`;
    case step.GONE:
      return 'its neighbour no longer has it, being removed';
    case step.FORBIDDEN:
      if (peer !== undefined) return whyForbidden(rib, peer, table.attribute[path]!);
      return 'not used here: it is for neighbours with defaultOriginate';
    case step.FILTERED_BY_POLICY:
      if (peer !== undefined) return whyFiltered(rib, peer, table, path);
      break;
    case step.DROPPED_BY_LIMIT:
      if (peer !== undefined) return whyDropped(peer);
      break;
    case step.DEFERRED:
      return 'not chosen yet: after the restart other neighbours have still to say what they have (RFC 4724)';
    case step.NEXT_HOP_UNREACHABLE:
      return `next hop ${rib.nextHops.read(rib.attributes.nextHop[table.attribute[path]!]!).address} is unreachable`;
  }
  return `not usable${stale}`;
}

function staleText(rib: RibContents, table: RibTable, path: number): string {
  if ((rib.attributes.flags[table.attribute[path]!]! & HAS_LLGR_STALE) !== 0) return ', long-lived stale';
  return rib.slots.isStale(table.peer[path]!, table.family, table.epoch[path]!) ? ', stale' : '';
}

/** Of a usable path. */
function whyChosen(rib: RibContents, table: RibTable, path: number): string {
  const flags = table.flags[path]!;
  if ((flags & BEST) !== 0) return `best${isOnly(rib, table, path) ? ', the only usable path' : ''}`;
  const best = table.best(table.prefix[path]!);
  if (best < 0) return 'not decided yet';
  if ((flags & MULTIPATH) !== 0) return 'used together with the best path';
  return whyLost(rib, table, path, best);
}

function whyForbidden(rib: RibContents, peer: RibPeer, set: number): string {
  switch (rib.eligibility.of(peer, set)) {
    case rule.OWN_AS: {
      const times = rib.eligibility.ownAsCount(peer, set);
      const { allowedLocalAs } = peer.config;
      const count = times === 1 ? 'once' : `${times} times`;
      const allowed = allowedLocalAs === 0 ? 'none is' : `${allowedLocalAs} are`;
      return `loop: our own AS ${peer.localAs} is in AS_PATH ${count}, ${allowed} allowed`;
    }
    case rule.REFLECTED_BACK:
      return 'loop: ORIGINATOR_ID or CLUSTER_LIST is ours';
    case rule.OWN_NEXT_HOP:
      return 'next hop is our own address';
    case rule.OFF_LINK_NEXT_HOP: {
      const { address } = rib.nextHops.read(rib.attributes.nextHop[set]!);
      return `next hop ${address} is not on a link of this node, as that of a neighbour one hop away must be`;
    }
    case rule.FOREIGN_FIRST_AS:
      return 'first AS is not the neighbour';
    case rule.LEAK_FROM_CUSTOMER:
      return 'route leak: OTC from a customer';
    case rule.LEAK_OF_ANOTHER_AS:
      return 'route leak: OTC of another AS';
    default:
      return 'not usable: being looked at again';
  }
}

function whyFiltered(rib: RibContents, peer: RibPeer, table: RibTable, path: number): string {
  const reason = rib.paths.whyFiltered(peer, table, path);
  return reason === undefined
    ? 'filtered: with what its import policy sets it fits into no message, or has a next hop that it cannot have'
    : `filtered by ${reason}`;
}

function whyDropped({ config }: RibPeer): string {
  return `over the prefix limit (${config.maxPrefixes.limit}), which drops it until another route goes`;
}

function isOnly(rib: RibContents, table: RibTable, path: number): boolean {
  for (let p = table.head[table.prefix[path]!]! - 1; p >= 0; p = table.next[p]! - 1) {
    if (p !== path && rib.decision.isUsable(table, p)) return false;
  }
  return true;
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

/** Missing MED says so where it does not count as 0. */
function medText(rib: RibContents, set: number): string {
  const med = rib.decision.med(set);
  return med === rib.attributes.med[set] ? String(med) : `missing, counts as ${med}`;
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
    case step.STEP_LOCAL:
      return 'learned, not originated here: worse';
    case step.STEP_WEIGHT:
      return `lower weight (${a.weightOf(x)} < ${a.weightOf(y)})`;
    case step.STEP_LOCAL_PREF:
      return `lower LOCAL_PREF (${a.localPref[x]} < ${a.localPref[y]})`;
    case step.STEP_AS_PATH_LENGTH:
      return `longer AS_PATH (${a.pathLength[x]} > ${a.pathLength[y]})`;
    case step.STEP_ORIGIN:
      return `worse ORIGIN (${ORIGINS[a.origin[x]!]} > ${ORIGINS[a.origin[y]!]})`;
    case step.STEP_MED:
      return `higher MED (${medText(rib, x)} > ${medText(rib, y)})`;
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
