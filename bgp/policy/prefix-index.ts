// Rules on prefixes of many terms in one table: a route costs one lookup for each distinct length of the rules, however many
// terms there are, and gets the terms of which a rule holds, as bits. Rules of the other family never match.
import { mask, type PrefixWords } from '#ip';
import { PrefixTable } from '../prefix/prefix-table.ts';

/** Numbers of an entry: the term, and the shortest and the longest route that it is for. */
const NUMBERS = 3;

export class PrefixIndex {
  readonly #table: PrefixTable;
  /** Distinct lengths of the rules' prefixes, ascending. */
  #lengths: number[] = [];
  /** By table id, NUMBERS an entry. */
  readonly #entries: number[][] = [];

  constructor(family: 0 | 1) {
    this.#table = new PrefixTable(family, 0);
  }

  /** The term is for routes in this prefix of these lengths. */
  add(term: number, { family, words, length }: PrefixWords, min: number, max: number): void {
    if (family !== this.#table.family) return;
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = words;
    const id =
      family === 0 ? this.#table.findOrAdd4(w0, length) : this.#table.findOrAdd6(w0, w1, w2, w3, length);
    this.#entries[id] ??= [];
    this.#entries[id].push(term, min, max);
    if (!this.#lengths.includes(length)) this.#lengths = [...this.#lengths, length].sort((a, b) => a - b);
  }

  /** Sets the bits of the terms. Words as signed 32-bit integers; w1..w3 are not looked at for IPv4. */
  find(w0: number, w1: number, w2: number, w3: number, length: number, terms: Int32Array): void {
    const lengths = this.#lengths;
    const table = this.#table;
    for (let i = 0; i < lengths.length; i++) {
      const l = lengths[i]!;
      if (l > length) return;
      const id =
        table.family === 0
          ? table.find4(w0 & mask(l), l)
          : table.find6(w0 & mask(l), w1 & mask(l - 32), w2 & mask(l - 64), w3 & mask(l - 96), l);
      if (id < 0) continue;
      const entries = this.#entries[id]!;
      for (let e = 0; e < entries.length; e += NUMBERS) {
        const term = entries[e]!;
        if (length >= entries[e + 1]! && length <= entries[e + 2]!) terms[term >> 5]! |= 1 << (term & 31);
      }
    }
  }
}
