// Waiting for something that another process does, by asking again and again: for labs and tests. What is told of its
// changes does not poll.

/** Between two questions: as long as the one before took to answer, as that may cost the very CPU that is waited for. */
const SHORTEST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 100;

/**
 * Asks again and again until `condition` is true; resolves with the milliseconds that took. Rejects with `what` after
 * timeoutMs; errors of `condition` pass through.
 */
export async function waitUntil(
  what: string,
  timeoutMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<number> {
  const begin = performance.now();
  for (let askedMs = begin; ; askedMs = performance.now()) {
    if (await condition()) return performance.now() - begin;
    const nowMs = performance.now();
    if (nowMs - begin > timeoutMs) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, nowMs - askedMs));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
