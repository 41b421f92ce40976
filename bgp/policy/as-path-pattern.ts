// A regular expression over AS paths. Its letters are AS numbers, not digits:
//
//   65001   [64512-65534 7]   .     one AS: this one, one of these, any
//   a b   a_b                       one after the other ('_' says no more than a space)
//   a|b   (a)   a*   a+   a?
//   ^   $                           the path begins, ends here: at the ends of the expression, or of its outer alternatives
//
// Compiled to Glushkov's automaton: a state for each place of the expression where an AS may stand, sets of states as bits.
// A path of n ASes costs n times the places, whatever the expression is: nothing is tried twice. An AS_SET counts as one AS
// that is each of its members.
import type { PathElements } from '../message/index.ts';
import { type Alternative, readAsPathPattern, WORDS } from './as-path-reader.ts';

export class AsPathPattern {
  /** By place: which ASes may stand there, as pairs of the first and the last. */
  readonly #places: readonly (readonly number[])[];
  /** By place, WORDS each: what may come after it. */
  readonly #follow: Int32Array;
  /** Holds for every path, and for the empty one. */
  readonly #isForAll: boolean;
  readonly #isForEmpty: boolean;
  /** Sets of places: where a path begins, where one may begin in its middle, where it is done, where it must end. */
  readonly #begin = new Int32Array(WORDS);
  readonly #anywhere = new Int32Array(WORDS);
  readonly #done = new Int32Array(WORDS);
  readonly #atEnd = new Int32Array(WORDS);
  /** Of one call. */
  readonly #next = new Int32Array(WORDS);
  readonly #now = new Int32Array(WORDS);

  /** @throws Error saying what is wrong with the text */
  constructor(text: string) {
    const { places, follow, alternatives } = readAsPathPattern(text);
    this.#places = places;
    this.#follow = follow;
    this.#isForAll = alternatives.some((one) => one.isEmpty && !(one.fromStart && one.toEnd));
    this.#isForEmpty = alternatives.some(({ isEmpty }) => isEmpty);
    for (const one of alternatives) this.#add(one);
  }

  #add({ first, last, fromStart, toEnd }: Alternative): void {
    for (let w = 0; w < WORDS; w++) {
      this.#begin[w]! |= first[w]!;
      if (!fromStart) this.#anywhere[w]! |= first[w]!;
      if (toEnd) this.#atEnd[w]! |= last[w]!;
      else this.#done[w]! |= last[w]!;
    }
  }

  matches(path: PathElements): boolean {
    if (this.#isForAll) return true;
    if (path.count === 0) return this.#isForEmpty;
    const now = this.#now;
    const next = this.#next;
    next.set(this.#begin);
    for (let i = 0; i < path.count; i++) {
      this.#step(path, i);
      if (meet(now, this.#done)) return true;
      this.#prepare();
    }
    return meet(now, this.#atEnd);
  }

  /** Of the places that may come next, those where this AS may stand. */
  #step(path: PathElements, i: number): void {
    const now = this.#now;
    now.fill(0);
    for (let place = 0; place < this.#places.length; place++) {
      const bit = 1 << (place & 31);
      if ((this.#next[place >> 5]! & bit) === 0) continue;
      if (stands(this.#places[place]!, path, i)) now[place >> 5]! |= bit;
    }
  }

  #prepare(): void {
    const next = this.#next;
    next.set(this.#anywhere);
    for (let place = 0; place < this.#places.length; place++) {
      if ((this.#now[place >> 5]! & (1 << (place & 31))) === 0) continue;
      for (let w = 0; w < WORDS; w++) next[w]! |= this.#follow[place * WORDS + w]!;
    }
  }
}

function meet(a: Int32Array, b: Int32Array): boolean {
  for (let w = 0; w < WORDS; w++) if ((a[w]! & b[w]!) !== 0) return true;
  return false;
}

/** Is one of the AS numbers of an element in one of the ranges? */
function stands(ranges: readonly number[], { numbers, ends }: PathElements, element: number): boolean {
  for (let n = element === 0 ? 0 : ends[element - 1]!; n < ends[element]!; n++) {
    const as = numbers[n]!;
    for (let r = 0; r < ranges.length; r += 2) if (as >= ranges[r]! && as <= ranges[r + 1]!) return true;
  }
  return false;
}
