// A pattern for names of interfaces, compiled so that a route costs one lookup: the sets of interfaces that next hops
// leave by have small numbers, and each is compared once. Bound: one octet a set.

/** The number of a set of interfaces that nobody has told of yet, and of the empty one. */
export const LINKS_UNKNOWN = 0;
export const NO_LINKS = 1;

const UNSEEN = 0;
const MATCHES = 1;
const DIFFERS = 2;

export class LinkPattern {
  readonly #pattern: RegExp;
  readonly #onUnknown: boolean;
  /** By the number of the set. */
  #verdicts = new Uint8Array(16);

  /**
   * @param text of Calico's BGPFilter: '*' stands for any characters
   * @param onUnknown what holds while it is not known how the next hop is reached
   */
  constructor(text: string, onUnknown: boolean) {
    const escaped = text.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
    this.#pattern = new RegExp(`^${escaped}$`, 's');
    this.#onUnknown = onUnknown;
  }

  /** One interface of the set is enough. */
  matches(set: number, namesOf: (set: number) => readonly string[]): boolean {
    if (set === LINKS_UNKNOWN) return this.#onUnknown;
    if (set >= this.#verdicts.length) {
      const verdicts = new Uint8Array(set * 2);
      verdicts.set(this.#verdicts);
      this.#verdicts = verdicts;
    }
    const known = this.#verdicts[set]!;
    if (known !== UNSEEN) return known === MATCHES;
    const isMatch = namesOf(set).some((name) => this.#pattern.test(name));
    this.#verdicts[set] = isMatch ? MATCHES : DIFFERS;
    return isMatch;
  }
}
