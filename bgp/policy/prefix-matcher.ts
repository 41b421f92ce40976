// A list of prefix rules of one term, any of which may hold. Those that negate are few, and walked; the others are one
// lookup per distinct length. Nothing is allocated for a route.
import { mask, parsePrefixWords, type PrefixWords } from '#ip';
import type { PrefixRule } from './policy.ts';
import { PrefixIndex } from './prefix-index.ts';

/** A rule, with the lengths of routes that it is about. */
export interface RuleWords {
  readonly prefix: PrefixWords;
  readonly isNegated: boolean;
  readonly min: number;
  readonly max: number;
}

/** @throws Error naming the prefix that is none */
export function ruleWords(rule: PrefixRule): RuleWords {
  const prefix = parsePrefixWords(rule.prefix);
  if (prefix === undefined) throw new Error(`policy: '${rule.prefix}' is not a prefix`);
  const isExact = rule.operator === 'equal' || rule.operator === 'notEqual';
  return {
    prefix,
    isNegated: rule.operator === 'notEqual' || rule.operator === 'notIn',
    min: isExact ? prefix.length : (rule.minLength ?? prefix.length),
    max: isExact ? prefix.length : (rule.maxLength ?? (prefix.family === 0 ? 32 : 128)),
  };
}

/** Any-of over the rules of one family. */
export class PrefixMatcher {
  readonly #index: PrefixIndex;
  readonly #not: readonly RuleWords[];
  /** Of one call: bit 0 is set when a rule holds. */
  readonly #found = new Int32Array(1);

  constructor(family: 0 | 1, rules: readonly PrefixRule[]) {
    this.#index = new PrefixIndex(family);
    const words = rules.map((rule) => ruleWords(rule)).filter(({ prefix }) => prefix.family === family);
    this.#not = words.filter(({ isNegated }) => isNegated);
    for (const { prefix, isNegated, min, max } of words) {
      if (!isNegated) this.#index.add(0, prefix, min, max);
    }
  }

  /** Words as signed 32-bit integers; w1..w3 are not looked at for IPv4. */
  matches(w0: number, w1: number, w2: number, w3: number, length: number): boolean {
    const found = this.#found;
    found[0] = 0;
    this.#index.find(w0, w1, w2, w3, length, found);
    if (found[0] !== 0) return true;
    for (let i = 0; i < this.#not.length; i++) {
      if (!isInside(this.#not[i]!, w0, w1, w2, w3, length)) return true;
    }
    return false;
  }
}

function isInside(rule: RuleWords, w0: number, w1: number, w2: number, w3: number, length: number): boolean {
  const { words, length: own, family } = rule.prefix;
  return (
    own <= length &&
    length >= rule.min &&
    length <= rule.max &&
    (w0 & mask(own)) === words[0] &&
    (family === 0 ||
      ((w1 & mask(own - 32)) === words[1] &&
        (w2 & mask(own - 64)) === words[2] &&
        (w3 & mask(own - 96)) === words[3]))
  );
}
