// Which terms of a policy hold for an attribute set, asked once for each set: a table has far fewer sets than routes, and
// expressions over AS paths cost microseconds. Not what depends on links, which change under a set.
// Bound: SLOTS sets a policy; a set takes the place of another one whose number ends alike.
import { type AttributeMatch, type AttributeQuestions, HOLDS } from './attribute-match.ts';

const SLOTS = 256;

export class MatchMemo {
  readonly #matches: readonly AttributeMatch[];
  /** Words of a set of terms. */
  readonly #words: number;
  /** By slot: the set, -1 for none, and its generation: the number of a set that went is given to another one. */
  readonly #sets = new Int32Array(SLOTS).fill(-1);
  readonly #generations = new Uint32Array(SLOTS);
  /** From find() on, a word for 32 terms: those that are known not to hold. */
  readonly fails: Int32Array;
  /** Likewise, those that are known to. */
  readonly #holds: Int32Array;
  #questions: AttributeQuestions | undefined;

  constructor(matches: readonly AttributeMatch[]) {
    this.#matches = matches;
    this.#words = (matches.length + 31) >> 5;
    this.fails = new Int32Array(SLOTS * this.#words);
    this.#holds = new Int32Array(SLOTS * this.#words);
  }

  /** Where the words of a set begin. */
  find(set: number, questions: AttributeQuestions): number {
    if (questions !== this.#questions) {
      this.#questions = questions;
      this.#sets.fill(-1);
    }
    const slot = set & (SLOTS - 1);
    const generation = questions.generationOf(set);
    const at = slot * this.#words;
    if (this.#sets[slot] === set && this.#generations[slot] === generation) return at;
    this.#sets[slot] = set;
    this.#generations[slot] = generation;
    this.fails.fill(0, at, at + this.#words);
    this.#holds.fill(0, at, at + this.#words);
    return at;
  }

  /** Does a term hold for the set whose words begin at `at`? */
  holds(at: number, term: number, set: number, questions: AttributeQuestions): boolean {
    const match = this.#matches[term]!;
    const word = at + (term >> 5);
    const bit = 1 << (term & 31);
    if ((this.#holds[word]! & bit) === 0) {
      if (match.setFault(set, questions) !== HOLDS) {
        this.fails[word]! |= bit;
        return false;
      }
      this.#holds[word]! |= bit;
    }
    return match.linkFault(set, questions) === HOLDS;
  }
}
