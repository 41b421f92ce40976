// One neighbour: it owns the sessions with it (the one that we dial, and those that the neighbour opened),
// decides collisions, back-off and being held down, and remembers what happened for the operator.
import type { PeerConfig, SpeakerConfig } from '../config.ts';
import type { Connection } from '../io.ts';
import { CEASE_ADMIN_SHUTDOWN, CEASE_OTHER_CONFIG, type OpenMessage } from '../message/index.ts';
import { zeroCounters } from './connection/counters.ts';
import { NO_REST, SHORT_REST, restAfterEnd, type Rest } from './fsm/backoff.ts';
import { CAUSES, type DownCause, type HeldDown } from './fsm/cause.ts';
import { causeText, describeEvent } from './fsm/cause-text.ts';
import { settleCollision, type CollisionIds } from './fsm/collision.ts';
import type { ConfigChange } from './fsm/config-change.ts';
import { causeOf, cease, type SessionEnd } from './fsm/down.ts';
import type { FsmEvent, NotificationError } from './fsm/fsm-types.ts';
import { NOT_RESTARTING, localOpen } from './fsm/local-open.ts';
import type { Negotiated } from './fsm/negotiate.ts';
import { Gate } from './gate.ts';
import { HeardBfd } from './heard-bfd.ts';
import { Inquiry } from './inquiry.ts';
import { diallerRules, incomingRules, type PeerOrigin } from './link-rules.ts';
import type { LiveSession, PeerIo, SessionOwner } from './ports.ts';
import { PeerRecord } from './record.ts';
import { RANK, Rivals } from './rivals.ts';
import { BgpSession } from './session.ts';

export class Peer implements SessionOwner {
  readonly id: string;
  #origin: PeerOrigin;
  readonly io: PeerIo;
  readonly counters = zeroCounters();
  readonly record: PeerRecord;
  config: PeerConfig;
  #speaker: SpeakerConfig;
  /** Told when the neighbour's last connection to us is gone, and when it comes back. */
  readonly #idle: (peer: Peer, isIdle: boolean) => void;
  readonly #sessions = new Rivals();
  readonly #gate: Gate;
  readonly #inquiry: Inquiry;
  /** What BFD says. */
  readonly bfd = new HeardBfd(this);
  #rest: Rest = NO_REST;
  #isStarted = false;
  #skipsCapabilities = false;

  constructor(
    io: PeerIo,
    speaker: SpeakerConfig,
    config: PeerConfig,
    origin: PeerOrigin,
    idle: (peer: Peer, isIdle: boolean) => void,
  ) {
    this.id = origin.id;
    this.io = io;
    this.#origin = origin;
    this.config = config;
    this.#speaker = speaker;
    this.#idle = idle;
    this.record = new PeerRecord(io.clock);
    this.#gate = new Gate(io, () => this.release());
    this.#inquiry = new Inquiry(io);
  }

  // Orders from above

  /** Without back-off. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    if (this.heldDown !== undefined) return;
    if (this.config.shutdown === undefined) this.#startDialler(0);
    else this.#gate.hold({ kind: 'shut down', ...this.config.shutdown });
  }

  /** Ends all sessions; without an error silently. Nothing starts again before start(). */
  stop(cause: DownCause, error?: NotificationError): void {
    this.#stop(cause, error);
    this.bfd.parted();
  }

  #stop(cause: DownCause, error: NotificationError | undefined): void {
    this.#isStarted = false;
    this.#gate.release();
    this.#endAll(cause, error);
    if (CAUSES[cause.kind].keepsRoutes === 'never') this.io.handler.abandoned?.(this.id);
  }

  /** Ends all sessions and starts anew without back-off. */
  reset(cause: DownCause, error: NotificationError): void {
    if (!this.#isStarted) return;
    this.#stop(cause, error);
    this.#rest = NO_REST;
    this.#gate.rest(0);
    this.start();
  }

  /** Ends all sessions, silently, and keeps the neighbour down until release() or reset(). */
  holdDown(cause: DownCause): void {
    this.#gate.hold(cause);
    this.record.error(cause);
    this.#endAll(cause);
    this.io.handler.abandoned?.(this.id);
  }

  release(): void {
    if (this.heldDown === undefined) return;
    this.#gate.release();
    if (this.#isStarted && this.config.shutdown === undefined) this.#startDialler(0);
  }

  /** It keeps our routes when the connection just ends (RFC 4724 section 4.2). */
  get isKeptOverRestart(): boolean {
    // As our OPEN said it: what is configured since then the neighbour does not know yet.
    const { openedWith, negotiated } = this.current ?? {};
    return openedWith?.gracefulRestart.mode === 'full' && negotiated?.gracefulRestart !== undefined;
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
    this.bfd.configured(before);
    if (config.shutdown !== undefined) {
      if (before.shutdown !== undefined) return;
      const { message } = config.shutdown;
      this.stop({ kind: 'shut down', ...config.shutdown }, cease(CEASE_ADMIN_SHUTDOWN, message));
      this.start();
      return;
    }
    if (before.shutdown !== undefined) {
      this.release();
      return;
    }
    if (change.kind !== 'nothing') this.release();
    if (change.kind === 'reset') {
      this.reset(changedCause(change), cease(CEASE_OTHER_CONFIG));
      this.record.forgetError();
    } else if (change.fields.some(({ effect }) => effect === 'live')) this.#applyLive(before);
    // A dialler that must not dial any more, or must begin to.
    if (before.passive !== config.passive && this.#sessions.established === undefined) {
      const cause = { kind: 'configuration changed', fields: ['passive'], text: 'passive changed' } as const;
      this.reset(cause, cease(CEASE_OTHER_CONFIG));
    }
  }

  #applyLive(before: PeerConfig): void {
    try {
      for (const { connection } of this.#sessions.all) {
        if (connection === undefined) continue;
        this.io.transport.setTtlRule(connection, this.config.ttl);
        if (before.md5Key !== this.config.md5Key) this.io.transport.setMd5Key(connection, this.config.md5Key);
      }
    } catch (error) {
      this.holdDown({ kind: 'transport refused', text: (error as Error).message });
    }
  }

  set speaker(speaker: SpeakerConfig) {
    this.#speaker = speaker;
  }

  get heldDown(): HeldDown | undefined {
    return this.#gate.heldDown;
  }

  /** The established one. */
  get current(): LiveSession | undefined {
    return this.#sessions.established;
  }

  get sessions(): readonly LiveSession[] {
    return this.#sessions.all;
  }

  /** The furthest one. */
  get main(): LiveSession | undefined {
    return this.#sessions.main;
  }

  // A connection that the neighbour opened

  accept(connection: Connection): void {
    const refusal = this.#gate.refusal(connection, this.config, this.#isStarted);
    if (refusal !== undefined) {
      // Backing off is no error of its own: what went wrong before shall stay in sight.
      if (refusal.kind !== 'backing off') this.record.error({ kind: 'connection refused', refusal });
      this.io.handler.refused?.(connection.remoteAddress, this.id, refusal);
      this.#gate.turnAway(connection, refusal);
      return;
    }
    const session = new BgpSession(this, incomingRules(this.config));
    this.#sessions.addIncoming(session);
    this.io.halfOpen.add(session);
    this.#idle(this, false);
    session.accept(connection);
  }

  // SessionOwner

  buildOpen(): OpenMessage {
    const restart = this.io.handler.restartState?.() ?? NOT_RESTARTING;
    return localOpen(this.#speaker, this.config, restart, !this.#skipsCapabilities);
  }

  retryWithoutCapabilities(): boolean {
    if (this.config.retryWithoutCapabilities === false || this.#skipsCapabilities) return false;
    this.#skipsCapabilities = true;
    return true;
  }

  resolveCollision(
    fresh: LiveSession,
    ids: CollisionIds,
    negotiated: Negotiated,
    won: (endLosers: () => void) => void,
  ): void {
    this.bfd.meet(fresh, negotiated, () => this.#settle(fresh, ids, negotiated, won));
  }

  #settle(
    fresh: LiveSession,
    ids: CollisionIds,
    negotiated: Negotiated,
    won: (endLosers: () => void) => void,
    silent?: LiveSession,
  ): void {
    const settled = settleCollision(this.#sessions.all, fresh, ids, negotiated, silent);
    if (settled.kind === 'won') won(() => settled.endLosers());
    if (settled.kind !== 'ask') return;
    this.#inquiry.ask(settled.established, fresh, settled.saysRestarted, (isGone) => {
      if (isGone) this.#settle(fresh, ids, negotiated, won, settled.established);
      else fresh.step({ type: 'collisionLost' });
    });
  }

  hasRival(session: LiveSession): boolean {
    return [...this.#sessions.all].some((other) => other !== session && RANK[other.state] >= RANK.OpenSent);
  }

  moved(session: LiveSession, event: FsmEvent): void {
    this.#show(describeEvent(event), event.type === 'tcpFailed' ? causeOf(event) : undefined);
    if (RANK[session.state] < RANK.OpenConfirm) return;
    this.io.halfOpen.delete(session);
    // RFC 4271 §6.8: what has not sent an OPEN yet is stopped silently.
    const dialler = this.#sessions.dialler;
    if (dialler !== undefined && dialler !== session && RANK[dialler.state] < RANK.OpenSent) {
      dialler.step({ type: 'collisionLost' });
    }
  }

  established(session: LiveSession): void {
    this.#sessions.established = session;
    this.#skipsCapabilities = false;
    this.record.connectAttempts = 0;
    this.bfd.established(session);
    if (this.#sessions.dialler !== undefined && this.#sessions.dialler !== session)
      this.#sessions.dialler.step({ type: 'collisionLost' });
    this.io.handler.established(session);
  }

  ended(session: LiveSession, end: SessionEnd): void {
    this.#sessions.delete(session);
    this.io.halfOpen.delete(session);
    if (end.down !== undefined) this.record.lost(end.cause, end.establishedMs);
    if (end.cause.kind === 'collision lost' && RANK[end.from] >= RANK.OpenSent) this.record.collisions++;
    if (CAUSES[end.cause.kind].isFailure) this.record.error(end.cause);
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
      this.#gate.rest(rest.refuseMs);
    }
    const holdDownSeconds = end.failOptions?.holdDownSeconds;
    if (holdDownSeconds !== undefined) this.#gate.holdFor(holdDownSeconds, end.cause);
    this.#show(causeText(end.cause), end.cause);
    if (end.down !== undefined) this.io.handler.down(session, end.down);
    if (holdDownSeconds !== undefined) this.#endAll(end.cause);
    this.#inquiry.ended(session);
    this.bfd.ended(session, end.down?.kept !== undefined);
    this.#continue(rest);
    if (this.#sessions.incoming.size === 0) this.#idle(this, true);
  }

  #continue(rest: Rest | undefined): void {
    if (!this.#isStarted || this.heldDown !== undefined || this.#sessions.dialler !== undefined) return;
    if (this.#sessions.hasIncomingDecided) return;
    if (rest === undefined && this.#sessions.incoming.size > 0) return;
    this.#startDialler((rest ?? SHORT_REST).holdMs);
  }

  #startDialler(idleHoldMs: number): void {
    const session = new BgpSession(this, diallerRules(this.config, this.origin));
    this.#sessions.dialler = session;
    session.step({ type: 'automaticStart', idleHoldMs });
  }

  #endAll(cause: DownCause, error?: NotificationError): void {
    for (const session of this.#sessions.all) {
      session.step(
        error === undefined
          ? { type: 'automaticStop', cause }
          : { type: 'manualStop', cause, error: { ...error, reason: causeText(cause) } },
      );
    }
  }

  #show(reason: string, cause: DownCause | undefined): void {
    const transition = this.record.moved(this.main?.state ?? 'Idle', reason, cause);
    if (transition !== undefined) this.io.handler.stateChanged(this.id, transition);
  }
}

export function changedCause({ kind, fields, reason }: ConfigChange): DownCause {
  const strongest = fields.filter(({ effect }) => effect === kind).map(({ name }) => name);
  return { kind: 'configuration changed', fields: strongest, text: reason };
}
