// The door of the library: one BGP speaker. It joins the sessions (who talks) with the RIB (what is said), and
// turns configuration changes into the smallest disturbance. All I/O comes in through `io`.
import { FAMILIES, type Family, familyIndex, parseIpv4 } from '#ip';
import { type Clock, type Random, type Scheduler, systemScheduler } from '#world';
import type { PeerConfig, SpeakerConfig } from './config.ts';
import type { Transport } from './io.ts';
import { LimitedLog, type SpeakerLog } from './limited-log.ts';
import { routeEvents } from './route-events.ts';
import { sessionLines } from './session-lines.ts';
import { type Awaited, type DeferredSelection, SelectionDeferral } from './selection-deferral.ts';
import { REFRESH_BEGIN, REFRESH_END, REFRESH_REQUEST } from './message/index.ts';
import type { OwnIdentity } from './rib/attributes/attribute-intern.ts';
import type { NextHopTracker } from './rib/attributes/next-hops.ts';
import type { Origination } from './rib/in/originated.ts';
import { Rib } from './rib/rib.ts';
import type { ConfigurationThen } from './rib/foresight/foreseen.ts';
import { Foresight } from './rib/foresight/foresight.ts';
import { RoutePages } from './rib/show/route-pages.ts';
import type { ForwardingSource } from './rib/forwarding.ts';
import type { RibView } from './rib/show/view.ts';
import {
  type BfdNews,
  type PeerStatus,
  type ResetKind,
  type Session,
  type SessionDown,
  type SessionEnds,
  type SessionHandler,
  Peers,
  type RestartState,
} from './session/index.ts';
import {
  hasSent,
  hasSentAll,
  type NextHopDoubt,
  nextHopDoubts,
  ownClaims,
  peerRoutes,
  type PeerRoutes,
  type Readiness,
  readinessOf,
} from './speaker-status.ts';

export interface SpeakerIo {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly log?: SpeakerLog;
  /** Default: setImmediate. */
  readonly scheduler?: Scheduler;
  /**
   * Families whose forwarding went on over our own restart, as the kernel still has the routes of before (RFC 4724
   * section 4.1); default: none.
   */
  readonly forwardingKept?: readonly Family[];
  /** Ids of neighbours that are still to be found, beside those that are configured; default: none. */
  readonly expected?: () => readonly string[];
  /** Who runs BFD with neighbours that are configured so (RFC 5882); default: nobody. */
  readonly bfd?: BfdWatch;
}

const BFD_NEWS: Readonly<Record<BfdNews['state'], string>> = {
  up: 'is up',
  unknown: 'was taken down, which says nothing of the neighbour',
  failed: 'has failed',
};

export interface BfdWatch {
  /** A connection with the neighbour has these ends; perhaps others than the one before. */
  met(id: string, ends: SessionEnds): void;
  /** It is gone, shut down, or no longer configured so. */
  parted(id: string): void;
}

export type SpeakerPeer = PeerStatus & { readonly routes?: PeerRoutes };

export interface SpeakerStatus {
  readonly asNumber: number;
  readonly routerId: string;
  readonly peers: readonly SpeakerPeer[];
  readonly rib: ReturnType<RibView['sizes']>;
  /** Connections from addresses that no neighbour has. */
  readonly strangersRefused: number;
  /** Lines of the log that a neighbour caused and that were left out, since it began. */
  readonly logLinesLeftOut: number;
  /** After a restart; empty: selection goes on. */
  readonly deferred: readonly DeferredSelection[];
}

export interface OwnClaim {
  readonly id: string;
  /** The neighbour's address. */
  readonly remote: string;
  /** As configured. */
  readonly description: string | undefined;
  /** At most 256. */
  readonly prefixes: readonly string[];
}

export class Speaker implements AsyncDisposable {
  readonly #io: SpeakerIo;
  readonly #sessions: Peers;
  readonly #rib: Rib;
  readonly #configured = new Set<string>();
  #config: SpeakerConfig;
  /** What an operator reads of the routes. */
  readonly rib: RibView;
  /** What a forwarding table reads of them. */
  readonly forwarding: ForwardingSource;
  readonly #lines: LimitedLog;
  readonly #deferral: SelectionDeferral;
  #isConverged = false;

  constructor(config: SpeakerConfig, io: SpeakerIo) {
    this.#config = config;
    this.#io = io;
    const lines = new LimitedLog(io.log, io.clock);
    this.#lines = lines;
    const seed = Math.floor(io.random.next() * 2 ** 32);
    this.#rib = new Rib(
      identityOf(config),
      rulesOf(config),
      { clock: io.clock, scheduler: io.scheduler ?? systemScheduler, seed },
      routeEvents(lines, () => this.#deferral.look()),
    );
    this.forwarding = this.#rib.forwarding;
    this.rib = new RoutePages(this.#rib, io.clock);
    this.#rib.aggregate(config.aggregates ?? []);
    this.#sessions = new Peers(config, io, this.#handler());
    const kept = io.forwardingKept ?? [];
    for (const family of kept) this.#rib.defer(familyIndex(family));
    this.#deferral = new SelectionDeferral(kept, {
      clock: io.clock,
      ...(io.log === undefined ? {} : { log: io.log }),
      wanted: () => this.#awaited(),
      hasSentAll: (session, family) => hasSent(this.#rib, session, family),
      over: (family) => this.#rib.select(familyIndex(family)),
    });
  }

  /** Listens, and starts all neighbours also when it cannot. @throws Error naming each address that cannot be bound */
  async start(): Promise<void> {
    this.#deferral.start();
    await this.#sessions.start();
  }

  /** Touches only what changed: sessions restart only for another AS number or router ID. */
  async reconfigure(config: SpeakerConfig): Promise<void> {
    const before = JSON.stringify([identityOf(this.#config), rulesOf(this.#config)]);
    this.#config = config;
    const identity = identityOf(config);
    const rules = rulesOf(config);
    if (JSON.stringify([identity, rules]) !== before) this.#rib.reconfigure(identity, rules);
    this.#rib.aggregate(config.aggregates ?? []);
    await this.#sessions.reconfigure(config);
  }

  /** Many calls of addPeer(), updatePeer() and removePeer() as one: a password that all share is changed at once. */
  together(change: () => void): void {
    this.#sessions.together(change);
  }

  /** @throws Error when the id or address is taken, or a policy is wrong */
  addPeer(peer: PeerConfig): void {
    this.#rib.checkPolicies(peer);
    const isKnown = this.#configured.has(peer.id);
    this.#configured.add(peer.id);
    try {
      this.#sessions.addPeer(peer);
    } catch (error) {
      if (!isKnown) this.#configured.delete(peer.id);
      throw error;
    }
  }

  /** Resets the session only where the protocol demands it; the rest takes effect on the running one. */
  updatePeer(peer: PeerConfig): void {
    this.#rib.checkPolicies(peer);
    const change = this.#sessions.updatePeer(peer);
    this.#log(
      'info',
      peer.id,
      `configuration changed: ${change.kind}${'reason' in change ? `, ${change.reason}` : ''}`,
    );
    // A range's neighbours share its configuration: all that have a new one, with a session or away.
    for (const known of this.#rib.peers()) {
      const config = this.#sessions.configOf(known.id);
      if (config !== undefined && config !== known.config) this.#rib.neighbours.configure(config);
    }
  }

  removePeer(id: string, reason?: string): void {
    this.#sessions.removePeer(id, reason);
    this.#configured.delete(id);
    this.#rib.neighbours.remove(id);
  }

  /** soft-in: import policy again over what was received; soft-out: everything again; hard: a new session. */
  resetPeer(id: string, kind: ResetKind, reason?: string): void {
    if (kind === 'soft-in') this.#rib.neighbours.softIn(id);
    else if (kind === 'soft-out') this.#rib.neighbours.softOut(id);
    else this.#sessions.resetPeer(id, reason);
  }

  /** Announces routes as our own, or changes them. @throws Error naming the route that is wrong */
  originate(routes: readonly Origination[]): void {
    this.#rib.originated.originate(routes);
    this.#rib.wake();
  }

  withdraw(prefixes: readonly string[]): void {
    this.#rib.originated.withdraw(prefixes);
    this.#rib.wake();
  }

  setNextHopTracker(tracker: NextHopTracker | undefined): void {
    this.#rib.nextHops.setTracker(tracker);
  }

  /**
   * What a tracked next hop turned out to be.
   * @param metric lower is better
   * @param interfaces over which it is reached, for policies
   * @param isOnLink no router is between; true also when that is not known
   */
  updateNextHop(
    address: string,
    reachable: boolean,
    metric: number,
    device?: string,
    interfaces?: readonly string[],
    isOnLink = true,
  ): void {
    this.#rib.updateNextHop(address, reachable, metric, device, interfaces, isOnLink);
  }

  /** Every neighbour that is wanted is up and has sent its End-of-RIB in each family (RFC 4724 §2). */
  hasHeardAll(): boolean {
    for (const { session } of this.#sessions.wanted()) {
      if (session === undefined || !hasSentAll(this.#rib, session)) return false;
    }
    return true;
  }

  /** Nothing waits to be chosen, neither for neighbours to speak nor for its turn. */
  get isSettled(): boolean {
    return !this.#deferral.isOn && this.#rib.isIdle;
  }

  /** What forwards agrees with what was chosen: a session that goes down from now on changes nothing of that. */
  forwardingAgrees(): void {
    this.#isConverged = true;
  }

  *#awaited(): Iterable<Awaited> {
    yield* this.#sessions.wanted();
    for (const id of this.#io.expected?.() ?? []) yield { id, session: undefined };
  }

  /** RFC 4724 section 3: R while we restart, F where forwarding has gone on. */
  #restartState(): RestartState {
    const forwardingKept = this.#isConverged ? FAMILIES : (this.#io.forwardingKept ?? []);
    return { isRestarting: this.#deferral.isOn, forwardingKept };
  }

  /** What BFD says of a neighbour that was met. */
  heardBfd(id: string, news: BfdNews): void {
    const { state } = news;
    const why = 'text' in news ? { why: news.text } : {};
    this.#lines.line('bfd', id, () => [{ peer: id, ...why }, `BFD with ${id} ${BFD_NEWS[state]}`]);
    this.#sessions.heardBfd(id, news);
  }

  isEstablished(id: string): boolean {
    return this.#rib.peer(id)?.session !== undefined;
  }

  status(): SpeakerStatus {
    return {
      asNumber: this.#config.asNumber,
      routerId: this.#config.routerId,
      peers: this.peerIds().map((id) => this.peerStatus(id)!),
      ...this.totals(),
    };
  }

  readiness(): Readiness {
    return readinessOf(
      this.#rib,
      [...this.#sessions.wanted()].map(({ session }) => session),
      this.#sessions.wantedRanges,
    );
  }

  /** What is of no single neighbour. */
  totals(): Pick<SpeakerStatus, 'rib' | 'strangersRefused' | 'logLinesLeftOut' | 'deferred'> {
    return {
      deferred: this.#deferral.state(),
      rib: this.rib.sizes(),
      strangersRefused: this.#sessions.unknownRefused,
      logLinesLeftOut: this.#lines.leftOut,
    };
  }

  /** Of all neighbours, for who reads their status in turns: one costs some 50 µs. Ranges stand first. */
  peerIds(): string[] {
    return this.#sessions.ids();
  }

  /** Undefined for one that is gone. */
  peerStatus(id: string): SpeakerPeer | undefined {
    const peer = this.#sessions.statusOf(id);
    const routes = peer && peerRoutes(this.#rib, id);
    return peer && routes ? { ...peer, routes } : peer;
  }

  /** What another configuration would make of the routes; the caller walks it and rests in between. @throws Error when a policy is wrong */
  foresee({ speaker, peers: configs, ...own }: ConfigurationThen): Foresight {
    return new Foresight(this.#rib, {
      identity: identityOf(speaker),
      rules: rulesOf(speaker),
      peers: new Map(configs.map((peer) => [peer.id, peer])),
      aggregates: speaker.aggregates ?? [],
      ...own,
    });
  }

  /** Neighbours that announce what is ours (PolicyTerm.action.isOwn). */
  ownClaims(): OwnClaim[] {
    return [...this.#rib.peers()].flatMap((peer): OwnClaim[] => {
      const prefixes = ownClaims(this.#rib, peer);
      if (prefixes.length === 0) return [];
      const remote = peer.session?.negotiated.remoteAddress ?? '';
      return [{ id: peer.id, remote, description: peer.config.description, prefixes }];
    });
  }

  /** Sessions that are up, and yet the neighbour can use nothing of what it is sent, as far as this side can know. */
  nextHopDoubts(): NextHopDoubt[] {
    return nextHopDoubts(this.#rib);
  }

  /** graceful: connections just close, so that neighbours keep our routes (RFC 4724). */
  async stop(options?: { readonly graceful?: boolean; readonly message?: string }): Promise<void> {
    this.#deferral.stop();
    await this.#sessions.stop(options);
    this.#rib.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #handler(): SessionHandler {
    const rib = this.#rib;
    const { bfd } = this.#io;
    const lines = sessionLines(this.#lines, (peer) => this.#configured.has(peer));
    return {
      established: (session: Session) => {
        rib.neighbours.established(session);
        this.#deferral.look();
      },
      restartState: () => this.#restartState(),
      update: rib.update,
      routeRefresh: (session: Session, family: Family, subtype: number) => {
        const index = familyIndex(family);
        if (subtype === REFRESH_REQUEST) rib.refresh(session, index);
        else if (!session.negotiated.enhancedRouteRefresh) return;
        else if (subtype === REFRESH_BEGIN) rib.refreshBegins(session, index);
        else if (subtype === REFRESH_END) rib.refreshEnds(session, index);
      },
      drained: (session: Session) => rib.drained(session),
      down: (session: Session, reason: SessionDown) => {
        rib.neighbours.down(session, reason.kept);
        if (!this.#configured.has(session.peerId)) rib.neighbours.forget(session.peerId);
        lines.routesOf(session.peerId, reason);
      },
      abandoned: (peer: string) => rib.neighbours.dropKept(peer),
      met: (peer: string, ends: SessionEnds) => bfd?.met(peer, ends),
      parted: (peer: string) => bfd?.parted(peer),
      stateChanged: lines.stateChanged,
      refused: lines.refused,
    };
  }

  #log(level: 'info' | 'warn', peer: string, text: string): void {
    this.#io.log?.[level]({ peer }, text);
  }
}

function identityOf(config: SpeakerConfig): OwnIdentity {
  const routerId = parseIpv4(config.routerId);
  const clusterId = parseIpv4(config.clusterId ?? config.routerId);
  if (routerId === undefined || routerId === 0)
    throw new Error(`router ID '${config.routerId}' is not an IPv4 address`);
  if (clusterId === undefined) throw new Error(`cluster ID '${config.clusterId}' is not an IPv4 address`);
  return { asNumber: config.asNumber, routerId, clusterId };
}

const rulesOf = ({ multipath, bestPath }: SpeakerConfig) => ({ ...multipath, ...bestPath });
