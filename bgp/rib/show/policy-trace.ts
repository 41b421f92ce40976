// What the policies did with the routes of a prefix, rule by rule, in words. Display only: the steps come from the code that
// decides.
import { shownCommunity } from '../../message/index.ts';
import type { CompiledPolicy, TraceStep } from '../../policy/compile.ts';
import * as match from '../../policy/attribute-match.ts';
import type { PolicySet } from '../../policy/policy.ts';
import type { RibTable } from '../table/rib-table.ts';
import type { RibContents } from './rib-contents.ts';
import { namesOf } from './why-sent.ts';

/** Of one answer. */
const MOST_LINES = 300;

/** A line for each rule that was looked at: of each path on its way in, and of the best one on its way out. */
export function traceLines(rib: RibContents, table: RibTable, prefix: number): string[] {
  const lines = [...importLines(rib, table, prefix), ...exportLines(rib, table, prefix)];
  if (lines.length <= MOST_LINES) return lines;
  return [...lines.slice(0, MOST_LINES), `and ${lines.length - MOST_LINES} more rules`];
}

function importLines(rib: RibContents, table: RibTable, prefix: number): string[] {
  const lines: string[] = [];
  for (let path = table.head[prefix]! - 1; path >= 0; path = table.next[path]! - 1) {
    const peer = rib.bySlot[table.peer[path]!];
    if (peer === undefined || peer.importPolicy.acceptsAll) continue;
    const steps = rib.paths.trace(peer, table, path);
    lines.push(...stepLines(`import from ${peer.id}`, peer.importPolicy, steps));
  }
  return lines;
}

/** Neighbours with one policy are one line. */
function exportLines(rib: RibContents, table: RibTable, prefix: number): string[] {
  const best = table.best(prefix);
  if (best < 0) return [];
  const byPolicy = new Map<
    CompiledPolicy,
    { readonly ids: string[]; readonly steps: readonly TraceStep[] }
  >();
  for (const peer of rib.peers()) {
    const group = peer.session && rib.exports.groupOf(peer.session, table.family);
    if (group === undefined || group.rules.policy.acceptsAll || table.peer[best] === peer.slot) continue;
    // A default route on request goes beside the policy.
    if (rib.view.chosen(group.rules, table, prefix) !== best) continue;
    const known = byPolicy.get(group.rules.policy);
    if (known !== undefined) known.ids.push(peer.id);
    else {
      const steps = rib.view.trace(group.rules, table, best);
      byPolicy.set(group.rules.policy, { ids: [peer.id], steps });
    }
  }
  return [...byPolicy].flatMap(([policy, { ids, steps }]) =>
    stepLines(`export to ${namesOf(ids)}`, policy, steps),
  );
}

/** Rules of the other family say nothing about the route. */
function stepLines(what: string, { policy }: CompiledPolicy, steps: readonly TraceStep[]): string[] {
  const lines = steps
    .filter(({ fault }) => fault !== match.FAILS_FAMILY)
    .map(({ term, fault }) => {
      if (fault !== match.HOLDS) return `${term.why}: not this route, ${faultText(fault)}`;
      const did = changesOf(term.action.set);
      return `${term.why}: ${[VERDICTS[term.action.verdict], ...did].join(', ')}`;
    });
  const last = steps.at(-1);
  const isDecided = last !== undefined && last.fault === match.HOLDS && last.term.action.verdict !== 'next';
  if (!isDecided) lines.push(`no rule decides: ${policy.otherwise === 'accept' ? 'accepted' : 'rejected'}`);
  return lines.map((line) => `${what}: ${line}`);
}

const VERDICTS = { accept: 'accepted', reject: 'rejected', next: 'goes on' } as const;

function faultText(fault: number): string {
  switch (fault) {
    case match.FAILS_SOURCE:
      return 'which comes from elsewhere';
    case match.FAILS_PREFIX:
      return 'whose prefix is another';
    case match.FAILS_COMMUNITIES:
    case match.FAILS_ANY_COMMUNITY:
      return 'which lacks a community';
    case match.FAILS_NO_COMMUNITY:
      return 'which has one of the communities that it must not have';
    case match.FAILS_PATH_PREFIX:
    case match.FAILS_PATH:
      return 'whose AS path is another';
    case match.FAILS_METRIC:
      return 'whose metric is another';
    case match.FAILS_NEXT_HOP:
      return 'whose next hop is another';
    default:
      return 'which leaves by another interface';
  }
}

const HOP_WORDS: Readonly<Record<string, string>> = {
  self: 'to our own address',
  peer: 'to the address of the neighbour who sent it',
};

const shown = (communities: readonly string[]): string => communities.map(shownCommunity).join(' ');

function changesOf(set: PolicySet = {}): string[] {
  const {
    weight,
    localPref,
    med,
    deleteCommunities = [],
    addCommunities = [],
    prependAs = [],
    metric,
    nextHop,
  } = set;
  return [
    ...(weight === undefined ? [] : [`sets the weight ${weight}`]),
    ...(localPref === undefined ? [] : [`sets LOCAL_PREF ${localPref}`]),
    ...(med === undefined ? [] : [`sets MED ${med}`]),
    ...(deleteCommunities.length === 0 ? [] : [`takes away ${shown(deleteCommunities)}`]),
    ...(addCommunities.length === 0 ? [] : [`adds ${shown(addCommunities)}`]),
    ...(prependAs.length === 0 ? [] : [`prepends ${prependAs.join(' ')}`]),
    ...(nextHop === undefined ? [] : [`sets the next hop ${HOP_WORDS[nextHop] ?? nextHop}`]),
    ...(metric === undefined ? [] : [`sets the kernel's metric ${metric}`]),
  ];
}
