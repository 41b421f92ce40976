// A list of prefix rules compiled to a hash table, so that a match costs one lookup per distinct rule length
// and allocates nothing. Rules of the other family never match.
import { mask, parsePrefixWords } from '#ip';
import { PrefixTable } from '../prefix/prefix-table.ts';
import type { PrefixRule } from './policy.ts';

/** Any-of over the rules of one family. */
export class PrefixMatcher {
  readonly #table: PrefixTable;
  /** Distinct lengths of rule prefixes, ascending. */
  #lengths: number[] = [];
  /** By table id: the route lengths accepted under that prefix, as [min, max, min, max, …]. */
  readonly #ranges: number[][] = [];
  /** Negated rules: prefix words, length, and the lengths it covers. Few, so walked. */
  readonly #not: { words: readonly number[]; length: number; min: number; max: number }[] = [];

  constructor(family: 0 | 1, rules: readonly PrefixRule[]) {
    this.#table = new PrefixTable(family, 0);
    const bits = family === 0 ? 32 : 128;
    for (const rule of rules) {
      const prefix = parsePrefixWords(rule.prefix);
      if (prefix === undefined) throw new Error(`policy: '${rule.prefix}' is not a prefix`);
      if (prefix.family !== family) continue;
      const exact = rule.operator === 'equal' || rule.operator === 'notEqual';
      const min = exact ? prefix.length : (rule.minLength ?? prefix.length);
      const max = exact ? prefix.length : (rule.maxLength ?? bits);
      if (rule.operator === 'notEqual' || rule.operator === 'notIn') {
        this.#not.push({ words: prefix.words, length: prefix.length, min, max });
        continue;
      }
      const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = prefix.words;
      const id =
        family === 0
          ? this.#table.findOrAdd4(w0, prefix.length)
          : this.#table.findOrAdd6(w0, w1, w2, w3, prefix.length);
      this.#ranges[id] ??= [];
      this.#ranges[id].push(min, max);
      if (!this.#lengths.includes(prefix.length)) this.#lengths.push(prefix.length);
    }
    this.#lengths = this.#lengths.sort((a, b) => a - b);
  }

  /** Words as signed 32-bit integers; w1..w3 are not looked at for IPv4. */
  matches(w0: number, w1: number, w2: number, w3: number, length: number): boolean {
    const lengths = this.#lengths;
    const table = this.#table;
    for (let i = 0; i < lengths.length; i++) {
      const l = lengths[i]!;
      if (l > length) break;
      const id =
        table.family === 0
          ? table.find4(w0 & mask(l), l)
          : table.find6(w0 & mask(l), w1 & mask(l - 32), w2 & mask(l - 64), w3 & mask(l - 96), l);
      if (id >= 0 && inRanges(this.#ranges[id]!, length)) return true;
    }
    for (let i = 0; i < this.#not.length; i++) {
      const rule = this.#not[i]!;
      const inside =
        rule.length <= length &&
        length >= rule.min &&
        length <= rule.max &&
        (w0 & mask(rule.length)) === rule.words[0] &&
        (table.family === 0 ||
          ((w1 & mask(rule.length - 32)) === rule.words[1] &&
            (w2 & mask(rule.length - 64)) === rule.words[2] &&
            (w3 & mask(rule.length - 96)) === rule.words[3]));
      if (!inside) return true;
    }
    return false;
  }
}

function inRanges(ranges: readonly number[], length: number): boolean {
  for (let i = 0; i < ranges.length; i += 2)
    if (length >= ranges[i]! && length <= ranges[i + 1]!) return true;
  return false;
}
