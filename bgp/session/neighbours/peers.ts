// All sessions of one speaker: configured neighbours, dynamic ones, and the listeners they arrive at.
// It knows nothing of routes; the speaker above gives it a SessionHandler.
import { hostPrefix, withZone } from '#ip';
import type { Clock, Random } from '#world';
import type { PeerConfig, SpeakerConfig } from '../../config.ts';
import type { Connection, Transport } from '../../io.ts';
import {
  CEASE_ADMIN_RESET,
  CEASE_ADMIN_SHUTDOWN,
  CEASE_DECONFIGURED,
  CEASE_OTHER_CONFIG,
} from '../../message/index.ts';
import { configChange, type ConfigChange } from '../fsm/config-change.ts';
import { Deadlines } from '../connection/deadlines.ts';
import { Listener } from '../connection/listener.ts';
import { KeyHolds } from './key-holds.ts';
import { Linger } from './linger.ts';
import { Neighbours, parseRange, type Range } from './neighbours.ts';
import type { DownCause, Refusal } from '../fsm/cause.ts';
import { cease } from '../fsm/down.ts';
import type { NotificationError } from '../fsm/fsm-types.ts';
import type { PeerOrigin } from '../link-rules.ts';
import { changedCause, Peer } from '../peer.ts';
import type { PeerIo } from '../ports.ts';
import { HalfOpen, RANK } from '../rivals.ts';
import { peerStatus, rangeStatus } from './peer-status.ts';
import type { BfdNews, PeerStatus, Session, SessionHandler } from '../types.ts';

export interface PeersIo {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
}

/** 'hard' closes the connection (Cease/4); the soft kinds are the RIB's work. */
export type ResetKind = 'soft-in' | 'soft-out' | 'hard';
const BGP_PORT = 179;

export class Peers implements AsyncDisposable {
  readonly #io: PeerIo;
  #config: SpeakerConfig;
  readonly #listener: Listener;
  readonly #keyHolds: KeyHolds;
  readonly #neighbours = new Neighbours();
  readonly #peers = new Map<string, Peer>();
  readonly #ranges = new Map<string, Range>();
  readonly #linger: Linger;
  #isStarted = false;
  /** For start(): stop() came while it waited. */
  #isStopped = false;
  #unknownRefused = 0;

  constructor(config: SpeakerConfig, io: PeersIo, handler: SessionHandler) {
    this.#config = config;
    this.#io = {
      clock: io.clock,
      random: io.random,
      transport: io.transport,
      deadlines: new Deadlines(io.clock),
      halfOpen: new HalfOpen(),
      handler,
    };
    this.#linger = new Linger(this.#io, (peer) => this.#forget(peer));
    this.#listener = new Listener(io.transport, (connection) => this.#accept(connection));
    this.#keyHolds = new KeyHolds(
      this.#io,
      this.#listener,
      (id) => this.#ranges.get(id) ?? this.#peers.get(id),
    );
  }

  /**
   * Listens on every configured address and starts all neighbours. Rejects when an address cannot be bound: the others
   * listen and neighbours are dialled; called again it tries what does not listen yet.
   */
  async start(): Promise<void> {
    this.#isStopped = false;
    try {
      await this.#listener.listenOn(this.#config.listen);
    } finally {
      if (!this.#isStopped) this.#startPeers();
    }
  }

  #startPeers(): void {
    this.#isStarted = true;
    this.#keyHolds.settle();
    for (const peer of this.#peers.values()) peer.start();
  }

  /** A new AS number or router ID resets the sessions that used the old one; listeners are opened and closed. */
  async reconfigure(config: SpeakerConfig): Promise<void> {
    const before = this.#config;
    this.#config = config;
    for (const peer of this.#allPeers()) {
      peer.speaker = config;
      const isAsChanged = before.asNumber !== config.asNumber && peer.config.localAs === undefined;
      if (!isAsChanged && before.routerId === config.routerId) continue;
      const kind = 'identity changed';
      const cause: DownCause = isAsChanged
        ? { kind, field: 'AS', from: before.asNumber, to: config.asNumber }
        : { kind, field: 'router ID', from: before.routerId, to: config.routerId };
      peer.reset(cause, cease(CEASE_OTHER_CONFIG));
    }
    try {
      if (this.#isStarted) await this.#listener.listenOn(config.listen);
    } finally {
      this.#keyHolds.settle();
    }
  }

  /** Many changes of neighbours as one: listening sockets get the keys of all when it is over. */
  together(change: () => void): void {
    try {
      this.#listener.together(change);
    } finally {
      this.#keyHolds.settle();
    }
  }

  /** Throws when the id or the remote address is taken. What the transport cannot do holds the peer down, visibly. */
  addPeer(config: PeerConfig): void {
    if (this.#peers.has(config.id) || this.#ranges.has(config.id)) {
      throw new Error(`peer ${config.id}: there is already one with this id`);
    }
    if (config.remote.kind === 'range') {
      this.#addRange(config, config.remote);
      return;
    }
    const { address, port, device } = config.remote;
    const origin: PeerOrigin = { id: config.id, address, port, device, dynamicOf: undefined };
    const peer = this.#makePeer(config, origin);
    this.#neighbours.add(peer);
    this.#peers.set(config.id, peer);
    this.#setListenKey(config);
    if (this.#isStarted) peer.start();
    this.#keyHolds.settle();
  }

  /** Resets the session only where the protocol demands it; says what it did. Throws for an unknown id. */
  updatePeer(config: PeerConfig): ConfigChange {
    const range = this.#ranges.get(config.id);
    const before = range?.config ?? this.#peers.get(config.id)?.config;
    if (before === undefined) throw new Error(`peer ${config.id}: there is none with this id`);
    this.#neighbours.check(config);
    const change = configChange(before, config);
    const isNewPlace = change.fields.some(({ name, effect }) => name === 'remote' && effect === 'reset');
    if (isNewPlace || (range !== undefined) !== (config.remote.kind === 'range')) {
      this.#remove(config.id, changedCause(change), cease(CEASE_OTHER_CONFIG));
      this.addPeer(config);
      return change;
    }
    this.#setListenKey(config);
    if (range === undefined) {
      const peer = this.#peers.get(config.id)!;
      const port = config.remote.kind === 'address' ? config.remote.port : BGP_PORT;
      peer.reconfigure(config, { ...peer.origin, port }, change);
    } else {
      range.config = config;
      if (config.remote.kind === 'range') range.maxPeers = config.remote.maxPeers;
      for (const peer of range.peers.values()) {
        peer.reconfigure({ ...config, id: peer.id, remote: peer.config.remote }, peer.origin, change);
      }
    }
    this.#keyHolds.settle();
    return change;
  }

  /** Cease/3. Does nothing for an unknown id. */
  removePeer(id: string, reason = 'removed from the configuration'): void {
    this.#remove(id, { kind: 'removed', text: reason }, cease(CEASE_DECONFIGURED));
  }

  /** Cease/4 with the reason as text and a new start without back-off; ends being held down. */
  resetPeer(id: string, reason = 'reset by the operator'): void {
    for (const peer of this.#peersOf(id))
      peer.reset({ kind: 'reset', text: reason }, cease(CEASE_ADMIN_RESET, reason));
    this.#keyHolds.settle();
  }

  /** Of a neighbour with `bfd`. */
  heardBfd(peerId: string, news: BfdNews): void {
    this.#find(peerId)?.bfd.heard(news);
  }

  /** What a neighbour is configured with now, also one of a range. */
  configOf(peerId: string): PeerConfig | undefined {
    return this.#find(peerId)?.config;
  }

  /** Of each neighbour that is not held down its established session. */
  *wanted(): Iterable<{ readonly id: string; readonly session: Session | undefined }> {
    for (const peer of this.#allPeers())
      if (peer.heldDown === undefined) yield { id: peer.id, session: peer.current };
  }

  /** Ranges that are not held down. */
  get wantedRanges(): number {
    const ranges = [...this.#ranges.values()];
    return ranges.filter(({ config, keyRefusal }) => (config.shutdown ?? keyRefusal) === undefined).length;
  }

  status(): PeerStatus[] {
    return this.ids().map((id) => this.statusOf(id)!);
  }

  /** Ranges first, then all neighbours, those of ranges too. */
  ids(): string[] {
    return [...this.#ranges.keys(), ...[...this.#allPeers()].map(({ id }) => id)];
  }

  statusOf(id: string): PeerStatus | undefined {
    const range = this.#ranges.get(id);
    if (range !== undefined) return rangeStatus(range, this.#io.clock.now());
    const peer = this.#find(id);
    return peer && peerStatus(peer);
  }

  /** Connections from addresses that are nobody's. */
  get unknownRefused(): number {
    return this.#unknownRefused;
  }

  get listening(): readonly { readonly address: string; readonly port: number }[] {
    return this.#listener.addresses;
  }

  /** Ends everything: Cease/2; (graceful) to those who keep our routes over a restart nothing (RFC 4724 section 4.1). */
  stop(options: { readonly graceful?: boolean; readonly message?: string } = {}): Promise<void> {
    this.#isStarted = false;
    this.#isStopped = true;
    this.#listener.close();
    this.#keyHolds.stop();
    const reason = options.message ?? 'this speaker stops';
    const error = cease(CEASE_ADMIN_SHUTDOWN, options.message ?? '');
    const cause: DownCause = { kind: 'speaker stopped', text: reason };
    for (const peer of this.#allPeers())
      peer.stop(cause, options.graceful && peer.isKeptOverRestart ? undefined : error);
    for (const peer of this.#linger.peers()) this.#forget(peer);
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #accept(connection: Connection): void {
    const { remoteAddress, localAddress, device } = connection;
    const found = this.#neighbours.find(remoteAddress, localAddress, device);
    if (found === undefined) {
      this.#unknownRefused++;
      this.#io.handler.refused?.(remoteAddress, undefined, { kind: 'no neighbour' });
      connection.destroy();
    } else if (found instanceof Peer) {
      found.accept(connection);
    } else {
      this.#acceptDynamic(found, connection);
    }
  }

  #acceptDynamic(range: Range, connection: Connection): void {
    const { remoteAddress, device } = connection;
    const key = withZone(remoteAddress, device);
    const known = range.peers.get(key);
    if (known !== undefined) {
      known.accept(connection);
      return;
    }
    const refusal = this.#rangeRefusal(range);
    if (refusal !== undefined) {
      range.refused++;
      this.#io.handler.refused?.(remoteAddress, range.config.id, refusal);
      connection.destroy();
      return;
    }
    const id = `${range.config.id}/${key}`;
    const config: PeerConfig = {
      ...range.config,
      id,
      remote: {
        kind: 'address',
        address: remoteAddress,
        port: BGP_PORT,
        ...(device === undefined ? {} : { device }),
      },
    };
    const peer = this.#makePeer(config, {
      id,
      address: remoteAddress,
      port: BGP_PORT,
      device,
      dynamicOf: range.config.id,
    });
    range.peers.set(key, peer);
    peer.start();
    peer.accept(connection);
  }

  #rangeRefusal(range: Range): Refusal | undefined {
    if (range.config.shutdown !== undefined) return { kind: 'range shut down' };
    if (range.keyRefusal !== undefined) return { kind: 'held down', by: { cause: range.keyRefusal } };
    return this.#makePlace(range) ? undefined : { kind: 'range full', max: range.maxPeers };
  }

  #makePlace(range: Range): boolean {
    if (range.peers.size < range.maxPeers) return true;
    // First who is gone, then who has not brought an OPEN yet: strangers that say nothing must not fill a range.
    for (const isIdle of [true, false]) {
      for (const peer of range.peers.values()) {
        const mayGo = isIdle ? this.#linger.has(peer) : RANK[peer.main?.state ?? 'Idle'] < RANK.OpenConfirm;
        if (!mayGo) continue;
        this.#forget(peer);
        return true;
      }
    }
    return false;
  }

  #makePeer(config: PeerConfig, origin: PeerOrigin): Peer {
    return new Peer(this.#io, this.#config, config, origin, (peer, isIdle) => this.#idle(peer, isIdle));
  }

  #idle(peer: Peer, isIdle: boolean): void {
    if (peer.origin.dynamicOf === undefined) return;
    if (isIdle) this.#linger.add(peer);
    else this.#linger.delete(peer);
  }

  #forget(peer: Peer): void {
    this.#linger.delete(peer);
    const range = this.#ranges.get(peer.origin.dynamicOf ?? '');
    for (const [key, other] of range?.peers ?? []) if (other === peer) range?.peers.delete(key);
    peer.stop({ kind: 'forgotten' });
    this.#linger.delete(peer);
  }

  #addRange(config: PeerConfig, remote: { readonly prefix: string; readonly maxPeers: number }): void {
    const range: Range = {
      config,
      prefix: parseRange(remote.prefix),
      maxPeers: remote.maxPeers,
      peers: new Map(),
      sinceMs: this.#io.clock.wall(),
      sinceMonotonicMs: this.#io.clock.now(),
      refused: 0,
    };
    this.#neighbours.addRange(range);
    this.#ranges.set(config.id, range);
    this.#setListenKey(config);
    this.#keyHolds.settle();
  }

  #remove(id: string, cause: DownCause, error: NotificationError): void {
    const range = this.#ranges.get(id);
    const peer = this.#peers.get(id);
    if (range !== undefined) {
      this.#ranges.delete(id);
      this.#neighbours.removeRange(range);
      for (const dynamic of range.peers.values()) {
        dynamic.stop(cause, error);
        this.#idle(dynamic, false);
      }
    } else if (peer !== undefined) {
      this.#peers.delete(id);
      this.#neighbours.remove(peer);
      peer.stop(cause, error);
    }
    this.#listener.removeKey(id);
    this.#keyHolds.settle();
  }

  #setListenKey({ id, remote, md5Key: secret, passive: isPassive }: PeerConfig): void {
    const prefix = remote.kind === 'range' ? parseRange(remote.prefix).text : hostPrefix(remote.address);
    this.#listener.setKey({ id, prefix, secret, isPassive });
  }

  *#allPeers(): Iterable<Peer> {
    yield* this.#peers.values();
    for (const range of this.#ranges.values()) yield* range.peers.values();
  }

  #peersOf(id: string): readonly Peer[] {
    const range = this.#ranges.get(id);
    if (range !== undefined) return [...range.peers.values()];
    const peer = this.#find(id);
    return peer === undefined ? [] : [peer];
  }

  #find(id: string): Peer | undefined {
    const peer = this.#peers.get(id);
    if (peer !== undefined) return peer;
    const slash = id.lastIndexOf('/');
    return slash < 0 ? undefined : this.#ranges.get(id.slice(0, slash))?.peers.get(id.slice(slash + 1));
  }
}
