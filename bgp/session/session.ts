// One FSM at work: it gives fsm.ts timers, a connection, a framer and the codec, and carries out its actions.
// It lives from one start to one end. After the end nothing of it runs: no byte, timer or queued action.
// Longer than 400 lines because it is the one place where all of these meet; what could be pure is elsewhere.
import type { PeerConfig } from '../config.ts';
import { familyOf } from '../family.ts';
import type { Connection, ConnectionHandler, DialError } from '../io.ts';
import {
  FRAME_OK,
  FRAME_STOPPED,
  KEEPALIVE,
  MAX_EXTENDED_MESSAGE_LENGTH,
  MAX_MESSAGE_LENGTH,
  NOTIFICATION,
  OPEN,
  ROUTE_REFRESH,
  UPDATE,
  decodeNotification,
  decodeRouteRefresh,
  describeNotification,
  encodeKeepalive,
  encodeNotification,
  encodeOpen,
  isNotificationError,
  type FrameSink,
} from '../message/index.ts';
import { countMessage, type MutableCounters } from './counters.ts';
import { LINK_DOWN, asSent, causeOf, sessionDown } from './down.ts';
import {
  describeEvent,
  type FsmAction,
  type FsmEvent,
  type FsmRules,
  type FsmState,
  type TimerName,
} from './fsm-types.ts';
import { initialState, step } from './fsm.ts';
import { sendHoldMs } from './fsm-steps.ts';
import {
  headerEvent,
  internalErrorEvent,
  judgeOpen,
  refusesParameters,
  refusesVersion,
  unofferedRefreshEvent,
} from './receive.ts';
import type { SessionEnd, SessionOwner } from './owner.ts';
import { HOLD, KEEPALIVE_TIMER, SEND_HOLD, SessionTimers } from './timers.ts';
import { Wire } from './wire.ts';
import type { FailOptions, Negotiated, NotificationError, Session, SessionState } from './types.ts';

const KEEPALIVE_BYTES = encodeKeepalive();

export class BgpSession implements Session, FrameSink, ConnectionHandler {
  readonly isIncoming: boolean;
  readonly #owner: SessionOwner;
  readonly #timers: SessionTimers;
  #fsm: FsmState;
  #isOver = false;
  #dialling: { cancel(): void } | undefined;
  #wire: Wire | undefined;
  #negotiated: Negotiated | undefined;
  #establishedAt = 0;
  /** Clock.now() at the chunk that is being read. */
  #now = 0;
  #keepaliveMs = 0;
  #notification: NotificationError | undefined;
  #failOptions: FailOptions | undefined;
  #hasReceivedOpen = false;

  /** @param failures in a row of this neighbour before */
  constructor(owner: SessionOwner, rules: FsmRules, failures: number) {
    this.#owner = owner;
    this.isIncoming = rules.isIncoming;
    this.#fsm = initialState(rules, failures);
    this.#timers = new SessionTimers(owner.deadlines, (timer, now) => this.#expired(timer, now));
  }

  // What the speaker sees

  get peerId(): string {
    return this.#owner.id;
  }

  get config(): PeerConfig {
    return this.#owner.config;
  }

  get negotiated(): Negotiated {
    if (this.#negotiated === undefined) throw new Error(`${this.peerId}: nothing is negotiated before OPEN`);
    return this.#negotiated;
  }

  get state(): SessionState {
    return this.#fsm.name;
  }

  get counters(): MutableCounters {
    return this.#owner.counters;
  }

  get maxMessageBytes(): number {
    return this.#negotiated?.extendedMessages === true ? MAX_EXTENDED_MESSAGE_LENGTH : MAX_MESSAGE_LENGTH;
  }

  write(messages: Uint8Array): boolean {
    if (this.#isOver || this.#wire === undefined) return false;
    // RFC 4271 §8.2.2: each sent UPDATE restarts the KeepaliveTimer.
    this.#timers.touch(KEEPALIVE_TIMER, this.#owner.clock.now() + this.#keepaliveMs);
    return this.#wire.output.write(messages);
  }

  cork(): void {
    if (!this.#isOver) this.#wire?.output.cork();
  }

  uncork(): void {
    if (!this.#isOver) this.#wire?.output.uncork();
  }

  get queuedBytes(): number {
    return this.#isOver ? 0 : (this.#wire?.output.queuedBytes ?? 0);
  }

  pauseReading(): void {
    if (!this.#isOver) this.#wire?.connection.pause();
  }

  resumeReading(): void {
    if (!this.#isOver) this.#wire?.connection.resume();
  }

  fail(error: NotificationError, options?: FailOptions): void {
    if (this.#isOver) return;
    this.#failOptions = options;
    this.step({ type: 'updateInvalid', error });
  }

  // What the peer sees

  get isOver(): boolean {
    return this.#isOver;
  }

  get hasConnection(): boolean {
    return this.#wire !== undefined;
  }

  get connection(): Connection | undefined {
    return this.#wire?.connection;
  }

  remaining(timer: TimerName): number | undefined {
    return this.#timers.remaining(timer, this.#owner.clock.now());
  }

  /** Takes an accepted connection. */
  accept(connection: Connection): void {
    this.#attach(connection);
    this.step({ type: 'tcpConnected' });
  }

  /** Asks an established neighbour for a sign of life: a host that has rebooted answers with a reset. */
  probe(): void {
    this.#wire?.output.writeFirst(KEEPALIVE_BYTES);
  }

  step(event: FsmEvent): void {
    if (this.#isOver) return;
    const from = this.#fsm.name;
    const { state, actions } = step(this.#fsm, event);
    this.#fsm = state;
    if (state.name !== from && state.name !== 'Idle') this.#owner.moved(this, describeEvent(event));
    for (const action of actions) this.#perform(action, event, from);
  }

  // What the connection brings

  data(buffer: Uint8Array, start: number, end: number): void {
    const wire = this.#wire;
    if (wire === undefined) return;
    this.#now = this.#owner.clock.now();
    wire.heard();
    this.counters.in.bytes += end - start;
    let outcome = FRAME_OK;
    try {
      outcome = wire.framer.feed(buffer, start, end);
    } catch (error) {
      this.step(internalErrorEvent(error));
    }
    if (outcome !== FRAME_OK && outcome !== FRAME_STOPPED) this.step(headerEvent(outcome, wire.framer));
    this.#owner.deadlines.poke(this.#owner.clock.now());
  }

  drained(): void {
    this.#wire?.output.connectionDrained();
  }

  closed(error: string | undefined): void {
    this.#wire?.release();
    this.#wire = undefined;
    this.step({ type: 'tcpFailed', error: error ?? 'the neighbour closed the connection' });
  }

  /** @returns false when nothing more of this connection may be handed on */
  message(buf: Uint8Array, start: number, end: number, type: number): boolean {
    const wire = this.#wire;
    countMessage(this.counters.in, type);
    switch (type) {
      case UPDATE:
        // The way of nearly all messages: what fsm.ts answers in Established is done here without it.
        if (this.#fsm.name !== 'Established') this.step({ type: 'updateReceived' });
        if (this.#fsm.name !== 'Established') break;
        this.#timers.touch(HOLD, this.#now + this.#fsm.holdMs);
        this.#owner.handler.update(this, buf, start, end);
        break;
      case KEEPALIVE:
        if (this.#fsm.name !== 'Established') this.step({ type: 'keepaliveReceived' });
        else this.#timers.touch(HOLD, this.#now + this.#fsm.holdMs);
        break;
      case OPEN:
        this.#openMessage(buf, start, end);
        break;
      case NOTIFICATION:
        this.#notificationMessage(buf, start, end);
        break;
      case ROUTE_REFRESH:
        this.#routeRefreshMessage(buf, start, end);
        break;
      default:
        break;
    }
    return !this.#isOver && wire !== undefined && this.#wire === wire;
  }

  #openMessage(buf: Uint8Array, start: number, end: number): void {
    this.#hasReceivedOpen = true;
    const isExpected = this.#fsm.name === 'OpenSent' || this.#fsm.isDelayOpenRunning;
    const wire = this.#wire;
    if (!isExpected || wire === undefined) {
      this.step({ type: 'openReceived', holdMs: 0, keepaliveMs: 0 });
      return;
    }
    wire.ourOpen ??= this.#owner.buildOpen();
    const { connection, ourOpen } = wire;
    const device = connection.device ?? this.#owner.device;
    const ends = {
      localAddress: connection.localAddress,
      remoteAddress: connection.remoteAddress,
      ...(device === undefined ? {} : { device }),
    };
    const { theirs, result } = judgeOpen(this.config, ourOpen, ends, buf, start, end);
    this.#owner.openSeen(this, buf.slice(start, end), theirs);
    if ('code' in result || theirs === undefined) {
      if ('code' in result) this.step({ type: 'openInvalid', error: result });
      return;
    }
    const endLosers = this.#owner.resolveCollision(
      this,
      {
        localRouterId: ourOpen.routerId,
        remoteRouterId: theirs.routerId,
        localAs: ourOpen.asNumber,
        remoteAs: theirs.asNumber,
      },
      result,
    );
    if (endLosers === undefined || this.#isOver) return;
    this.#negotiated = result;
    if (result.extendedMessages) wire.framer.maxLength = MAX_EXTENDED_MESSAGE_LENGTH;
    this.step({
      type: 'openReceived',
      holdMs: result.holdTimeSeconds * 1000,
      keepaliveMs: result.keepaliveTimeSeconds * 1000,
    });
    endLosers();
  }

  #notificationMessage(buf: Uint8Array, start: number, end: number): void {
    const error = decodeNotification(buf, start, end);
    const text = describeNotification(error);
    this.#notification = error;
    this.#owner.notified('in', error, text);
    const isHarmless =
      refusesVersion(error) ||
      (refusesParameters(error) &&
        this.#wire?.ourOpen?.capabilities !== undefined &&
        this.#owner.retryWithoutCapabilities());
    this.step({ type: isHarmless ? 'versionNotificationReceived' : 'notificationReceived', text });
  }

  #routeRefreshMessage(buf: Uint8Array, start: number, end: number): void {
    if (this.#wire?.hasSentOpen === true && this.#wire.ourOpen?.capabilities?.routeRefresh !== true) {
      this.step(unofferedRefreshEvent());
      return;
    }
    this.step({ type: 'routeRefreshReceived' });
    if (this.#fsm.name !== 'Established') return;
    this.#timers.touch(HOLD, this.#now + this.#fsm.holdMs);
    const refresh = decodeRouteRefresh(buf, start, end);
    if (isNotificationError(refresh)) {
      this.fail({ ...refresh, reason: describeNotification(refresh) });
      return;
    }
    const family = familyOf(refresh.afi, refresh.safi);
    // RR-1: one for a family that is not in use is ignored.
    if (family === undefined || !this.negotiated.families.includes(family)) return;
    this.#owner.handler.routeRefresh(this, family, refresh.subtype);
  }

  // Actions

  #perform(action: FsmAction, event: FsmEvent, from: SessionState): void {
    switch (action.type) {
      case 'startTimer':
        this.#timers.start(action.timer, this.#owner.clock.now(), this.#jittered(action.timer, action.ms));
        break;
      case 'stopTimer':
        this.#timers.stop(action.timer);
        break;
      case 'dial':
        this.#dial();
        break;
      case 'cancelDial':
        this.#dialling?.cancel();
        this.#dialling = undefined;
        break;
      case 'sendOpen':
        if (this.#wire !== undefined) this.#sendOpen(this.#wire);
        break;
      case 'sendKeepalive':
        this.#wire?.output.writeFirst(KEEPALIVE_BYTES);
        break;
      case 'sendNotification':
        this.#sendNotification(action.error);
        break;
      case 'dropConnection':
        this.#wire?.close();
        this.#wire = undefined;
        break;
      case 'established':
        this.#establishedAt = this.#owner.clock.now();
        this.#owner.established(this);
        break;
      case 'ended':
        this.#end(event, from);
        break;
    }
  }

  #sendOpen(wire: Wire): void {
    wire.ourOpen ??= this.#owner.buildOpen();
    wire.hasSentOpen = true;
    const bytes = encodeOpen(wire.ourOpen);
    wire.output.write(bytes);
    this.#owner.openSent(bytes, wire.ourOpen);
  }

  #sendNotification(error: NotificationError): void {
    if (this.#wire === undefined) return;
    const sent = asSent(error, this.#negotiated);
    const full = { ...sent, data: sent.data ?? new Uint8Array(0) };
    this.#notification = sent;
    this.#wire.sendLast(encodeNotification(full));
    this.#owner.notified('out', full, describeNotification(full));
  }

  /** RFC 4271 §10: 0.75 to 1.0 of the value. The hold timers and DelayOpen are exact. */
  #jittered(timer: TimerName, ms: number): number {
    if (timer === 'hold' || timer === 'sendHold' || timer === 'delayOpen') return ms;
    const jittered = ms * (0.75 + 0.25 * this.#owner.random.next());
    if (timer === 'keepalive') this.#keepaliveMs = jittered;
    return jittered;
  }

  #dial(): void {
    this.#owner.dialled();
    this.#dialling = this.#owner.transport.dial(this.#owner.dialOptions(), (result) => {
      this.#dialling = undefined;
      this.#dialDone(result);
    });
  }

  #dialDone(result: Connection | DialError): void {
    if ('error' in result) {
      this.step({ type: 'tcpFailed', error: result.error });
      return;
    }
    this.#attach(result);
    this.step({ type: 'tcpConnected' });
  }

  #attach(connection: Connection): void {
    const wire = new Wire(connection, this, this.counters.out, () => {
      if (!this.#isOver && this.#fsm.name === 'Established') this.#owner.handler.drained(this);
    });
    wire.linkWatch = this.#owner.watchLink(connection, (device) => {
      this.step({ type: 'automaticStop', reason: `${LINK_DOWN} (${device})` });
    });
    this.#wire = wire;
    wire.open(this);
  }

  #end(event: FsmEvent, from: SessionState): void {
    this.#isOver = true;
    this.#timers.stopAll();
    this.#dialling?.cancel();
    this.#dialling = undefined;
    const wasEstablished = from === 'Established';
    const end: SessionEnd = {
      event,
      from,
      cause: causeOf(event),
      reason: describeEvent(event),
      connectRetryCounter: this.#fsm.connectRetryCounter,
      hasReceivedOpen: this.#hasReceivedOpen,
      establishedMs: wasEstablished ? this.#owner.clock.now() - this.#establishedAt : 0,
      ...(wasEstablished ? { down: sessionDown(event, this.#notification, this.negotiated) } : {}),
      ...(this.#failOptions === undefined ? {} : { failOptions: this.#failOptions }),
    };
    this.#owner.ended(this, end);
  }

  // Timers

  #expired(timer: TimerName, now: number): void {
    switch (timer) {
      case 'connectRetry':
        this.step({ type: 'connectRetryExpired' });
        break;
      case 'hold':
        if (!this.#extendsHold(now)) this.step({ type: 'holdExpired' });
        break;
      case 'keepalive':
        this.#noteProgress(now);
        this.step({ type: 'keepaliveExpired' });
        break;
      case 'delayOpen':
        this.step({ type: 'delayOpenExpired' });
        break;
      case 'idleHold':
        this.step({ type: 'idleHoldExpired' });
        break;
      case 'sendHold':
        this.#sendHoldExpired(now);
        break;
    }
  }

  #extendsHold(now: number): boolean {
    const extensionMs = this.#wire?.holdExtensionMs() ?? 0;
    if (extensionMs > 0) this.#timers.start('hold', now, extensionMs);
    return extensionMs > 0;
  }

  /** RFC 9687 §3.1: the timer starts anew when TCP takes bytes or none wait; looked at with each keepalive. */
  #noteProgress(now: number): boolean {
    const isStuck = this.#wire?.isStuck() ?? false;
    if (!isStuck) this.#timers.touch(SEND_HOLD, now + sendHoldMs(this.#fsm.holdMs));
    return !isStuck;
  }

  #sendHoldExpired(now: number): void {
    this.#timers.start('sendHold', now, sendHoldMs(this.#fsm.holdMs));
    if (!this.#noteProgress(now)) this.step({ type: 'sendHoldExpired' });
  }
}
