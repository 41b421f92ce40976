// A stage of one speaker, ours or another's, before a scripted peer that has an address for each test: every test is
// a neighbour of its own, so that no back-off after one disturbs the next.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addAddresses, addNeighbours, connect, createHost } from '#lab';
import type { Daemon, DaemonKind, PeerSetup } from '../daemons/daemon.ts';
import { MessageType, type OpenFields } from '../../testing/messages.ts';
import { RawHost, type RawPeer } from '../../testing/raw-peer.ts';

const TARGET_AS = 65_020;
export const SCRIPT_AS = 65_010;
const TARGET = '10.3.0.1';
export const HOLD_SECONDS = 30;

const READY_MS = 5000;
let targets = 0;

/** The scripted peer's address number `index`, 0 to 200. */
export function scriptAddress(index: number): string {
  return `10.3.1.${index + 1}`;
}

export class Target implements AsyncDisposable {
  /** Its neighbours, as it was started with. */
  readonly peers: readonly PeerSetup[];
  readonly #start: () => Promise<Daemon>;
  #daemon: Daemon;
  readonly #raw: RawHost;
  readonly #owned: AsyncDisposableStack;

  constructor(
    peers: readonly PeerSetup[],
    start: () => Promise<Daemon>,
    daemon: Daemon,
    raw: RawHost,
    owned: AsyncDisposableStack,
  ) {
    this.peers = peers;
    this.#start = start;
    this.#daemon = daemon;
    this.#raw = raw;
    this.#owned = owned;
  }

  get daemon(): Daemon {
    return this.#daemon;
  }

  /** False when it has crashed. */
  get isAlive(): boolean {
    try {
      return process.kill(this.#daemon.pid, 0);
    } catch {
      return false;
    }
  }

  /** @param neighbours what the target's session with each address is beyond the usual */
  static async set(kind: DaemonKind, neighbours: readonly Partial<PeerSetup>[]): Promise<Target> {
    await using owned = new AsyncDisposableStack();
    const serial = ++targets;
    const [host, far] = [kind.name, 'script'].map((name) =>
      owned.use(createHost(`${name}-target-${serial}`, { group: 'interop' })),
    ) as [ReturnType<typeof createHost>, ReturnType<typeof createHost>];
    connect(host, far, { devices: ['eth0', 'eth0'], addresses: [[`${TARGET}/16`], ['10.3.2.1/16']] });
    const addresses = neighbours.map((_, i) => scriptAddress(i));
    addAddresses(
      far,
      'eth0',
      addresses.map((a) => `${a}/16`),
    );
    addNeighbours(host, 'eth0', far, 'eth0', addresses);
    addNeighbours(far, 'eth0', host, 'eth0', [TARGET]);
    const peers = neighbours.map(
      (more, i): PeerSetup => ({
        ...{ localAddress: TARGET, remoteAddress: scriptAddress(i), remoteAs: SCRIPT_AS },
        ...{ families: ['ipv4', 'ipv6'], holdTimeSeconds: HOLD_SECONDS, passive: true },
        ...more,
      }),
    );
    const folders = owned.adopt<string[]>([], (made) => {
      for (const folder of made) rmSync(folder, { recursive: true, force: true });
    });
    const start = () => {
      const folder = mkdtempSync(join(tmpdir(), `podroute-interop-${kind.name}-`));
      folders.push(folder);
      return kind.start({ host, folder, asNumber: TARGET_AS, routerId: TARGET, peers });
    };
    const daemon = await start();
    const raw = owned.use(await RawHost.start(far));
    return new Target(peers, start, daemon, raw, owned.move());
  }

  /** One that a message before has killed is started again first; it may listen a little later than it says. */
  async connect(index: number): Promise<RawPeer> {
    if (!this.isAlive) this.#daemon = await this.#start();
    const deadline = performance.now() + READY_MS;
    for (;;) {
      const result = await this.#raw
        .connect(TARGET, scriptAddress(index))
        .catch((error: unknown) => error as Error);
      if (!(result instanceof Error)) return result;
      if (!result.message.includes('ECONNREFUSED') || performance.now() > deadline) throw result;
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }

  /** A connection on which its OPEN has come: one that has just started may close the first ones. */
  async opened(index: number): Promise<RawPeer> {
    const deadline = performance.now() + READY_MS;
    for (;;) {
      const peer = await this.connect(index);
      if ((await peer.readUntil(MessageType.open)) !== undefined) return peer;
      if (performance.now() > deadline) throw new Error(`no OPEN for neighbour ${scriptAddress(index)}`);
      await new Promise((wake) => setTimeout(wake, 200));
    }
  }

  async established(index: number, fields: OpenFields): Promise<RawPeer> {
    const peer = await this.opened(index);
    await peer.establish(fields);
    return peer;
  }

  logs(): string {
    return `${this.daemon.name}:\n${this.daemon.log()}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]();
    await this.#owned.disposeAsync();
  }
}
