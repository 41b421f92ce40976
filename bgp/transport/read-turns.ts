// Takes care that a few neighbours who send at full speed do not own the event loop: libuv reads one socket up
// to 32 times before it looks at the next, and timers wait for all of them. When the reading of one turn of the
// loop has cost its share, heavy readers are paused and go on one after another, a few each turn.

/** What reading may cost in one turn of the event loop. */
export const TURN_MS = 3;
/** A part that costs less does not hold anybody up: KEEPALIVEs and single UPDATEs are never paused … */
const LIGHT_MS = 0.5;
/** … unless the read was so long: who sends KEEPALIVEs by the thousand has 32 cheap ones a turn. */
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
  /** Moving average of what a part of a heavy read costs. */
  #partMs = 1;

  /**
   * @param ms what a part of a read has cost
   * @param bytes of the whole read
   * @returns true when this reader must stop until goOn()
   */
  spent(reader: Reader, ms: number, bytes: number): boolean {
    this.#spentMs += ms;
    this.#schedule();
    if (ms < LIGHT_MS && bytes < LIGHT_BYTES) return false;
    this.#partMs += (ms - this.#partMs) / 16;
    if (this.#spentMs < TURN_MS) return false;
    this.#waiting.add(reader);
    return true;
  }

  /** Calls its goOn() in a later turn. */
  wait(reader: Reader): void {
    this.#waiting.add(reader);
    this.#schedule();
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
    let left = Math.max(1, Math.floor(TURN_MS / this.#partMs));
    for (const reader of this.#waiting) {
      if (left-- === 0) break;
      this.#waiting.delete(reader);
      reader.goOn();
    }
    if (this.#waiting.size > 0) this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#turn());
  }
}
