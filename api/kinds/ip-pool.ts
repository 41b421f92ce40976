// IPPool: a CIDR from which pods get addresses, cut into blocks that nodes own. IPReservation: what stays free.
import * as z from 'zod';
import { addressBits, familyOf, parsePrefix } from '#ip';
import { cidr, cidrOrAddress, flag, integer, list, oneOf, selector } from '../schema/fields.ts';
import { age, defineKind, type ResourceObject } from '../schema/kind.ts';
import { immutable, type Rule, withMoreCel, withRules } from '../schema/rules.ts';
import { outsideUnroutable } from '../schema/unroutable.ts';
import { type IPPoolStatus, ipPoolStatus } from './summed-status.ts';

/** Of Calico. podroute routes pods' addresses as they are: inside a subnet CrossSubnet is the same as Never. */
const tunnel = () =>
  oneOf('Never', 'CrossSubnet', 'Always')
    .default('Never')
    .describe(
      "podroute has no tunnels: a pool with Always is not used (Ready: NotUsed), unless the BGPConfiguration says 'encapsulatedPools: Unencapsulated'.",
    );

const fields = z.strictObject({
  cidr: cidr().describe('The addresses. It cannot be changed.'),
  blockSize: integer(20, 128)
    .optional()
    .describe(
      "Prefix length of a node's block: 20 to 32 (default 26), IPv6 116 to 128 (default 122). It cannot be changed.",
    ),
  nodeSelector: selector().default('all()').describe('The nodes that take blocks from it.'),
  namespaceSelector: selector()
    .optional()
    .describe('The namespaces whose pods get its addresses. Default: all.'),
  disabled: flag().default(false).describe('No new blocks are taken.'),
  disableBGPExport: flag().default(false).describe('Its blocks are not announced.'),
  natOutgoing: flag().default(false).describe("Pods leave the cluster with their node's address."),
  allowedUses: list(oneOf('Workload', 'Tunnel', 'LoadBalancer'), 3)
    .default(['Workload'])
    .describe('What its addresses are for.'),
  assignmentMode: oneOf('Automatic', 'Manual')
    .default('Automatic')
    .describe('Manual: only for pods that ask for it.'),
  ipipMode: tunnel(),
  vxlanMode: tunnel(),
});

type Fields = z.output<typeof fields>;

const NEW_POOL = ': make a new pool and disable this one';

const rules: Rule<Fields>[] = [
  ...outsideUnroutable<Fields>(),
  {
    fields: ['blockSize', 'cidr'],
    message: 'is not allowed here',
    allowed: '20 to 32 in an IPv4 pool, 116 to 128 in an IPv6 pool',
    cel: "!has(self.blockSize) || (self.cidr.contains(':') ? self.blockSize >= 116 : self.blockSize <= 32)",
    broken: ({ blockSize, cidr: text }) =>
      blockSize !== undefined && (familyOf(text) === 'ipv6' ? blockSize < 116 : blockSize > 32),
  },
  {
    fields: ['blockSize', 'cidr'],
    message: 'makes a block larger than the pool',
    cel: '!has(self.blockSize) || !isCIDR(self.cidr) || cidr(self.cidr).prefixLength() <= self.blockSize',
    broken: ({ blockSize, cidr: text }) => blockSize !== undefined && parsePrefix(text)!.length > blockSize,
  },
];

const spec = withMoreCel(withRules(fields, rules), [
  immutable('cidr', NEW_POOL),
  immutable('blockSize', NEW_POOL),
]);

/** In the output blockSize is always there: a pool smaller than the default block is one block. */
const ipPoolSpec = spec.transform((pool) => {
  const prefix = parsePrefix(pool.cidr)!;
  const usual = addressBits(prefix.family) - 6;
  return { ...pool, blockSize: pool.blockSize ?? Math.max(usual, prefix.length) };
});

export type IPPoolSpec = z.output<typeof ipPoolSpec>;
export type IPPool = ResourceObject<'IPPool', IPPoolSpec, IPPoolStatus>;

/**
 * Any pod of its nodes may get an address of it. Pools that are for some pods only give out nothing: there is no choice of a
 * pool yet, and the wrong pods must not get their addresses.
 */
export function isForAnyPod({ assignmentMode, namespaceSelector }: IPPoolSpec): boolean {
  return (
    assignmentMode === 'Automatic' &&
    (namespaceSelector === undefined || namespaceSelector.trim() === 'all()')
  );
}

export const ipPool = defineKind({
  kind: 'IPPool',
  plural: 'ippools',
  singular: 'ippool',
  shortNames: [],
  description: 'Addresses for pods, cut into blocks that nodes own and announce.',
  spec: ipPoolSpec,
  status: ipPoolStatus,
  calico: true,
  columns: [
    { name: 'CIDR', type: 'string', jsonPath: '.spec.cidr' },
    { name: 'Block-Size', type: 'integer', jsonPath: '.spec.blockSize' },
    { name: 'Node-Selector', type: 'string', jsonPath: '.spec.nodeSelector' },
    { name: 'Disabled', type: 'boolean', jsonPath: '.spec.disabled' },
    { name: 'Blocks', type: 'integer', jsonPath: '.status.blocks' },
    { name: 'Used', type: 'integer', jsonPath: '.status.used' },
    { name: 'Free', type: 'string', jsonPath: '.status.free' },
    { name: 'Leaked', type: 'integer', jsonPath: '.status.leaked' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
    age,
  ],
});

const ipReservationSpec = z.strictObject({
  reservedCIDRs: list(cidrOrAddress(), 1000)
    .default([])
    .describe('Addresses that no pod gets. Those given out stay.'),
});

export type IPReservationSpec = z.output<typeof ipReservationSpec>;
export type IPReservation = ResourceObject<'IPReservation', IPReservationSpec>;

export const ipReservation = defineKind({
  kind: 'IPReservation',
  plural: 'ipreservations',
  singular: 'ipreservation',
  shortNames: [],
  description: 'Addresses inside pools that are not given out.',
  spec: ipReservationSpec,
  calico: true,
  columns: [{ name: 'CIDRs', type: 'string', jsonPath: '.spec.reservedCIDRs' }, age],
});
