// Node and Secret of Kubernetes' core API: only the fields that podroute needs, everything else is read over.
import type { V1NodeSpec, V1NodeStatus, V1Taint } from '@kubernetes/client-node';
import {
  canonicalAddress,
  type Family,
  isManyHosts,
  isUnspecified,
  parseOctets,
  familyLabel,
  familyOf,
  overlaps,
  parsePrefix,
} from '#ip';
import { closest } from '../schema/closest.ts';
import * as z from 'zod';
import { cidr, flag, list, parseAsNumber, text, Wrong } from '../schema/fields.ts';
import type { Metadata } from '../schema/kind.ts';

/** Of two that overlap each would give out the other's addresses. */
export const podCidrs = () =>
  list(cidr(), 16).superRefine((cidrs, context) => {
    const prefixes = cidrs.map((text) => parsePrefix(text)!);
    prefixes.forEach((prefix, i) => {
      const before = prefixes.slice(0, i).findIndex((other) => overlaps(other, prefix));
      if (before < 0) return;
      const message = `overlaps ${cidrs[before]}: each gives out addresses of its own`;
      context.addIssue({ code: 'custom', path: [i], message });
    });
  });

/** The `satisfies` clauses keep these names those of the Kubernetes API. */
export const nodeTop = {
  spec: z
    .looseObject({
      podCIDR: cidr().optional(),
      podCIDRs: podCidrs().optional(),
      unschedulable: flag().optional(),
      taints: z
        .array(
          z.looseObject({
            key: z.string(),
            value: z.string().optional(),
            effect: z.string(),
          } satisfies Partial<Record<keyof V1Taint, z.ZodType>>),
        )
        .optional(),
    } satisfies Partial<Record<keyof V1NodeSpec, z.ZodType>>)
    .prefault({}),
  status: z
    .looseObject({
      addresses: z.array(z.looseObject({ type: text(), address: text() })).default([]),
    } satisfies Partial<Record<keyof V1NodeStatus, z.ZodType>>)
    .prefault({}),
};

export interface Node {
  readonly apiVersion: string;
  readonly kind: 'Node';
  readonly metadata: Metadata;
  readonly spec: {
    readonly podCIDRs: readonly string[];
    readonly unschedulable: boolean;
    readonly taints: readonly {
      readonly key: string;
      readonly value?: string | undefined;
      readonly effect: string;
    }[];
  };
  readonly status: { readonly addresses: readonly { readonly type: string; readonly address: string }[] };
}

type NodeTop = { [K in keyof typeof nodeTop]: z.output<(typeof nodeTop)[K]> };

/** Leaves what is not needed behind; podCIDR and podCIDRs become one list. */
export function nodeFrom(frame: { apiVersion: string; metadata: Metadata }, { spec, status }: NodeTop): Node {
  const podCIDRs = spec.podCIDRs?.length ? spec.podCIDRs : spec.podCIDR === undefined ? [] : [spec.podCIDR];
  return {
    ...frame,
    kind: 'Node',
    spec: {
      podCIDRs,
      unschedulable: spec.unschedulable ?? false,
      taints: (spec.taints ?? []).map(({ key, value, effect }) => ({ key, value, effect })),
    },
    status: { addresses: status.addresses.map(({ type, address }) => ({ type, address })) },
  };
}

/** What BGP needs to know of a node. Addresses are canonical text without prefix length. */
export interface NodeBgp {
  /** Absent: the BGPConfiguration's. */
  readonly asNumber?: number;
  readonly addresses: { readonly ipv4?: string; readonly ipv6?: string };
  /** RFC 4456 cluster ID; present: the node reflects routes. */
  readonly clusterId?: string;
  readonly podCIDRs: { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] };
  /** RFC 8326: neighbours are asked to prefer other ways to everything that the node announces. */
  readonly isLeaving?: true;
}

export interface AnnotationProblem {
  readonly key: string;
  readonly value: string;
  readonly message: string;
  readonly allowed?: string;
}

const prefixes = ['podroute.io/', 'projectcalico.org/'];
const suffixes = [
  'ASNumber',
  'IPv4Address',
  'IPv6Address',
  'RouteReflectorClusterID',
  'GracefulShutdown',
] as const;

/**
 * AS, addresses and cluster ID from podroute's annotations, else Calico's, else the first InternalIP of a family.
 * A wrong annotation counts as absent; annotationProblems tells of it when the Node is read.
 */
export function nodeBgp(node: Node): NodeBgp {
  const [as, ipv4, ipv6, cluster, shutdown] = suffixes.map(
    (suffix) => annotation(node.metadata, suffix)?.value,
  );
  const asNumber = as === undefined ? undefined : parseAsNumber(as);
  const internal = (family: Family) =>
    node.status.addresses
      .filter(({ type, address }) => type === 'InternalIP' && familyOf(address) === family)
      .map(({ address }) => hostAddress(canonicalAddress(address)))
      .find((address) => address !== undefined);
  const v4 = hostAddress(annotatedAddress(ipv4, 'ipv4')) ?? internal('ipv4');
  const v6 = hostAddress(annotatedAddress(ipv6, 'ipv6')) ?? internal('ipv6');
  const clusterId = annotatedAddress(cluster, 'ipv4');
  return {
    ...(typeof asNumber === 'number' && { asNumber }),
    addresses: { ...(v4 !== undefined && { ipv4: v4 }), ...(v6 !== undefined && { ipv6: v6 }) },
    ...(clusterId !== undefined && { clusterId }),
    ...(shutdown === 'true' && { isLeaving: true }),
    podCIDRs: {
      ipv4: node.spec.podCIDRs.filter((text) => familyOf(text) === 'ipv4'),
      ipv6: node.spec.podCIDRs.filter((text) => familyOf(text) === 'ipv6'),
    },
  };
}

/** What is wrong with the BGP annotations of a Node. */
export function annotationProblems(metadata: Metadata): AnnotationProblem[] {
  const wrong = suffixes.flatMap((suffix): AnnotationProblem[] => {
    const found = annotation(metadata, suffix);
    if (!found) return [];
    if (suffix === 'ASNumber') {
      const result = parseAsNumber(found.value);
      if (!(result instanceof Wrong)) return [];
      return [{ ...found, message: result.message, ...(result.allowed && { allowed: result.allowed }) }];
    }
    if (suffix === 'GracefulShutdown') {
      const isGood = found.value === 'true' || found.value === 'false';
      return isGood ? [] : [{ ...found, message: 'is neither true nor false', allowed: 'true or false' }];
    }
    const family = suffix === 'IPv6Address' ? 'ipv6' : 'ipv4';
    const address = annotatedAddress(found.value, family);
    if ((suffix === 'RouteReflectorClusterID' ? address : hostAddress(address)) !== undefined) return [];
    const allowed = `an ${familyLabel(family)} address${suffix === 'RouteReflectorClusterID' ? '' : ', optionally with /length'}`;
    return [{ ...found, message: `is not an ${familyLabel(family)} address`, allowed }];
  });
  return [...wrong, ...misspelt(metadata)];
}

/** Annotations below podroute.io/ that are nearly one of ours: they would be ignored in silence. */
function misspelt(metadata: Metadata): AnnotationProblem[] {
  const [prefix = ''] = prefixes;
  return Object.entries(metadata.annotations ?? {}).flatMap(([key, value]): AnnotationProblem[] => {
    if (!key.startsWith(prefix)) return [];
    const suffix = key.slice(prefix.length);
    const known: readonly string[] = suffixes;
    if (known.includes(suffix)) return [];
    const meant = closest(suffix, known);
    if (meant === undefined) return [];
    return [{ key, value, message: 'is not an annotation that podroute knows', allowed: prefix + meant }];
  });
}

function annotation(metadata: Metadata, suffix: string): { key: string; value: string } | undefined {
  for (const prefix of prefixes) {
    const value = metadata.annotations?.[prefix + suffix];
    if (value !== undefined && value !== '') return { key: prefix + suffix, value };
  }
  return undefined;
}

/** Undefined for what no node can have: a placeholder such as 0.0.0.0, multicast. */
function hostAddress(text: string | undefined): string | undefined {
  const bytes = parseOctets(text ?? '');
  return bytes === undefined || isUnspecified(bytes) || isManyHosts(bytes) ? undefined : text;
}

/** 'address' or 'address/length', as Calico writes it; the length is the link's and not needed. */
export function annotatedAddress(text: string | undefined, family: Family): string | undefined {
  const [address = '', length] = (text ?? '').split('/');
  const canonical = canonicalAddress(address);
  if (canonical === undefined || familyOf(canonical) !== family) return undefined;
  return length !== undefined && !/^[0-9]{1,3}$/.test(length) ? undefined : canonical;
}
