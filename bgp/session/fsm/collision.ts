// Connection collision (RFC 4271 §6.8, RFC 6286 §2.3): which of the connections with one neighbour lives.
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

/** A connection that the neighbour began while ours was being established arrives within this time. */
const SIMULTANEOUS_MS = 1000;

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
 * @returns undefined: `fresh` lost and has ended. Else what ends the losers, to be called once `fresh` is in OpenConfirm
 */
export function settleCollision(
  sessions: readonly Contender[],
  fresh: Contender,
  ids: CollisionIds,
  negotiated: Negotiated,
): (() => void) | undefined {
  const losers: (() => void)[] = [];
  for (const rival of sessions) {
    if (rival.state === 'Established') {
      if (isRestart(rival, fresh, negotiated)) {
        losers.push(() => rival.step({ type: 'automaticStop', cause: { kind: 'peer restarted' } }));
        continue;
      }
      rival.probe();
      fresh.step({ type: 'collisionLost' });
      return undefined;
    }
    if (rival.state !== 'OpenConfirm') continue;
    if (loserOf(rival, fresh, ids) === 'fresh') {
      fresh.step({ type: 'collisionLost' });
      return undefined;
    }
    losers.push(() => rival.step({ type: 'collisionLost' }));
  }
  return () => {
    for (const end of losers) end();
  };
}

/**
 * FSM-7, RFC 4724 §5: a neighbour that agreed on graceful restart opens a new connection when it has restarted.
 * One that came before the other was established, or a moment later, was on its way already: both sides dialled.
 */
function isRestart(established: Contender, fresh: Contender, negotiated: Negotiated): boolean {
  const before = established.negotiated.gracefulRestart;
  const now = negotiated.gracefulRestart;
  if (!fresh.isIncoming || before === undefined || now === undefined) return false;
  // Who lists none cannot restart gracefully, and only helps others: nothing of it would be kept.
  if (before.families.length === 0) return false;
  if (now.isRemoteRestarting && !before.isRemoteRestarting) return true;
  return fresh.beganAt - established.establishedAt >= SIMULTANEOUS_MS;
}
