// Those who find out that a neighbour is gone: podroute, BIRD and FRR (bgpd, bfdd and zebra), each in a host of its own with
// the same BGP session (hold time 90 s) and the same BFD, and its routes in the kernel.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StatusReply } from '#agent-api';
import { FRR_FOLDER, frrCommand, hasOneUser, type Host } from '#lab';
import { waitUntil } from '#world';
import { BIRD, FRR, type Installed, versionFrom } from '../../testing/routers.ts';
import { startPodroute } from '../../testing/start-podroute.ts';

export const FAR = { address: '10.1.0.1', asNumber: 65001 } as const;
export const MULTIPLIER = 3;
const HOLD_S = 90;
const START_MS = 10_000;

export interface Place {
  readonly host: Host;
  readonly folder: string;
  readonly address: string;
  readonly asNumber: number;
  readonly intervalMs: number;
}

export interface Finder extends Installed {
  readonly title: string;
  /** @returns asks whether its BFD session is up, and the neighbour's slow packets of the beginning are over */
  start(place: Place): Promise<() => boolean | Promise<boolean>>;
}

const podroute: Finder = {
  title: 'podroute',
  missing: () => undefined,
  version: () => `on Node ${versionFrom(['node', '--version'], /(v\S+)/)}`,
  async start(place) {
    const { host, folder, intervalMs } = place;
    const agent = await startPodroute(host, {
      ...{ nodeName: 'podroute', documents: podrouteDocuments(place), folder, fib: 'kernel' },
    });
    return async () => {
      const { bfd } = (await agent.get<StatusReply>('/v1/status')).sessions[0]!;
      return bfd?.state === 'Up' && bfd.detectionMicros === MULTIPLIER * intervalMs * 1000;
    };
  },
};

/** @param more documents beside */
export function podrouteDocuments(
  { address, asNumber, intervalMs }: Omit<Place, 'host' | 'folder'>,
  more: readonly object[] = [],
): string {
  const interval = `${intervalMs}ms`;
  const profile = { transmitInterval: interval, receiveInterval: interval, detectMultiplier: MULTIPLIER };
  const peer = {
    ...{ peerIP: FAR.address, asNumber: FAR.asNumber, holdTime: `${HOLD_S}s`, connectRetryTime: '1s' },
    ...{ import: 'All', families: ['IPv4'], bfd: { profile: 'bench' } },
  };
  const documents = [
    {
      kind: 'BGPConfiguration',
      metadata: { name: 'default' },
      spec: { asNumber, nodeToNodeMeshEnabled: false, routerID: address },
    },
    { kind: 'BFDProfile', metadata: { name: 'bench' }, spec: profile },
    { kind: 'BGPPeer', metadata: { name: 'far' }, spec: peer },
  ].map((one) => ({ apiVersion: 'podroute.io/v1', ...one }));
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'podroute' },
    status: { addresses: [{ type: 'InternalIP', address }] },
  };
  return [...documents, node, ...more].map((one) => JSON.stringify(one)).join('\n---\n');
}

const bird: Finder = {
  title: 'BIRD',
  ...BIRD,
  async start(place) {
    const { host, folder, intervalMs } = place;
    await startBird(host, folder, birdConfig(place, [FAR]));
    const seconds = (ms: number) => (ms / 1000).toFixed(3);
    return () => {
      const line = birdc(host, folder, 'show bfd sessions')
        .split('\n')
        .find((one) => one.startsWith(FAR.address));
      const [, , state, , interval, timeout] = line?.split(/\s+/) ?? [];
      return (
        state === 'Up' && interval === seconds(intervalMs) && timeout === seconds(MULTIPLIER * intervalMs)
      );
    };
  },
};

const frr: Finder = {
  title: 'FRR',
  ...FRR,
  missing: () =>
    hasOneUser() ? 'it becomes user frr: that needs root, not a user namespace' : FRR.missing(),
  async start({ host, folder, address, asNumber, intervalMs }) {
    const at = (name: string) => join(folder, name);
    const configs = {
      zebra: '',
      bfdd: `bfd
 profile bench
  detect-multiplier ${MULTIPLIER}
  receive-interval ${intervalMs}
  transmit-interval ${intervalMs}
`,
      bgpd: `router bgp ${asNumber}
 bgp router-id ${address}
 no bgp ebgp-requires-policy
 timers bgp ${HOLD_S / 3} ${HOLD_S}
 neighbor ${FAR.address} remote-as ${FAR.asNumber}
 neighbor ${FAR.address} timers connect 1
 neighbor ${FAR.address} bfd profile bench
`,
    };
    for (const [name, text] of Object.entries(configs)) writeFileSync(at(`${name}.conf`), text);
    host.run(['chown', '-R', 'frr:frr', folder]);
    const bfdd = [
      '-f',
      at('bfdd.conf'),
      '-i',
      at('bfdd.pid'),
      '-z',
      at('zserv.api'),
      '--bfdctl',
      at('bfdd.sock'),
    ];
    for (const [command, socket] of [
      [frrCommand(folder, 'zebra'), 'zserv.api'],
      [[`${FRR_FOLDER}/bfdd`, '-P', '0', '--vty_socket', folder, ...bfdd], 'bfdd.vty'],
      [frrCommand(folder, 'bgpd'), 'bgpd.vty'],
    ] as const) {
      host.spawn(command);
      await waitUntil(`FRR's ${socket}`, START_MS, () => existsSync(at(socket)));
    }
    return () => {
      const options = ['--vty_socket', folder, '-d', 'bfdd'];
      const text = host.run(['vtysh', ...options, '-c', 'show bfd peers json']);
      const [peer] = JSON.parse(text) as { status: string; 'remote-transmit-interval': number }[];
      return peer?.status === 'up' && peer['remote-transmit-interval'] === intervalMs;
    };
  },
};

export const FINDERS: readonly Finder[] = [podroute, bird, frr];

interface BirdNeighbour {
  readonly address: string;
  readonly asNumber: number;
}

/** @param announced prefixes of its own */
export function birdConfig(
  { address, asNumber, intervalMs }: Omit<Place, 'host' | 'folder'>,
  neighbours: readonly BirdNeighbour[],
  announced: readonly string[] = [],
): string {
  const sessions = neighbours.map(
    (one, i) => `protocol bgp n${i} {
  local ${address} as ${asNumber};
  neighbor ${one.address} as ${one.asNumber};
  direct;
  bfd on;
  hold time ${HOLD_S};
  connect delay time 1; connect retry time 1; error wait time 1, 1;
  ipv4 { import all; export all; };
}
`,
  );
  return `router id ${address};
protocol device {}
protocol kernel { ipv4 { import none; export all; }; }
protocol static { ipv4; ${announced.map((prefix) => `route ${prefix} blackhole;`).join(' ')} }
protocol bfd {
  interface "eth0" { interval ${intervalMs} ms; idle tx interval 1 s; multiplier ${MULTIPLIER}; };
}
${sessions.join('')}`;
}

export async function startBird(host: Host, folder: string, config: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const at = (name: string) => join(folder, name);
  writeFileSync(at('bird.conf'), config);
  host.spawn(['bird', '-f', '-c', at('bird.conf'), '-s', at('bird.ctl'), '-P', at('pid')]);
  await waitUntil('BIRD', START_MS, () => existsSync(at('bird.ctl')));
}

function birdc(host: Host, folder: string, command: string): string {
  return host.run(['birdc', '-r', '-s', join(folder, 'bird.ctl'), ...command.split(' ')]);
}
