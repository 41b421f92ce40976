// What ipam has to know of the cluster's objects: the pools this node may use, its podCIDRs, reserved prefixes.
import { type Resources, selectorMatches, usablePools } from '#api';
import type { IpamInputs } from '#ipam';

export function ipamInputs(resources: Resources, nodeName: string): IpamInputs {
  const node = resources.nodes.get(nodeName);
  const labels = node?.metadata.labels ?? {};
  return {
    pools: usablePools(resources)
      .pools.filter(
        ({ spec }) => spec.allowedUses.includes('Workload') && selectorMatches(spec.nodeSelector, labels),
      )
      // Without its Node the agent does not know its labels: what it has stays, nothing new is claimed.
      .map(({ metadata, spec }) => ({
        name: metadata.name,
        cidr: spec.cidr,
        blockSize: spec.blockSize,
        disabled: spec.disabled || node === undefined,
      })),
    podCidrs: node?.spec.podCIDRs ?? [],
    reservations: [...resources.ipReservations.values()].flatMap(({ spec }) => spec.reservedCIDRs),
  };
}
