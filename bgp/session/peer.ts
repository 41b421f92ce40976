// One neighbour: it owns the sessions with it (the one that we dial, and those that the neighbour opened),
// decides collisions, back-off and being held down, and remembers what happened for the operator.
import type { PeerConfig, SpeakerConfig } from '../config.ts';
import type { Clock, Connection, Random, Transport } from '../io.ts';
import { CEASE_OTHER_CONFIG, type OpenMessage } from '../message/index.ts';
import { NO_REST, SHORT_REST, restAfterEnd, type Rest } from './fsm/backoff.ts';
import { cease, reject, shutdownError, shutdownText } from './fsm/cease.ts';
import { settleCollision, type CollisionIds } from './fsm/collision.ts';
import { zeroCounters } from './connection/counters.ts';
import type { ConfigChange } from './fsm/config-change.ts';
import type { Deadlines } from './connection/deadlines.ts';
import type { HalfOpen } from './connection/half-open.ts';
import { HoldDown } from './hold-down.ts';
import { PeerRecord } from './record.ts';
import { NOT_RESTARTING, localOpen } from './fsm/local-open.ts';
import type { SessionEnd, SessionOwner } from './owner.ts';
import { diallerRules, incomingRules, type PeerIo, type PeerOrigin } from './link-rules.ts';
import { BgpSession } from './session.ts';
import { RANK, SessionSet } from './rivals.ts';
import type { Negotiated, NotificationError, SessionHandler } from './types.ts';

/** Of the refused connections of one neighbour one is told why in this time, the others are just closed. */
const TELL_EVERY_MS = 100;
/** Is no error of its own: what went wrong before shall stay in sight. */
const BACKING_OFF = 'too many failures, backing off';

export class Peer implements SessionOwner {
  readonly id: string;
  #origin: PeerOrigin;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly deadlines: Deadlines;
  readonly handler: SessionHandler;
  readonly #halfOpen: HalfOpen;
  readonly counters = zeroCounters();
  readonly record: PeerRecord;
  config: PeerConfig;
  #speaker: SpeakerConfig;
  /** Told when the neighbour's last connection to us is gone, and when it comes back. */
  readonly #idle: (peer: Peer, isIdle: boolean) => void;
  readonly #sessions = new SessionSet();
  #rest: Rest = NO_REST;
  #refusesUntil = 0;
  #tellsFrom = 0;
  #isStarted = false;
  readonly #holdDown: HoldDown;
  #skipsCapabilities = false;

  constructor(
    io: PeerIo,
    speaker: SpeakerConfig,
    config: PeerConfig,
    origin: PeerOrigin,
    idle: (peer: Peer, isIdle: boolean) => void,
  ) {
    this.id = origin.id;
    this.#origin = origin;
    this.config = config;
    this.clock = io.clock;
    this.random = io.random;
    this.transport = io.transport;
    this.deadlines = io.deadlines;
    this.handler = io.handler;
    this.#halfOpen = io.halfOpen;
    this.#speaker = speaker;
    this.#idle = idle;
    this.record = new PeerRecord(io.clock);
    this.#holdDown = new HoldDown(io, () => this.release('the time that it was held down is over'));
  }

  // Orders from above

  /** Without back-off. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    if (this.config.shutdown === undefined) this.#startDialler(0, 'started');
    else this.#holdDown.begin(shutdownText(this.config.shutdown.message));
  }

  /** Ends all sessions; without an error silently. Nothing starts again before start(). */
  stop(error: NotificationError | undefined, reason: string): void {
    this.#isStarted = false;
    this.#holdDown.end();
    this.#endAll(error, reason);
  }

  /** Ends all sessions and starts anew without back-off. */
  reset(error: NotificationError, reason: string): void {
    if (!this.#isStarted) return;
    this.stop(error, reason);
    this.#rest = NO_REST;
    this.#refusesUntil = 0;
    this.start();
  }

  /** Ends all sessions, silently, and keeps the neighbour down until release() or reset(). */
  holdDown(text: string): void {
    this.#holdDown.begin(text);
    this.record.error(text);
    this.#endAll(undefined, text);
  }

  release(reason: string): void {
    if (this.heldDown === undefined) return;
    this.#holdDown.end();
    if (this.#isStarted && this.config.shutdown === undefined) this.#startDialler(0, reason);
  }

  get origin(): PeerOrigin {
    return this.#origin;
  }

  /** @param change of configChange(): resets only where it says so */
  reconfigure(config: PeerConfig, origin: PeerOrigin, change: ConfigChange): void {
    const before = this.config;
    this.config = config;
    this.#origin = origin;
    if (!this.#isStarted) return;
    const isShut = config.shutdown !== undefined;
    if (isShut || before.shutdown !== undefined) {
      if (isShut === (before.shutdown !== undefined)) return;
      const reason =
        config.shutdown === undefined ? 'no longer shut down' : shutdownText(config.shutdown.message);
      this.stop(shutdownError(config.shutdown?.message ?? ''), reason);
      this.start();
      return;
    }
    if (this.heldDown !== undefined && change.kind !== 'nothing') this.release('configuration changed');
    if (change.kind === 'reset') this.reset(cease(CEASE_OTHER_CONFIG), change.reason);
    else if (change.fields.some(({ effect }) => effect === 'live')) this.#applyLive(before);
    // A dialler that must not dial any more, or must begin to.
    if (before.passive !== config.passive && this.#sessions.established === undefined) {
      this.reset(cease(CEASE_OTHER_CONFIG), 'passive changed');
    }
  }

  #applyLive(before: PeerConfig): void {
    try {
      for (const { connection } of this.#sessions.all) {
        if (connection === undefined) continue;
        this.transport.setTtlRule(connection, this.config.ttl);
        if (before.md5Key !== this.config.md5Key) this.transport.setMd5Key(connection, this.config.md5Key);
      }
    } catch (error) {
      this.holdDown((error as Error).message);
    }
  }

  set speaker(speaker: SpeakerConfig) {
    this.#speaker = speaker;
  }

  get heldDown(): string | undefined {
    return this.#holdDown.text;
  }

  /** The established one. */
  get current(): BgpSession | undefined {
    return this.#sessions.established;
  }

  get sessions(): readonly BgpSession[] {
    return this.#sessions.all;
  }

  /** The furthest one. */
  get main(): BgpSession | undefined {
    return this.#sessions.main;
  }

  // A connection that the neighbour opened

  accept(connection: Connection): void {
    const refusal = this.#refusal(connection);
    if (refusal !== undefined) {
      if (refusal.text !== BACKING_OFF)
        this.record.error(`connection from the neighbour refused: ${refusal.text}`);
      this.handler.refused?.(connection.remoteAddress, this.id, refusal.text);
      if (refusal.tells) reject(connection);
      else connection.destroy();
      return;
    }
    const session = new BgpSession(this, incomingRules(this.config), this.#rest.failures);
    this.#sessions.addIncoming(session);
    this.#halfOpen.add(session);
    this.#idle(this, false);
    session.accept(connection);
  }

  #refusal(connection: Connection): { readonly text: string; readonly tells: boolean } | undefined {
    if (!this.#isStarted || this.heldDown !== undefined) {
      return { text: this.heldDown ?? 'not started', tells: this.#mayTell() };
    }
    const { localAddress } = this.config;
    if (localAddress !== undefined && localAddress !== connection.localAddress) {
      return { text: `it came to ${connection.localAddress}, not to ${localAddress}`, tells: false };
    }
    if (this.clock.now() < this.#refusesUntil) return { text: BACKING_OFF, tells: false };
    try {
      this.transport.setTtlRule(connection, this.config.ttl);
    } catch (error) {
      return { text: (error as Error).message, tells: false };
    }
    return undefined;
  }

  /** Each told connection lives on for a while, to be read: so few at a time. */
  #mayTell(): boolean {
    const now = this.clock.now();
    if (now < this.#tellsFrom) return false;
    this.#tellsFrom = now + TELL_EVERY_MS;
    return true;
  }

  // SessionOwner

  buildOpen(): OpenMessage {
    const restart = this.handler.restartState?.(this.id) ?? NOT_RESTARTING;
    return localOpen(this.#speaker, this.config, restart, !this.#skipsCapabilities);
  }

  retryWithoutCapabilities(): boolean {
    if (this.config.retryWithoutCapabilities === false || this.#skipsCapabilities) return false;
    this.#skipsCapabilities = true;
    return true;
  }

  resolveCollision(fresh: BgpSession, ids: CollisionIds, negotiated: Negotiated): (() => void) | undefined {
    return settleCollision(this.#sessions.all, fresh, ids, negotiated);
  }

  moved(session: BgpSession, reason: string): void {
    this.#show(reason);
    if (RANK[session.state] < RANK.OpenConfirm) return;
    this.#halfOpen.delete(session);
    // RFC 4271 §6.8: what has not sent an OPEN yet is stopped silently.
    const dialler = this.#sessions.dialler;
    if (dialler !== undefined && dialler !== session && RANK[dialler.state] < RANK.OpenSent) {
      dialler.step({ type: 'collisionLost' });
    }
  }

  established(session: BgpSession): void {
    this.#sessions.established = session;
    this.#skipsCapabilities = false;
    this.record.connectAttempts = 0;
    if (this.#sessions.dialler !== undefined && this.#sessions.dialler !== session)
      this.#sessions.dialler.step({ type: 'collisionLost' });
    this.handler.established(session);
  }

  ended(session: BgpSession, end: SessionEnd): void {
    this.#sessions.delete(session);
    this.#halfOpen.delete(session);
    if (end.down !== undefined) this.record.lost(end.reason, end.establishedMs);
    if (end.event.type === 'collisionLost' && RANK[end.from] >= RANK.OpenSent) this.record.collisions++;
    if (end.cause !== 'stopped' && end.event.type !== 'collisionLost') this.record.error(end.reason);
    const rest = restAfterEnd(
      {
        ...end,
        isIncoming: session.isIncoming,
        hasOthers: this.#sessions.size > 0,
        isRetriedWithoutCapabilities: this.#skipsCapabilities,
      },
      this.#rest.failures,
      this.config.connectRetrySeconds * 1000,
    );
    if (rest !== undefined && rest !== SHORT_REST) {
      this.#rest = rest;
      this.#refusesUntil = this.clock.now() + rest.refuseMs;
    }
    const holdDownSeconds = end.failOptions?.holdDownSeconds;
    if (holdDownSeconds !== undefined) this.#holdDown.beginFor(holdDownSeconds, end.reason);
    this.#show(end.reason);
    if (end.down !== undefined) this.handler.down(session, end.down);
    if (holdDownSeconds !== undefined) this.#endAll(undefined, end.reason);
    this.#continue(rest, end.reason);
    if (this.#sessions.incoming.size === 0) this.#idle(this, true);
  }

  #continue(rest: Rest | undefined, reason: string): void {
    if (!this.#isStarted || this.heldDown !== undefined || this.#sessions.dialler !== undefined) return;
    if (this.#sessions.hasIncomingDecided) return;
    if (rest === undefined && this.#sessions.incoming.size > 0) return;
    this.#startDialler((rest ?? SHORT_REST).holdMs, reason);
  }

  #startDialler(idleHoldMs: number, reason: string): void {
    const session = new BgpSession(this, diallerRules(this.config, this.origin), this.#rest.failures);
    this.#sessions.dialler = session;
    session.step({ type: 'automaticStart', idleHoldMs });
    this.#show(reason);
  }

  #endAll(error: NotificationError | undefined, reason: string): void {
    for (const session of this.#sessions.all) {
      session.step(
        error === undefined
          ? { type: 'automaticStop', reason }
          : { type: 'manualStop', error: { ...error, reason } },
      );
    }
    this.#show(reason);
  }

  #show(reason: string): void {
    const transition = this.record.moved(this.main?.state ?? 'Idle', reason);
    if (transition !== undefined) this.handler.stateChanged(this.id, transition);
  }
}
