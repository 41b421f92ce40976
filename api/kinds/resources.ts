// The kinds that podroute reads, and a set of them as the store holds it.
import { type BFDProfile, bfdProfile } from './bfd-profile.ts';
import { type BGPConfiguration, bgpConfiguration } from './bgp-configuration.ts';
import { type BGPFilter, bgpFilter } from './bgp-filter.ts';
import { type BGPNodeStatus, bgpNodeStatus } from './bgp-node-status.ts';
import { type BGPPeer, bgpPeer } from './bgp-peer.ts';
import { type IPAMBlock, type IPClaim, ipamBlock, ipClaim } from './ipam-block.ts';
import { type IPPool, type IPReservation, ipPool, ipReservation } from './ip-pool.ts';
import type { Node } from './node.ts';
import type { Secret } from './secret.ts';

/** Our own kinds by name; each has a CRD in manifests/crds. */
export const ourKinds = {
  BGPConfiguration: bgpConfiguration,
  BGPPeer: bgpPeer,
  BGPFilter: bgpFilter,
  BFDProfile: bfdProfile,
  IPPool: ipPool,
  IPReservation: ipReservation,
  IPAMBlock: ipamBlock,
  IPClaim: ipClaim,
  BGPNodeStatus: bgpNodeStatus,
} as const;

export interface KindMap {
  BGPConfiguration: BGPConfiguration;
  BGPPeer: BGPPeer;
  BGPFilter: BGPFilter;
  BFDProfile: BFDProfile;
  IPPool: IPPool;
  IPReservation: IPReservation;
  IPAMBlock: IPAMBlock;
  IPClaim: IPClaim;
  BGPNodeStatus: BGPNodeStatus;
  Node: Node;
  Secret: Secret;
}

export type Kind = keyof KindMap;
export type OurKind = keyof typeof ourKinds;
export type Resource = KindMap[Kind];

/** Which kind is in which map of Resources. */
export const collections = {
  BGPConfiguration: 'bgpConfigurations',
  BGPPeer: 'bgpPeers',
  BGPFilter: 'bgpFilters',
  BFDProfile: 'bfdProfiles',
  IPPool: 'ipPools',
  IPReservation: 'ipReservations',
  IPAMBlock: 'ipamBlocks',
  IPClaim: 'ipClaims',
  BGPNodeStatus: 'bgpNodeStatuses',
  Node: 'nodes',
  Secret: 'secrets',
} as const satisfies Record<Kind, string>;

/** All objects in force, by keyOf. Plain data that nobody changes. */
export type Resources = {
  readonly [K in Kind as (typeof collections)[K]]: ReadonlyMap<string, KindMap[K]>;
};

/** The same with maps that may still be filled. */
export type ResourceMaps = { [K in Kind as (typeof collections)[K]]: Map<string, KindMap[K]> };

export const isOurKind = (kind: string): kind is OurKind => Object.hasOwn(ourKinds, kind);

export const emptyResources = (): ResourceMaps => ({
  bgpConfigurations: new Map(),
  bgpPeers: new Map(),
  bgpFilters: new Map(),
  bfdProfiles: new Map(),
  ipPools: new Map(),
  ipReservations: new Map(),
  ipamBlocks: new Map(),
  ipClaims: new Map(),
  bgpNodeStatuses: new Map(),
  nodes: new Map(),
  secrets: new Map(),
});

/** Which object: podroute's own kinds and Nodes are the cluster's and have no namespace. */
export interface Identity<K extends Kind = Kind> {
  readonly kind: K;
  readonly name: string;
  readonly namespace?: string;
}

/** What a document of a kind says of itself; a namespace that its kind does not have is nothing. */
export function identityOf<K extends Kind>(
  kind: K,
  metadata: { name: string; namespace?: string },
): Identity<K> {
  const { name, namespace } = metadata;
  return kind === 'Secret' && namespace !== undefined ? { kind, name, namespace } : { kind, name };
}

/** The key in its kind's map of Resources: 'tor-a', 'infra/bgp-passwords'. */
export const keyOf = ({ name, namespace }: Omit<Identity, 'kind'>): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

/** 'BGPPeer tor-a', 'Secret infra/bgp-passwords' */
export const identityText = (identity: Identity): string => `${identity.kind} ${keyOf(identity)}`;

/** Puts objects into maps by kind and key; a later one of the same kind and key wins. */
export function resourcesOf(objects: Iterable<Resource>): ResourceMaps {
  const resources = emptyResources();
  for (const object of objects) {
    const key = keyOf(identityOf(object.kind, object.metadata));
    (resources[collections[object.kind]] as Map<string, Resource>).set(key, object);
  }
  return resources;
}

/** As identityText. */
export const objectName = ({ kind, metadata }: Resource): string => identityText(identityOf(kind, metadata));

/** The BGPConfiguration that counts, with every default when there is none. */
export function bgpConfigurationOf(resources: Pick<Resources, 'bgpConfigurations'>): BGPConfiguration {
  return resources.bgpConfigurations.get('default') ?? defaultConfiguration;
}

const defaultConfiguration: BGPConfiguration = {
  apiVersion: 'podroute.io/v1',
  kind: 'BGPConfiguration',
  metadata: { name: 'default' },
  spec: bgpConfiguration.spec.parse({}),
};
