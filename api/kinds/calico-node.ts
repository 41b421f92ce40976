// Calico's own Node (projectcalico.org/v3): AS, addresses and cluster ID stand in its spec. It becomes a Node as
// Kubernetes has it, with Calico's annotations.
import * as z from 'zod';
import { type Family, familyLabel } from '#ip';
import { asNumber, field, ipAddress, text, Wrong } from '../schema/fields.ts';
import type { Metadata } from '../schema/kind.ts';
import { annotatedAddress, type Node, podCidrs } from './node.ts';

/** 'address' or 'address/length': the length is the link's and not needed. */
const linkAddress = (family: Family) =>
  field({ type: 'string' }, (input) => {
    const address = typeof input === 'string' ? annotatedAddress(input, family) : undefined;
    const name = `an ${familyLabel(family)} address`;
    return address ?? new Wrong(`is not ${name}`, `${name}, optionally with /length`);
  });

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
