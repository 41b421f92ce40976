// How long a neighbour rests before the next try (RFC 4271 §8.1.1 DampPeerOscillations). Pure.

/** A session that stood this long makes the failures before it forgotten. */
export const STABLE_MS = 60_000;
const FIRST_HOLD_MS = 1000;
const MAX_HOLD_MS = 60_000;
/** From this many failures in a row on, connections that the neighbour opens are refused while we rest. */
const REFUSING_FAILURES = 3;

export interface Failure {
  /** 'connect': the neighbour does not answer, which is nobody's misbehaviour. */
  readonly kind: 'connect' | 'session';
  /** How long it was established, 0 when never. */
  readonly establishedMs: number;
}

export interface Rest {
  readonly failures: number;
  readonly holdMs: number;
  readonly refusesIncoming: boolean;
}

/** @param failures in a row before this one */
export function restAfter(failures: number, failure: Failure, connectRetryMs: number): Rest {
  const inRow = failure.establishedMs >= STABLE_MS ? 1 : failures + 1;
  const doubled = FIRST_HOLD_MS * 2 ** Math.min(inRow - 1, 16);
  if (failure.kind === 'connect') {
    // A neighbour that is away is tried at the configured pace, so that it is found soon after it comes back.
    const cap = Math.max(FIRST_HOLD_MS, Math.min(connectRetryMs, MAX_HOLD_MS));
    return { failures: inRow, holdMs: Math.min(doubled, cap), refusesIncoming: false };
  }
  return {
    failures: inRow,
    holdMs: Math.min(doubled, MAX_HOLD_MS),
    refusesIncoming: inRow >= REFUSING_FAILURES,
  };
}
