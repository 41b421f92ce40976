// Whether neighbours are there, by BFD: what the agent asks for and hears. local-detection.ts runs it on the calling thread.
import type { BfdChange, BfdSessionConfig, BfdSessionStatus, BfdUnclaimed } from '#bfd';

export interface Detection {
  /**
   * All that are wanted. Same id and ends: changed in place (by a poll sequence), never reset; other ends: a new session;
   * gone: AdminDown is said for a detection time, then it is forgotten. Throws RangeError when two have the same id.
   */
  apply(wanted: readonly BfdSessionConfig[]): void;
  /** Every change of state of a session, in order, never from inside of apply; 'AdminDown': taken down by nobody's failure,
   * also when what runs it has ended and begins again. One listener. */
  onChange(listener: (change: BfdChange) => void): void;
  /** As last told: a thread tells at most each second, and with every change. */
  status(id: string): BfdSessionStatus | undefined;
  /** Packets that belong to no session, as last told. */
  unclaimed(): BfdUnclaimed;
  /** Says AdminDown on every session and ends (before a graceful stop); resolves when it has been sent. */
  [Symbol.asyncDispose](): Promise<void>;
}
