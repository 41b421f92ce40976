// Where the API server has each kind, and how its lists are called for people: as kubectl takes them.
import type { Labels } from '#api';
import type { StoredKind } from '../store.ts';

export interface ResourcePath {
  /** '/apis/podroute.io/v1' */
  readonly base: string;
  readonly plural: string;
  /** Its objects stand in namespaces. */
  readonly isNamespaced?: true;
}

const OURS = '/apis/podroute.io/v1';

export const RESOURCE_PATHS: Readonly<Record<StoredKind, ResourcePath>> = {
  BGPConfiguration: { base: OURS, plural: 'bgpconfigurations' },
  BGPPeer: { base: OURS, plural: 'bgppeers' },
  BGPFilter: { base: OURS, plural: 'bgpfilters' },
  BFDProfile: { base: OURS, plural: 'bfdprofiles' },
  IPPool: { base: OURS, plural: 'ippools' },
  IPReservation: { base: OURS, plural: 'ipreservations' },
  IPAMBlock: { base: OURS, plural: 'ipamblocks' },
  IPClaim: { base: OURS, plural: 'ipclaims' },
  BGPNodeStatus: { base: OURS, plural: 'bgpnodestatuses' },
  Node: { base: '/api/v1', plural: 'nodes' },
  Secret: { base: '/api/v1', plural: 'secrets', isNamespaced: true },
  Lease: { base: '/apis/coordination.k8s.io/v1', plural: 'leases', isNamespaced: true },
};

/** Groups whose objects are Calico's, the better one first: a cluster has the same objects in both, or in one. */
export const CALICO_GROUPS = ['crd.projectcalico.org/v1', 'projectcalico.org/v3'] as const;

/** What agents' plans are made of, beside Nodes and Secrets; of two documents for one object the first in this order wins. */
export const PLAN_KINDS = [
  'BGPConfiguration',
  'BGPPeer',
  'BGPFilter',
  'BFDProfile',
  'IPPool',
  'IPReservation',
  'IPAMBlock',
  'IPClaim',
] as const satisfies readonly StoredKind[];

/** The kinds of Calico that are read in place. */
export const CALICO_KINDS = {
  BGPConfiguration: 'bgpconfigurations',
  BGPPeer: 'bgppeers',
  BGPFilter: 'bgpfilters',
  IPPool: 'ippools',
  IPReservation: 'ipreservations',
} as const satisfies Partial<Record<StoredKind, string>>;

export function listPath({ base, plural }: ResourcePath, namespace?: string): string {
  return namespace === undefined ? `${base}/${plural}` : `${base}/namespaces/${namespace}/${plural}`;
}

/** 'ippools.podroute.io', 'nodes' */
export function listName({ base, plural }: ResourcePath): string {
  const [, api, group] = base.split('/');
  return api === 'api' ? plural : `${plural}.${group}`;
}

/** 'podroute.io/node=n1' */
export const labelSelectorOf = (labels: Labels): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
