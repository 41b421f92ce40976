// Takes care that a few neighbours who send at full speed do not own the event loop: libuv reads one socket up
// to 32 times before it looks at the next, and timers wait for all of them. When the reading of one turn of the
// loop has cost its share, heavy readers are paused and go on one after another, a few each turn.

/** What reading may cost in one turn of the event loop. */
export const TURN_MS = 3;
/** A chunk that costs less does not hold anybody up: KEEPALIVEs and single UPDATEs are never paused … */
const LIGHT_MS = 0.5;
/** … unless it is so long: who sends KEEPALIVEs by the thousand has 32 cheap chunks a turn. */
const LIGHT_BYTES = 16 * 1024;

export interface Reader {
  /** Reads again, unless somebody else has paused it. */
  goOn(): void;
}

/** One for a transport. Holds at most one entry for each of its connections. */
export class ReadTurns {
  readonly #waiting = new Set<Reader>();
  #spentMs = 0;
  #isScheduled = false;
  /** Moving average of what a heavy chunk costs. */
  #chunkMs = 1;

  /** @returns true when this reader must stop until goOn() */
  spent(reader: Reader, ms: number, bytes: number): boolean {
    this.#spentMs += ms;
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(() => this.#turn());
    }
    if (ms < LIGHT_MS && bytes < LIGHT_BYTES) return false;
    this.#chunkMs += (ms - this.#chunkMs) / 16;
    if (this.#spentMs < TURN_MS) return false;
    this.#waiting.add(reader);
    return true;
  }

  isWaiting(reader: Reader): boolean {
    return this.#waiting.has(reader);
  }

  leave(reader: Reader): void {
    this.#waiting.delete(reader);
  }

  #turn(): void {
    this.#isScheduled = false;
    this.#spentMs = 0;
    let left = Math.max(1, Math.floor(TURN_MS / this.#chunkMs));
    for (const reader of this.#waiting) {
      if (left-- === 0) break;
      this.#waiting.delete(reader);
      reader.goOn();
    }
    if (this.#waiting.size > 0 && !this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(() => this.#turn());
    }
  }
}
