// BGPNodeStatus: what one node's speaker sees, written by its agent under the node's name.
import * as z from 'zod';
import { integer, list, oneOf, text } from '../schema/fields.ts';
import { condition } from '../schema/condition.ts';
import { age, defineKind, type ResourceObject } from '../schema/kind.ts';

/** An object of etcd has 1.5 MiB at most; a full mesh of 200 nodes fits well. */
export const MOST_SESSIONS = 1000;
export const MOST_BLOCKS = 200;
export const MOST_PROBLEMS = 50;
export const MOST_LEAKS = 10;

const count = () => integer(0, Number.MAX_SAFE_INTEGER);

const bgpNodeStatusSpec = z.strictObject({
  node: text().describe('The node.'),
});

const session = z.object({
  peer: text().describe("The session's id."),
  object: text(512).optional().describe("Where it comes from: 'BGPPeer tor-a', 'node-to-node mesh'."),
  address: text(70).describe("The neighbour's address."),
  asNumber: count().optional().describe("The neighbour's AS."),
  state: text(32).describe(
    'Idle, Connect, Active, OpenSent, OpenConfirm or Established; Waiting while its neighbour is not found.',
  ),
  since: text(64).describe('RFC 3339; when it came into this state.'),
  whyDown: text(1024).optional().describe('Why it is down now, in words.'),
  lastError: text(1024).optional().describe('The newest of what went wrong, in words.'),
  lastErrorCode: text(16)
    .optional()
    .describe("Its code and subcode when it was a NOTIFICATION (RFC 4271 section 4.5): '6/2'."),
  lastErrorAt: text(64).optional().describe('RFC 3339; when that was.'),
  received: count().optional().describe('Prefixes that the neighbour announces.'),
  accepted: count().optional().describe('Of these, what the policy accepts.'),
  advertised: count().optional().describe('Prefixes that we announce.'),
  flaps: count().optional().describe('How often it went down.'),
  bfd: text(16).optional().describe('State of its BFD: AdminDown, Down, Init or Up. Absent: it has none.'),
  bfdDowns: count().optional().describe('How often BFD went down.'),
});

const block = z.object({
  cidr: text(64).describe('The block.'),
  pool: text().optional().describe("The IPPool; absent for a block of the Node's podCIDRs."),
  used: count().describe('Addresses in use.'),
  free: count().describe('Addresses that can be given out.'),
  leaked: count().optional().describe('Of those in use: of Pods that are gone.'),
});

const leak = z.object({
  address: text(128).describe('All addresses of the Pod.'),
  pod: text(512).describe("The Pod that is gone: 'default/web-0'."),
  since: text(64).describe('RFC 3339; since then it is known to be gone.'),
});

const routes = z.object({
  wanted: count().describe('Routes that belong into the kernel.'),
  installed: count().describe('Of these, what is there.'),
  failed: count().describe('What the kernel refuses.'),
});

const problem = z.object({
  object: text(512).describe('Which object, or part of the node, has it.'),
  field: z.string().max(512).optional().describe('Which field of it.'),
  message: text(2048).describe('What is wrong, and what to do.'),
});

const bgpNodeStatusStatus = z.object({
  version: text(64).optional().describe("The agent's version."),
  updatedAt: text(64).optional().describe('RFC 3339'),
  asNumber: count().optional().describe("The node's AS."),
  routerID: text(45).optional().describe("The node's BGP identifier."),
  clusterID: text(45).optional().describe('Set on a route reflector.'),
  ready: oneOf('True', 'False').optional().describe('True when every condition is.'),
  established: count().optional().describe('Sessions that are up.'),
  configured: count().optional().describe('Sessions that should be up.'),
  bfdUp: count().optional().describe('Sessions whose BFD is up. Absent: none has BFD.'),
  bfdConfigured: count().optional().describe('Sessions that have BFD.'),
  sessions: list(session, MOST_SESSIONS).optional().describe('Each of them; those that are down come first.'),
  sessionsLeftOut: count().optional().describe('Sessions that found no room here.'),
  blocks: list(block, MOST_BLOCKS).optional().describe("The node's blocks of addresses."),
  leaked: count().optional().describe('Pods that are gone and whose addresses are not given back.'),
  leaks: list(leak, MOST_LEAKS).optional().describe('The first of them.'),
  routes: routes.optional().describe("podroute's routes in the node's kernel."),
  conditions: list(condition, 8)
    .optional()
    .describe('SessionsEstablished, PodsServed, RoutesInstalled and NoProblems.'),
  problems: list(problem, MOST_PROBLEMS).optional().describe('What an operator should change.'),
});

export type BGPNodeStatusSpec = z.output<typeof bgpNodeStatusSpec>;
export type BGPNodeStatusStatus = z.output<typeof bgpNodeStatusStatus>;
export type BGPNodeStatus = ResourceObject<'BGPNodeStatus', BGPNodeStatusSpec, BGPNodeStatusStatus>;

export const bgpNodeStatus = defineKind({
  kind: 'BGPNodeStatus',
  plural: 'bgpnodestatuses',
  singular: 'bgpnodestatus',
  shortNames: ['bgpns'],
  description: "What one node's BGP speaker sees. Written by the agents.",
  spec: bgpNodeStatusSpec,
  status: bgpNodeStatusStatus,
  calico: false,
  columns: [
    { name: 'Ready', type: 'string', jsonPath: '.status.ready' },
    { name: 'AS', type: 'integer', jsonPath: '.status.asNumber' },
    { name: 'Router-ID', type: 'string', jsonPath: '.status.routerID' },
    { name: 'Established', type: 'integer', jsonPath: '.status.established' },
    { name: 'Configured', type: 'integer', jsonPath: '.status.configured' },
    { name: 'BFD-Up', type: 'integer', jsonPath: '.status.bfdUp', priority: 1 },
    { name: 'BFD', type: 'integer', jsonPath: '.status.bfdConfigured', priority: 1 },
    { name: 'Updated', type: 'date', jsonPath: '.status.updatedAt' },
    age,
  ],
});
