// How the kernel takes what the FIB asks for, counted since the agent started. Bound: the names of errno.
import { Histogram } from '../../histogram.ts';

export class SyncFigures {
  /** How long the kernel took for one batch. */
  readonly batches = new Histogram();
  /** Changes of routes that the kernel took, by family. */
  readonly taken: [number, number] = [0, 0];
  /** Changes that it refused, by errno's name; the repeated ones, too. */
  readonly refusals = new Map<string, number>();

  refused(errno: string): void {
    this.refusals.set(errno, (this.refusals.get(errno) ?? 0) + 1);
  }
}
