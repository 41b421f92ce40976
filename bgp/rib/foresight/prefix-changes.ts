// Prefixes that would be there and are not, would be gone, or would be otherwise: counted all, named as far as a reply may be
// long.

/** Prefixes named of each sort; the rest is counted. */
const MOST_NAMED = 1000;
/** And of all sorts of all neighbours: 50,000 are a reply of 1 MiB. */
const MOST_NAMED_IN_ALL = 50_000;

export interface PrefixCount {
  readonly count: number;
  /** At most 1,000. */
  readonly first: readonly string[];
}

export interface PrefixChanges {
  readonly appear: PrefixCount;
  readonly vanish: PrefixCount;
  /** There now and then, and otherwise. */
  readonly change: PrefixCount;
}

/** Names that a reply has left. */
export class NamesLeft {
  #left = MOST_NAMED_IN_ALL;

  take(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }
}

class Names implements PrefixCount {
  count = 0;
  readonly first: string[] = [];
}

export class ChangedPrefixes {
  readonly #left: NamesLeft;
  readonly #appear = new Names();
  readonly #vanish = new Names();
  readonly #change = new Names();

  constructor(left: NamesLeft) {
    this.#left = left;
  }

  note(had: boolean, has: boolean, isOther: boolean, prefix: () => string): void {
    const names = had
      ? has
        ? isOther
          ? this.#change
          : undefined
        : this.#vanish
      : has
        ? this.#appear
        : undefined;
    if (names === undefined) return;
    names.count++;
    if (names.first.length < MOST_NAMED && this.#left.take()) names.first.push(prefix());
  }

  get found(): PrefixChanges {
    const [appear, vanish, change] = [this.#appear, this.#vanish, this.#change].map(({ count, first }) => ({
      count,
      first,
    }));
    return { appear: appear!, vanish: vanish!, change: change! };
  }
}
