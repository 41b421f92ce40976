// That no block is to be had in a family, and why: lasting until one is, or none is wanted. Asking again is spared for a
// while, since every node would ask for every pod.
import type { Family } from '#ip';
import type { Clock } from '#world';
import type { IpamLog } from './types.ts';

/** A pool that was found used up is not asked again for so long. */
const ASK_AGAIN_MS = 5_000;

export class Exhaustion {
  readonly #io: { readonly clock: Clock; readonly log: IpamLog };
  readonly #why = new Map<Family, { readonly why: string; readonly askAgainAtMs: number }>();

  constructor(io: { readonly clock: Clock; readonly log: IpamLog }) {
    this.#io = io;
  }

  note(family: Family, why: string): void {
    if (this.#why.get(family)?.why !== why) this.#io.log.warn(family, `no more blocks: ${why}`);
    this.#why.set(family, { why, askAgainAtMs: this.#io.clock.now() + ASK_AGAIN_MS });
  }

  /** A block was had, or none is wanted any more. */
  end(family: Family): void {
    if (this.#why.delete(family)) this.#io.log.info(family, 'blocks are to be had again, or none is wanted');
  }

  /** What was asked for may have changed: the next one may ask at once. */
  mayAsk(): void {
    for (const [family, { why }] of this.#why) {
      this.#why.set(family, { why, askAgainAtMs: Number.NEGATIVE_INFINITY });
    }
  }

  why(family: Family): string | undefined {
    return this.#why.get(family)?.why;
  }

  /** Why nobody should ask now. */
  whyNotAsk(family: Family): string | undefined {
    const found = this.#why.get(family);
    return found !== undefined && found.askAgainAtMs > this.#io.clock.now() ? found.why : undefined;
  }
}
