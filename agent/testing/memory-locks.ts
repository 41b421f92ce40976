// The locks of one machine in memory.
import { LockedError, type Locks } from '../outside.ts';

export class MemoryLocks implements Locks {
  /** Subject → holder. */
  readonly #held = new Map<string, string>();

  async lockHere(subject: string, holder: string): Promise<AsyncDisposable> {
    const other = this.#held.get(subject);
    if (other !== undefined) throw new LockedError(subject, other);
    this.#held.set(subject, holder);
    return {
      [Symbol.asyncDispose]: async () => {
        if (this.#held.get(subject) === holder) this.#held.delete(subject);
      },
    };
  }

  lockFolder(folder: string, holder: string): Promise<AsyncDisposable> {
    return this.lockHere(folder, holder);
  }

  lockName(node: string, holder: string): Promise<AsyncDisposable> {
    return this.lockHere(`name ${node}`, holder);
  }

  /** Every holder died. */
  kill(): void {
    this.#held.clear();
  }
}
