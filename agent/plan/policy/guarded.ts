// What no neighbour may take over and no pod may get: the addresses and connected networks of this node, the other
// nodes' addresses, those of the routers that objects name, and those that no host can have. Pure.
import { type Problem, parsePeerAddress, UNROUTABLE } from '#api';
import type { PolicyTerm } from '#bgp';
import { contains, formatPrefix, hostPrefix, overlaps, parsePrefix, type Prefix, truncate } from '#ip';
import type { PlanInput } from '../types.ts';
import type { ClusterNode } from '../node-bgp.ts';

export interface Guarded {
  readonly prefix: Prefix;
  /** 'the network of link eth0 (10.0.0.0/24)', 'the address of Node n2 (10.0.0.2)' */
  readonly what: string;
}

/** Only what lies in a pool, a podCIDR or a block of this node, or around it: a list that is mostly empty. */
export function guardedPrefixes(
  input: PlanInput,
  nodes: readonly ClusterNode[],
  clusterPrefixes: readonly string[],
): Guarded[] {
  const pools = [...input.resources.ipPools.values()].map(({ spec }) => spec.cidr);
  const blocks = input.localBlocks.map(({ cidr }) => cidr);
  const ranges = [...clusterPrefixes, ...pools, ...blocks].map((text) => parsePrefix(text)!);
  const found = new Map<string, Guarded>();
  const add = (text: string, what: string) => {
    const prefix = parsePrefix(text);
    if (prefix === undefined || found.has(text) || !ranges.some((range) => overlaps(range, prefix))) return;
    found.set(text, { prefix, what });
  };
  // A pool that overlaps one is refused by itself; a podCIDR, or a block of long ago, is not.
  for (const [prefix, what] of UNROUTABLE) add(prefix, `${prefix} (${what}), which cannot be routed`);
  for (const { prefix, what } of input.hostNetworks ?? []) add(prefix, `${what} (${prefix})`);
  for (const { name, addresses } of nodes)
    for (const address of Object.values(addresses))
      add(hostPrefix(address), `the address of Node ${name} (${address})`);
  for (const { spec, metadata } of input.resources.bgpPeers.values()) {
    if (spec.peerIP === undefined) continue;
    const { address } = parsePeerAddress(spec.peerIP);
    add(hostPrefix(address), `the neighbour of BGPPeer ${metadata.name} (${address})`);
  }
  for (const gateway of Object.values(input.defaultGateways ?? {}))
    add(hostPrefix(gateway.address), `the default gateway (${gateway.address})`);
  return [...found.values()];
}

/** The first that the prefix holds, lies in, or is. */
export function guardedBy(text: string, guarded: readonly Guarded[]): Guarded | undefined {
  const prefix = parsePrefix(text);
  return prefix && guarded.find((one) => overlaps(prefix, one.prefix));
}

/**
 * Refuses, of what `import: Cluster` would let in, routes that cover or split what is guarded.
 *
 * @param clusterPrefixes what is let in; prefixes of routes that cover lie in one of these too
 */
export function guardTerms(guarded: readonly Guarded[], clusterPrefixes: readonly string[]): PolicyTerm[] {
  const ranges = clusterPrefixes.map((text) => parsePrefix(text)!);
  return guarded.map(({ prefix, what }) => {
    const covering: { prefix: string; operator: 'equal' }[] = [];
    for (const range of ranges) {
      if (!contains(range, prefix)) continue;
      for (let { length } = range; length < prefix.length; length++)
        covering.push({ prefix: formatPrefix(truncate(prefix, length)), operator: 'equal' });
    }
    return {
      match: {
        family: prefix.family,
        prefixes: [{ prefix: formatPrefix(prefix), operator: 'in' }, ...covering],
      },
      action: { verdict: 'reject' },
      why: `import: Cluster (it would cover or split ${what})`,
    };
  });
}

/** @param ranges what addresses shall come from, each with the object that says so */
export function guardProblems(
  ranges: readonly { readonly object: string; readonly field: string; readonly cidr: string }[],
  guarded: readonly Guarded[],
): Problem[] {
  return ranges.flatMap(({ object, field, cidr }): Problem[] => {
    const range = parsePrefix(cidr)!;
    const inside = guarded.filter(({ prefix }) => overlaps(range, prefix));
    const [first] = inside;
    if (first === undefined) return [];
    const more = inside.length === 1 ? '' : ` and ${inside.length - 1} more`;
    const message = `overlaps ${first.what}${more}: no block that does is held, announced or given out; give pods a range of their own`;
    return [{ object, field, value: cidr, message }];
  });
}
