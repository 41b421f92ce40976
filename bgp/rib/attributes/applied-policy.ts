// A policy put to use: what it makes of a route, as an attribute set. Neighbouring routes mostly have one set and get
// one change, so the last change is remembered and made once. Nothing is allocated for a route.
import type { CompiledPolicy, RouteRef, TraceStep } from '../../policy/compile.ts';
import type { PolicySet } from '../../policy/policy.ts';
import type { AttributeIntern, NeighbourHop } from './attribute-intern.ts';
import type { AttributeReader } from './attribute-reader.ts';

/** Results of apply() below 0: a term rejects the route, or it cannot be what the policy makes of it (see AttributeIntern.changed). */
export const REJECTED = -1;
export const IMPOSSIBLE = -2;
/** Rejected, and because the prefix is this speaker's own. */
export const OWN_PREFIX = -3;

export class AppliedPolicy {
  readonly #intern: AttributeIntern;
  readonly #reader: AttributeReader;
  readonly #isExport: boolean;
  /** The last change: of which set, by which policy and combination, to which set. Holds references. */
  #from = -1;
  #to = -1;
  #combination = -1;
  #policy: CompiledPolicy | undefined;
  #after: PolicySet | undefined;
  #neighbour: NeighbourHop | undefined;

  /** @param isExport remembers of a set that MED was set on purpose */
  constructor(intern: AttributeIntern, reader: AttributeReader, isExport: boolean) {
    this.#intern = intern;
    this.#reader = reader;
    this.#isExport = isExport;
  }

  /**
   * The set to use for the route (borrowed: the caller takes its own reference), REJECTED, OWN_PREFIX or IMPOSSIBLE.
   * @param after what is set last, whatever the policy sets; always the same object for the same
   * @param from who sent it, on import; always the same object for the same
   */
  apply(policy: CompiledPolicy, route: RouteRef, after?: PolicySet, from?: NeighbourHop): number {
    const combination = policy.evaluate(route, this.#reader);
    if (combination < 0) return policy.isOwn(combination) ? OWN_PREFIX : REJECTED;
    if (combination === 0 && after === undefined && !this.#keepsSecrets(route.attribute))
      return route.attribute;
    const neighbour = policy.usesNeighbour ? from : undefined;
    if (
      route.attribute !== this.#from ||
      combination !== this.#combination ||
      policy !== this.#policy ||
      after !== this.#after ||
      neighbour !== this.#neighbour
    ) {
      this.#change(policy, route.attribute, combination, after, neighbour);
    }
    const to = this.#to;
    // Where it goes out, what a neighbour can read is asked of its session.
    const isGood = to >= 0 && (this.#isExport || this.#intern.store.isHopFor(to, route.prefixes.family));
    return isGood ? to : IMPOSSIBLE;
  }

  /** Must the set be another one to go out? What neighbours are not told must not make two of what is one to them. */
  #keepsSecrets(set: number): boolean {
    return this.#isExport && this.#intern.store.hasSecrets(set);
  }

  /** The rule that rejects the route, for people; undefined when none does. */
  whyRejected(policy: CompiledPolicy, route: RouteRef): string | undefined {
    const result = policy.evaluate(route, this.#reader);
    return result < 0 ? policy.whyRejected(result) : undefined;
  }

  /** What each rule does with the route, for people. */
  trace(policy: CompiledPolicy, route: RouteRef): TraceStep[] {
    return policy.trace(route, this.#reader);
  }

  /** Gives back what it remembers. */
  forget(): void {
    const { store } = this.#intern;
    if (this.#from >= 0) store.release(this.#from);
    if (this.#to >= 0) store.release(this.#to);
    this.#from = -1;
    this.#to = -1;
    this.#policy = undefined;
  }

  #change(
    policy: CompiledPolicy,
    set: number,
    combination: number,
    after: PolicySet | undefined,
    neighbour: NeighbourHop | undefined,
  ): void {
    const { store } = this.#intern;
    if (this.#from >= 0) store.release(this.#from);
    if (this.#to >= 0) store.release(this.#to);
    store.references[set] = store.references[set]! + 1;
    this.#from = set;
    this.#combination = combination;
    this.#policy = policy;
    this.#after = after;
    this.#neighbour = neighbour;
    const sets = policy.sets(combination);
    const all = after === undefined ? sets : [...sets, after];
    this.#to = this.#intern.changed(set, all, -1, this.#isExport, neighbour);
  }
}
