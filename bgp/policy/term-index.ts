// Which terms of a policy may hold for a route, by all that is not in its attributes: prefix, family and source. One
// table of prefixes serves all terms; what comes out is a set of terms as bits, in the order in which they are tried.
import { familyIndex } from '#ip';
import type { PrefixTable } from '../prefix/prefix-table.ts';
import type { PolicyMatch, PolicyTerm } from './policy.ts';
import { PrefixIndex } from './prefix-index.ts';
import { PrefixMatcher, ruleWords } from './prefix-matcher.ts';

/** By what a term asks for: bit k for FROM_* k. */
const SOURCE_BITS = { local: 1, ebgp: 2, ibgp: 4, remote: 6 } as const;
const SOURCES = 3;

/** Is a term with this `source` for routes from there, FROM_*? */
export function isFrom(asked: PolicyMatch['source'], source: number): boolean {
  return asked === undefined || (SOURCE_BITS[asked] & (1 << source)) !== 0;
}

export class TermIndex {
  /** Words of a set of terms. */
  readonly #words: number;
  readonly #prefixes = [new PrefixIndex(0), new PrefixIndex(1)] as const;
  /** By family: the terms that ask for no prefix, or negate one. */
  readonly #always: readonly [Int32Array, Int32Array];
  /** By source and family: the terms that are for it. */
  readonly #ofSource: readonly Int32Array[];
  /** Terms that negate a prefix, and what decides about theirs. Few. */
  readonly #negated: { readonly term: number; readonly matchers: readonly [PrefixMatcher, PrefixMatcher] }[] =
    [];
  /** The terms that the last find() found. */
  readonly found: Int32Array;

  /** @throws Error naming the prefix that is none */
  constructor(terms: readonly PolicyTerm[]) {
    this.#words = (terms.length + 31) >> 5;
    const none = () => new Int32Array(this.#words);
    this.found = none();
    this.#always = [none(), none()];
    this.#ofSource = Array.from({ length: SOURCES * 2 }, none);
    terms.forEach(({ match }, i) => {
      this.#add(i, match);
    });
  }

  #add(term: number, match: PolicyMatch): void {
    const { prefixes } = match;
    for (const family of [0, 1] as const) {
      if (match.family !== undefined && familyIndex(match.family) !== family) continue;
      for (let source = 0; source < SOURCES; source++) {
        if (isFrom(match.source, source)) setBit(this.#ofSource[source * 2 + family]!, term);
      }
    }
    const rules = prefixes?.map((rule) => ruleWords(rule));
    const hasNegated = rules?.some(({ isNegated }) => isNegated) ?? false;
    if (rules === undefined || hasNegated) {
      for (const always of this.#always) setBit(always, term);
    } else {
      for (const { prefix, min, max } of rules) this.#prefixes[prefix.family].add(term, prefix, min, max);
    }
    if (prefixes !== undefined && hasNegated) {
      const matchers = [new PrefixMatcher(0, prefixes), new PrefixMatcher(1, prefixes)] as const;
      this.#negated.push({ term, matchers });
    }
  }

  /** Fills `found` with the terms that are for the route, its attributes aside. */
  find(prefixes: PrefixTable, prefix: number, source: number): void {
    const { found } = this;
    this.#findPrefix(prefixes, prefix, found);
    const ofSource = this.#ofSource[source * 2 + prefixes.family]!;
    for (let w = 0; w < found.length; w++) found[w]! &= ofSource[w]!;
  }

  #findPrefix(prefixes: PrefixTable, prefix: number, found: Int32Array): void {
    const { family } = prefixes;
    found.set(this.#always[family]);
    const w0 = prefixes.a0[prefix]!;
    const w1 = family === 0 ? 0 : prefixes.a1[prefix]!;
    const w2 = family === 0 ? 0 : prefixes.a2[prefix]!;
    const w3 = family === 0 ? 0 : prefixes.a3[prefix]!;
    const length = prefixes.lengths[prefix]!;
    this.#prefixes[family].find(w0, w1, w2, w3, length, found);
    for (let n = 0; n < this.#negated.length; n++) {
      const { term, matchers } = this.#negated[n]!;
      if (!matchers[family].matches(w0, w1, w2, w3, length)) found[term >> 5]! &= ~(1 << (term & 31));
    }
  }
}

function setBit(set: Int32Array, bit: number): void {
  set[bit >> 5]! |= 1 << (bit & 31);
}

export function hasBit(set: Int32Array, bit: number): boolean {
  return (set[bit >> 5]! & (1 << (bit & 31))) !== 0;
}
