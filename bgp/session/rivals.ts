// Sessions that live at the same time: with one neighbour the one that we dial (or only wait with) and those that the
// neighbour opened, of which at most one is established; and all undecided ones of a speaker. Both are bounded.
import type { SessionState } from './fsm/fsm-types.ts';
import type { LiveSession } from './ports.ts';

/** FSM-6: connections that the neighbour opened and that are not decided yet; the oldest gives way. */
export const MAX_INCOMING = 8;

const MAX_HALF_OPEN = 4096;

/** How far a session is. */
export const RANK: Readonly<Record<SessionState, number>> = {
  Idle: 0,
  Active: 1,
  Connect: 2,
  OpenSent: 3,
  OpenConfirm: 4,
  Established: 5,
};

export class Rivals {
  dialler: LiveSession | undefined;
  established: LiveSession | undefined;
  /** In the order of arrival; at most MAX_INCOMING. */
  readonly incoming = new Set<LiveSession>();

  /** The dialler first. */
  get all(): readonly LiveSession[] {
    return this.dialler === undefined ? [...this.incoming] : [this.dialler, ...this.incoming];
  }

  get size(): number {
    return this.incoming.size + (this.dialler === undefined ? 0 : 1);
  }

  /** The furthest one. */
  get main(): LiveSession | undefined {
    let main = this.dialler;
    for (const session of this.incoming) {
      if (main === undefined || RANK[session.state] > RANK[main.state]) main = session;
    }
    return main;
  }

  /** One in OpenConfirm or Established that the neighbour opened: nothing needs to be dialled. */
  get hasIncomingDecided(): boolean {
    for (const session of this.incoming) if (RANK[session.state] >= RANK.OpenConfirm) return true;
    return false;
  }

  /** Makes the oldest undecided one give way when there are too many. */
  addIncoming(fresh: LiveSession): void {
    if (this.incoming.size >= MAX_INCOMING) {
      for (const session of this.incoming) {
        if (RANK[session.state] >= RANK.OpenConfirm) continue;
        session.step({ type: 'automaticStop', cause: { kind: 'too many connections' } });
        break;
      }
    }
    this.incoming.add(fresh);
  }

  delete(session: LiveSession): void {
    if (this.dialler === session) this.dialler = undefined;
    if (this.established === session) this.established = undefined;
    this.incoming.delete(session);
  }
}

/**
 * Connections that neighbours opened and that have not brought an OPEN yet, over all neighbours. Above the bound the
 * oldest gives way, so that a flood cannot shut newcomers out.
 */
export class HalfOpen {
  /** In the order of arrival. */
  readonly #sessions = new Set<LiveSession>();

  add(session: LiveSession): void {
    this.#sessions.add(session);
    if (this.#sessions.size <= MAX_HALF_OPEN) return;
    for (const oldest of this.#sessions) {
      this.#sessions.delete(oldest);
      oldest.step({ type: 'automaticStop', cause: { kind: 'too many half-open', max: MAX_HALF_OPEN } });
      return;
    }
  }

  /** Decided or gone. */
  delete(session: LiveSession): void {
    this.#sessions.delete(session);
  }
}
