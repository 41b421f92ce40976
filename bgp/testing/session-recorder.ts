// A SessionHandler that writes down what it is told.
import type { Family } from '#ip';
import type { Session, SessionDown, SessionEnds, SessionHandler, StateTransition } from '../session/index.ts';

export class SessionRecorder implements SessionHandler {
  /** 'peer: From → To (reason)' */
  readonly transitions: string[] = [];
  readonly ups: Session[] = [];
  readonly downs: { readonly session: Session; readonly reason: SessionDown }[] = [];
  readonly updates: Buffer[] = [];
  readonly refreshes: { readonly family: Family; readonly subtype: number }[] = [];
  readonly meetings: { readonly peerId: string; readonly ends: SessionEnds }[] = [];
  readonly partings: string[] = [];
  /** What was kept of them goes. */
  readonly abandonments: string[] = [];
  drains = 0;
  readonly #up = new Set<Session>();
  /** Called inside established() and update(). */
  onEstablished: ((session: Session) => void) | undefined;
  onUpdate: ((session: Session) => void) | undefined;

  /** Calls for sessions that were down or never up: must stay empty. */
  readonly wordsOfTheDead: string[] = [];

  #mustLive(session: Session, what: string): void {
    if (!this.#up.has(session)) this.wordsOfTheDead.push(`${what} of a session that is not up`);
  }

  established(session: Session): void {
    this.ups.push(session);
    this.#up.add(session);
    this.onEstablished?.(session);
  }
  update(session: Session, buffer: Uint8Array, start: number, end: number): void {
    this.#mustLive(session, 'UPDATE');
    this.updates.push(Buffer.from(buffer.subarray(start, end)));
    this.onUpdate?.(session);
  }
  routeRefresh(session: Session, family: Family, subtype: number): void {
    this.#mustLive(session, 'ROUTE-REFRESH');
    this.refreshes.push({ family, subtype });
  }
  drained(session: Session): void {
    this.#mustLive(session, 'drained()');
    this.drains++;
  }
  down(session: Session, reason: SessionDown): void {
    this.#mustLive(session, 'down()');
    this.downs.push({ session, reason });
    this.#up.delete(session);
  }
  met(peerId: string, ends: SessionEnds): void {
    this.meetings.push({ peerId, ends });
  }
  parted(peerId: string): void {
    this.partings.push(peerId);
  }
  abandoned(peerId: string): void {
    this.abandonments.push(peerId);
  }
  stateChanged(peerId: string, t: StateTransition): void {
    this.transitions.push(`${peerId}: ${t.from} → ${t.to} (${t.reason})`);
  }

  /** Established and not down. */
  get alive(): readonly Session[] {
    return [...this.#up];
  }
}
