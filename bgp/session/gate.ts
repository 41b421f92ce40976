// Who may not come in: whether a neighbour is held down, for how long, and which of its connections are refused. What
// that ends and starts is the peer's.
import type { PeerConfig } from '../config.ts';
import type { Connection } from '../io.ts';
import { CEASE_REJECTED, CODE_CEASE, encodeNotification, notification } from '../message/index.ts';
import { Alarm } from './connection/deadlines.ts';
import type { DownCause, HeldDown, Refusal } from './fsm/cause.ts';
import type { FailOptions } from './fsm/down.ts';
import type { PeerIo } from './ports.ts';

/** Of the refused connections of one neighbour one is told why in this time, the others are just closed. */
const TELL_EVERY_MS = 100;
/** A refused connection has this long to read why. */
const REFUSAL_MS = 1000;

export class Gate {
  readonly #io: PeerIo;
  readonly #alarm: Alarm;
  #heldDown: HeldDown | undefined;
  #restsUntil = 0;
  #tellsFrom = 0;

  /** @param over the time is over; it shall call release() */
  constructor(io: PeerIo, over: () => void) {
    this.#io = io;
    this.#alarm = new Alarm(over);
  }

  get heldDown(): HeldDown | undefined {
    return this.#heldDown;
  }

  /** Until release(). */
  hold(cause: DownCause): void {
    this.release();
    this.#heldDown = { cause };
  }

  /** For a time, or until release(). */
  holdFor(forSeconds: NonNullable<FailOptions['holdDownSeconds']>, cause: DownCause): void {
    this.release();
    this.#heldDown = { cause, forSeconds };
    if (forSeconds === 'until reset') return;
    this.#io.deadlines.set(this.#alarm, this.#io.clock.now() + forSeconds * 1000);
  }

  release(): void {
    this.#io.deadlines.clear(this.#alarm);
    this.#heldDown = undefined;
  }

  /** Refuses the neighbour's connections for this time; 0 ends it. */
  rest(ms: number): void {
    this.#restsUntil = ms === 0 ? 0 : this.#io.clock.now() + ms;
  }

  /** Puts TTL rule and key on a connection that may stay. */
  refusal(connection: Connection, config: PeerConfig, isStarted: boolean): Refusal | undefined {
    if (this.#heldDown !== undefined) return { kind: 'held down', by: this.#heldDown };
    if (!isStarted) return { kind: 'not started' };
    const { localAddress } = config;
    if (localAddress !== undefined && localAddress !== connection.localAddress) {
      return { kind: 'wrong address', to: connection.localAddress, expected: localAddress };
    }
    if (this.#io.clock.now() < this.#restsUntil) return { kind: 'backing off' };
    try {
      return this.#io.transport.admit(connection, config);
    } catch (error) {
      return { kind: 'transport refused', text: (error as Error).message };
    }
  }

  /** Closes it; with 6/5 (RFC 4486) when the neighbour is not wanted at all. */
  turnAway(connection: Connection, { kind }: Refusal): void {
    if ((kind === 'held down' || kind === 'not started') && this.#mayTell()) {
      connection.write(encodeNotification(notification(CODE_CEASE, CEASE_REJECTED)));
      connection.end(REFUSAL_MS);
    } else {
      connection.destroy();
    }
  }

  /** Each told connection lives on for a while, to be read: so few at a time. */
  #mayTell(): boolean {
    const now = this.#io.clock.now();
    if (now < this.#tellsFrom) return false;
    this.#tellsFrom = now + TELL_EVERY_MS;
    return true;
  }
}
