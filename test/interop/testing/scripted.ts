// Scripted neighbours beside a stage's two speakers, as many on each side as a test wants: they bring the several paths
// of a prefix, and the clients of reflectors. The same number on both sides is the same router.
import { addAddresses, addNeighbours, connect, type Host } from '#lab';
import type { PeerSetup } from '../daemons/daemon.ts';
import type { OpenFields } from '../../testing/messages.ts';
import type { RawHost, RawPeer } from '../../testing/raw-peer.ts';

export type Side = 'ours' | 'theirs';

export interface ScriptedSetup {
  readonly asNumber: number;
  readonly isClient?: boolean;
}

export type Scripted<T> = Readonly<Record<Side, readonly T[]>>;

const NETWORKS = {
  ours: { ipv4: '10.2.0.', ipv6: 'fd02::', device: 'eth1', far: 'eth0' },
  theirs: { ipv4: '10.3.0.', ipv6: 'fd03::', device: 'eth1', far: 'eth1' },
} as const;
const HOLD_SECONDS = 90;
const READY_MS = 20_000;
/** This process stands still while it runs the commands of other stages. */
const ANSWER_MS = 10_000;

export function scriptedAt(side: Side, index: number): { ipv4: string; ipv6: string; routerId: string } {
  const last = 11 + index;
  const { ipv4, ipv6 } = NETWORKS[side];
  return { ipv4: `${ipv4}${last}`, ipv6: `${ipv6}${last}`, routerId: `192.0.2.${last}` };
}

/** The links that are missing, addresses, and the way to the other side's scripted neighbours as next hops. */
export function connectScripted(
  hosts: Readonly<Record<Side, Host>>,
  far: Host,
  speakers: Readonly<Record<Side, { ipv4: string; ipv6: string }>>,
  setups: Scripted<ScriptedSetup>,
): void {
  const { ipv4: four, ipv6: six, device: near, far: end } = NETWORKS.theirs;
  const both = [1, 2].map((last) => [`${four}${last}/24`, `${six}${last}/64`]) as [string[], string[]];
  connect(hosts.theirs, far, { devices: [near, end], addresses: both });
  for (const side of ['ours', 'theirs'] as const) {
    const { ipv4, ipv6, device, far: farDevice } = NETWORKS[side];
    const own = setups[side].map((_, i) => scriptedAt(side, i));
    const addresses = own.flatMap((at) => [`${at.ipv4}/24`, `${at.ipv6}/64`]);
    addAddresses(far, farDevice, addresses);
    addNeighbours(
      hosts[side],
      device,
      far,
      farDevice,
      own.flatMap((at) => [at.ipv4, at.ipv6]),
    );
    addNeighbours(far, farDevice, hosts[side], device, [`${ipv4}1`, `${ipv6}1`]);
    const other = side === 'ours' ? 'theirs' : 'ours';
    hosts[other].ip('route', 'add', `${ipv4}0/24`, 'via', speakers[side].ipv4);
    hosts[other].ip('route', 'add', `${ipv6}/64`, 'via', speakers[side].ipv6);
  }
}

/** Their sessions as the speaker of that side has them. */
export function scriptedSessions(side: Side, setups: readonly ScriptedSetup[]): PeerSetup[] {
  return setups.map(({ asNumber, isClient = false }, i) => ({
    ...{
      localAddress: `${NETWORKS[side].ipv4}1`,
      remoteAddress: scriptedAt(side, i).ipv4,
      remoteAs: asNumber,
    },
    ...{
      families: ['ipv4', 'ipv6'],
      holdTimeSeconds: HOLD_SECONDS,
      passive: true,
      isOtherLink: true,
      isClient,
    },
  }));
}

export async function openScripted(
  raw: RawHost,
  side: Side,
  setups: readonly ScriptedSetup[],
): Promise<RawPeer[]> {
  const peers: RawPeer[] = [];
  for (const [i, { asNumber }] of setups.entries()) {
    const { ipv4, routerId } = scriptedAt(side, i);
    const fields = { asNumber, holdTimeSeconds: HOLD_SECONDS, routerId };
    const peer = await established(() => raw.connect(`${NETWORKS[side].ipv4}1`, ipv4), fields);
    peer.keepAlive(20_000);
    peers.push(peer);
  }
  return peers;
}

/** A speaker that has just started may refuse or close the first connections. */
async function established(connection: () => Promise<RawPeer>, fields: OpenFields): Promise<RawPeer> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    try {
      const peer = await connection();
      await peer.establish(fields, ANSWER_MS);
      return peer;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((wake) => setTimeout(wake, 200));
    }
  }
}
