// One node's ipam on disks, stores and clocks in memory.
import { FakeClock, MemoryDisk } from '#world/testing';
import { Ipam } from '../ipam.ts';
import type { IpamInputs, IpamTuning, Owner, Pool } from '../types.ts';
import { MemoryBlockStore } from './memory-block-store.ts';

export function pool(name: string, cidr: string, blockSize: number, disabled = false): Pool {
  return { name, cidr, blockSize, disabled };
}

export function owner(n: number | string): Owner {
  return {
    containerId: `c${n}`,
    ifname: 'eth0',
    network: 'podroute',
    podNamespace: 'default',
    podName: `pod-${n}`,
  };
}

export const inputs = (pools: readonly Pool[], more: Partial<IpamInputs> = {}): IpamInputs => ({
  pools,
  podCidrs: [],
  reservations: [],
  ...more,
});

export interface TestNode {
  readonly ipam: Ipam;
  readonly disk: MemoryDisk;
  readonly store: MemoryBlockStore;
  readonly clock: FakeClock;
  readonly log: string[];
}

/** Started, with these inputs, and at rest. */
export async function startNode(
  given: IpamInputs,
  io: Partial<Pick<TestNode, 'disk' | 'store' | 'clock'>> & {
    name?: string;
    tuning?: Partial<IpamTuning>;
  } = {},
): Promise<TestNode> {
  const disk = io.disk ?? new MemoryDisk();
  const store = io.store ?? new MemoryBlockStore();
  const clock = io.clock ?? new FakeClock();
  const log: string[] = [];
  const write = (subject: string, message: string): void => void log.push(`${subject}: ${message}`);
  const ipam = new Ipam(
    { node: io.name ?? 'n1', stateDir: '/state', ...(io.tuning === undefined ? {} : { tuning: io.tuning }) },
    { disk, store, clock, log: { info: write, warn: write, error: write } },
  );
  await ipam.start();
  ipam.setInputs(given);
  await ipam.settled();
  return { ipam, disk, store, clock, log };
}
