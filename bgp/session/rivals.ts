// The sessions with one neighbour that live at the same time: the one that we dial (or only wait with), and
// those that the neighbour opened. At most one is established.
import type { BgpSession } from './session.ts';
import type { SessionState } from './types.ts';

/** FSM-6: connections that the neighbour opened and that are not decided yet; the oldest gives way. */
export const MAX_INCOMING = 8;

/** How far a session is. */
export const RANK: Readonly<Record<SessionState, number>> = {
  Idle: 0,
  Active: 1,
  Connect: 2,
  OpenSent: 3,
  OpenConfirm: 4,
  Established: 5,
};

export class SessionSet {
  dialler: BgpSession | undefined;
  established: BgpSession | undefined;
  /** In the order of arrival; at most MAX_INCOMING. */
  readonly incoming = new Set<BgpSession>();

  /** The dialler first. */
  get all(): readonly BgpSession[] {
    return this.dialler === undefined ? [...this.incoming] : [this.dialler, ...this.incoming];
  }

  get size(): number {
    return this.incoming.size + (this.dialler === undefined ? 0 : 1);
  }

  /** The furthest one. */
  get main(): BgpSession | undefined {
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
  addIncoming(fresh: BgpSession): void {
    if (this.incoming.size >= MAX_INCOMING) {
      for (const session of this.incoming) {
        if (RANK[session.state] >= RANK.OpenConfirm) continue;
        session.step({ type: 'automaticStop', reason: 'too many connections at once' });
        break;
      }
    }
    this.incoming.add(fresh);
  }

  delete(session: BgpSession): void {
    if (this.dialler === session) this.dialler = undefined;
    if (this.established === session) this.established = undefined;
    this.incoming.delete(session);
  }
}
