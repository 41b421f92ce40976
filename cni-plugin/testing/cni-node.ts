// What the verbs work with on one node, in memory: ipam with podCIDRs, the host's kernel, one pod's namespace; and calls
// for its attachments.
import { type Addresses, type BlockStore, Ipam, type IpamInputs } from '#ipam';
import { KernelError, MemoryKernel, MemoryNamespaces, MemoryPodWirer } from '#linux';
import { FakeClock, MemoryDisk } from '#world/testing';
import type { CniCall } from '../server/call.ts';
import { readConfig } from '../server/network-config.ts';
import type { VerbIo } from '../server/verbs/verb-io.ts';

const POD_CIDRS = ['10.77.0.0/28', 'fd77::/124'];
const PODS = ['c1', 'c2', 'c3', 'c4'];
const netnsOf = (containerId: string): string => `/run/netns/${containerId}`;

const EMPTY_STORE: BlockStore = {
  create: async () => ({ kind: 'stored' }),
  get: async () => undefined,
  list: async () => [],
  update: async () => ({ kind: 'notFound' }),
  delete: async () => ({ kind: 'notFound' }),
};

export interface CniNode {
  readonly io: VerbIo;
  readonly ipam: Ipam;
  readonly kernel: MemoryKernel;
  /** Of c1; c2 to c4 have namespaces too. */
  readonly pod: MemoryKernel;
  readonly disk: MemoryDisk;
  readonly clock: FakeClock;
  readonly log: string[];
  /** What the guard of pods' sources was told: '+c1 10.77.0.0 fd77::' and '-c1'. */
  readonly guarded: string[];
}

export function callOf(containerId = 'c1', more: Partial<CniCall> = {}): CniCall {
  const args = new Map<string, string>();
  return {
    command: 'ADD',
    containerId,
    netns: netnsOf(containerId),
    ifname: 'eth0',
    args,
    isOwnNetns: false,
    ...more,
  };
}

export const configOf = (more: object = {}, command: CniCall['command'] = 'ADD') =>
  readConfig(JSON.stringify({ cniVersion: '1.1.0', name: 'n', type: 'podroute', ...more }), command);

export async function startCniNode(
  inputs: Partial<IpamInputs> = {},
  store: Partial<BlockStore> = {},
): Promise<CniNode> {
  const disk = new MemoryDisk();
  const clock = new FakeClock();
  const log: string[] = [];
  const guarded: string[] = [];
  const write = (subject: string, message: string): void => void log.push(`${subject}: ${message}`);
  const lines = { debug: write, info: write, warn: write, error: write };
  const ipam = new Ipam(
    { node: 'n1', stateDir: '/state' },
    { disk, clock, store: { ...EMPTY_STORE, ...store }, log: lines },
  );
  await ipam.start();
  ipam.setInputs({ pools: [], podCidrs: POD_CIDRS, reservations: [], ...inputs });
  await ipam.settled();
  const kernel = new MemoryKernel();
  const namespaces = new MemoryNamespaces();
  for (const id of PODS) namespaces.create(netnsOf(id));
  const pod = namespaces.open(netnsOf(PODS[0]!)) as MemoryKernel;
  const io: VerbIo = {
    ...{ ipam, kernel, wirer: new MemoryPodWirer(kernel, namespaces), log: lines },
    openPodKernel: async (netns) => {
      const found = namespaces.open(netns);
      if (found instanceof KernelError) throw found;
      return found;
    },
    guard: {
      admit: async ({ containerId }, { ipv4, ipv6 }: Addresses) =>
        void guarded.push(['+' + containerId, ipv4, ipv6].join(' ').trim()),
      missing: async () => [],
      forget: async ({ containerId }) => void guarded.push(`-${containerId}`),
    },
    mtu: () => 1400,
    whyUnready: () => ipam.whyUnready(),
  };
  return { io, ipam, kernel, pod, disk, clock, log, guarded };
}
