// IPAMBlock: one block of a pool and the node that owns it. Written by agents; which addresses inside it are in
// use is the node's own business (its journal), so that giving one out asks nobody.
import * as z from 'zod';
import { parsePrefix } from '#ip';
import { cidr, ipAddress, list, oneOf, text } from '../schema/fields.ts';
import { age, defineKind, type ResourceObject } from '../schema/kind.ts';
import { immutable, withMoreCel } from '../schema/rules.ts';

const fields = z.strictObject({
  cidr: cidr().describe('The block.'),
  node: text().describe('The node that owns it, gives its addresses out and announces it.'),
  pool: text().optional().describe("The IPPool it was cut from; absent for the node's own podCIDR."),
  claimedAt: text(64).optional().describe('RFC 3339; for display.'),
});

/** The name says the CIDR, too. */
const ipamBlockSpec = withMoreCel(fields, [immutable('cidr', ': it is what the block is')]);

export type IPAMBlockSpec = z.output<typeof ipamBlockSpec>;
export type IPAMBlock = ResourceObject<'IPAMBlock', IPAMBlockSpec>;

/** A block's object name; one name a prefix, so that two nodes that claim it meet. Throws on a wrong CIDR. */
export function ipamBlockName(cidrText: string): string {
  const prefix = parsePrefix(cidrText);
  if (!prefix) throw new Error(`${JSON.stringify(cidrText)} is not a CIDR`);
  // IPv6 in full: the short form differs by where the zeros are, and may end in a dash.
  const digits =
    prefix.family === 'ipv4'
      ? cidrText.split('/')[0]!.replaceAll('.', '-')
      : prefix.value.toString(16).padStart(32, '0').match(/.{4}/g)!.join('-');
  return `${digits}-${prefix.length}`;
}

const NODE_LABEL = 'podroute.io/node';
const LABEL_VALUE = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

/** What a node's blocks are labelled with, to list and follow them by; undefined: its name cannot be a label's value. */
export const ipamBlockLabels = (node: string): Readonly<Record<string, string>> | undefined =>
  LABEL_VALUE.test(node) ? { [NODE_LABEL]: node } : undefined;

export const ipamBlock = defineKind({
  kind: 'IPAMBlock',
  plural: 'ipamblocks',
  singular: 'ipamblock',
  shortNames: [],
  description: 'A block of addresses and the node that owns it. Written by the agents.',
  spec: ipamBlockSpec,
  calico: false,
  columns: [
    { name: 'CIDR', type: 'string', jsonPath: '.spec.cidr' },
    { name: 'Node', type: 'string', jsonPath: '.spec.node' },
    { name: 'Pool', type: 'string', jsonPath: '.spec.pool' },
    age,
  ],
});

const ipClaimSpec = z.strictObject({
  owner: z
    .strictObject({
      kind: oneOf('Pod', 'StatefulSet').default('Pod').describe('What the owner is.'),
      namespace: text(63).describe('Its namespace.'),
      name: text().describe('Its name.'),
    })
    .describe('Whose addresses these are; of a StatefulSet, its pod N has the N-th of each family.'),
  addresses: list(ipAddress(), 1000)
    .min(1)
    .describe(
      'To be kept for the owner, and given to nobody else. No effect yet: use an IPReservation and the annotation podroute.io/ips.',
    ),
});

export type IPClaimSpec = z.output<typeof ipClaimSpec>;
export type IPClaim = ResourceObject<'IPClaim', IPClaimSpec>;

export const ipClaim = defineKind({
  kind: 'IPClaim',
  plural: 'ipclaims',
  singular: 'ipclaim',
  shortNames: [],
  description:
    'NO EFFECT YET: addresses that a pod, or the pods of a StatefulSet, shall always get. Nothing is kept for anybody so far.',
  spec: ipClaimSpec,
  calico: false,
  columns: [
    { name: 'Namespace', type: 'string', jsonPath: '.spec.owner.namespace' },
    { name: 'Owner', type: 'string', jsonPath: '.spec.owner.name' },
    { name: 'Addresses', type: 'string', jsonPath: '.spec.addresses' },
    age,
  ],
});
