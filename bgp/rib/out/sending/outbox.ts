// What a group's stream is told and not all of its members have been given yet: a thousand sockets are not written to in
// one piece. Bound: what is packed between two turns, as nothing more is chosen before it is delivered.
import type { Member } from './member.ts';

interface Chunk {
  readonly bytes: Buffer;
  /** Run + 1 that is no member's own, by slot; undefined: no member's routes are in it. */
  readonly runOf: Int32Array | undefined;
  readonly runStart: Int32Array;
  readonly runEnd: Int32Array;
  /** Slot of the only member that gets it; below 0: all. */
  readonly only: number;
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
    const isShared = runs.runCount > 0;
    const runOf = isShared ? new Int32Array(this.#given.length) : undefined;
    for (let r = 0; r < runs.runCount; r++) runOf![runs.runSource[r]!] = r + 1;
    const of = (all: readonly number[]) => Int32Array.from(isShared ? all.slice(0, runs.runCount) : []);
    for (let i = 0; i < stream.length; i++) this.#owe(stream[i]!);
    this.#chunks.push({ bytes, runOf, runStart: of(runs.runStart), runEnd: of(runs.runEnd), only: -1 });
  }

  putFor(member: Member, bytes: Buffer): void {
    this.#owe(member);
    const none = new Int32Array(0);
    this.#chunks.push({ bytes, runOf: undefined, runStart: none, runEnd: none, only: member.slot });
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
      const { bytes, runOf, runStart, runEnd, only } = chunks[i]!;
      if (only >= 0 && only !== slot) continue;
      const run = (runOf?.[slot] ?? 0) - 1;
      if (run < 0) member.write(bytes);
      else member.writeAround(bytes, runStart[run]!, runEnd[run]!);
    }
    if (!isOne) member.session.uncork();
  }

  /** It is gone. Who comes in its place is owed nothing before all is delivered. */
  forget(member: Member): void {
    this.#given[member.slot] = 0;
  }
}
