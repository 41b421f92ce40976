// What a term asks of a route besides its prefix, family and source: compiled once, answered with the number of the first
// question that the route fails, so that who explains cannot say other than who decides.
import {
  type CommunityPattern,
  parseCommunityPattern,
  type PathElements,
  readU32,
} from '../message/index.ts';
import { AsPathPattern } from './as-path-pattern.ts';
import { LinkPattern } from './link-pattern.ts';
import type { PolicyMatch, PolicyTerm } from './policy.ts';
import { PrefixMatcher } from './prefix-matcher.ts';

/** What a policy asks about an interned attribute set. */
export interface AttributeQuestions {
  carriesCommunity(attributeId: number, pattern: CommunityPattern): boolean;
  pathStartsWith(attributeId: number, asNumbers: readonly number[]): boolean;
  /** Good until the next call. */
  path(attributeId: number): PathElements;
  /** Address and, for IPv6, link-local address of the next hop as on the wire; undefined: it is this speaker. */
  nextHop(attributeId: number): Uint8Array | undefined;
  /** The metric that a policy gave it; 0: none did. */
  metricOf(attributeId: number): number;
  /** Another one when the number of a set is given to another set. */
  generationOf(attributeId: number): number;
  /** The number of the set of interfaces over which the next hop is reached. */
  linksOf(attributeId: number): number;
  readonly linkNames: (links: number) => readonly string[];
}

/** Whether a match holds, or which question of it fails first: of AttributeMatch.fault(), but for the last three. */
export const HOLDS = 0;
export const FAILS_COMMUNITIES = 1;
export const FAILS_ANY_COMMUNITY = 2;
export const FAILS_NO_COMMUNITY = 3;
export const FAILS_PATH_PREFIX = 4;
export const FAILS_PATH = 5;
export const FAILS_METRIC = 6;
export const FAILS_NEXT_HOP = 7;
export const FAILS_INTERFACE = 8;
export const FAILS_FAMILY = 9;
export const FAILS_SOURCE = 10;
export const FAILS_PREFIX = 11;

type NextHopMatchers = readonly [PrefixMatcher, PrefixMatcher];

export class AttributeMatch {
  readonly #all: readonly CommunityPattern[];
  readonly #any: readonly CommunityPattern[] | undefined;
  readonly #none: readonly CommunityPattern[];
  readonly #pathPrefix: readonly number[];
  readonly #path: PolicyMatch['asPath'];
  readonly #pathPattern: AsPathPattern | undefined;
  /** -1: any. */
  readonly #metric: number;
  readonly #nextHops: NextHopMatchers | undefined;
  readonly #link: LinkPattern | undefined;
  readonly #isForAll: boolean;

  /** @throws Error naming the text that is none */
  constructor({ match, action }: PolicyTerm) {
    this.#all = parseCommunityPatterns(match.communities ?? []);
    this.#any = match.anyCommunity && parseCommunityPatterns(match.anyCommunity);
    this.#none = parseCommunityPatterns(match.noCommunity ?? []);
    this.#pathPrefix = match.asPathPrefix ?? [];
    this.#path = match.asPath;
    this.#pathPattern = match.asPath?.pattern === undefined ? undefined : patternOf(match.asPath.pattern);
    this.#metric = match.metric ?? -1;
    this.#nextHops = match.nextHops && matchersOf(match.nextHops);
    this.#link =
      match.interface === undefined
        ? undefined
        : new LinkPattern(match.interface, action.verdict === 'reject');
    this.#isForAll =
      this.#all.length + this.#none.length + this.#pathPrefix.length === 0 &&
      [this.#any, this.#path, this.#nextHops, this.#link].every((question) => question === undefined) &&
      this.#metric < 0;
  }

  /** It decides by the interface of the next hop: what is reached otherwise must be asked about again. */
  get asksLinks(): boolean {
    return this.#link !== undefined;
  }

  /** It asks nothing: every set holds. */
  get isForAll(): boolean {
    return this.#isForAll;
  }

  /** HOLDS, or which question the set fails. */
  fault(id: number, questions: AttributeQuestions): number {
    const ofSet = this.setFault(id, questions);
    return ofSet === HOLDS ? this.linkFault(id, questions) : ofSet;
  }

  /** As fault(), of all that stays as it is while the set is there. */
  setFault(id: number, questions: AttributeQuestions): number {
    if (this.#isForAll) return HOLDS;
    const all = this.#all;
    for (let i = 0; i < all.length; i++) {
      if (!questions.carriesCommunity(id, all[i]!)) return FAILS_COMMUNITIES;
    }
    if (this.#any !== undefined && !carriesOne(this.#any, id, questions)) return FAILS_ANY_COMMUNITY;
    if (carriesOne(this.#none, id, questions)) return FAILS_NO_COMMUNITY;
    const prefix = this.#pathPrefix;
    if (prefix.length > 0 && !questions.pathStartsWith(id, prefix)) return FAILS_PATH_PREFIX;
    if (this.#path !== undefined && !this.#isPath(this.#path, questions.path(id))) return FAILS_PATH;
    if (this.#metric >= 0 && questions.metricOf(id) !== this.#metric) return FAILS_METRIC;
    if (this.#nextHops !== undefined && !isNextHop(this.#nextHops, questions.nextHop(id))) {
      return FAILS_NEXT_HOP;
    }
    return HOLDS;
  }

  /** As fault(), of where the next hop is reached. */
  linkFault(id: number, questions: AttributeQuestions): number {
    const link = this.#link;
    if (link !== undefined && !link.matches(questions.linksOf(id), questions.linkNames)) {
      return FAILS_INTERFACE;
    }
    return HOLDS;
  }

  #isPath(asked: NonNullable<PolicyMatch['asPath']>, path: PathElements): boolean {
    const { contains, originatedBy, minLength = 0, maxLength = Infinity } = asked;
    if (path.count < minLength || path.count > maxLength) return false;
    const end = path.count === 0 ? 0 : path.ends[path.count - 1]!;
    if (contains !== undefined && !hasNumber(path, 0, end, contains)) return false;
    if (originatedBy !== undefined) {
      const start = path.count < 2 ? 0 : path.ends[path.count - 2]!;
      if (!hasNumber(path, start, end, originatedBy)) return false;
    }
    return this.#pathPattern?.matches(path) ?? true;
  }
}

/** @throws Error naming the text that is none */
export function parseCommunityPatterns(texts: readonly string[]): CommunityPattern[] {
  return texts.map((text) => {
    const pattern = parseCommunityPattern(text);
    if (pattern !== undefined) return pattern;
    throw new Error(
      `'${text}' is not a community (AS:N, AS:N:N, rt:AS:N, ro:AS:N, generic:0xTYPE:0xVALUE or a well-known name; '*' for any number)`,
    );
  });
}

function patternOf(text: string): AsPathPattern {
  try {
    return new AsPathPattern(text);
  } catch (error) {
    throw new Error(`'${text}' ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function matchersOf(prefixes: readonly string[]): NextHopMatchers {
  const rules = prefixes.map((prefix) => ({ prefix, operator: 'in' as const }));
  return [new PrefixMatcher(0, rules), new PrefixMatcher(1, rules)];
}

function carriesOne(
  patterns: readonly CommunityPattern[],
  id: number,
  questions: AttributeQuestions,
): boolean {
  for (let i = 0; i < patterns.length; i++) if (questions.carriesCommunity(id, patterns[i]!)) return true;
  return false;
}

function hasNumber({ numbers }: PathElements, start: number, end: number, as: number): boolean {
  for (let n = start; n < end; n++) if (numbers[n] === as) return true;
  return false;
}

/** What stands first counts: beside it a link-local address may stand (RFC 2545 section 3). */
function isNextHop([v4, v6]: NextHopMatchers, bytes: Uint8Array | undefined): boolean {
  if (bytes === undefined) return false;
  if (bytes.length === 4) return v4.matches(readU32(bytes, 0) | 0, 0, 0, 0, 32);
  return v6.matches(
    readU32(bytes, 0) | 0,
    readU32(bytes, 4) | 0,
    readU32(bytes, 8) | 0,
    readU32(bytes, 12) | 0,
    128,
  );
}
