// What a document means that has one of Calico's API versions, where podroute's own default is another: what Calico
// does, and says nowhere in the document. docs/calico.md has the same list, and `podroute plan` says it of each session.

import type { Implied } from '../schema/kind.ts';

/** The largest number that maxPrefixes.limit takes. */
export const NO_LIMIT = 0xffffffff;

export const impliedByCalico: { readonly BGPPeer: readonly Implied[] } = {
  BGPPeer: [
    {
      field: 'import',
      value: 'All',
      why: 'everything that a neighbour announces is taken, also a default route, unless a filter rejects it; but nothing inside a network to which the node is connected, unless a filter accepts it',
    },
    {
      field: 'export',
      value: 'Pools',
      why: 'what other nodes announce inside pools is passed on, also to neighbours in another AS',
    },
    {
      field: 'multihop',
      value: 255,
      why: 'a neighbour may be several hops away, unless ttlSecurity limits them',
      unless: ['ttlSecurity', 'peerInterface'],
    },
    { field: 'addPaths', value: 'Both', why: 'all usable paths are offered and asked for (RFC 7911)' },
    { field: 'maxPrefixes', value: { limit: NO_LIMIT }, why: 'no limit on what a neighbour announces' },
    {
      field: 'gracefulRestart',
      value: { mode: 'Full' },
      why: 'routes are kept while one side restarts (RFC 4724)',
      unless: ['maxRestartTime'],
    },
  ],
};

/** Fills in what the kind implies; returns what that was. Fields that stand in the document stay as they are. */
export function imply(spec: Record<string, unknown>, rows: readonly Implied[]): Implied[] {
  const missing = rows.filter(
    ({ field, unless = [] }) => spec[field] === undefined && !unless.some((other) => spec[other]),
  );
  for (const { field, value } of missing) spec[field] = value;
  return missing;
}

/** 'import: All (everything …)' */
export function impliedText({ field, value, why }: Implied): string {
  const words =
    typeof value === 'object' && value !== null
      ? Object.entries(value).map(([key, item]) => `${field}.${key}: ${item === NO_LIMIT ? 'none' : item}`)
      : [`${field}: ${String(value)}`];
  return `${words.join(', ')} (${why})`;
}
