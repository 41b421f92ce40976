// BGPNodeStatus: what one node's speaker sees, written by its agent under the node's name.
import * as z from 'zod';
import { integer, list, text } from '../schema/fields.ts';
import { age, defineKind, type ResourceObject } from '../schema/kind.ts';

const count = () => integer(0, Number.MAX_SAFE_INTEGER);

const bgpNodeStatusSpec = z.strictObject({
  node: text().describe('The node.'),
});

const session = z.strictObject({
  peer: text().describe("The session's id."),
  object: text(512).optional().describe("Where it comes from: 'BGPPeer tor-a', 'node-to-node mesh'."),
  address: text(70).describe("The neighbour's address."),
  asNumber: count().optional().describe("The neighbour's AS."),
  state: text(32).describe('Idle, Connect, Active, OpenSent, OpenConfirm or Established.'),
  since: text(64).describe('RFC 3339; when it came into this state.'),
  lastError: text(1024).optional().describe('The last reason why it went down, in words.'),
  received: count().optional().describe('Prefixes that the neighbour announces.'),
  accepted: count().optional().describe('Of these, what the policy accepts.'),
  advertised: count().optional().describe('Prefixes that we announce.'),
  flaps: count().optional().describe('How often it went down.'),
});

const problem = z.strictObject({
  object: text(512).describe('Which object, or part of the node, has it.'),
  field: z.string().max(512).optional().describe('Which field of it.'),
  message: text(2048).describe('What is wrong, and what to do.'),
});

const bgpNodeStatusStatus = z.strictObject({
  version: text(64).optional().describe("The agent's version."),
  updatedAt: text(64).optional().describe('RFC 3339'),
  asNumber: count().optional().describe("The node's AS."),
  routerID: text(45).optional().describe("The node's BGP identifier."),
  clusterID: text(45).optional().describe('Set on a route reflector.'),
  established: count().optional().describe('Sessions that are up.'),
  configured: count().optional().describe('Sessions that should be up.'),
  sessions: list(session, 2000).optional().describe('Each of them.'),
  problems: list(problem, 500).optional().describe('What an operator should change.'),
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
    { name: 'AS', type: 'integer', jsonPath: '.status.asNumber' },
    { name: 'Router-ID', type: 'string', jsonPath: '.status.routerID' },
    { name: 'Established', type: 'integer', jsonPath: '.status.established' },
    { name: 'Configured', type: 'integer', jsonPath: '.status.configured' },
    { name: 'Updated', type: 'date', jsonPath: '.status.updatedAt' },
    age,
  ],
});
