// One FSM at work: it gives fsm.ts timers, a connection, a framer and the codec, and carries out its actions.
// It lives from one start to one end. After the end nothing of it runs: no byte, timer or queued action.
import type { PeerConfig } from '../config.ts';
import { familyOf } from '../family.ts';
import type { Connection, ConnectionHandler, DialError } from '../io.ts';
import {
  CODE_CEASE,
  CODE_HEADER,
  CEASE_RESOURCES,
  FRAME_OK,
  FRAME_STOPPED,
  Framer,
  KEEPALIVE,
  MAX_EXTENDED_MESSAGE_LENGTH,
  MAX_MESSAGE_LENGTH,
  NOTIFICATION,
  OPEN,
  ROUTE_REFRESH,
  UPDATE,
  decodeNotification,
  decodeOpen,
  decodeRouteRefresh,
  describeNotification,
  encodeKeepalive,
  encodeNotification,
  encodeOpen,
  isNotificationError,
  type FrameSink,
  type OpenMessage,
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
import { negotiate } from './negotiate.ts';
import { SessionOutput } from './output.ts';
import type { SessionEnd, SessionOwner } from './owner.ts';
import { HOLD, KEEPALIVE_TIMER, SEND_HOLD, SessionTimers } from './timers.ts';
import type { FailOptions, Negotiated, NotificationError, Session, SessionState } from './types.ts';

/** HDR-6: a NOTIFICATION that is not flushed by then is lost. */
const FLUSH_MS = 10_000;
/** FSM-9: more time for bytes that wait unread in the kernel; and for one turn of the event loop when that is not known. */
const UNREAD_GRACE_MS = 10_000;
const UNKNOWN_GRACE_MS = 100;

const KEEPALIVE_BYTES = encodeKeepalive();

export class BgpSession implements Session, FrameSink, ConnectionHandler {
  readonly isIncoming: boolean;
  readonly #owner: SessionOwner;
  readonly #timers: SessionTimers;
  #fsm: FsmState;
  #isOver = false;
  #dialling: { cancel(): void } | undefined;
  #linkWatch: { cancel(): void } | undefined;
  #connection: Connection | undefined;
  #framer: Framer | undefined;
  #output: SessionOutput | undefined;
  #ourOpen: OpenMessage | undefined;
  #negotiated: Negotiated | undefined;
  #establishedAt = 0;
  /** Clock.now() at the chunk that is being read. */
  #now = 0;
  #keepaliveMs = 0;
  #hasSentNotification = false;
  #notification: NotificationError | undefined;
  #failOptions: FailOptions | undefined;
  #hadUnknownGrace = false;
  #bytesAcceptedBefore = 0;
  #hasSentOpen = false;
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
    if (this.#isOver || this.#output === undefined) return false;
    // RFC 4271 §8.2.2: each sent UPDATE restarts the KeepaliveTimer.
    this.#timers.touch(KEEPALIVE_TIMER, this.#owner.clock.now() + this.#keepaliveMs);
    return this.#output.write(messages);
  }

  cork(): void {
    if (!this.#isOver) this.#output?.cork();
  }

  uncork(): void {
    if (!this.#isOver) this.#output?.uncork();
  }

  get queuedBytes(): number {
    return this.#isOver ? 0 : (this.#output?.queuedBytes ?? 0);
  }

  pauseReading(): void {
    if (!this.#isOver) this.#connection?.pause();
  }

  resumeReading(): void {
    if (!this.#isOver) this.#connection?.resume();
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
    return this.#connection !== undefined;
  }

  get connection(): Connection | undefined {
    return this.#connection;
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
    this.#output?.writeFirst(KEEPALIVE_BYTES);
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
    const framer = this.#framer;
    if (framer === undefined) return;
    this.#now = this.#owner.clock.now();
    this.#hadUnknownGrace = false;
    this.counters.in.bytes += end - start;
    let outcome = FRAME_OK;
    try {
      outcome = framer.feed(buffer, start, end);
    } catch (error) {
      this.#internalError(error);
    }
    if (outcome !== FRAME_OK && outcome !== FRAME_STOPPED) this.#headerInvalid(outcome, framer);
    this.#owner.deadlines.poke(this.#owner.clock.now());
  }

  drained(): void {
    this.#output?.connectionDrained();
  }

  closed(error: string | undefined): void {
    this.#release();
    this.step({ type: 'tcpFailed', error: error ?? 'the neighbour closed the connection' });
  }

  /** @returns false when nothing more of this connection may be handed on */
  message(buf: Uint8Array, start: number, end: number, type: number): boolean {
    const framer = this.#framer;
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
    return !this.#isOver && framer !== undefined && this.#framer === framer;
  }

  #openMessage(buf: Uint8Array, start: number, end: number): void {
    this.#hasReceivedOpen = true;
    const isExpected = this.#fsm.name === 'OpenSent' || this.#fsm.isDelayOpenRunning;
    const connection = this.#connection;
    if (!isExpected || connection === undefined) {
      this.step({ type: 'openReceived', holdMs: 0, keepaliveMs: 0 });
      return;
    }
    const theirs = decodeOpen(buf, start, end);
    this.#owner.openSeen(this, buf.slice(start, end), isNotificationError(theirs) ? undefined : theirs);
    if (isNotificationError(theirs)) {
      this.step({ type: 'openInvalid', error: { ...theirs, reason: describeNotification(theirs) } });
      return;
    }
    this.#ourOpen ??= this.#owner.buildOpen();
    const device = connection.device ?? this.#owner.device;
    const result = negotiate(this.config, this.#ourOpen, theirs, {
      localAddress: connection.localAddress,
      remoteAddress: connection.remoteAddress,
      ...(device === undefined ? {} : { device }),
    });
    if ('code' in result) {
      this.step({ type: 'openInvalid', error: result });
      return;
    }
    const endLosers = this.#owner.resolveCollision(
      this,
      {
        localRouterId: this.#ourOpen.routerId,
        remoteRouterId: theirs.routerId,
        localAs: this.#ourOpen.asNumber,
        remoteAs: theirs.asNumber,
      },
      result,
    );
    if (endLosers === undefined || this.#isOver) return;
    this.#negotiated = result;
    if (result.extendedMessages && this.#framer !== undefined) {
      this.#framer.maxLength = MAX_EXTENDED_MESSAGE_LENGTH;
    }
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
    const refusesVersion = error.code === 2 && error.subcode === 1;
    const refusesCapabilities =
      error.code === 2 &&
      error.subcode === 4 &&
      this.#ourOpen?.capabilities !== undefined &&
      this.#owner.retryWithoutCapabilities();
    this.step({
      type: refusesVersion || refusesCapabilities ? 'versionNotificationReceived' : 'notificationReceived',
      text,
    });
  }

  #routeRefreshMessage(buf: Uint8Array, start: number, end: number): void {
    if (this.#hasSentOpen && this.#ourOpen?.capabilities?.routeRefresh !== true) {
      // HDR-4: a type that we never said we know.
      const data = Uint8Array.of(ROUTE_REFRESH);
      const reason = 'ROUTE-REFRESH received, which we did not offer';
      this.step({ type: 'headerInvalid', error: { code: CODE_HEADER, subcode: 3, data, reason } });
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

  #headerInvalid(outcome: number, framer: Framer): void {
    const error = { code: outcome >> 8, subcode: outcome & 255, data: framer.errorData };
    const reason = describeNotification(error);
    // HDR-5: a NOTIFICATION is never answered by one.
    if (framer.errorMessageType === NOTIFICATION) {
      this.step({ type: 'notificationReceived', text: `unreadable (${reason})` });
    } else {
      this.step({ type: 'headerInvalid', error: { ...error, reason } });
    }
  }

  /** A fault of ours must not end the process or another session (BGP.md SEC-4). */
  #internalError(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const reason = `internal error while reading: ${text}`;
    this.step({
      type: 'automaticStop',
      reason,
      error: { code: CODE_CEASE, subcode: CEASE_RESOURCES, reason },
    });
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
        this.#ourOpen ??= this.#owner.buildOpen();
        this.#hasSentOpen = true;
        this.#sendOpen(this.#ourOpen);
        break;
      case 'sendKeepalive':
        this.#output?.writeFirst(KEEPALIVE_BYTES);
        break;
      case 'sendNotification':
        this.#sendNotification(action.error);
        break;
      case 'dropConnection':
        this.#drop();
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

  #sendOpen(open: OpenMessage): void {
    const bytes = encodeOpen(open);
    this.#output?.write(bytes);
    this.#owner.openSent(bytes, open);
  }

  #sendNotification(error: NotificationError): void {
    const output = this.#output;
    if (output === undefined) return;
    const sent = asSent(error, this.#negotiated);
    const full = { ...sent, data: sent.data ?? new Uint8Array(0) };
    this.#notification = sent;
    this.#hasSentNotification = true;
    output.writeLast(encodeNotification(full));
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
    const dialled: { done: boolean; handle: { cancel(): void } | undefined } = {
      done: false,
      handle: undefined,
    };
    this.#owner.dialled();
    dialled.handle = this.#owner.transport.dial(this.#owner.dialOptions(), (result) => {
      if (this.#isOver || this.#dialling !== dialled.handle) {
        if (!('error' in result)) result.destroy();
        return;
      }
      this.#dialling = undefined;
      this.#dialDone(result);
    });
    this.#dialling = dialled.handle;
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
    this.#connection = connection;
    this.#framer = new Framer(this);
    this.#output = new SessionOutput(connection, this.counters.out, () => {
      if (!this.#isOver && this.#fsm.name === 'Established') this.#owner.handler.drained(this);
    });
    this.#ourOpen = undefined;
    this.#hasSentOpen = false;
    this.#bytesAcceptedBefore = 0;
    this.#linkWatch = this.#owner.watchLink(connection, (device) => {
      this.step({ type: 'automaticStop', reason: `${LINK_DOWN} (${device})` });
    });
    connection.setHandler(this);
  }

  #drop(): void {
    const connection = this.#connection;
    this.#release();
    if (connection === undefined) return;
    if (this.#hasSentNotification) connection.end(FLUSH_MS);
    else connection.destroy();
  }

  #release(): void {
    this.#linkWatch?.cancel();
    this.#linkWatch = undefined;
    this.#framer?.stop();
    this.#framer = undefined;
    this.#output = undefined;
    this.#connection = undefined;
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

  /** FSM-9: after a stall of this process timers run before sockets, and the neighbour's bytes may lie there. */
  #extendsHold(now: number): boolean {
    const hasUnread = this.#connection?.hasUnreadBytes() ?? false;
    if (hasUnread === true) {
      this.#timers.start('hold', now, UNREAD_GRACE_MS);
      return true;
    }
    if (hasUnread === 'unknown' && !this.#hadUnknownGrace) {
      this.#hadUnknownGrace = true;
      this.#timers.start('hold', now, UNKNOWN_GRACE_MS);
      return true;
    }
    return false;
  }

  /** RFC 9687 §3.1: restarted when TCP takes bytes, or there are none to take; looked at with each keepalive. */
  #noteProgress(now: number): boolean {
    const accepted = this.#connection?.totalBytesAccepted ?? 0;
    const isStuck = this.queuedBytes > 0 && accepted === this.#bytesAcceptedBefore;
    this.#bytesAcceptedBefore = accepted;
    if (!isStuck) this.#timers.touch(SEND_HOLD, now + sendHoldMs(this.#fsm.holdMs));
    return !isStuck;
  }

  #sendHoldExpired(now: number): void {
    this.#timers.start('sendHold', now, sendHoldMs(this.#fsm.holdMs));
    if (!this.#noteProgress(now)) this.step({ type: 'sendHoldExpired' });
  }
}
