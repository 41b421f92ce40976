// That no block is to be had in a family, and why: lasting until one is, or none is wanted. Asking again is spared for a
// while, since every node would ask for every pod.
import type { Family } from '#ip';
import type { Clock } from '#world';
import type { IpamLog } from './types.ts';

/** A pool that was found used up is not asked again for so long. */
const ASK_AGAIN_MS = 5_000;

interface Lack {
  readonly why: string;
  /** Else the store could not be asked. */
  readonly isUsedUp: boolean;
  readonly askAgainAtMs: number;
}

export class Exhaustion {
  readonly #io: { readonly clock: Clock; readonly log: IpamLog };
  readonly #lacks = new Map<Family, Lack>();

  constructor(io: { readonly clock: Clock; readonly log: IpamLog }) {
    this.#io = io;
  }

  /** The pools have none. */
  note(family: Family, why: string): void {
    this.#set(family, { why, isUsedUp: true, askAgainAtMs: this.#io.clock.now() + ASK_AGAIN_MS });
  }

  /** The store could not be asked, which says nothing of its blocks: the next one may ask at once. */
  noteFailure(family: Family, message: string): void {
    const why = `the next one cannot be claimed: ${message}`;
    this.#set(family, { why, isUsedUp: false, askAgainAtMs: Number.NEGATIVE_INFINITY });
  }

  /** A block was had, or none is wanted any more. */
  end(family: Family): void {
    if (this.#lacks.delete(family))
      this.#io.log.info(family, 'blocks are to be had again, or none is wanted');
  }

  /** What was asked for may have changed: the next one may ask at once. */
  mayAsk(): void {
    for (const [family, lack] of this.#lacks) {
      this.#lacks.set(family, { ...lack, askAgainAtMs: Number.NEGATIVE_INFINITY });
    }
  }

  problems(): string[] {
    return [...this.#lacks].map(([family, { why }]) => `no more ${family} blocks: ${why}`);
  }

  isUsedUp(family: Family): boolean {
    return this.#lacks.get(family)?.isUsedUp ?? false;
  }

  /** Why nobody should ask now. */
  whyNotAsk(family: Family): string | undefined {
    const lack = this.#lacks.get(family);
    return lack !== undefined && lack.askAgainAtMs > this.#io.clock.now() ? lack.why : undefined;
  }

  #set(family: Family, lack: Lack): void {
    if (this.#lacks.get(family)?.why !== lack.why) this.#io.log.warn(family, `no more blocks: ${lack.why}`);
    this.#lacks.set(family, lack);
  }
}
