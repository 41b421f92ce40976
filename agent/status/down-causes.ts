// Why a session is down, as far as its record says: its newest error or loss, and how the newest try failed.
import type { DownCause, PeerStatus, StateTransition } from '#bgp';

/** An error and the step back that it made are recorded in one go. */
export const SAME_MOMENT_MS = 50;

/** At most two: what the session was lost or refused for, and the newest try after it, where that failed in another way. */
export function causesOf(peer: PeerStatus): Found[] {
  const found = newestCause(peer);
  const newestTry = newestFailedTry(peer);
  const isOther =
    newestTry !== undefined &&
    newestTry.monotonicMs - (found?.monotonicMs ?? Number.NEGATIVE_INFINITY) > SAME_MOMENT_MS;
  if (found === undefined) return isOther ? [newestTry] : [];
  if (!isOther) return [found];
  // A change has ended the session before, and may have been taken back since: it is not why the newest try failed.
  return found.cause.kind === 'configuration changed' ? [newestTry] : [found, newestTry];
}

export interface Found {
  readonly monotonicMs: number;
  readonly cause: DownCause;
  readonly text: string;
}

/** The newest error or loss of a session. */
export function newestCause({ lastError, lastLost }: PeerStatus): Found | undefined {
  if (lastLost === undefined || (lastError !== undefined && lastError.monotonicMs >= lastLost.monotonicMs))
    return lastError;
  return { ...lastLost, text: lastLost.reason };
}

/** The newest step back, such as OpenSent -> Active. */
function newestFailedTry({ history }: PeerStatus): Found | undefined {
  const isBack = (t: StateTransition): t is StateTransition & Pick<Found, 'cause'> => t.cause !== undefined;
  const step = history.findLast(isBack);
  return step && { monotonicMs: step.monotonicMs, cause: step.cause, text: step.reason };
}
