// Bound on connections that neighbours opened and that have not brought an OPEN yet, over all neighbours
// (each neighbour has its own, smaller bound). Above it the oldest gives way, so that a flood cannot shut
// newcomers out.
import type { BgpSession } from '../session.ts';

export const MAX_HALF_OPEN = 4096;

export class HalfOpen {
  /** In the order of arrival. */
  readonly #sessions = new Set<BgpSession>();
  readonly #max: number;

  constructor(max = MAX_HALF_OPEN) {
    this.#max = max;
  }

  get size(): number {
    return this.#sessions.size;
  }

  add(session: BgpSession): void {
    this.#sessions.add(session);
    if (this.#sessions.size <= this.#max) return;
    for (const oldest of this.#sessions) {
      this.#sessions.delete(oldest);
      oldest.step({ type: 'automaticStop', reason: `more than ${this.#max} half-open connections` });
      return;
    }
  }

  /** Decided or gone. */
  delete(session: BgpSession): void {
    this.#sessions.delete(session);
  }
}
