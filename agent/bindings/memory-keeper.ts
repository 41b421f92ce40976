// Gives memory back that a burst has left behind: neither V8 nor the C allocator does so by itself while the
// process is idle, and a table that came and went would be held for good.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { trimMemory } from '#linux';

const CHECK_MS = 10_000;
const SOON_MS = 150;
/** V8 frees memory in the background after a collection. */
const SWEPT_MS = 50;
/** Busier than this the event loop is not held up: collecting takes some 10 ms. */
const IDLE_UTILIZATION = 0.05;
/** Less is not worth it at once. */
const WORTH_BYTES = 16 * 1024 * 1024;
/** After so many idle checks whatever is left goes, once: what was measured after the last release may have been garbage. */
const RESTING_CHECKS = 3;

export class MemoryKeeper implements Disposable {
  readonly #timer = setInterval(() => this.#check(), CHECK_MS).unref();
  #utilization = performance.eventLoopUtilization();
  #lowestBytes = process.memoryUsage.rss();
  #collect: (() => void) | undefined;
  #idleChecks = 0;

  /** After work of which much garbage is left: not at once, as compilers may still be at it. */
  releaseSoon(): void {
    setTimeout(() => this.#release(), SOON_MS).unref();
  }

  /** Two pauses of some 10 ms: garbage is collected, and when V8 has freed it the allocator gives it back. */
  #release(): void {
    if (this.#collect === undefined) {
      // The function that --expose-gc puts into every new context; Node has no other door to it.
      setFlagsFromString('--expose-gc');
      this.#collect = runInNewContext('gc') as () => void;
      setFlagsFromString('--no-expose-gc');
    }
    this.#collect();
    setTimeout(() => {
      trimMemory();
      this.#lowestBytes = process.memoryUsage.rss();
    }, SWEPT_MS).unref();
  }

  #check(): void {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization);
    this.#utilization = now;
    this.#idleChecks = utilization > IDLE_UTILIZATION ? 0 : this.#idleChecks + 1;
    if (this.#idleChecks === 0) return;
    const isWorthIt = process.memoryUsage.rss() - this.#lowestBytes > WORTH_BYTES;
    if (isWorthIt || this.#idleChecks === RESTING_CHECKS) this.#release();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
