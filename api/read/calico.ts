// Documents of Calico: which they are, and how they differ from ours. They come in two API groups (as users write them,
// and as kubectl prints the objects that lie in the API server), and older exports write out fields that are not set.
import * as z from 'zod';
import { type Family, familyLabel } from '#ip';
import { annotatedAddress, type Node, podCidrs } from '../kinds/node.ts';
import { closest } from '../schema/closest.ts';
import { asNumber, field, ipAddress, text, Wrong } from '../schema/fields.ts';
import { apiVersion, calicoApiVersion, type Metadata } from '../schema/kind.ts';
import { type Kind, ourKinds } from '../kinds/resources.ts';

const calicoGroups = ['projectcalico.org', 'crd.projectcalico.org'];

/** The same objects with the same fields in both. */
export const calicoVersions: readonly string[] = [calicoApiVersion, 'crd.projectcalico.org/v1'];

/** Kinds that podroute reads of Calico: those of ours that Calico has, and its Node. */
export const isCalicoKind = (kind: string): kind is Kind => readable.includes(kind);
const readable = [
  ...Object.values(ourKinds)
    .filter(({ calico }) => calico)
    .map(({ kind }): string => kind),
  'Node',
];

/** Kinds of Calico's IPAM and status whose part podroute does by its own objects. */
const unread: Readonly<Record<string, string>> = {
  BlockAffinity: 'podroute keeps in IPAMBlocks of its own which node has which block, and claims them anew',
  IPAMBlock: 'podroute claims blocks by itself; its IPAMBlock is one of podroute.io/v1',
  IPAMHandle: 'podroute keeps in a journal on the node who holds an address',
  IPAMConfig: 'blocks are always claimed by need, and addresses only from own blocks',
  IPAMConfiguration: 'blocks are always claimed by need, and addresses only from own blocks',
  CalicoNodeStatus: "a node's sessions are in its BGPNodeStatus and in 'podroute status'",
};

/** What else Calico has: policy, and settings of its other parts. */
const others = [
  'ClusterInformation',
  'FelixConfiguration',
  'GlobalNetworkPolicy',
  'GlobalNetworkSet',
  'HostEndpoint',
  'KubeControllersConfiguration',
  'LiveMigration',
  'NetworkPolicy',
  'NetworkSet',
  'PolicyRecommendationScope',
  'Profile',
  'QOSPolicy',
  'StagedGlobalNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
  'StagedNetworkPolicy',
  'Tier',
  'WorkloadEndpoint',
];

/**
 * Why nobody reads a document of this version and kind, when its writer should know; undefined for one that is
 * obviously meant for somebody else.
 */
export function unreadBecause(
  version: string,
  kind: string,
): { message: string; allowed?: string } | undefined {
  const itsGroup = version.split('/')[0]!;
  const ours = Object.keys(ourKinds);
  if (calicoGroups.includes(itsGroup)) {
    const because = unread[kind];
    if (because !== undefined) return { message: `is not read: ${because}` };
    if (isCalicoKind(kind)) {
      return { message: `is not read in this version: "${version}"`, allowed: calicoVersions.join(' or ') };
    }
    const meant = others.includes(kind) ? undefined : closest(kind, readable);
    if (meant !== undefined) return { message: `is not read (did you mean "${meant}"?)` };
    return { message: `is not read: podroute reads of Calico ${readable.join(', ')}` };
  }
  const meant = sameWord(kind, [...ours, 'Node', 'Secret']);
  if (meant === undefined) return undefined;
  const right = ['Node', 'Secret'].includes(meant) ? 'v1' : `${apiVersion} or ${calicoApiVersion}`;
  return {
    message: `is not read in this API group: "${version}"`,
    allowed: `kind: ${meant} and apiVersion: ${right}, if it is meant for podroute`,
  };
}

/** Written in another case, or in the plural. */
function sameWord(kind: string, known: readonly string[]): string | undefined {
  const plain = (word: string) => word.toLowerCase().replace(/s$/, '');
  return known.find((word) => plain(word) === plain(kind));
}

/** No AS, block length or port is 0, so Calico's Go types have it for "not set" (and write it out in older exports). */
const zeroIsAbsent: ReadonlySet<string> = new Set(['asNumber', 'localASNumber', 'blockSize', 'listenPort']);

/** The same without texts that are empty and numbers that are 0 for want of a value; items of lists stay. */
export function withoutZeroValues(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutZeroValues);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => item !== '' && !(zeroIsAbsent.has(key) && (item === 0 || item === '0')))
      .map(([key, item]) => [key, withoutZeroValues(item)]),
  );
}

/** 'address' or 'address/length': the length is the link's and not needed. */
const linkAddress = (family: Family) =>
  field({ type: 'string' }, (input) => {
    const address = typeof input === 'string' ? annotatedAddress(input, family) : undefined;
    const name = `an ${familyLabel(family)} address`;
    return address ?? new Wrong(`is not ${name}`, `${name}, optionally with /length`);
  });

/** Its own Node: AS, addresses and cluster ID stand in its spec. It becomes a Node as Kubernetes has it, with Calico's annotations. */
export const calicoNodeTop = {
  spec: z
    .looseObject({
      bgp: z
        .looseObject({
          asNumber: asNumber().optional(),
          ipv4Address: linkAddress('ipv4').optional(),
          ipv6Address: linkAddress('ipv6').optional(),
          routeReflectorClusterID: ipAddress('ipv4').optional(),
        })
        .prefault({}),
      addresses: z.array(z.looseObject({ type: text().optional(), address: text() })).default([]),
    })
    .prefault({}),
  status: z.looseObject({ podCIDRs: podCidrs().default([]) }).prefault({}),
};

type CalicoNodeTop = { [K in keyof typeof calicoNodeTop]: z.output<(typeof calicoNodeTop)[K]> };

/** Annotations that the document has itself go before its spec. */
export function calicoNodeFrom(frame: { metadata: Metadata }, { spec, status }: CalicoNodeTop): Node {
  const { metadata } = frame;
  const said: [string, string | number | undefined][] = [
    ['ASNumber', spec.bgp.asNumber],
    ['IPv4Address', spec.bgp.ipv4Address],
    ['IPv6Address', spec.bgp.ipv6Address],
    ['RouteReflectorClusterID', spec.bgp.routeReflectorClusterID],
  ];
  const annotations = said.flatMap(([name, value]) =>
    value === undefined ? [] : [[`projectcalico.org/${name}`, `${value}`] as const],
  );
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { ...metadata, annotations: { ...Object.fromEntries(annotations), ...metadata.annotations } },
    spec: { podCIDRs: status.podCIDRs, unschedulable: false, taints: [] },
    status: {
      addresses: spec.addresses
        .filter(({ type }) => type !== 'ExternalIP')
        .map(({ address }) => ({ type: 'InternalIP', address: address.split('/')[0]! })),
    },
  };
}
