// How long to wait before the next try of what failed: ever longer, up to a bound, and not as long for all who wait.
import type { Random } from './random.ts';

/** Twice as long for each failure, of which at random a half to all: many nodes do not ask again at once. */
export function growingPauseMs(
  { firstMs, longestMs }: { readonly firstMs: number; readonly longestMs: number },
  failures: number,
  random: Random,
): number {
  return Math.min(longestMs, firstMs * 2 ** failures) * (0.5 + random.next() / 2);
}
