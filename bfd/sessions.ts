// All sessions of a host: which packet is whose (RFC 5880 §6.3, §6.8.6; RFC 5881 §3, RFC 5883 §4), which of them should
// be, and the one clock, chance and wire that they share. A packet costs the same whoever sent it: it is looked at once,
// and logs nothing. Bound: the sessions that are wanted, and for some seconds those that no longer are.
import { type Clock, type Random, type Scheduler, SeededRandom } from '#world';
import { BfdSession, type BfdSender } from './bfd-session.ts';
import { type ControlPacket, decodeControlPacket, newControlPacket } from './control-packet.ts';
import { Deadline, Deadlines } from './deadline-heap.ts';
import { newRefusal, type Refusal, Refusals, refuse } from './refusal.ts';
import {
  type BfdChange,
  type BfdEnds,
  type BfdSessionConfig,
  type BfdSessionStatus,
  configFault,
  endsKey,
  keyOf,
  unopenedSession,
} from './session-config.ts';
import { ADMIN_DOWN, DOWN, STATE_NAMES } from './state-machine.ts';

export interface BfdOutside {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** The system's: discriminators and sequence numbers must not be guessed. */
  readonly random: Random;
  /**
   * A way to the neighbour: from a port in 49152..65535 (RFC 5881 §4), with TTL 255, and such that what comes back is handed
   * to BfdSessions.receive. A string: why there is none now.
   */
  open(ends: BfdEnds): BfdSender | string;
  /** Not from inside of apply; each may call it. */
  changed(change: BfdChange): void;
}

/** Packets that belong to no session. */
export interface BfdUnclaimed {
  readonly packets: number;
  readonly lastReason?: string;
}

/** One that is wanted. */
interface Entry {
  readonly config: BfdSessionConfig;
  readonly session?: BfdSession;
  /** Instead of it. */
  readonly problem?: string;
}

const RETRY_MS = 1000;
/** Sockets take a while: so many sessions are opened in one turn. */
const OPENED_A_TURN = 100;
/** A timer so late says that this process stood still, and that packets may wait in its sockets. */
const LATE_MS = 10;
/** By when they are read: what a receive buffer holds, at the pace of a socket's reader. */
const READ_WITHIN_MS = 50;

export class BfdSessions {
  readonly clock: Clock;
  readonly random: Random;
  readonly jitter: Random;
  readonly deadlines: Deadlines;
  unreadUntilMs = -Infinity;
  readonly #outside: BfdOutside;
  readonly #byId = new Map<string, Entry>();
  readonly #byDiscriminator = new Map<number, BfdSession>();
  readonly #byEnds = new Map<string, BfdSession>();
  readonly #unclaimed = new Refusals();
  /** Fell silent in this turn. */
  #silent: BfdSession[] = [];
  #changes: BfdChange[] = [];
  /** Ids that have no session yet. */
  readonly #toOpen = new Set<string>();
  #isOpening = false;
  readonly #retry = new Deadline(() => this.#openAll());
  readonly #packet: ControlPacket = newControlPacket();
  readonly #refusal: Refusal = newRefusal();
  #isStopped = false;

  constructor(outside: BfdOutside) {
    this.#outside = outside;
    this.clock = outside.clock;
    this.random = outside.random;
    this.jitter = new SeededRandom(outside.random.next() * 2 ** 32);
    this.deadlines = new Deadlines(outside.clock, {
      beforeTurn: (now, lateMs) => {
        if (lateMs > LATE_MS) this.unreadUntilMs = now + READ_WITHIN_MS;
      },
      afterTurn: () => this.#tellChanges(),
    });
  }

  /**
   * All that are wanted. Same id and ends: changed while it runs; other ends: another session; no longer named: AdminDown is
   * said for a detection time. Throws RangeError when two have the same id.
   */
  apply(wanted: readonly BfdSessionConfig[]): void {
    const ids = new Set(wanted.map(({ id }) => id));
    if (ids.size < wanted.length) throw new RangeError('BFD sessions: two with the same id');
    if (this.#isStopped) return;
    const now = this.clock.now();
    for (const id of this.#byId.keys()) if (!ids.has(id)) this.#withdraw(id, now);
    for (const config of wanted) {
      const { session, config: before } = this.#byId.get(config.id) ?? {};
      const isSame =
        session !== undefined && endsKey(config) === endsKey(before!) && configFault(config) === undefined;
      if (!isSame) this.#withdraw(config.id, now);
      else session.change(config);
      this.#byId.set(config.id, isSame ? { config, session } : { config });
    }
    this.#openAll();
  }

  /** A datagram as it came in. @param from '10.0.0.1', 'fe80::1%eth0' @param device the link that it came by */
  receive(
    hops: BfdEnds['hops'],
    datagram: Uint8Array,
    from: string,
    to: string,
    device: string,
    ttl: number,
  ): void {
    const packet = this.#packet;
    const refusal = this.#refusal;
    const now = this.clock.now();
    let session: BfdSession | undefined;
    if (decodeControlPacket(datagram, packet, refusal)) {
      session = this.#sessionOf(packet, hops, from, to, device);
      if (
        session !== undefined &&
        isFromWhereItShould(session.config, hops, device, ttl, refusal) &&
        session.receive(datagram, packet, now, refusal)
      ) {
        if (this.#changes.length > 0) this.#tellChanges();
        return;
      }
    }
    session ??= this.#between(hops, to, from, device);
    (session?.refusals ?? this.#unclaimed).note(refusal);
  }

  status(id: string): BfdSessionStatus | undefined {
    const entry = this.#byId.get(id);
    if (entry === undefined) return undefined;
    return entry.session?.status() ?? unopenedSession(id, entry.problem ?? 'not opened yet');
  }

  get unclaimed(): BfdUnclaimed {
    const { count, last } = this.#unclaimed;
    return { packets: count, ...(last === undefined ? {} : { lastReason: last }) };
  }

  /** Says AdminDown once on every session, and ends them all. */
  [Symbol.dispose](): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    const now = this.clock.now();
    for (const session of this.#byDiscriminator.values()) {
      session.withdraw(now);
      session[Symbol.dispose]();
    }
    this.#byId.clear();
    this.#toOpen.clear();
    this.#byDiscriminator.clear();
    this.#byEnds.clear();
    this.#silent = [];
    this.#changes = [];
    this.deadlines[Symbol.dispose]();
  }

  // What sessions say of themselves (SessionOwner).

  stateChanged(session: BfdSession, from: number): void {
    if (session.state === ADMIN_DOWN) return;
    const { state: to, ...told } = session.status();
    const { id, diagnostic, remoteState, remoteDiagnostic, isRemoteIndependent, detectionMicros } = told;
    const change = { id, from: STATE_NAMES[from]!, to, diagnostic, detectionMicros };
    this.#changes.push({ ...change, remoteState, remoteDiagnostic, isRemoteIndependent });
  }

  /** What came in at the same moment is read before: timers run before sockets. */
  fellSilent(session: BfdSession): void {
    this.#silent.push(session);
    if (this.#silent.length === 1) this.#outside.scheduler.soon(() => this.#expireSilent());
  }

  withdrawn(session: BfdSession): void {
    this.#byDiscriminator.delete(session.discriminator);
    this.#byEnds.delete(endsKey(session.config));
    session[Symbol.dispose]();
  }

  #expireSilent(): void {
    const now = this.clock.now();
    const silent = this.#silent;
    this.#silent = [];
    for (const session of silent)
      if (this.#byDiscriminator.get(session.discriminator) === session) session.expire(now);
    this.#tellChanges();
  }

  #tellChanges(): void {
    while (this.#changes.length > 0) {
      const changes = this.#changes;
      this.#changes = [];
      for (const change of changes) this.#outside.changed(change);
    }
  }

  #withdraw(id: string, now: number): void {
    const { session } = this.#byId.get(id) ?? {};
    this.#byId.delete(id);
    this.#toOpen.delete(id);
    if (session !== undefined && !session.withdraw(now)) this.withdrawn(session);
  }

  /** Every one that is wanted and has no session, and may have one. */
  #openAll(): void {
    for (const [id, { config, session }] of this.#byId) {
      if (session !== undefined) continue;
      const problem = configFault(config);
      if (problem === undefined) this.#toOpen.add(id);
      else this.#byId.set(id, { config, problem });
    }
    if (!this.#isOpening) this.#openSome();
  }

  #openSome(): void {
    this.#isOpening = false;
    let left = OPENED_A_TURN;
    for (const id of this.#toOpen) {
      if (left-- === 0) break;
      this.#toOpen.delete(id);
      const { config } = this.#byId.get(id)!;
      const opened = this.#open(config);
      if (typeof opened !== 'string') {
        this.#byId.set(id, { config, session: opened });
        continue;
      }
      this.#byId.set(id, { config, problem: opened });
      if (!this.#retry.isSet) this.deadlines.set(this.#retry, this.clock.now() + RETRY_MS);
    }
    if (this.#toOpen.size === 0) return;
    this.#isOpening = true;
    this.#outside.scheduler.soon(() => this.#openSome());
  }

  #open(config: BfdSessionConfig): BfdSession | string {
    const key = endsKey(config);
    const other = this.#byEnds.get(key);
    if (other !== undefined && other.state !== ADMIN_DOWN)
      return `session ${other.config.id} has the same ends`;
    const sender = this.#outside.open(config);
    if (typeof sender === 'string') return sender;
    if (other !== undefined) this.withdrawn(other);
    const session = new BfdSession(config, this.#freeDiscriminator(), sender, this);
    this.#byDiscriminator.set(session.discriminator, session);
    this.#byEnds.set(key, session);
    return session;
  }

  /** Random, so that a stranger cannot name a session, nor a packet for an earlier one reach a later one. */
  #freeDiscriminator(): number {
    for (;;) {
      const discriminator = Math.floor(this.random.next() * 2 ** 32);
      if (discriminator !== 0 && !this.#byDiscriminator.has(discriminator)) return discriminator;
    }
  }

  #sessionOf(
    packet: ControlPacket,
    hops: BfdEnds['hops'],
    from: string,
    to: string,
    device: string,
  ): BfdSession | undefined {
    const { yourDiscriminator, state } = packet;
    if (yourDiscriminator !== 0) {
      const session = this.#byDiscriminator.get(yourDiscriminator);
      if (session === undefined) refuse(this.#refusal, 'your discriminator', yourDiscriminator);
      return session;
    }
    if (state !== DOWN && state !== ADMIN_DOWN) {
      refuse(this.#refusal, 'state', STATE_NAMES[state]);
      return undefined;
    }
    const session = this.#between(hops, to, from, device);
    if (session === undefined) refuse(this.#refusal, 'no session', from, to);
    return session;
  }

  /** One that wants its packets by this link goes before one that takes any. */
  #between(hops: BfdEnds['hops'], local: string, remote: string, device: string): BfdSession | undefined {
    return (
      this.#byEnds.get(keyOf(hops, local, remote, device)) ?? this.#byEnds.get(keyOf(hops, local, remote, ''))
    );
  }
}

/** Where the sender is told by Your Discriminator alone, this keeps out what never came over the session's own way. */
function isFromWhereItShould(
  config: BfdSessionConfig,
  hops: BfdEnds['hops'],
  device: string,
  ttl: number,
  refusal: Refusal,
): boolean {
  if (hops !== config.hops) return refuse(refusal, 'hops', hops, config.hops);
  if (config.device !== undefined && device !== config.device)
    return refuse(refusal, 'device', device, config.device);
  return ttl >= config.leastTtl || refuse(refusal, 'TTL', ttl, config.leastTtl);
}
