// One FSM at work: it gives fsm.ts timers and a connection (what that brings: input.ts), and carries out its actions.
// It lives from one start to one end. After the end nothing of it runs: no byte, timer or queued action.
import type { PeerConfig } from '../config.ts';
import type { Connection, DialError } from '../io.ts';
import {
  MAX_EXTENDED_MESSAGE_LENGTH,
  MAX_MESSAGE_LENGTH,
  describeNotification,
  encodeKeepalive,
  encodeNotification,
  encodeOpen,
} from '../message/index.ts';
import type { MutableCounters } from './connection/counters.ts';
import { type SocketCause, socketProblem } from './fsm/cause.ts';
import { causeText } from './fsm/cause-text.ts';
import { asSent, sessionEnd, type Dialogue, type FailOptions } from './fsm/down.ts';
import type {
  FsmAction,
  FsmEvent,
  FsmRules,
  FsmState,
  NotificationError,
  SessionState,
  TimerName,
} from './fsm/fsm-types.ts';
import type { Negotiated } from './fsm/negotiate.ts';
import { initialState, step } from './fsm/fsm.ts';
import { SessionInput } from './input.ts';
import { expiryEvent } from './connection/liveness.ts';
import type { LiveSession, SessionOwner } from './ports.ts';
import { dialOptions, isBySameRules, watchLink } from './link-rules.ts';
import { KEEPALIVE_TIMER, SessionTimers, jittered } from './connection/timers.ts';
import { Wire } from './connection/wire.ts';

const KEEPALIVE_BYTES = encodeKeepalive();

export class BgpSession implements LiveSession {
  readonly isIncoming: boolean;
  readonly #owner: SessionOwner;
  readonly #timers: SessionTimers;
  readonly #input: SessionInput;
  /** For input.ts and the end. */
  readonly dialogue: Dialogue = {
    negotiated: undefined,
    notification: undefined,
    failOptions: undefined,
    hasReceivedOpen: false,
  };
  #fsm: FsmState;
  #isOver = false;
  #dialling: { cancel(): void } | undefined;
  #wire: Wire | undefined;
  /** Clock.now() when it was made: for one that the neighbour opened, when its connection came. */
  readonly beganAt: number;
  #establishedAt = 0;
  #openedWith: PeerConfig | undefined;

  constructor(owner: SessionOwner, rules: FsmRules) {
    this.#owner = owner;
    this.isIncoming = rules.isIncoming;
    this.beganAt = owner.io.clock.now();
    this.#fsm = initialState(rules);
    this.#timers = new SessionTimers(owner.io.deadlines, (timer, now) => this.#expired(timer, now));
    this.#input = new SessionInput(this, owner, this.#timers);
  }

  // What the speaker sees

  get peerId(): string {
    return this.#owner.id;
  }

  get config(): PeerConfig {
    return this.#owner.config;
  }

  get negotiated(): Negotiated {
    const { negotiated } = this.dialogue;
    if (negotiated === undefined) throw new Error(`${this.peerId}: nothing is negotiated before OPEN`);
    return negotiated;
  }

  get state(): SessionState {
    return this.#fsm.name;
  }

  get counters(): MutableCounters {
    return this.#owner.counters;
  }

  get maxMessageBytes(): number {
    return this.dialogue.negotiated?.extendedMessages === true
      ? MAX_EXTENDED_MESSAGE_LENGTH
      : MAX_MESSAGE_LENGTH;
  }

  write(messages: Uint8Array): boolean {
    if (this.#isOver || this.#wire === undefined) return false;
    // RFC 4271 §8.2.2: each sent UPDATE restarts the KeepaliveTimer.
    this.#timers.touch(KEEPALIVE_TIMER, this.#owner.io.clock.now());
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
    this.dialogue.failOptions = options;
    const cause = options?.cause;
    if (cause === undefined) this.step({ type: 'updateInvalid', error });
    else this.step({ type: 'updateInvalid', cause, error: { ...error, reason: causeText(cause) } });
  }

  // What the peer and input.ts see

  /** Clock.now(), 0 before. */
  get establishedAt(): number {
    return this.#establishedAt;
  }

  /** What our OPEN was made of; undefined before. */
  get openedWith(): PeerConfig | undefined {
    return this.#openedWith;
  }

  get fsm(): FsmState {
    return this.#fsm;
  }

  get wire(): Wire | undefined {
    return this.#wire;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get connection(): Connection | undefined {
    return this.#wire?.connection;
  }

  remaining(timer: TimerName): number | undefined {
    return this.#timers.remaining(timer, this.#owner.io.clock.now());
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
    if (state.name !== from && state.name !== 'Idle') this.#owner.moved(this, event);
    for (const action of actions) this.#perform(action, event, from);
  }

  /** The connection is closed, by whom ever but us. */
  detached(cause: SocketCause): void {
    this.#wire?.release();
    this.#wire = undefined;
    this.step({ type: 'tcpFailed', cause });
  }

  // Actions

  #perform(action: FsmAction, event: FsmEvent, from: SessionState): void {
    switch (action.type) {
      case 'startTimer':
        this.#startTimer(action.timer, action.ms);
        break;
      case 'stopTimer':
        this.#timers.stop(action.timer);
        break;
      case 'dial':
        this.#dial();
        break;
      case 'cancelDial':
        this.#cancelDial(event);
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
        this.#establishedAt = this.#owner.io.clock.now();
        this.#owner.established(this);
        break;
      case 'ended':
        this.#end(event, from);
        break;
    }
  }

  #sendOpen(wire: Wire): void {
    if (wire.ourOpen === undefined) {
      wire.ourOpen = this.#owner.buildOpen();
      this.#openedWith = this.config;
    }
    wire.hasSentOpen = true;
    const bytes = encodeOpen(wire.ourOpen);
    wire.output.write(bytes);
    this.#owner.record.openOut = { bytes, open: wire.ourOpen };
  }

  #sendNotification(error: NotificationError): void {
    if (this.#wire === undefined) return;
    const sent = asSent(error, this.dialogue.negotiated);
    const full = { ...sent, data: sent.data ?? new Uint8Array(0) };
    this.dialogue.notification = sent;
    this.#wire.sendLast(encodeNotification(full));
    this.#owner.record.notification('out', full, describeNotification(full));
  }

  #startTimer(timer: TimerName, ms: number): void {
    const { clock, random } = this.#owner.io;
    this.#timers.start(timer, clock.now(), jittered(timer, ms, random));
  }

  #dial(): void {
    const { record, io, config, origin } = this.#owner;
    record.connectAttempts++;
    const asked = dialOptions(config, origin);
    this.#dialling = io.transport.dial(asked, (result) => {
      this.#dialling = undefined;
      if (!('error' in result) && !isBySameRules(asked, dialOptions(this.config, this.#owner.origin))) {
        // Meanwhile it got a password, or another one: what came about without it is none of ours.
        result.destroy();
        this.#dial();
        return;
      }
      this.#dialDone(result);
    });
  }

  #cancelDial(event: FsmEvent): void {
    if (this.#dialling === undefined) return;
    this.#dialling.cancel();
    this.#dialling = undefined;
    // Stays in Connect, so that no transition tells it: what a firewall and a wrong MD5 key look like.
    const { record, origin } = this.#owner;
    if (event.type === 'connectRetryExpired')
      record.error({ kind: 'no answer', address: origin.address, port: origin.port });
  }

  #dialDone(result: Connection | DialError): void {
    if ('error' in result) {
      const problem = socketProblem(result.errno);
      this.step({ type: 'tcpFailed', cause: { kind: 'dial failed', problem, text: result.error } });
      return;
    }
    this.#attach(result);
    this.step({ type: 'tcpConnected' });
  }

  #attach(connection: Connection): void {
    const wire = new Wire(connection, this.#input, this.counters.out, () => {
      if (!this.#isOver && this.#fsm.name === 'Established') this.#owner.io.handler.drained(this);
    });
    const { config, origin, io } = this.#owner;
    wire.linkWatch = watchLink(config, origin, io.transport, connection, (device) => {
      this.step({ type: 'automaticStop', cause: { kind: 'link down', device } });
    });
    this.#wire = wire;
    wire.open(this.#input);
  }

  #end(event: FsmEvent, from: SessionState): void {
    this.#isOver = true;
    this.#timers.stopAll();
    this.#dialling?.cancel();
    this.#dialling = undefined;
    const establishedMs = from === 'Established' ? this.#owner.io.clock.now() - this.#establishedAt : 0;
    const end = sessionEnd(event, from, establishedMs, this.dialogue);
    this.#owner.ended(this, end);
  }

  #expired(timer: TimerName, now: number): void {
    const event = expiryEvent(timer, now, this.#timers, this.#wire);
    if (event !== undefined) this.step(event);
  }
}
