// Compares what is allocated with the attachments that are alive. Pure.
import { ownerKey } from './owner-key.ts';
import { addressesOf, type IpamState } from './state.ts';
import type { CheckReport, Owner } from './types.ts';

export function checkAttachments(
  state: IpamState,
  live: readonly Pick<Owner, 'containerId' | 'ifname'>[],
  network: string | undefined,
): CheckReport {
  const alive = new Set(live.map(ownerKey));
  const all = [...state.allocations];
  const concerned = all.filter(([, { owner }]) => network === undefined || owner.network === network);
  return {
    leaked: concerned.filter(([key]) => !alive.has(key)).map(([, allocation]) => allocation),
    missing: live
      .filter((owner) => !state.allocations.has(ownerKey(owner)))
      .map(({ containerId, ifname }) => ({ containerId, ifname })),
    outside: all
      .filter(([, { addresses }]) => addressesOf(addresses).some((a) => state.blockWith(a) === undefined))
      .map(([, allocation]) => allocation),
  };
}
