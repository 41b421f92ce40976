// Which IPPools may give out addresses. Those that overlap would give one out twice; those that lie over nodes or
// neighbours would take their addresses away. What may not be used counts as there and unusable, never as absent.
import {
  type Address,
  addressBits,
  contains,
  FAMILIES,
  formatPrefix,
  overlaps,
  parseAddress,
  parsePrefix,
  type Prefix,
  truncate,
} from '#ip';
import type { BGPPeer } from '../kinds/bgp-peer.ts';
import type { IPAMBlock } from '../kinds/ipam-block.ts';
import type { IPPool } from '../kinds/ip-pool.ts';
import { type Node, nodeBgp } from '../kinds/node.ts';
import { objectName, type Resources } from '../kinds/resources.ts';
import { tunnelProblems } from './pool-tunnels.ts';
import { parsePeerAddress } from '../schema/peer-address.ts';
import type { Problem } from '../schema/problem.ts';

type PoolResources = Pick<Resources, 'ipPools' | 'ipamBlocks' | 'nodes' | 'bgpPeers' | 'bgpConfigurations'>;

/** Somebody's place in the network. */
interface Place {
  readonly prefix: Prefix;
  /** 'the address of Node n1' */
  readonly whose: string;
}

/**
 * The pools that may be used, by name, and a Problem for each that may not. A pool from which blocks were taken goes
 * before one that is new, then the name decides, so that a mistake never takes away a pool in use.
 */
export function usablePools(resources: PoolResources): {
  readonly pools: readonly IPPool[];
  readonly problems: readonly Problem[];
} {
  const blocks = Map.groupBy(resources.ipamBlocks.values(), ({ spec }) => spec.pool);
  const ordered = [...resources.ipPools.values()]
    .map((pool) => {
      const prefix = parsePrefix(pool.spec.cidr)!;
      const named = blocks.get(pool.metadata.name) ?? [];
      const isInUse = named.some((block) => holds(prefix, block));
      return { pool, prefix, isInUse, outside: named.find((block) => !holds(prefix, block)) };
    })
    .sort(
      (a, b) =>
        Number(b.isInUse) - Number(a.isInUse) || (a.pool.metadata.name < b.pool.metadata.name ? -1 : 1),
    );
  const places = ordered.length === 0 ? [] : placesOf(resources);
  const pools: IPPool[] = [];
  const tunnels = tunnelProblems(resources);
  const problems: Problem[] = [...tunnels.values()];
  for (const { pool, prefix, isInUse, outside } of ordered) {
    const tunnel = tunnels.get(pool);
    if (tunnel !== undefined && tunnel.severity === undefined) continue;
    const taken = places.find((place) => overlaps(prefix, place.prefix));
    const winner = pools.find((other) => overlaps(prefix, parsePrefix(other.spec.cidr)!));
    const object = objectName(pool);
    const problem = (message: string): Problem => ({
      object,
      field: 'spec.cidr',
      value: pool.spec.cidr,
      message,
    });
    if (taken !== undefined && !isInUse) {
      problems.push({ ...problem(`${over(prefix, taken)}: this pool is not used`), cause: 'Conflict' });
    } else if (winner !== undefined) {
      const stays = `overlaps IPPool ${winner.metadata.name} (${winner.spec.cidr}), which stays in force`;
      problems.push({ ...problem(`${stays}; this pool is not used`), cause: 'Conflict' });
    } else if (outside !== undefined && !isInUse) {
      const { cidr, node } = outside.spec;
      const changed = `was another when block ${cidr} of node ${node} was cut from it, which is still in use`;
      problems.push(problem(`${changed}: this pool is not used; give the new CIDR to a new pool`));
    } else {
      pools.push(pool);
      // With a node's token anybody can write such a block: it takes no pool away from which others were cut.
      if (outside !== undefined) {
        const { cidr, node } = outside.spec;
        const message = `does not hold block ${cidr} of node ${node}, which names this pool: nothing is given out from that block, and the pool stays in use`;
        problems.push({ ...problem(message), severity: 'warning' });
      }
      if (taken === undefined) continue;
      const stays = 'it stays in use because blocks were cut from it; move its pods to another pool';
      problems.push({ ...problem(`${over(prefix, taken)}; ${stays}`), cause: 'Conflict' });
    }
  }
  return { pools: pools.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)), problems };
}

function over(pool: Prefix, { prefix, whose }: Place): string {
  const verb = contains(pool, prefix) ? 'contains' : 'lies inside';
  const isOne = prefix.length === addressBits(prefix.family);
  return `${verb} ${isOne ? formatPrefix(prefix).split('/')[0] : formatPrefix(prefix)}, ${whose}`;
}

function holds(pool: Prefix, { spec }: IPAMBlock): boolean {
  const block = parsePrefix(spec.cidr);
  return block !== undefined && contains(pool, block);
}

const only = (address: Address): Prefix => truncate(address, addressBits(address.family));

/** The store hands out the same objects until they change, and there may be thousands of Nodes. */
const known = new WeakMap<Node | BGPPeer, readonly Place[]>();

function placesOf({ nodes, bgpPeers }: PoolResources): Place[] {
  return [...nodes.values(), ...bgpPeers.values()].flatMap((object) => {
    let places = known.get(object);
    if (places === undefined) {
      known.set(object, (places = object.kind === 'Node' ? nodePlaces(object) : peerPlaces(object)));
    }
    return places;
  });
}

function nodePlaces(node: Node): Place[] {
  const { addresses } = nodeBgp(node);
  return FAMILIES.flatMap((family): Place[] => {
    const address = parseAddress(addresses[family] ?? '');
    if (address === undefined) return [];
    const own = { prefix: only(address), whose: `the address of ${objectName(node)}` };
    const network = Object.values(node.metadata.annotations ?? {})
      .map((value) => value.split('/'))
      .find(([text, length]) => text === addresses[family] && /^[0-9]{1,3}$/.test(length ?? ''))?.[1];
    if (network === undefined || Number(network) >= own.prefix.length) return [own];
    return [own, { prefix: truncate(address, Number(network)), whose: `the network of ${objectName(node)}` }];
  });
}

function peerPlaces(peer: BGPPeer): Place[] {
  if (peer.spec.peerIP === undefined) return [];
  const address = parseAddress(parsePeerAddress(peer.spec.peerIP).address);
  return address ? [{ prefix: only(address), whose: `the neighbour of ${objectName(peer)}` }] : [];
}
