// What the controller adds up of all nodes: the status of a BGPPeer and of an IPPool. Bounded whatever the cluster has.
import * as z from 'zod';
import { condition } from '../schema/condition.ts';
import { integer, list, text } from '../schema/fields.ts';

/** Sessions of a BGPPeer that are named one by one. */
export const MOST_DOWN = 10;
/** Nodes of an IPPool that are named one by one. */
export const MOST_POOL_NODES = 50;

const count = () => integer(0, Number.MAX_SAFE_INTEGER);

const down = z.object({
  node: text().describe('The node.'),
  peer: text().describe("The session's id there."),
  state: text(32).describe('As in BGPNodeStatus.'),
  since: text(64).describe('RFC 3339; since when it is in this state.'),
  reason: text(1024).describe('Why it is down.'),
  bfd: text(16).optional().describe('State of its BFD, as in BGPNodeStatus.'),
});

export const bgpPeerStatus = z.object({
  established: count().optional().describe('Sessions that are up, of all nodes.'),
  desired: count().optional().describe('Sessions that should be up, of all nodes.'),
  bfdUp: count().optional().describe('Sessions whose BFD is up, of all nodes. Absent: none has BFD.'),
  bfdDesired: count().optional().describe('Sessions that have BFD, of all nodes.'),
  worst: text(1024).optional().describe('The worst of what is wrong: which node, and why.'),
  down: list(down, MOST_DOWN).optional().describe('Sessions that are down, the worst first.'),
  downLeftOut: count().optional().describe('Sessions that are down and found no room here.'),
  observedGeneration: count().optional().describe('The metadata.generation that this is said of.'),
  conditions: list(condition, 8).optional().describe('Ready, and NoProblems: no node has one with it.'),
});

export type BGPPeerStatus = z.output<typeof bgpPeerStatus>;

const poolNode = z.object({
  node: text().describe('The node.'),
  blocks: count().describe('Its blocks of this pool.'),
  used: count().describe('Addresses in use there.'),
  leaked: count().optional().describe('Of these: of Pods that are gone.'),
});

export const ipPoolStatus = z.object({
  total: text(40).optional().describe('Addresses of the pool, as a decimal number: IPv6 pools are large.'),
  used: count().optional().describe('Addresses that pods have.'),
  free: text(40).optional().describe('The others, whether a block was cut around them or not.'),
  leaked: count().optional().describe('Of those that pods have: of Pods that are gone. Absent: none.'),
  blocks: count().optional().describe('Blocks that nodes own.'),
  nodes: list(poolNode, MOST_POOL_NODES)
    .optional()
    .describe('By node; those that use most addresses come first.'),
  nodesLeftOut: count().optional().describe('Nodes that found no room here.'),
  observedGeneration: count().optional().describe('The metadata.generation that this is said of.'),
  conditions: list(condition, 8)
    .optional()
    .describe(
      'Ready: pods may get addresses of it. Conflict: another pool, a node or a neighbour has addresses of it.',
    ),
});

export type IPPoolStatus = z.output<typeof ipPoolStatus>;
