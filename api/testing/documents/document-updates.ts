// What an API server takes as the next version of an object: only it knows the one before.
import type { OurKind } from '../../kinds/resources.ts';

type Spec = Readonly<Record<string, unknown>>;

export interface DocumentUpdate {
  readonly kind: OurKind;
  readonly old: Spec;
  readonly changed: Spec;
  /** What the server says of it; undefined: it takes it. */
  readonly refusal?: string;
}

const pool = { cidr: '10.0.0.0/16', blockSize: 26 };
const block = { cidr: '10.0.0.0/26', node: 'n1', pool: 'pods' };
const NEW_CIDR = 'cidr cannot be changed: make a new pool and disable this one';
const NEW_SIZE = 'blockSize cannot be changed: make a new pool and disable this one';

export const documentUpdates: readonly DocumentUpdate[] = [
  { kind: 'IPPool', old: pool, changed: { ...pool, disabled: true, nodeSelector: "a == 'b'" } },
  { kind: 'IPPool', old: pool, changed: { ...pool, cidr: '10.1.0.0/16' }, refusal: NEW_CIDR },
  { kind: 'IPPool', old: pool, changed: { ...pool, cidr: '10.0.0.0/15' }, refusal: NEW_CIDR },
  { kind: 'IPPool', old: pool, changed: { ...pool, cidr: 'fd00::/48', blockSize: 122 }, refusal: NEW_CIDR },
  { kind: 'IPPool', old: pool, changed: { ...pool, blockSize: 27 }, refusal: NEW_SIZE },
  { kind: 'IPPool', old: pool, changed: { cidr: pool.cidr }, refusal: NEW_SIZE },
  { kind: 'IPPool', old: { cidr: pool.cidr }, changed: { cidr: pool.cidr, natOutgoing: true } },
  { kind: 'IPPool', old: { cidr: pool.cidr }, changed: pool, refusal: NEW_SIZE },
  { kind: 'IPAMBlock', old: block, changed: { ...block, node: 'n2', claimedAt: '2026-01-01T00:00:00Z' } },
  {
    kind: 'IPAMBlock',
    old: block,
    changed: { ...block, cidr: '10.0.0.64/26' },
    refusal: 'cidr cannot be changed: it is what the block is',
  },
  {
    kind: 'BGPPeer',
    old: { peerIP: '10.0.0.1', asNumber: 65000 },
    changed: { peerSelector: 'has(rr)', holdTime: '9s' },
  },
  {
    kind: 'BGPPeer',
    old: { peerIP: '10.0.0.1', asNumber: 65000 },
    changed: { peerIP: '10.0.0.1', asNumber: 65000, holdTime: '3s', keepaliveTime: '3s' },
    refusal: 'keepaliveTime is not below the hold time',
  },
];
