// What ipam has to know of the cluster's objects: the pools this node may use, its podCIDRs, reserved prefixes.
import {
  isForAnyPod,
  mayHide,
  mayHidePools,
  type Refused,
  type Resources,
  selectorMatches,
  usablePools,
} from '#api';
import { familyOf, formatPrefix } from '#ip';
import { type IpamInputs, storedBlock } from '#ipam';
import type { Guarded } from '../plan/index.ts';

/** @param guarded what no pod may have the address of */
export function ipamInputs(
  resources: Resources,
  refused: Refused,
  nodeName: string,
  guarded: readonly Guarded[],
): IpamInputs {
  const node = resources.nodes.get(nodeName);
  const labels = node?.metadata.labels ?? {};
  const usable = usablePools(resources).pools;
  const unusable = [...resources.ipPools.values()].filter((pool) => !usable.includes(pool));
  // A pool that is written and cannot be used is not one that nobody wrote: podCIDRs do not stand in for it.
  const waitsForPool = (cidr: string) =>
    mayHidePools(refused, resources) || unusable.some(({ spec }) => familyOf(spec.cidr) === familyOf(cidr));
  return {
    pools: usable
      .filter(
        ({ spec }) => spec.allowedUses.includes('Workload') && selectorMatches(spec.nodeSelector, labels),
      )
      // Without its Node the agent does not know its labels: what it has stays, nothing new is claimed. The same of a
      // pool that was deleted, and stands until its addresses are free.
      .map(({ metadata, spec }) => ({
        name: metadata.name,
        cidr: spec.cidr,
        blockSize: spec.blockSize,
        disabled:
          spec.disabled ||
          !isForAnyPod(spec) ||
          node === undefined ||
          metadata.deletionTimestamp !== undefined,
      })),
    podCidrs: (node?.spec.podCIDRs ?? []).filter((cidr) => !waitsForPool(cidr)),
    stored: [...resources.ipamBlocks.values()].map(storedBlock),
    ...(refused.ownOnly?.has('IPAMBlock') && { isStoredOwnOnly: true }),
    // Without its own Node an agent has been told too little to say that another's is gone.
    ...(node === undefined || mayHide(refused, 'Node') ? {} : { nodes: new Set(resources.nodes.keys()) }),
    reservations: [...resources.ipReservations.values()].flatMap(({ spec }) => spec.reservedCIDRs),
    guarded: guarded.map(({ prefix }) => formatPrefix(prefix)),
  };
}
