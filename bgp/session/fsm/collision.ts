// Connection collision (RFC 4271 §6.8, RFC 6286 §2.3): which of the connections with one neighbour lives.
import { mayRestart } from './down.ts';
import type { FsmEvent, SessionState } from './fsm-types.ts';
import type { Negotiated } from './negotiate.ts';

export interface CollisionSide {
  readonly isIncoming: boolean;
}

/** What this asks of a session. */
export interface Contender extends CollisionSide {
  readonly state: SessionState;
  /** Clock.now() when it was made: for one that the neighbour opened, when its connection came. */
  readonly beganAt: number;
  /** Clock.now(), 0 before. */
  readonly establishedAt: number;
  readonly negotiated: Negotiated;
  step(event: FsmEvent): void;
  /** Asks an established neighbour for a sign of life: a host that has rebooted answers with a reset. */
  probe(): void;
}

export interface CollisionIds {
  readonly localRouterId: number;
  readonly remoteRouterId: number;
  readonly localAs: number;
  readonly remoteAs: number;
}

/** How it ends between a connection that has brought its OPEN and the others with the same neighbour. */
export type Settlement<Session extends Contender> =
  /** The fresh one has ended. */
  | { readonly kind: 'lost' }
  /** Perhaps the neighbour has restarted: nothing is decided until it is known whether the established one answers. */
  | { readonly kind: 'ask'; readonly established: Session; readonly saysRestarted: boolean }
  /** `endLosers` is to be called once the fresh one is in OpenConfirm. */
  | { readonly kind: 'won'; endLosers(): void };

/**
 * `existing` is in OpenConfirm, `fresh` has just received its OPEN. An established connection always wins
 * and is no case for this function.
 */
export function loserOf(
  existing: CollisionSide,
  fresh: CollisionSide,
  ids: CollisionIds,
): 'existing' | 'fresh' {
  // The neighbour opened both: it has given up the older one.
  if (existing.isIncoming === fresh.isIncoming) return 'existing';
  const keepIncoming = isRemoteHigher(ids);
  return existing.isIncoming === keepIncoming ? 'fresh' : 'existing';
}

/** The one with the higher identifier dials; for equal ones the higher AS number decides. */
function isRemoteHigher(ids: CollisionIds): boolean {
  return (ids.remoteRouterId - ids.localRouterId || ids.remoteAs - ids.localAs) > 0;
}

/**
 * @param sessions all with this neighbour
 * @param fresh one of them, which has just received its OPEN: not in OpenConfirm yet
 * @param silent was asked, and there is nobody who would answer
 */
export function settleCollision<Session extends Contender>(
  sessions: readonly Session[],
  fresh: Session,
  ids: CollisionIds,
  negotiated: Negotiated,
  silent?: Session,
): Settlement<Session> {
  const losers: (() => void)[] = [];
  for (const rival of sessions) {
    if (rival.state === 'Established') {
      if (!mayBeRestart(rival, fresh, negotiated)) {
        rival.probe();
        return lost(fresh);
      }
      const saysRestarted = negotiated.gracefulRestart?.isRemoteRestarting === true;
      if (rival !== silent) return { kind: 'ask', established: rival, saysRestarted };
      losers.push(() => rival.step({ type: 'automaticStop', cause: { kind: 'peer restarted' } }));
      continue;
    }
    if (rival.state !== 'OpenConfirm') continue;
    if (loserOf(rival, fresh, ids) === 'fresh') return lost(fresh);
    losers.push(() => rival.step({ type: 'collisionLost' }));
  }
  return {
    kind: 'won',
    endLosers: () => {
      for (const end of losers) end();
    },
  };
}

function lost(fresh: Contender): { readonly kind: 'lost' } {
  fresh.step({ type: 'collisionLost' });
  return { kind: 'lost' };
}

/**
 * FSM-7, RFC 4724 §5: a neighbour that agreed on graceful restart opens a new connection when it has restarted. One that
 * came before the other was established was on its way already: both sides dialled.
 */
function mayBeRestart(established: Contender, fresh: Contender, negotiated: Negotiated): boolean {
  const before = established.negotiated.gracefulRestart;
  if (!fresh.isIncoming || before === undefined || negotiated.gracefulRestart === undefined) return false;
  return mayRestart(before) && fresh.beganAt >= established.establishedAt;
}
