// How long a neighbour rests before the next try (RFC 4271 §8.1.1 DampPeerOscillations). Pure.
import type { CauseKind } from './cause.ts';
import type { SessionEnd } from './down.ts';

/** The way to the neighbour failed, which is nobody's misbehaviour. */
const UNREACHABLE: ReadonlySet<CauseKind> = new Set(['link down', 'BFD down', 'BFD restart']);

/** A session that stood this long makes the failures before it forgotten. */
export const STABLE_MS = 60_000;
const FIRST_HOLD_MS = 1000;
const MAX_HOLD_MS = 60_000;
/** From this many failures in a row on, connections that the neighbour opens are refused for a while too … */
const REFUSING_FAILURES = 3;
/** … but not for long: one that works again must not wait for the end of our rest. */
const MAX_REFUSE_MS = 5000;

export interface Failure {
  /** 'connect': the neighbour does not answer, which is nobody's misbehaviour. */
  readonly kind: 'connect' | 'session';
  /** How long it was established, 0 when never. */
  readonly establishedMs: number;
  /** So long its routes are kept for its return; absent: they are gone. */
  readonly keptMs?: number;
}

/** In a row. */
export interface Failures {
  /** Of sessions: tries that found nobody do not make these worse. */
  readonly sessions: number;
  /** Of any kind. */
  readonly all: number;
}

export interface Rest {
  readonly failures: Failures;
  readonly holdMs: number;
  /** How long connections that the neighbour opens are refused. */
  readonly refuseMs: number;
}

/** @param before failures in a row before this one */
export function restAfter(before: Failures, failure: Failure, connectRetryMs: number): Rest {
  const isSession = failure.kind === 'session';
  const { sessions, all } = failure.establishedMs >= STABLE_MS ? NO_FAILURES : before;
  const failures = { sessions: sessions + (isSession ? 1 : 0), all: all + 1 };
  const inRow = isSession ? failures.sessions : failures.all;
  const doubled = FIRST_HOLD_MS * 2 ** Math.min(inRow - 1, 16);
  if (!isSession) {
    // A neighbour that is away is tried at the configured pace, so that it is found soon after it comes back.
    const cap = Math.max(FIRST_HOLD_MS, Math.min(connectRetryMs, MAX_HOLD_MS));
    return { failures, holdMs: Math.min(doubled, cap), refuseMs: 0 };
  }
  const holdMs = Math.min(doubled, MAX_HOLD_MS);
  return {
    failures,
    holdMs,
    refuseMs: inRow >= REFUSING_FAILURES ? Math.min(holdMs, longestRefusal(failure)) : 0,
  };
}

/** Who restarts gracefully must be let in before its routes go (RFC 4724 section 4.2), and not as often as it likes. */
function longestRefusal({ keptMs = Infinity }: Failure): number {
  return Math.min(MAX_REFUSE_MS, keptMs / 2);
}

export const NO_FAILURES: Failures = { sessions: 0, all: 0 };
export const NO_REST: Rest = { failures: NO_FAILURES, holdMs: 0, refuseMs: 0 };
/** After something that was nobody's failure: not at once, so that two of these never chase one another. */
export const SHORT_REST: Rest = { failures: NO_FAILURES, holdMs: FIRST_HOLD_MS, refuseMs: 0 };

export interface EndedSession extends SessionEnd {
  readonly isIncoming: boolean;
  /** Other sessions with this neighbour live. */
  readonly hasOthers: boolean;
  readonly isRetriedWithoutCapabilities: boolean;
}

/**
 * @param failures in a row before
 * @returns undefined when this end is no reason to rest or to start again; SHORT_REST leaves `failures` as it is
 */
export function restAfterEnd(
  end: EndedSession,
  failures: Failures,
  connectRetryMs: number,
): Rest | undefined {
  const { type } = end.event;
  if (end.cause.kind === 'collision lost') return end.hasOthers ? undefined : SHORT_REST;
  if (type === 'manualStop' || end.cause.kind === 'peer restarted') return undefined;
  // Somebody connected and went away: no failure of the neighbour, and our own try goes on.
  if (end.isIncoming && !end.hasReceivedOpen && end.from !== 'Established') return undefined;
  if (type === 'versionNotificationReceived') {
    return end.isRetriedWithoutCapabilities ? { ...SHORT_REST, failures, holdMs: 0 } : SHORT_REST;
  }
  const kept = end.down?.kept;
  const isConnect = end.from === 'Connect' || end.from === 'Active' || UNREACHABLE.has(end.cause.kind);
  return restAfter(
    failures,
    {
      kind: isConnect ? 'connect' : 'session',
      establishedMs: end.establishedMs,
      ...(kept === undefined ? {} : { keptMs: kept.restartSeconds * 1000 }),
    },
    connectRetryMs,
  );
}
