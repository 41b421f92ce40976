// Pieces of work one after the other, in the order in which they were asked for. Bound: none of its own; who asks waits for
// the answer.

export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Once all before it have ended, well or badly. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    for (let work: Promise<void> | undefined; work !== this.#last; ) {
      work = this.#last;
      await work;
    }
  }
}
