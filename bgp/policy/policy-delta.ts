// What a change of a policy concerns: routes for which no changed term is are decided as before, and need not be looked at.
import type { PrefixTable } from '../prefix/prefix-table.ts';
import type { Policy, PolicyTerm } from './policy.ts';
import { TermIndex } from './term-index.ts';

export class PolicyDelta {
  readonly #index: TermIndex;

  constructor(terms: readonly PolicyTerm[]) {
    this.#index = new TermIndex(terms);
  }

  /** May the route be decided otherwise? Asked by what is not in its attributes. */
  concerns(prefixes: PrefixTable, prefix: number, source: number): boolean {
    const { found } = this.#index;
    this.#index.find(prefixes, prefix, source);
    for (let w = 0; w < found.length; w++) if (found[w] !== 0) return true;
    return false;
  }
}

/** Undefined: it may concern any route. */
export function policyDelta(before: Policy, after: Policy): PolicyDelta | undefined {
  if (before.otherwise !== after.otherwise) return undefined;
  const [old, now] = [before.terms.map(textOf), after.terms.map(textOf)];
  let first = 0;
  while (first < old.length && first < now.length && old[first] === now[first]) first++;
  let last = 0;
  const most = Math.min(old.length, now.length) - first;
  while (last < most && old[old.length - 1 - last] === now[now.length - 1 - last]) last++;
  // A term that only stands elsewhere may decide before another one now: it counts as changed.
  return new PolicyDelta([
    ...before.terms.slice(first, before.terms.length - last),
    ...after.terms.slice(first, after.terms.length - last),
  ]);
}

/** What it does, whatever it is called. */
const textOf = ({ match, action }: PolicyTerm): string => JSON.stringify([match, action]);
