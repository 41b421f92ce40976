// Policies compiled for the hot path: a verdict per (prefix, attribute set) without allocation.
// What a policy sets is not applied here: the verdict names a combination of sets (a small integer), and the
// RIB rewrites an attribute set once per combination.
import { createHash } from 'node:crypto';
import { familyIndex, parseAddressWords } from '#ip';
import { isOneCommunity } from '../message/index.ts';
import type { PrefixTable } from '../prefix/prefix-table.ts';
import { MOST_WEIGHT, type Policy, type PolicySet, type PolicyTerm } from './policy.ts';
import {
  AttributeMatch,
  type AttributeQuestions,
  FAILS_FAMILY,
  FAILS_PREFIX,
  FAILS_SOURCE,
  HOLDS,
  parseCommunityPatterns,
} from './attribute-match.ts';
import { MatchMemo } from './match-memo.ts';
import { hasBit, isFrom, TermIndex } from './term-index.ts';

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

/** A term that was looked at: HOLDS, or FAILS_* for what of its match does not hold. */
export interface TraceStep {
  readonly term: PolicyTerm;
  readonly fault: number;
}

const MOST_COMBINATIONS = 1024;

export class CompiledPolicy {
  readonly policy: Policy;
  /** Equal for policies that decide alike: update groups and reconfiguration compare it. */
  readonly fingerprint: string;
  /** Accepts everything without looking. */
  readonly acceptsAll: boolean;
  /** Decides by the interface of the next hop: to be asked again when that is another. */
  readonly asksLinks: boolean;
  /** Makes something of where the route came from: the next hop 'peer'. */
  readonly usesNeighbour: boolean;
  /** Sets next hops that are nobody's of this speaker. */
  readonly givesNextHops: boolean;
  readonly #terms: readonly PolicyTerm[];
  readonly #index: TermIndex;
  /** By term: what it asks of the attributes. */
  readonly #attributes: readonly AttributeMatch[];
  readonly #asksAttributes: boolean;
  /** Made when the first route is asked about, if some term asks for more than prefixes. */
  #memo: MatchMemo | undefined;
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
    for (const { action } of policy.terms) checkSet(action.set);
    this.#terms = policy.terms;
    this.#index = new TermIndex(policy.terms);
    this.#attributes = policy.terms.map((term) => new AttributeMatch(term));
    this.#asksAttributes = this.#attributes.some((match) => !match.isForAll);
    this.asksLinks = this.#attributes.some((match) => match.asksLinks);
    const hops = policy.terms.map(({ action }) => action.set?.nextHop);
    this.usesNeighbour = hops.includes('peer');
    this.givesNextHops = hops.some((hop) => hop !== undefined && hop !== 'self');
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
    const index = this.#index;
    const { found } = index;
    index.find(route.prefixes, route.prefix, route.source);
    let combination = 0;
    const set = route.attribute;
    const memo = this.#asksAttributes ? (this.#memo ??= new MatchMemo(this.#attributes)) : undefined;
    const at = memo?.find(set, questions) ?? 0;
    for (let w = 0; w < found.length; w++) {
      const failed = memo === undefined ? 0 : memo.fails[at + w]!;
      for (let left = found[w]! & ~failed; left !== 0; left &= left - 1) {
        const i = w * 32 + 31 - Math.clz32(left & -left);
        if (memo !== undefined && !memo.holds(at, i, set, questions)) continue;
        const { action } = this.#terms[i]!;
        if (action.verdict === 'reject') return ~i;
        if (action.set !== undefined) combination = this.#step(combination, i, action.set);
        if (action.verdict === 'accept') return combination;
      }
    }
    return this.policy.otherwise === 'accept' ? combination : ~this.#terms.length;
  }

  /** What each term does with the route, as evaluate() goes through them, for people; up to the one that decides. */
  trace(route: RouteRef, questions: AttributeQuestions): TraceStep[] {
    const steps: TraceStep[] = [];
    this.#index.find(route.prefixes, route.prefix, route.source);
    for (const [i, term] of this.#terms.entries()) {
      const fault = hasBit(this.#index.found, i)
        ? this.#attributes[i]!.fault(route.attribute, questions)
        : placeFault(term, route);
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
    return this.#terms[~result]?.action.isOwn === true;
  }

  /** Why a route was rejected, from evaluate()'s negative result. */
  whyRejected(result: number): string {
    return this.#terms[~result]?.why ?? `${this.policy.name}: no rule accepts it`;
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

/** Which of family, source and prefix it is, of a term that is not for the route by one of them. */
function placeFault({ match }: PolicyTerm, { prefixes, source }: RouteRef): number {
  if (match.family !== undefined && familyIndex(match.family) !== prefixes.family) return FAILS_FAMILY;
  return isFrom(match.source, source) ? FAILS_PREFIX : FAILS_SOURCE;
}

/** So that nothing is wrong with it when there is a route. @throws Error naming the text that is wrong */
function checkSet({
  deleteCommunities = [],
  addCommunities = [],
  nextHop,
  weight = 0,
}: PolicySet = {}): void {
  if (!Number.isInteger(weight) || weight < 0 || weight > MOST_WEIGHT) {
    throw new Error(`'${weight}' is no weight from 0 to ${MOST_WEIGHT}`);
  }
  const isWord = nextHop === undefined || nextHop === 'self' || nextHop === 'peer';
  if (!isWord && parseAddressWords(nextHop) === undefined) {
    throw new Error(`'${nextHop}' is not an address`);
  }
  parseCommunityPatterns(deleteCommunities);
  parseCommunityPatterns(addCommunities).forEach((pattern, i) => {
    if (!isOneCommunity(pattern)) throw new Error(`'${addCommunities[i]}' is not one community to add`);
  });
}
