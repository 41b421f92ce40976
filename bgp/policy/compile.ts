// Policies compiled for the hot path: a verdict per (prefix, attribute set) without allocation.
// What a policy sets is not applied here: the verdict names a combination of sets (a small integer), and the
// RIB rewrites an attribute set once per combination.
import { createHash } from 'node:crypto';
import { familyIndex } from '#ip';
import {
  isOneCommunity,
  type LargeCommunity,
  parseCommunity,
  parseLargeCommunity,
} from '../message/index.ts';
import type { PrefixTable } from '../prefix/prefix-table.ts';
import type { Policy, PolicySet, PolicyTerm } from './policy.ts';
import {
  AttributeMatch,
  type AttributeQuestions,
  FAILS_FAMILY,
  FAILS_PREFIX,
  FAILS_SOURCE,
  HOLDS,
  parseCommunityPatterns,
} from './attribute-match.ts';
import { PrefixMatcher } from './prefix-matcher.ts';

/** Where a route was learned, as policies see it. */
export const FROM_LOCAL = 0;
export const FROM_EBGP = 1;
export const FROM_IBGP = 2;

/** The route that a policy is asked about: one object, pointed at route after route. */
export class RouteRef {
  prefixes: PrefixTable;
  /** Id in `prefixes`. */
  prefix = -1;
  /** FROM_LOCAL, FROM_EBGP or FROM_IBGP. */
  source = FROM_LOCAL;
  /** Interned attribute set. */
  attribute = -1;

  constructor(prefixes: PrefixTable) {
    this.prefixes = prefixes;
  }

  point(prefixes: PrefixTable, prefix: number, source: number, attribute: number): this {
    this.prefixes = prefixes;
    this.prefix = prefix;
    this.source = source;
    this.attribute = attribute;
    return this;
  }
}

interface CompiledTerm {
  readonly term: PolicyTerm;
  /** Undefined when the term does not look at prefixes of that family. */
  readonly prefixes: readonly [PrefixMatcher | undefined, PrefixMatcher | undefined];
  readonly family: number;
  readonly sources: number;
  readonly attributes: AttributeMatch;
}

/** A term that was looked at: HOLDS, or FAILS_* for what of its match does not hold. */
export interface TraceStep {
  readonly term: PolicyTerm;
  readonly fault: number;
}

const MOST_COMBINATIONS = 1024;
const ANY_SOURCE = 7;
const SOURCE_BITS = { local: 1, ebgp: 2, ibgp: 4, remote: 6 } as const;

export class CompiledPolicy {
  readonly policy: Policy;
  /** Equal for policies that decide alike: update groups and reconfiguration compare it. */
  readonly fingerprint: string;
  /** Accepts everything without looking. */
  readonly acceptsAll: boolean;
  /** Decides by the interface of the next hop: to be asked again when that is another. */
  readonly asksLinks: boolean;
  readonly #terms: readonly CompiledTerm[];
  /**
   * Combination id -> the sets applied, in order. Id 0 is none. There are 2 ** terms of them, of which a neighbour chooses
   * by what it announces: beyond MOST_COMBINATIONS all are forgotten, and get new ids when they come again.
   */
  readonly #combinations = new Map<number, readonly PolicySet[]>();
  readonly #steps = new Map<number, number>();
  #lastCombination = 0;

  constructor(policy: Policy) {
    this.policy = policy;
    const decisions = policy.terms.map(({ match, action: a }) => [match, a.verdict, a.set, a.isOwn]);
    this.fingerprint = createHash('sha256')
      .update(JSON.stringify([decisions, policy.otherwise]))
      .digest('base64');
    this.#terms = policy.terms.map((term) => compileTerm(term));
    this.asksLinks = this.#terms.some(({ attributes }) => attributes.asksLinks);
    this.acceptsAll = policy.terms.length === 0 && policy.otherwise === 'accept';
  }

  /**
   * @returns >= 0: accepted, with this combination of sets; < 0: rejected by term ~result (the number of terms
   *   stands for `otherwise`)
   */
  evaluate(route: RouteRef, questions: AttributeQuestions): number {
    if (this.#combinations.size > MOST_COMBINATIONS) {
      this.#combinations.clear();
      this.#steps.clear();
    }
    const terms = this.#terms;
    let combination = 0;
    for (let i = 0; i < terms.length; i++) {
      const t = terms[i]!;
      if (faultOf(t, route, questions) !== HOLDS) continue;
      const action = t.term.action;
      if (action.verdict === 'reject') return ~i;
      if (action.set !== undefined) combination = this.#step(combination, i, action.set);
      if (action.verdict === 'accept') return combination;
    }
    return this.policy.otherwise === 'accept' ? combination : ~terms.length;
  }

  /** What each term does with the route, as evaluate() goes through them, for people; up to the one that decides. */
  trace(route: RouteRef, questions: AttributeQuestions): TraceStep[] {
    const steps: TraceStep[] = [];
    for (const compiled of this.#terms) {
      const { term } = compiled;
      const fault = faultOf(compiled, route, questions);
      steps.push({ term, fault });
      if (fault === HOLDS && term.action.verdict !== 'next') break;
    }
    return steps;
  }

  /** The sets of a combination that the last evaluate() returned. */
  sets(combination: number): readonly PolicySet[] {
    return this.#combinations.get(combination) ?? [];
  }

  /** evaluate()'s negative result: rejected because the prefix is this speaker's own. */
  isOwn(result: number): boolean {
    return this.#terms[~result]?.term.action.isOwn === true;
  }

  /** Why a route was rejected, from evaluate()'s negative result. */
  whyRejected(result: number): string {
    return this.#terms[~result]?.term.why ?? `${this.policy.name}: no rule accepts it`;
  }

  #step(combination: number, term: number, set: PolicySet): number {
    const key = combination * 65536 + term;
    const known = this.#steps.get(key);
    if (known !== undefined) return known;
    const next = ++this.#lastCombination;
    this.#combinations.set(next, [...this.sets(combination), set]);
    this.#steps.set(key, next);
    return next;
  }
}

/** @throws Error naming the policy and the value when a prefix or community is not one */
export function compilePolicy(policy: Policy): CompiledPolicy {
  try {
    return new CompiledPolicy(policy);
  } catch (error) {
    throw new Error(`policy '${policy.name}': ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function compileTerm(term: PolicyTerm): CompiledTerm {
  const { match, action } = term;
  const rules = match.prefixes;
  checkSet(action.set);
  return {
    term,
    prefixes:
      rules === undefined
        ? [undefined, undefined]
        : [new PrefixMatcher(0, rules), new PrefixMatcher(1, rules)],
    family: match.family === undefined ? -1 : familyIndex(match.family),
    sources: match.source === undefined ? ANY_SOURCE : SOURCE_BITS[match.source],
    attributes: new AttributeMatch(term),
  };
}

/** HOLDS, or what of the term's match does not. */
function faultOf(t: CompiledTerm, route: RouteRef, questions: AttributeQuestions): number {
  const { prefixes, prefix } = route;
  const { family } = prefixes;
  if (t.family >= 0 && t.family !== family) return FAILS_FAMILY;
  if ((t.sources & (1 << route.source)) === 0) return FAILS_SOURCE;
  const matcher = t.prefixes[family];
  if (matcher !== undefined) {
    const w1 = family === 0 ? 0 : prefixes.a1[prefix]!;
    const w2 = family === 0 ? 0 : prefixes.a2[prefix]!;
    const w3 = family === 0 ? 0 : prefixes.a3[prefix]!;
    if (!matcher.matches(prefixes.a0[prefix]!, w1, w2, w3, prefixes.lengths[prefix]!)) return FAILS_PREFIX;
  }
  return t.attributes.fault(route.attribute, questions);
}

/** So that nothing is wrong with it when there is a route. @throws Error naming the text that is wrong */
function checkSet({ deleteCommunities = [], addCommunities = [] }: PolicySet = {}): void {
  parseCommunityPatterns(deleteCommunities);
  parseCommunityPatterns(addCommunities).forEach((pattern, i) => {
    if (!isOneCommunity(pattern)) throw new Error(`'${addCommunities[i]}' is not one community to add`);
  });
}

/** Standard and large communities of a list of texts, apart. @throws Error naming the text that is neither */
export function parseCommunities(texts: readonly string[]): {
  readonly communities: number[];
  readonly largeCommunities: LargeCommunity[];
} {
  const communities: number[] = [];
  const largeCommunities: LargeCommunity[] = [];
  for (const text of texts) {
    const standard = parseCommunity(text);
    const large = standard === undefined ? parseLargeCommunity(text) : undefined;
    if (standard !== undefined) communities.push(standard);
    else if (large !== undefined) largeCommunities.push(large);
    else throw new Error(`'${text}' is not a community (AS:N, AS:N:N, or a well-known name)`);
  }
  return { communities, largeCommunities };
}
