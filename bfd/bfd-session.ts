// One session: its variables (RFC 5880 §6.8.1), what a packet does to it (§6.8.6), when it sends what (§6.8.7), and when
// silence has lasted too long (§6.8.4). Which packets are its own is found out before (sessions.ts). Asynchronous mode
// without echo; a neighbour that asks for demand mode gets it.
import { Allowance, type Clock, type Random } from '#world';
import {
  type ControlPacket,
  encodeControlPacket,
  MANDATORY_OCTETS,
  newControlPacket,
} from './control-packet.ts';
import { Deadline, type Deadlines } from './deadline-heap.ts';
import { PacketAuthentication } from './packet-authentication.ts';
import { type Refusal, Refusals, refuse } from './refusal.ts';
import type { BfdSessionConfig, BfdSessionStatus } from './session-config.ts';
import {
  ADMIN_DOWN,
  ADMINISTRATIVELY_DOWN,
  DETECTION_TIME_EXPIRED,
  DOWN,
  INIT,
  NEIGHBOR_SIGNALED_DOWN,
  nextState,
  NO_DIAGNOSTIC,
  STATE_NAMES,
  UP,
} from './state-machine.ts';
import { TimerNegotiation } from './timer-negotiation.ts';

/** Takes packets to one neighbour from one port; losing one is no error. The bytes are written again after the call. */
export interface BfdSender extends Disposable {
  send(packet: Uint8Array): void;
}

export interface SessionOwner {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Secret enough that nobody guesses sequence numbers. */
  readonly random: Random;
  /** For jitter, once a packet. */
  readonly jitter: Random;
  /** Clock.now() by when packets are read that came while this process stood still. */
  readonly unreadUntilMs: number;
  stateChanged(session: BfdSession, from: number): void;
  /** Its detection time has passed, as far as packets were read: to be asked again (expire) when all were. */
  fellSilent(session: BfdSession): void;
  /** It has said AdminDown for as long as it should. */
  withdrawn(session: BfdSession): void;
}

/** §6.8.3: while not Up it may send no faster. */
const SLOW_MICROS = 1_000_000;
/** Many sessions that start at once send their first packets in so long. */
const FIRST_PACKETS_MS = 100;
/** Packets beside the periodic ones that a neighbour can cause at once; another after each Desired Min TX Interval (§6.8.7). */
const EXTRA_PACKETS = 8;
/** So often at once it leaves Down, and once more each second: each change is told to others, who must not be flooded. */
const RISES = 8;
const RISE_PAUSE_MS = 1_000;
/** However slow the neighbour wants it, AdminDown is said no longer. */
const LONGEST_GOODBYE_MS = 10_000;

/** A process that stands still again and again still finds out that a neighbour is gone. */
const MOST_PUT_OFFS = 5;

/** Written again for each packet of all sessions. */
const outgoing = newControlPacket();

export class BfdSession {
  readonly discriminator: number;
  readonly #owner: SessionOwner;
  readonly #sender: BfdSender;
  #config: BfdSessionConfig;
  #authentication: PacketAuthentication | undefined;
  readonly #timers: TimerNegotiation;

  #state = DOWN;
  #diagnostic = NO_DIAGNOSTIC;
  #remoteDiscriminator = 0;
  #remoteState = DOWN;
  #remoteDiagnostic = NO_DIAGNOSTIC;
  #isRemoteIndependent = false;
  #isRemoteDemand = false;

  /** The packet as it was sent last, or is to be encoded again. */
  #packet: Uint8Array;
  #isStale = true;
  #sentAt = -Infinity;
  /** Infinity: no periodic packets. */
  #intervalMs = Infinity;
  readonly #transmission = new Deadline((now) => this.#transmitPeriodically(now));
  readonly #extraPackets: Allowance;
  readonly #rises: Allowance;

  #heardAt = -Infinity;
  #silentFrom = Infinity;
  /** Since the last packet. */
  #putOffs = 0;
  /** Two detection times after the last packet: bfd.AuthSeqKnown becomes 0. */
  #sequenceFreeFrom = Infinity;
  /** Not after each packet set anew: when it falls due too early it is set to silentFrom. */
  readonly #silence = new Deadline((now) => this.#silenceIsDue(now));

  #sinceMs: number;
  #downs = 0;
  #packetsIn = 0;
  #packetsOut = 0;
  readonly refusals = new Refusals();

  constructor(config: BfdSessionConfig, discriminator: number, sender: BfdSender, owner: SessionOwner) {
    const now = owner.clock.now();
    this.discriminator = discriminator;
    this.#owner = owner;
    this.#sender = sender;
    this.#config = config;
    this.#timers = new TimerNegotiation(this.#desiredMicros(DOWN), config.receiveMicros);
    this.#packet = this.#authenticateBy(config);
    this.#sinceMs = now;
    this.#extraPackets = new Allowance(EXTRA_PACKETS, now);
    this.#rises = new Allowance(RISES, now);
    if (!this.#isPeriodic()) return;
    this.#intervalMs = this.#timers.transmitMicros / 1000;
    owner.deadlines.set(this.#transmission, now + owner.jitter.next() * FIRST_PACKETS_MS);
  }

  get config(): BfdSessionConfig {
    return this.#config;
  }

  get state(): number {
    return this.#state;
  }

  /** The same ends, other values: they take effect while the session runs. */
  change(config: BfdSessionConfig): void {
    this.#config = config;
    this.#packet = this.#authenticateBy(config);
    this.#timers.want(this.#desiredMicros(this.#state), config.receiveMicros, this.#state === UP);
    this.#isStale = true;
    if (this.#timers.detectionMicros > 0) this.#listenFrom(this.#heardAt);
    this.#pace(this.#owner.clock.now());
  }

  /** §6.8.6 from its authentication on. False: refused. */
  receive(bytes: Uint8Array, packet: ControlPacket, now: number, refusal: Refusal): boolean {
    if (!this.#isAuthentic(bytes, packet, now, refusal)) return false;
    this.#packetsIn++;
    if (this.#remoteDiscriminator !== packet.myDiscriminator) {
      this.#remoteDiscriminator = packet.myDiscriminator;
      this.#isStale = true;
    }
    this.#remoteState = packet.state;
    this.#remoteDiagnostic = packet.diagnostic;
    this.#isRemoteIndependent = packet.isIndependent;
    this.#isRemoteDemand = packet.isDemand;
    const timers = this.#timers;
    timers.heard(packet.desiredMinTxMicros, packet.requiredMinRxMicros, packet.multiplier);
    if (packet.isFinal) this.#finishPoll();
    if (this.#state === ADMIN_DOWN) {
      this.#pace(now);
      return true;
    }
    const next = this.#next(packet.state, now);
    const isChanged = next !== this.#state;
    if (isChanged) this.#become(next, next === DOWN ? NEIGHBOR_SIGNALED_DOWN : this.#diagnostic, now);
    this.#putOffs = 0;
    this.#listenFrom(now);
    this.#sequenceFreeFrom = now + (2 * timers.detectionMicros) / 1000;
    this.#pace(now);
    // A Final says all that a packet about the change would.
    if (packet.isPoll) this.#sendExtra(now, true);
    else if (isChanged) this.#sendExtra(now, false);
    return true;
  }

  /** Nothing more waits to be read: is it silent still? Then the neighbour is lost (§6.8.4). */
  expire(now: number): void {
    if (this.#state === ADMIN_DOWN || this.#silence.isSet || this.#silentFrom === Infinity) return;
    if (now < this.#silentFrom) {
      this.#owner.deadlines.set(this.#silence, this.#silentFrom);
      return;
    }
    this.#remoteDiscriminator = 0;
    this.#isRemoteDemand = false;
    this.#isStale = true;
    this.#silentFrom = Infinity;
    const isLost = this.#state === INIT || this.#state === UP;
    if (isLost) this.#become(DOWN, DETECTION_TIME_EXPIRED, now);
    this.#timers.forgetRemote();
    this.#pace(now);
    if (isLost) this.#sendExtra(now, false);
  }

  /**
   * Says AdminDown from now on, for as long as the neighbour needs to find out (§6.8.16); then owner.withdrawn. False: there
   * is no neighbour to be told.
   */
  withdraw(now: number): boolean {
    if (this.#state === ADMIN_DOWN) return true;
    if (this.#remoteDiscriminator === 0) return false;
    this.#become(ADMIN_DOWN, ADMINISTRATIVELY_DOWN, now);
    this.#send(now, false);
    this.#pace(now);
    const goodbyeMs = (this.#config.multiplier * this.#timers.transmitMicros) / 1000;
    this.#owner.deadlines.set(this.#silence, now + Math.min(goodbyeMs, LONGEST_GOODBYE_MS));
    return true;
  }

  [Symbol.dispose](): void {
    this.#owner.deadlines.cancel(this.#transmission);
    this.#owner.deadlines.cancel(this.#silence);
    this.#sender[Symbol.dispose]();
  }

  status(): BfdSessionStatus {
    const lastRefusal = this.refusals.last;
    return {
      id: this.#config.id,
      state: STATE_NAMES[this.#state]!,
      remoteState: STATE_NAMES[this.#remoteState]!,
      diagnostic: this.#diagnostic,
      remoteDiagnostic: this.#remoteDiagnostic,
      transmitMicros: this.#timers.transmitMicros,
      detectionMicros: this.#timers.detectionMicros,
      remoteMultiplier: this.#timers.remoteMultiplier,
      isRemoteIndependent: this.#isRemoteIndependent,
      sinceMs: this.#sinceMs,
      downs: this.#downs,
      packetsIn: this.#packetsIn,
      packetsOut: this.#packetsOut,
      refused: this.refusals.count,
      ...(lastRefusal === undefined ? {} : { lastRefusal }),
    };
  }

  #desiredMicros(state: number): number {
    const { transmitMicros } = this.#config;
    return state === UP ? transmitMicros : Math.max(transmitMicros, SLOW_MICROS);
  }

  /** Sequence numbers go on. @returns a packet with room for the section */
  #authenticateBy({ authentication }: BfdSessionConfig): Uint8Array {
    this.#authentication =
      authentication &&
      new PacketAuthentication(authentication, this.#authentication ?? this.#owner.random.next() * 2 ** 32);
    return new Uint8Array(MANDATORY_OCTETS + (this.#authentication?.octets ?? 0));
  }

  #isAuthentic(bytes: Uint8Array, packet: ControlPacket, now: number, refusal: Refusal): boolean {
    const authentication = this.#authentication;
    if (authentication === undefined)
      return packet.isAuthenticated
        ? refuse(refusal, 'authentication unwanted', bytes[MANDATORY_OCTETS])
        : true;
    if (!packet.isAuthenticated) return refuse(refusal, 'authentication missing', 0, authentication.type);
    if (now >= this.#sequenceFreeFrom) authentication.forgetSequence();
    return authentication.verify(bytes, packet, refusal);
  }

  #become(state: number, diagnostic: number, now: number): void {
    const from = this.#state;
    this.#state = state;
    this.#diagnostic = state === UP ? NO_DIAGNOSTIC : diagnostic;
    this.#sinceMs = now;
    if (from === UP) this.#downs++;
    this.#timers.want(this.#desiredMicros(state), this.#config.receiveMicros, state === UP);
    this.#isStale = true;
    this.#owner.stateChanged(this, from);
  }

  /** What it may not become now it becomes by a later packet: each says the neighbour's state. */
  #next(received: number, now: number): number {
    const next = nextState(this.#state, received);
    const isRise = this.#state === DOWN && next !== DOWN;
    return isRise && !this.#rises.take(now, RISE_PAUSE_MS) ? DOWN : next;
  }

  #finishPoll(): void {
    if (!this.#timers.isPolling) return;
    this.#timers.heardFinal();
    this.#isStale = true;
  }

  /** @param heardAt when the last packet came */
  #listenFrom(heardAt: number): void {
    this.#heardAt = heardAt;
    this.#silentFrom = heardAt + this.#timers.detectionMicros / 1000;
    if (!this.#silence.isSet || this.#silentFrom < this.#silence.at)
      this.#owner.deadlines.set(this.#silence, this.#silentFrom);
  }

  #silenceIsDue(now: number): void {
    if (this.#state === ADMIN_DOWN) this.#owner.withdrawn(this);
    else if (this.#silentFrom > now) this.#owner.deadlines.set(this.#silence, this.#silentFrom);
    else if (now < this.#owner.unreadUntilMs && this.#putOffs < MOST_PUT_OFFS) {
      this.#putOffs++;
      this.#owner.deadlines.set(this.#silence, this.#owner.unreadUntilMs);
    } else this.#owner.fellSilent(this);
  }

  #maySend(): boolean {
    return this.#config.isPassive !== true || this.#remoteDiscriminator !== 0;
  }

  /** The MUST NOTs of §6.8.7 for periodic packets. */
  #isPeriodic(): boolean {
    const isDemandActive = this.#isRemoteDemand && this.#state === UP && this.#remoteState === UP;
    return (
      this.#maySend() && this.#timers.remoteMinRxMicros > 0 && (!isDemandActive || this.#timers.isPolling)
    );
  }

  /** Sets the next periodic packet anew when the interval has changed. */
  #pace(now: number): void {
    const intervalMs = this.#isPeriodic() ? this.#timers.transmitMicros / 1000 : Infinity;
    if (intervalMs === this.#intervalMs) return;
    this.#intervalMs = intervalMs;
    this.#scheduleNext(now);
  }

  #scheduleNext(now: number): void {
    const { deadlines } = this.#owner;
    if (this.#intervalMs === Infinity) deadlines.cancel(this.#transmission);
    else deadlines.set(this.#transmission, Math.max(now, this.#sentAt + this.#jittered(this.#intervalMs)));
  }

  /** 75 to 100 %, with a multiplier of 1 at most 90 % (§6.8.7). */
  #jittered(intervalMs: number): number {
    const range = this.#config.multiplier === 1 ? 0.15 : 0.25;
    return intervalMs * (0.75 + range * this.#owner.jitter.next());
  }

  #transmitPeriodically(now: number): void {
    this.#send(now, false);
    if (this.#timers.sentPeriodic()) this.#isStale = true;
    this.#scheduleNext(now);
  }

  /** Between periodic packets: an answer to a poll, or a change of state. */
  #sendExtra(now: number, isFinal: boolean): void {
    if (!this.#maySend() || !this.#extraPackets.take(now, this.#timers.desiredMicros / 1000)) return;
    this.#send(now, isFinal);
    this.#scheduleNext(now);
  }

  #send(now: number, isFinal: boolean): void {
    if (this.#isStale || isFinal || this.#authentication?.isMeticulous === true) this.#encode(isFinal);
    this.#isStale = isFinal;
    this.#packetsOut++;
    // A neighbour that polls without end does not put off the periodic packets, and our own polls with them.
    if (!isFinal) this.#sentAt = now;
    this.#sender.send(this.#packet);
  }

  #encode(isFinal: boolean): void {
    outgoing.diagnostic = this.#diagnostic;
    outgoing.state = this.#state;
    outgoing.isPoll = this.#timers.isPolling && !isFinal;
    outgoing.isFinal = isFinal;
    outgoing.isAuthenticated = this.#authentication !== undefined;
    outgoing.multiplier = this.#config.multiplier;
    outgoing.length = this.#packet.length;
    outgoing.myDiscriminator = this.discriminator;
    outgoing.yourDiscriminator = this.#remoteDiscriminator;
    outgoing.desiredMinTxMicros = this.#timers.desiredMicros;
    outgoing.requiredMinRxMicros = this.#timers.requiredMicros;
    encodeControlPacket(outgoing, this.#packet);
    this.#authentication?.sign(this.#packet);
  }
}
