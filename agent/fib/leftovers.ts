// Own routes that are in the kernel beside the one that counts, or with contents that are not known: of an older metric,
// or changed by somebody else. Each is a metric of a prefix; it goes once the prefix has what it should have.
// Bound: prefixes whose metric is being changed, or whose route somebody changed.

export class Leftovers {
  /** Metrics by prefix id. */
  readonly #all = new Map<number, readonly number[]>();

  /** One of them, or 0: own routes have metrics. */
  of(id: number): number {
    return this.#all.size === 0 ? 0 : (this.#all.get(id)?.[0] ?? 0);
  }

  has(id: number, metric: number): boolean {
    return this.#all.size > 0 && this.#all.get(id)?.includes(metric) === true;
  }

  add(id: number, metric: number): void {
    if (!this.has(id, metric)) this.#all.set(id, [...(this.#all.get(id) ?? []), metric]);
  }

  drop(id: number, metric: number): void {
    if (!this.has(id, metric)) return;
    const left = this.#all.get(id)!.filter((other) => other !== metric);
    if (left.length === 0) this.#all.delete(id);
    else this.#all.set(id, left);
  }

  /** Forgets all; returns the prefixes that had one. */
  clear(): number[] {
    const ids = [...this.#all.keys()];
    this.#all.clear();
    return ids;
  }
}
