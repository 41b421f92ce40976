// Interned next hops with what the outside says about them. Until somebody tells otherwise a next hop counts
// as reachable at metric 0. Bound: next hops in use; freed with the last attribute set that names them.
import { formatWords, needsZone, octetsOfWords, withZone } from '#ip';
import { IdPool } from '../../columns/id-pool.ts';

/** Told which next hops matter; answers come back through Speaker.updateNextHop. */
export interface NextHopTracker {
  track(address: string, device: string | undefined): void;
  untrack(address: string, device: string | undefined): void;
}

interface NextHopEntry {
  readonly key: string | number;
  readonly address: string;
  /** Set for a link-local address: the link it is on. */
  readonly device: string | undefined;
  /** As it goes on the wire: 4, 16, or 32 bytes (global and link-local, RFC 2545). */
  readonly bytes: Uint8Array;
  references: number;
}

export class NextHops {
  readonly #ids = new IdPool();
  readonly #entries: (NextHopEntry | undefined)[] = [];
  /** IPv4 addresses as numbers, everything else as text. */
  readonly #byKey = new Map<string | number, number>();
  #tracker: NextHopTracker | undefined;
  /** By id: 1 reachable. */
  reachable = new Uint8Array(64);
  /** By id: IGP metric, lower is better. */
  metric = new Float64Array(64);
  /** By id: changed since the routes that use it were looked at. */
  changed = new Uint8Array(64);
  /** By id: 0 IPv4, 1 IPv6. */
  family = new Uint8Array(64);
  /** By id: slot of the established peer whose own address this is, else -1 (such a route must not go to it). */
  owner = new Int32Array(64).fill(-1);
  /** By id: 1 for an address of this speaker. */
  isOwn = new Uint8Array(64);
  /** Own addresses as text; routes through them are loops (RFC 4271 section 5.1.3). */
  readonly #ownAddresses = new Set<string>();
  /** How many are unreachable now: 0 lets the decision skip the check. */
  unreachableCount = 0;
  /** True when some metric is not 0. */
  hasMetrics = false;
  /** Slots with an established session to the address, the one that counts first: usually one. */
  readonly #slotsByAddress = new Map<string, readonly number[]>();
  /** Ids by the address (and link) that is used: several when they differ in what else goes on the wire. */
  readonly #idsByAddress = new Map<string, Set<number>>();

  get count(): number {
    return this.#ids.used;
  }

  setTracker(tracker: NextHopTracker | undefined): void {
    this.#tracker = tracker;
    for (const [id] of this.#idsByAddress.values()) {
      const entry = this.#entries[id!];
      if (entry !== undefined) tracker?.track(entry.address, entry.device);
    }
  }

  /** The id of an IPv4 next hop (signed 32-bit word), with a new reference. */
  intern4(word: number): number {
    const known = this.#byKey.get(word);
    if (known === undefined) return this.#add(word, [word], [word], undefined);
    this.#entries[known]!.references++;
    return known;
  }

  /** The id of a known IPv4 next hop, without a reference, or -1. */
  find4(word: number): number {
    return this.#byKey.get(word) ?? -1;
  }

  /**
   * The id of an IPv6 next hop, with a new reference.
   * @param global four words, or undefined for a link-local one alone
   * @param linkLocal four words, or undefined
   * @param device the session's link, when it is bound to one: then the link-local address is the one that is used,
   *   as the global one need not be on the link (RFC 2545 section 3); it is needed when there is no global address
   */
  intern6(
    global: readonly number[] | undefined,
    linkLocal: readonly number[] | undefined,
    device: string | undefined,
  ): number {
    const link = linkLocal === undefined ? undefined : device;
    const key = `${global?.join(',') ?? ''}|${linkLocal?.join(',') ?? ''}|${link ?? ''}`;
    const known = this.#byKey.get(key);
    if (known === undefined) {
      const used = link === undefined ? (global ?? linkLocal) : linkLocal;
      return this.#add(key, used ?? [0, 0, 0, 0], [...(global ?? []), ...(linkLocal ?? [])], link);
    }
    this.#entries[known]!.references++;
    return known;
  }

  hold(id: number): void {
    this.#entries[id]!.references++;
  }

  release(id: number): void {
    const entry = this.#entries[id]!;
    if (--entry.references > 0) return;
    this.#entries[id] = undefined;
    this.#byKey.delete(entry.key);
    const isLast = this.#dropAddress(withZone(entry.address, entry.device), id);
    if (this.reachable[id] === 0) this.unreachableCount--;
    this.#ids.free(id);
    if (isLast) this.#tracker?.untrack(entry.address, entry.device);
  }

  read(id: number): { readonly address: string; readonly device?: string } {
    const entry = this.#entries[id];
    if (entry === undefined) return { address: '' };
    const { address, device } = entry;
    return device === undefined ? { address } : { address, device };
  }

  bytes(id: number): Uint8Array {
    return this.#entries[id]!.bytes;
  }

  /** Returns true when a route may be decided differently now; `changed` is set for those ids. */
  update(address: string, isReachable: boolean, metric: number, device: string | undefined): boolean {
    let any = false;
    const now = isReachable ? 1 : 0;
    for (const id of this.#idsByAddress.get(withZone(address, device)) ?? []) {
      if (this.reachable[id] === now && this.metric[id] === metric) continue;
      this.unreachableCount += this.reachable[id]! - now;
      this.reachable[id] = now;
      this.metric[id] = metric;
      this.changed[id] = 1;
      any = true;
    }
    if (any && metric !== 0) this.hasMetrics = true;
    return any;
  }

  /** All routes were looked at since the last change. */
  settle(): void {
    this.changed.fill(0);
  }

  /** Routes through an address of our own are loops. */
  addOwnAddress(address: string): void {
    if (this.#ownAddresses.has(address)) return;
    this.#ownAddresses.add(address);
    for (let id = 0; id < this.#entries.length; id++) {
      if (this.#entries[id]?.address === address) this.isOwn[id] = 1;
    }
  }

  /**
   * A peer with that address came up or went down. True when it is the next hop of some route.
   * @param device its session's link: link-local addresses are told apart by it
   */
  setOwner(address: string, slot: number, device: string | undefined, isUp: boolean): boolean {
    let isUsed = false;
    const link = needsZone(address) ? device : undefined;
    const key = withZone(address, link);
    const others = (this.#slotsByAddress.get(key) ?? []).filter((other) => other !== slot);
    const slots = isUp ? [...others, slot] : others;
    if (slots.length === 0) this.#slotsByAddress.delete(key);
    else this.#slotsByAddress.set(key, slots);
    for (const id of this.#idsByAddress.get(key) ?? []) {
      this.owner[id] = slots[0] ?? -1;
      isUsed = true;
    }
    return isUsed;
  }

  /** @param words the address that is used; @param wire all of the next hop as it goes on the wire */
  #add(
    key: string | number,
    words: readonly number[],
    wire: readonly number[],
    device: string | undefined,
  ): number {
    const address = formatWords(words);
    const family = words.length === 1 ? 0 : 1;
    const bytes = octetsOfWords(wire);
    const id = this.#ids.take();
    if (id >= this.reachable.length) this.#grow();
    this.#entries[id] = { key, address, device, bytes, references: 1 };
    this.#byKey.set(key, id);
    const used = withZone(address, device);
    const others = this.#idsByAddress.get(used);
    this.reachable[id] = 1;
    this.metric[id] = 0;
    if (others === undefined) {
      this.#idsByAddress.set(used, new Set([id]));
    } else {
      const [known] = others;
      this.reachable[id] = this.reachable[known!]!;
      this.metric[id] = this.metric[known!]!;
      if (this.reachable[id] === 0) this.unreachableCount++;
      others.add(id);
    }
    this.changed[id] = 0;
    this.family[id] = family;
    this.owner[id] = this.#slotsByAddress.get(used)?.[0] ?? -1;
    this.isOwn[id] = this.#ownAddresses.has(address) ? 1 : 0;
    if (others === undefined) this.#tracker?.track(address, device);
    return id;
  }

  /** True when it was the last one with this address. */
  #dropAddress(key: string, id: number): boolean {
    const ids = this.#idsByAddress.get(key);
    ids?.delete(id);
    if (ids !== undefined && ids.size > 0) return false;
    this.#idsByAddress.delete(key);
    return true;
  }

  #grow(): void {
    const size = this.reachable.length * 2;
    const copy = <T extends Uint8Array | Float64Array | Int32Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.reachable = copy(this.reachable, new Uint8Array(size));
    this.metric = copy(this.metric, new Float64Array(size));
    this.changed = copy(this.changed, new Uint8Array(size));
    this.family = copy(this.family, new Uint8Array(size));
    this.isOwn = copy(this.isOwn, new Uint8Array(size));
    this.owner = copy(this.owner, new Int32Array(size).fill(-1));
  }
}
