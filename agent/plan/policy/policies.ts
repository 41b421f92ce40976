// From BGPFilters and the words Cluster, All, None to the two policies of a session. A filter's verdict comes first;
// what no filter decides falls to the word. What cannot be honoured rejects everything: fail closed.
import {
  identityText,
  type BGPFilter,
  type BGPPeerSpec,
  type FilterSets,
  idleRules,
  type Problem,
  unknownSets,
} from '#api';
import { LINK_BANDWIDTHS, type Policy, type PolicyMatch, type PolicyTerm } from '#bgp';
import { FAMILIES, familyOf } from '#ip';
import { type Neighbour, ownNextHops } from './filter-operations.ts';
import { filterTerms } from './filter-terms.ts';
import { type Guarded, guardTerms } from './guarded.ts';
import type { HostNetwork, NodeAddresses } from '../types.ts';

export interface PolicyContext {
  /** Prefixes that `Cluster` lets in. */
  readonly clusterPrefixes: readonly string[];
  /** Pools that may be known outside of the cluster: what `Pools` passes on. */
  readonly poolPrefixes: readonly string[];
  /** Of these, what no neighbour may take over. */
  readonly guarded: readonly Guarded[];
  /** By which the cluster knows this node. */
  readonly nodeAddresses: NodeAddresses;
  /** Addresses and connected networks of this node. */
  readonly hostNetworks: readonly HostNetwork[];
  /** Blocks of this node: nothing inside them is taken from anybody, whatever a filter says. */
  readonly ownPrefixes: readonly string[];
  readonly filters: ReadonlyMap<string, BGPFilter>;
  /** By name, that rules may be for. */
  readonly bgpPeers: ReadonlyMap<string, unknown>;
  /** That every filter can name. */
  readonly sets: FilterSets;
  /** identityText of objects whose documents are wrong, and of which no version is in force. */
  readonly refused: ReadonlySet<string>;
  readonly neighbour: Neighbour;
  /** This node reflects routes between its iBGP neighbours. */
  readonly isReflector: boolean;
  /** This node is about to go: what it announces is marked (RFC 8326). */
  readonly isLeaving: boolean;
}

export interface PolicyWords {
  readonly import: BGPPeerSpec['import'];
  readonly isImportImplied?: true;
  readonly export: BGPPeerSpec['export'];
  readonly filters: readonly string[];
  /** Ignore: what the neighbour says of it is taken away. */
  readonly linkBandwidth: BGPPeerSpec['linkBandwidth'];
}

export interface SessionPolicies {
  readonly import: Policy;
  readonly export: Policy;
  /** Nothing is let in or out, because a filter is missing, or a set that it names (RFC 8212). */
  readonly isClosed: boolean;
  readonly problems: readonly Problem[];
}

/** @param object for problems, 'BGPPeer tor-a' */
export function sessionPolicies(words: PolicyWords, context: PolicyContext, object: string): SessionPolicies {
  const problems: Problem[] = [];
  const found: BGPFilter[] = [];
  for (const [i, name] of words.filters.entries()) {
    const filter = context.filters.get(name);
    if (filter !== undefined) found.push(filter);
    else problems.push(missingFilter(object, `spec.filters[${i}]`, name, context));
  }
  problems.push(...found.flatMap((filter) => unknownSets(filter, context.sets)));
  const closed = problems[0] && closedBy(problems[0]);
  const side = (direction: 'import' | 'export', first: PolicyTerm[], defaults: PolicyTerm[]): Policy => {
    if (closed !== undefined) return closed;
    const terms = found.flatMap((filter) => filterTerms(filter, direction, context.neighbour, context.sets));
    const name = [...words.filters.map((filter) => `BGPFilter ${filter}`), words[direction]].join(', then ');
    return {
      name,
      terms: [...first, ...terms, ...defaults],
      otherwise: words[direction] === 'All' ? 'accept' : 'reject',
    };
  };
  problems.push(
    ...found.flatMap((filter) => [
      ...ownNextHops(filter, context.nodeAddresses),
      ...idleRules(filter, context.sets, context.bgpPeers, context.refused),
    ]),
  );
  return {
    import: side(
      'import',
      [...ownTerms(context.ownPrefixes), ...ignored(words)],
      importTerms(words, context),
    ),
    export: leaving(context, side('export', [], exportTerms(words.export, context))),
    isClosed: closed !== undefined,
    problems,
  };
}

/** Status and `--why` say what is missing, for whom the problems are far away. */
function closedBy({ object, field, value, message }: Problem): Policy {
  const why = `${field} of ${object}: ${String(value)} ${message.split(':')[0]}`;
  return {
    name: `reject all: ${why}`,
    terms: [{ match: {}, action: { verdict: 'reject' }, why }],
    otherwise: 'reject',
  };
}

/** RFC 8326, as a community of what is announced. */
export const GRACEFUL_SHUTDOWN = '65535:0';

/** RFC 8326 section 4: GRACEFUL_SHUTDOWN on every route, and inside the AS the lowest preference as well. */
function leaving({ isLeaving, neighbour }: PolicyContext, policy: Policy): Policy {
  if (!isLeaving) return policy;
  const lowest = neighbour.type === 'ibgp' ? { localPref: 0 } : {};
  const set = { addCommunities: [GRACEFUL_SHUTDOWN], ...lowest };
  const why = 'annotation podroute.io/GracefulShutdown of this node';
  const mark: PolicyTerm = { match: {}, action: { verdict: 'next', set }, why };
  // Whatever a filter prefers or takes away: the last value would win, and what a term deletes was there before it.
  const terms = policy.terms.map((term): PolicyTerm => {
    const { set: own, ...action } = term.action;
    if (own === undefined) return term;
    const { localPref, deleteCommunities, addCommunities = [] } = own;
    const again = {
      ...(localPref === undefined ? {} : lowest),
      ...(deleteCommunities === undefined ? {} : { addCommunities: [...addCommunities, GRACEFUL_SHUTDOWN] }),
    };
    return { ...term, action: { ...action, set: { ...own, ...again } } };
  });
  return { ...policy, name: `${policy.name}, leaving`, terms: [mark, ...terms] };
}

function ignored({ linkBandwidth }: PolicyWords): PolicyTerm[] {
  if (linkBandwidth !== 'Ignore') return [];
  const set = { deleteCommunities: LINK_BANDWIDTHS };
  return [{ match: {}, action: { verdict: 'next', set }, why: 'linkBandwidth: Ignore' }];
}

function missingFilter(
  object: string,
  field: string,
  name: string,
  { filters, refused }: PolicyContext,
): Problem {
  if (refused.has(identityText({ kind: 'BGPFilter', name }))) {
    const until = 'until it is right the session neither accepts nor announces anything';
    const message = `is a BGPFilter whose document is refused (see its own problem): ${until}`;
    return { object, field, value: name, message };
  }
  const known = [...filters.keys()].slice(0, 10).join(', ');
  return {
    object,
    field,
    value: name,
    message: 'is no BGPFilter: until it exists the session neither accepts nor announces anything',
    ...(known === '' ? {} : { allowed: `one of ${known}` }),
  };
}

/** Our own pods are here: a neighbour that says otherwise is wrong, and it is told of. */
function ownTerms(prefixes: readonly string[]): PolicyTerm[] {
  if (prefixes.length === 0) return [];
  return [
    {
      match: { prefixes: prefixes.map((prefix) => ({ prefix, operator: 'in' })) },
      action: { verdict: 'reject', isOwn: true },
      why: 'a block of this node: only this node announces it',
    },
  ];
}

function importTerms({ import: word, isImportImplied }: PolicyWords, context: PolicyContext): PolicyTerm[] {
  switch (word) {
    case 'Cluster':
      return clusterImport(context);
    case 'All':
      return isImportImplied ? connectedTerms(context.hostNetworks) : [];
    case 'None':
      return [];
  }
}

/**
 * The metric keeps an announced route behind the connected one of the same prefix, but a longer prefix wins whatever its
 * metric: a neighbour that announces half of the nodes' network would get what one node sends to another.
 */
function connectedTerms(networks: readonly HostNetwork[]): PolicyTerm[] {
  return networks.map(({ prefix, what }) => ({
    match: { family: familyOf(prefix), prefixes: [{ prefix, operator: 'in' }] },
    action: { verdict: 'reject' },
    why: `import: All (it lies in ${what}, ${prefix}, to which this node is connected)`,
  }));
}

/** Never a default route: a pool is narrower than /0, and longer prefixes inside a pool are pods and blocks. */
function clusterImport({ clusterPrefixes, guarded }: PolicyContext): PolicyTerm[] {
  return [
    ...guardTerms(guarded, clusterPrefixes),
    ...insideTerms(clusterPrefixes, {}, 'import: Cluster (pools)'),
  ];
}

function insideTerms(prefixes: readonly string[], match: PolicyMatch, why: string): PolicyTerm[] {
  return FAMILIES.flatMap((family) => {
    const rules = prefixes
      .filter((prefix) => familyOf(prefix) === family)
      .map((prefix) => ({ prefix, operator: 'in' as const }));
    if (rules.length === 0) return [];
    return [{ match: { ...match, family, prefixes: rules }, action: { verdict: 'accept' as const }, why }];
  });
}

function exportTerms(word: PolicyWords['export'], context: PolicyContext): PolicyTerm[] {
  switch (word) {
    case 'Cluster':
      return clusterExport(context);
    case 'Pools':
      return [
        ...clusterExport(context),
        ...insideTerms(context.poolPrefixes, { source: 'remote' }, 'export: Pools (of other nodes)'),
      ];
    case 'All':
    case 'None':
      return [];
  }
}

function clusterExport(context: PolicyContext): PolicyTerm[] {
  const own: PolicyTerm = {
    match: { source: 'local' },
    action: { verdict: 'accept' },
    why: 'export: Cluster (own prefixes)',
  };
  if (!context.isReflector || context.neighbour.type !== 'ibgp') return [own];
  return [
    own,
    { match: { source: 'ibgp' }, action: { verdict: 'accept' }, why: 'export: Cluster (this node reflects)' },
  ];
}
