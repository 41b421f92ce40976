// What a group's stream is told and not all of its members have been given yet: a thousand sockets are not written to in
// one piece. Bound: what is packed between two turns, as nothing more is chosen before it is delivered.
import type { Member } from './member.ts';

interface Chunk {
  readonly bytes: Buffer;
  /** What is a member's own; undefined: nothing of it is. */
  readonly holes: Holes | undefined;
  /** Slot of the only member that gets it; below 0: all. */
  readonly only: number;
}

interface Holes {
  /** By slot: run + 1. */
  readonly runOf: Int32Array;
  readonly start: readonly number[];
  readonly end: readonly number[];
}

/** The packer's: whose routes are where in a chunk. */
export interface Runs {
  readonly runCount: number;
  readonly runSource: readonly number[];
  readonly runStart: readonly number[];
  readonly runEnd: readonly number[];
}

export class Outbox {
  #chunks: Chunk[] = [];
  /** In the order in which they are served; those before #served were. */
  #owed: Member[] = [];
  #served = 0;
  /** By slot: how many of #chunks are given, + 1; 0: nothing is owed. */
  #given = new Int32Array(64);

  get isEmpty(): boolean {
    return this.#owed.length === 0;
  }

  fit(slotEnd: number): void {
    if (this.#given.length >= slotEnd) return;
    const given = new Int32Array(slotEnd * 2);
    given.set(this.#given);
    this.#given = given;
  }

  /** @param stream all that get it, but for their own routes; the bytes are kept */
  put(bytes: Buffer, runs: Runs, stream: readonly Member[]): void {
    for (let i = 0; i < stream.length; i++) this.#owe(stream[i]!);
    this.#chunks.push({ bytes, holes: this.#holes(runs), only: -1 });
  }

  #holes({ runCount, runSource, runStart, runEnd }: Runs): Holes | undefined {
    if (runCount === 0) return undefined;
    const runOf = new Int32Array(this.#given.length);
    for (let r = 0; r < runCount; r++) runOf[runSource[r]!] = r + 1;
    return { runOf, start: runStart.slice(0, runCount), end: runEnd.slice(0, runCount) };
  }

  putFor(member: Member, bytes: Buffer): void {
    this.#owe(member);
    this.#chunks.push({ bytes, holes: undefined, only: member.slot });
  }

  #owe(member: Member): void {
    if (this.#given[member.slot] !== 0) return;
    this.#given[member.slot] = this.#chunks.length + 1;
    this.#owed.push(member);
  }

  /** The next that is to be given what it is owed; undefined: nobody is. */
  next(): Member | undefined {
    while (this.#served < this.#owed.length) {
      const member = this.#owed[this.#served++]!;
      if (this.#given[member.slot] !== 0) return member;
    }
    if (this.#owed.length > 0) {
      this.#owed = [];
      this.#chunks = [];
      this.#served = 0;
    }
    return undefined;
  }

  /** All that it is owed, in one go. */
  give(member: Member): void {
    const { slot } = member;
    const first = this.#given[slot]! - 1;
    if (first < 0) return;
    this.#given[slot] = 0;
    const chunks = this.#chunks;
    const isOne = chunks.length - first === 1;
    if (!isOne) member.session.cork();
    for (let i = first; i < chunks.length; i++) {
      const { bytes, holes, only } = chunks[i]!;
      if (only >= 0 && only !== slot) continue;
      const run = holes === undefined ? -1 : holes.runOf[slot]! - 1;
      if (run < 0) member.write(bytes);
      else member.writeAround(bytes, holes!.start[run]!, holes!.end[run]!);
    }
    if (!isOne) member.session.uncork();
  }

  /** It is gone. Who comes in its place is owed nothing before all is delivered. */
  forget(member: Member): void {
    this.#given[member.slot] = 0;
  }
}
