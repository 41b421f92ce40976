// The stage of the interop tests: our agent between a foreign daemon (two sessions, one a family) and a scripted
// eBGP neighbour whose routes our agent passes on.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAMILIES } from '#ip';
import { addNeighbours, connect, createHost, type Host } from '#lab';
import type { Announcement, Daemon, DaemonKind, PeerSetup, SessionView } from '../daemons/daemon.ts';
import { Podroute } from '../daemons/podroute.ts';
import { RawHost, type RawPeer } from '../../testing/raw-peer.ts';
import {
  connectScripted,
  openScripted,
  type Scripted,
  type ScriptedSetup,
  scriptedSessions,
  type Side,
} from './scripted.ts';

/** Four octets on both sides, and in the paths; the injector has two. */
export const OWN_AS = 4_200_000_000;
export const EXTERNAL_AS = 4_200_000_001;
export const INJECTOR_AS = 65010;

export const OWN = { ipv4: '10.1.0.1', ipv6: 'fd01::1' } as const;
export const THEIRS = { ipv4: '10.1.0.2', ipv6: 'fd01::2' } as const;
export const INJECTOR = { own: '10.2.0.1', theirs: '10.2.0.2', own6: 'fd02::1', theirs6: 'fd02::2' } as const;

export type SessionType = 'ebgp' | 'ibgp';

export interface StageOptions {
  readonly type: SessionType;
  readonly holdTimeSeconds?: number;
  /** Changes the setup of both sides' sessions with each other. */
  readonly both?: Partial<PeerSetup>;
  /** On top, for our side only. */
  readonly ours?: Partial<PeerSetup>;
  /** On top, for the daemon's side only. */
  readonly theirs?: Partial<PeerSetup>;
  /** On top, for the daemon's side of the IPv4 session only. */
  readonly theirIpv4?: Partial<PeerSetup>;
  /** One session over IPv6 that carries both families, instead of one a family. */
  readonly overIpv6?: boolean;
  readonly withInjector?: boolean;
  /** What the injector offers instead of everything. */
  readonly injectorCapabilities?: readonly Buffer[];
  /** Further neighbours, of our agent and of the daemon. */
  readonly scripted?: Scripted<ScriptedSetup>;
  readonly clusterIds?: Readonly<Record<Side, string>>;
  /** A second daemon of the kind, of the same AS, in the injector's place. */
  readonly withTwin?: boolean;
  /** The daemons put equal paths into the kernel together. */
  readonly sharesTraffic?: boolean;
}

/** Tells the namespaces of stages that stand at the same time apart. */
let stages = 0;

export class Stage implements AsyncDisposable {
  readonly podroute: Podroute;
  #daemon: Daemon;
  readonly #start: (again?: readonly Announcement[]) => Promise<Daemon>;
  /** Where our agent runs. */
  readonly ourHost: Host;
  readonly theirHost: Host;
  readonly ourPeers: readonly PeerSetup[];
  /** Ours with scripted neighbours. */
  readonly #others: readonly PeerSetup[];
  readonly #owned: AsyncDisposableStack;
  injector: RawPeer | undefined;
  /** Up with our agent, when it was asked for. */
  twin: Daemon | undefined;
  /** Established, when they were asked for. */
  scripted: Scripted<RawPeer> = { ours: [], theirs: [] };

  constructor(
    podroute: Podroute,
    daemon: Daemon,
    start: (again?: readonly Announcement[]) => Promise<Daemon>,
    hosts: { readonly ours: Host; readonly theirs: Host },
    ourPeers: readonly PeerSetup[],
    others: readonly PeerSetup[],
    owned: AsyncDisposableStack,
  ) {
    this.podroute = podroute;
    this.#daemon = daemon;
    this.#start = start;
    this.ourHost = hosts.ours;
    this.theirHost = hosts.theirs;
    this.ourPeers = ourPeers;
    this.#others = others;
    this.#owned = owned;
  }

  static async set(kind: DaemonKind, options: StageOptions): Promise<Stage> {
    await using owned = new AsyncDisposableStack();
    const serial = ++stages;
    const hosts = ['podroute', kind.name, 'injector'].map((name) =>
      owned.use(createHost(`${name}-${serial}`, { group: 'interop' })),
    );
    const [ours, theirs, far] = hosts as [Host, Host, Host];
    connect(ours, theirs, {
      devices: ['eth0', 'eth0'],
      addresses: [
        [`${OWN.ipv4}/24`, `${OWN.ipv6}/64`],
        [`${THEIRS.ipv4}/24`, `${THEIRS.ipv6}/64`],
      ],
    });
    connect(ours, far, {
      devices: ['eth1', 'eth0'],
      addresses: [
        [`${INJECTOR.own}/24`, `${INJECTOR.own6}/64`],
        [`${INJECTOR.theirs}/24`, `${INJECTOR.theirs6}/64`],
      ],
    });
    for (const [a, aDevice, b, bDevice, addresses] of [
      [ours, 'eth0', theirs, 'eth0', [THEIRS.ipv4, THEIRS.ipv6]],
      [theirs, 'eth0', ours, 'eth0', [OWN.ipv4, OWN.ipv6]],
      [ours, 'eth1', far, 'eth0', [INJECTOR.theirs, INJECTOR.theirs6]],
      [far, 'eth0', ours, 'eth1', [INJECTOR.own, INJECTOR.own6]],
    ] as const) {
      addNeighbours(a, aDevice, b, bDevice, addresses);
    }
    const { scripted = { ours: [], theirs: [] }, clusterIds } = options;
    if (options.scripted !== undefined)
      connectScripted({ ours, theirs }, far, { ours: OWN, theirs: THEIRS }, scripted);
    const folder = (name: string) => {
      const path = mkdtempSync(join(tmpdir(), `podroute-interop-${name}-`));
      owned.defer(() => rmSync(path, { recursive: true, force: true }));
      return path;
    };
    const theirAs = options.type === 'ebgp' ? EXTERNAL_AS : OWN_AS;
    const common = { holdTimeSeconds: options.holdTimeSeconds ?? 9, ...options.both };
    const families = options.overIpv6 === true ? (['ipv6'] as const) : (['ipv4', 'ipv6'] as const);
    const carried = (family: 'ipv4' | 'ipv6') =>
      options.overIpv6 === true ? (['ipv4', 'ipv6'] as const) : [family];
    const ourPeers: PeerSetup[] = families.map((f) => ({
      ...{ localAddress: OWN[f], remoteAddress: THEIRS[f], remoteAs: theirAs, families: carried(f) },
      ...common,
      ...options.ours,
    }));
    const injectorPeer: PeerSetup = {
      ...{ localAddress: INJECTOR.own, remoteAddress: INJECTOR.theirs, remoteAs: INJECTOR_AS },
      ...{ families: ['ipv4', 'ipv6'], holdTimeSeconds: 90, passive: true, isOtherLink: true },
    };
    const others = [
      ...(options.withInjector === true ? [injectorPeer] : []),
      ...(options.withTwin === true ? twinSessions('own', theirAs, common) : []),
      ...scriptedSessions('ours', scripted.ours),
    ];
    const podroute = owned.use(
      await Podroute.start({
        ...{ host: ours, folder: folder('podroute'), asNumber: OWN_AS, routerId: '10.1.0.1' },
        ...(clusterIds === undefined ? {} : { clusterId: clusterIds.ours }),
        peers: [...ourPeers, ...others],
      }),
    );
    const theirFolder = folder(kind.name);
    const shares = { sharesTraffic: options.sharesTraffic === true };
    const start = (again?: readonly Announcement[]) =>
      kind.start({
        ...(again === undefined ? {} : { again }),
        ...{ host: theirs, folder: theirFolder, asNumber: theirAs, routerId: '10.1.0.2', ...shares },
        ...(clusterIds === undefined ? {} : { clusterId: clusterIds.theirs }),
        peers: [
          ...families.map((f) => ({
            ...{ localAddress: THEIRS[f], remoteAddress: OWN[f], remoteAs: OWN_AS, families: carried(f) },
            ...common,
            ...options.theirs,
            ...(f === 'ipv4' ? options.theirIpv4 : {}),
          })),
          ...scriptedSessions('theirs', scripted.theirs),
        ],
      });
    const daemon = await start();
    const twin =
      options.withTwin === true
        ? owned.use(
            await kind.start({
              ...{ host: far, folder: folder(`${kind.name}-twin`), asNumber: theirAs, ...shares },
              ...{ routerId: INJECTOR.theirs, peers: twinSessions('theirs', OWN_AS, common) },
            }),
          )
        : undefined;
    const stage = new Stage(podroute, daemon, start, { ours, theirs }, ourPeers, others, owned.move());
    stage.twin = twin;
    if (options.withInjector === true || options.scripted !== undefined) {
      const raw = stage.#owned.use(await RawHost.start(far));
      if (options.withInjector === true) await stage.#openInjector(raw, options.injectorCapabilities);
      await stage.#openScripted(raw, scripted);
    }
    return stage;
  }

  get daemon(): Daemon {
    return this.#daemon;
  }

  /** After its kill(): with these to announce from the start. */
  async startDaemonAgain(announced: readonly Announcement[]): Promise<void> {
    this.#daemon = await this.#start(announced);
  }

  /** Waits until all sessions between the two are up on both sides; says their states when not. */
  async established(timeoutMs = 12_000): Promise<void> {
    const views = async () => [
      ...(await this.podroute.sessions()).filter((s) => this.twin || s.remoteAddress !== INJECTOR.theirs),
      ...(await this.daemon.sessions()),
    ];
    const isUp = (all: readonly SessionView[]) => all.every((s) => s.isEstablished);
    const seen = await eventually(views, isUp, timeoutMs);
    if (isUp(seen)) return;
    const states = seen.map((s) => `${s.remoteAddress} ${s.state}`).join(', ');
    throw new Error(`not established after ${timeoutMs} ms: ${states}\n${this.logs()}`);
  }

  /** Our agent's sessions with the daemon get other settings. */
  edit(settings: Partial<PeerSetup>): void {
    this.podroute.setPeers([...this.ourPeers.map((peer) => ({ ...peer, ...settings })), ...this.#others]);
  }

  /** Likewise; the daemon tries again at once. */
  async change(settings: Partial<PeerSetup>): Promise<void> {
    this.edit(settings);
    for (const { localAddress } of this.ourPeers) await this.daemon.retry?.(localAddress);
  }

  logs(): string {
    return `podroute:\n${this.podroute.log().slice(-3000)}\n${this.daemon.name}:\n${this.daemon.log().slice(-3000)}`;
  }

  async #openScripted(raw: RawHost, setups: Scripted<ScriptedSetup>): Promise<void> {
    const open = async (side: Side) => {
      const peers = await openScripted(raw, side, setups[side]);
      for (const peer of peers) this.#owned.defer(() => peer.close());
      return peers;
    };
    this.scripted = { ours: await open('ours'), theirs: await open('theirs') };
  }

  async #openInjector(raw: RawHost, capabilities?: readonly Buffer[]): Promise<void> {
    const peer = await raw.connect(INJECTOR.own, INJECTOR.theirs);
    this.#owned.defer(() => peer.close());
    await peer.establish({
      ...{ asNumber: INJECTOR_AS, holdTimeSeconds: 90, routerId: INJECTOR.theirs },
      ...(capabilities === undefined ? {} : { capabilities }),
    });
    peer.keepAlive(20_000);
    this.injector = peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]();
    await this.#owned.disposeAsync();
  }
}

/** Between our agent and the twin, as one of them has them. */
function twinSessions(
  side: 'own' | 'theirs',
  remoteAs: number,
  common: Pick<PeerSetup, 'holdTimeSeconds'>,
): PeerSetup[] {
  const ends = { ipv4: [INJECTOR.own, INJECTOR.theirs], ipv6: [INJECTOR.own6, INJECTOR.theirs6] } as const;
  return FAMILIES.map((family) => {
    const [own, theirs] = ends[family];
    const [localAddress, remoteAddress] = side === 'own' ? [own, theirs] : [theirs, own];
    return { localAddress, remoteAddress, remoteAs, families: [family], isOtherLink: true, ...common };
  });
}

/** A look is a command of the daemon, which costs a process. */
const POLL_MS = 100;

/** Polls until `read` gives what `isRight` wants; the last value is returned in any case, for a comparison that explains. */
export async function eventually<T>(
  read: () => Promise<T>,
  isRight: (value: T) => boolean,
  timeoutMs = 6000,
): Promise<T> {
  let value = await read();
  const deadline = performance.now() + timeoutMs;
  while (!isRight(value) && performance.now() < deadline) {
    await new Promise((wake) => setTimeout(wake, POLL_MS));
    value = await read();
  }
  return value;
}
