// What a session's connection brings: bytes through the framer to messages, and these to events of the FSM.
// UPDATE and KEEPALIVE of an established session, which are nearly all, go past the FSM.
import type { ConnectionHandler } from '../io.ts';
import { sharedLinkOf } from './link-rules.ts';
import {
  FRAME_OK,
  FRAME_STOPPED,
  KEEPALIVE,
  MAX_EXTENDED_MESSAGE_LENGTH,
  NOTIFICATION,
  OPEN,
  ROUTE_REFRESH,
  UPDATE,
  copyOf,
  decodeNotification,
  decodeRouteRefresh,
  describeNotification,
  isNotificationError,
  unicastFamily,
  type NotificationError as WireError,
  type FrameSink,
} from '../message/index.ts';
import { countMessage } from './connection/counters.ts';
import { socketProblem } from './fsm/cause.ts';
import {
  headerEvent,
  internalErrorEvent,
  judgeOpen,
  losesCollision,
  notificationCause,
  refusesParameters,
  refusesVersion,
  unofferedRefreshEvent,
} from './fsm/receive.ts';
import { fsmError } from './fsm/fsm-steps.ts';
import type { Negotiated } from './fsm/negotiate.ts';
import type { LiveSession, SessionOwner } from './ports.ts';
import { HOLD, type SessionTimers } from './connection/timers.ts';

const LOST = { kind: 'collision lost' } as const;

export class SessionInput implements FrameSink, ConnectionHandler {
  readonly #session: LiveSession;
  readonly #owner: SessionOwner;
  readonly #timers: SessionTimers;
  /** Clock.now() at the chunk that is being read. */
  #now = 0;
  /** Its OPEN is good, and whether it or another connection stays is not known yet (RFC 4271 §6.8). */
  #isUndecided = false;
  /** The answer to our OPEN came meanwhile. */
  #hasEarlyKeepalive = false;

  constructor(session: LiveSession, owner: SessionOwner, timers: SessionTimers) {
    this.#session = session;
    this.#owner = owner;
    this.#timers = timers;
  }

  // ConnectionHandler

  data(buffer: Uint8Array, start: number, end: number): void {
    const { wire } = this.#session;
    if (wire === undefined) return;
    this.#now = this.#owner.io.clock.now();
    wire.heard();
    this.#owner.counters.in.bytes += end - start;
    let outcome = FRAME_OK;
    try {
      outcome = wire.framer.feed(buffer, start, end);
    } catch (error) {
      this.#session.step(internalErrorEvent(error));
    }
    if (outcome !== FRAME_OK && outcome !== FRAME_STOPPED) {
      this.#session.step(headerEvent(outcome, wire.framer));
    }
    this.#owner.io.deadlines.poke(this.#owner.io.clock.now());
  }

  drained(): void {
    this.#session.wire?.output.connectionDrained();
  }

  closed(text: string | undefined, errno?: string): void {
    const kind = 'connection lost';
    if (text === undefined) this.#session.detached({ kind, problem: 'closed' });
    else this.#session.detached({ kind, problem: socketProblem(errno), text });
  }

  // FrameSink

  /** @returns false when nothing more of this connection may be handed on */
  message(buf: Uint8Array, start: number, end: number, type: number): boolean {
    const session = this.#session;
    const { wire } = session;
    countMessage(this.#owner.counters.in, type);
    switch (type) {
      case UPDATE:
        // What fsm.ts answers in Established is done here without it.
        if (session.fsm.name !== 'Established') session.step({ type: 'updateReceived' });
        if (session.fsm.name !== 'Established') break;
        this.#restartHold();
        this.#owner.io.handler.update(session, buf, start, end);
        break;
      case KEEPALIVE:
        if (this.#isUndecided) this.#hasEarlyKeepalive = true;
        else if (session.fsm.name !== 'Established') session.step({ type: 'keepaliveReceived' });
        else this.#restartHold();
        break;
      case OPEN:
        this.#open(buf, start, end);
        break;
      case NOTIFICATION:
        this.#notification(buf, start, end);
        break;
      case ROUTE_REFRESH:
        this.#routeRefresh(buf, start, end);
        break;
      default:
        break;
    }
    return !session.isOver && wire !== undefined && session.wire === wire;
  }

  #restartHold(): void {
    this.#timers.touch(HOLD, this.#now);
  }

  #open(buf: Uint8Array, start: number, end: number): void {
    const session = this.#session;
    const { fsm, wire, dialogue } = session;
    dialogue.hasReceivedOpen = true;
    if (this.#isUndecided) {
      session.step({ type: 'openInvalid', error: fsmError(2, OPEN) });
      return;
    }
    const isExpected = fsm.name === 'OpenSent' || fsm.isDelayOpenRunning;
    if (!isExpected || wire === undefined) {
      session.step({ type: 'openReceived', holdMs: 0, keepaliveMs: 0 });
      return;
    }
    wire.ourOpen ??= this.#owner.buildOpen();
    const { connection, ourOpen } = wire;
    const device = connection.device ?? this.#owner.origin.device;
    const { origin, io } = this.#owner;
    const sharedLink = sharedLinkOf(session.config, origin, io.transport, connection);
    const ends = {
      localAddress: connection.localAddress,
      remoteAddress: connection.remoteAddress,
      ...(device === undefined ? {} : { device }),
      ...(sharedLink === undefined ? {} : { sharedLink }),
    };
    const { theirs, result } = judgeOpen(session.config, ourOpen, ends, buf, start, end);
    this.#owner.record.openIn = { bytes: copyOf(buf, start, end), open: theirs };
    if ('code' in result || theirs === undefined) {
      if ('code' in result) session.step({ type: 'openInvalid', error: result });
      return;
    }
    this.#isUndecided = true;
    this.#owner.resolveCollision(
      session,
      {
        localRouterId: ourOpen.routerId,
        remoteRouterId: theirs.routerId,
        localAs: ourOpen.asNumber,
        remoteAs: theirs.asNumber,
      },
      result,
      (endLosers) => this.#goOn(result, endLosers),
    );
  }

  /** The connection is the one that stays. */
  #goOn(result: Negotiated, endLosers: () => void): void {
    const session = this.#session;
    const { wire } = session;
    this.#isUndecided = false;
    if (session.isOver || wire === undefined) return;
    session.dialogue.negotiated = result;
    if (result.extendedMessages) wire.framer.maxLength = MAX_EXTENDED_MESSAGE_LENGTH;
    session.step({
      type: 'openReceived',
      holdMs: result.holdTimeSeconds * 1000,
      keepaliveMs: result.keepaliveTimeSeconds * 1000,
    });
    endLosers();
    if (this.#hasEarlyKeepalive) session.step({ type: 'keepaliveReceived' });
  }

  #notification(buf: Uint8Array, start: number, end: number): void {
    const error = decodeNotification(buf, start, end);
    const cause = notificationCause(error);
    this.#session.dialogue.notification = error;
    this.#owner.record.notification('in', error, cause.text);
    const isHarmless =
      refusesVersion(error) ||
      (refusesParameters(error) &&
        this.#session.wire?.ourOpen?.capabilities !== undefined &&
        this.#owner.retryWithoutCapabilities());
    if (isHarmless) this.#session.step({ type: 'versionNotificationReceived', cause });
    else this.#session.step({ type: 'notificationReceived', cause: this.#isCollision(error) ? LOST : cause });
  }

  /** The neighbour has chosen the other one of two connections. */
  #isCollision(error: WireError): boolean {
    const session = this.#session;
    return losesCollision(error) && session.fsm.name !== 'Established' && this.#owner.hasRival(session);
  }

  #routeRefresh(buf: Uint8Array, start: number, end: number): void {
    const session = this.#session;
    if (session.wire?.hasSentOpen === true && session.wire.ourOpen?.capabilities?.routeRefresh !== true) {
      session.step(unofferedRefreshEvent());
      return;
    }
    session.step({ type: 'routeRefreshReceived' });
    if (session.fsm.name !== 'Established') return;
    this.#restartHold();
    const refresh = decodeRouteRefresh(buf, start, end);
    if (isNotificationError(refresh)) {
      session.fail({ ...refresh, reason: describeNotification(refresh) });
      return;
    }
    const family = unicastFamily(refresh.afi, refresh.safi);
    // RR-1: one for a family that is not in use is ignored.
    if (family === undefined || !session.negotiated.families.includes(family)) return;
    this.#owner.io.handler.routeRefresh(session, family, refresh.subtype);
  }
}
