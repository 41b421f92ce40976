// Which calls may run at the same time: one after the other for one attachment, any number for different ones, garbage
// collection alone. Bounded: more than MAX_CALLS at once are sent away.
import { CniError, codes } from './cni-error.ts';

const MAX_CALLS = 1000;

export class CallOrder {
  /** Attachment → the end of its last call. */
  readonly #last = new Map<string, Promise<unknown>>();
  /** The end of the last call that runs alone. */
  #alone: Promise<unknown> | undefined;
  #calls = 0;

  get calls(): number {
    return this.#calls;
  }

  /** After the attachment's earlier calls. Rejects with CniError 11 when too many wait. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const result = this.#start([before, this.#alone], work);
    const end = result.catch(() => undefined);
    this.#last.set(key, end);
    void end.then(() => {
      if (this.#last.get(key) === end) this.#last.delete(key);
    });
    return result;
  }

  /** After all calls that are under way, before all that come later. */
  runAlone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#start([...this.#last.values(), this.#alone], work);
    const end = result.catch(() => undefined);
    this.#alone = end;
    void end.then(() => {
      if (this.#alone === end) this.#alone = undefined;
    });
    return result;
  }

  async #start<T>(before: readonly (Promise<unknown> | undefined)[], work: () => Promise<T>): Promise<T> {
    if (this.#calls >= MAX_CALLS) {
      throw new CniError(codes.tryAgain, `${this.#calls} calls are under way already: try again later`);
    }
    this.#calls++;
    try {
      const running = before.filter((end) => end !== undefined);
      if (running.length > 0) await Promise.all(running);
      return await work();
    } finally {
      this.#calls--;
    }
  }
}
