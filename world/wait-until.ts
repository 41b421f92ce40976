// Waiting for something that another process does, by asking again and again: for labs and tests. What is told of its
// changes does not poll.

/**
 * Asks every 10 ms until `condition` is true; resolves with the milliseconds that took. Rejects with `what` after
 * timeoutMs; errors of `condition` pass through.
 */
export async function waitUntil(
  what: string,
  timeoutMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<number> {
  const begin = performance.now();
  for (;;) {
    if (await condition()) return performance.now() - begin;
    if (performance.now() - begin > timeoutMs) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
