// Waiting for something another process does.

/** Polls every 10 ms until `condition` is true. Throws with `what` after timeoutMs; errors of `condition` pass through. */
export async function waitFor(
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
