// Interned next hops with what the outside says about them. Until somebody tells otherwise a next hop counts
// as reachable at metric 0. Bound: next hops in use; freed with the last attribute set that names them.
import { formatWords, needsZone, octetsOfWords, withZone } from '#ip';
import { LINKS_UNKNOWN, NO_LINKS } from '../../policy/link-pattern.ts';
import { IdPool } from '../../columns/id-pool.ts';
import { SecretWords } from '../../columns/secret-words.ts';

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
  /** As it came on the wire: 4, 16, or 32 bytes (global and link-local, RFC 2545). */
  readonly bytes: Uint8Array;
  /** What of it means something on every link; undefined for a link-local address alone. */
  readonly global: Uint8Array | undefined;
  references: number;
}

/** Bits of NextHops.changed: its reachability or metric, what rules ask (isOwn, isOffLink), over which interfaces. */
export const HOP_REACH_CHANGED = 1;
export const HOP_RULE_CHANGED = 2;
export const HOP_LINKS_CHANGED = 4;

export class NextHops {
  readonly #ids = new IdPool();
  readonly #entries: (NextHopEntry | undefined)[] = [];
  /** IPv4 addresses as secret words (neighbours choose them), everything else as text. */
  readonly #byKey = new Map<string | number, number>();
  readonly #secret: SecretWords;
  #tracker: NextHopTracker | undefined;
  /** By id: 1 reachable. */
  reachable = new Uint8Array(64);
  /** By id: IGP metric, lower is better. */
  metric = new Float64Array(64);
  /** By id: HOP_* bits of what changed since the routes that use it were looked at. */
  changed = new Uint8Array(64);
  /** By id: the number of the set of interfaces over which it is reached, LINKS_UNKNOWN until somebody tells. */
  links = new Int32Array(64);
  /** Interfaces by number of the set. Bound: the sets that next hops were ever reached over. */
  readonly #linkSets: (readonly string[])[] = [[], []];
  readonly #linkSetOf = new Map<string, number>([['', NO_LINKS]]);
  /** Some policy has decided by interfaces: routes are looked at again when those of their next hops change. */
  areLinksAsked = false;
  /** By id: 0 IPv4, 1 IPv6. */
  family = new Uint8Array(64);
  /**
   * By id: number of the neighbours' address that this is, else -1: such a route must go to none of the established
   * peers there (several sessions may share an address).
   */
  owner = new Int32Array(64).fill(-1);
  /** By slot: number of the address that its established session goes to, else -1. */
  addressOf = new Int32Array(64).fill(-1);
  /** By id: 1 for an address of this speaker. */
  isOwn = new Uint8Array(64);
  /** By id: 1 for one that is reached through another router, and so is on no link of this speaker. */
  isOffLink = new Uint8Array(64);
  /**
   * Own addresses, link-local ones with their link, and how many sessions use each: routes through them are loops
   * (RFC 4271 section 5.1.3). Bound: five a session.
   */
  readonly #ownUsers = new Map<string, number>();
  /** How many are unreachable now: 0 lets the decision skip the check. */
  unreachableCount = 0;
  /** True when some metric is not 0. */
  hasMetrics = false;
  /** Numbers of addresses that established sessions go to. Bound: as many as sessions. */
  readonly #addressIds = new IdPool();
  readonly #addressNumbers = new Map<string, number>();
  /** By number of an address: the slots of the established sessions to it, usually one. */
  readonly #slotsAt: (readonly number[])[] = [];
  /** By id: 1 for one with a link-local address, which goes out only on its link. */
  needsLink = new Uint8Array(64);
  /** Ids by the address (and link) that is used: several when they differ in what else goes on the wire. */
  readonly #idsByAddress = new Map<string, Set<number>>();
  /** Slot of the peer whose next hops are interned at the moment: who brings a new one is charged with it. */
  payer = 0;
  /** By id: who is charged. */
  #payerOf = new Uint16Array(64);
  /** By slot: how many. */
  #charged = new Int32Array(64);

  /** @param seed secret */
  constructor(seed: number) {
    this.#secret = new SecretWords(seed);
  }

  get count(): number {
    return this.#ids.used;
  }

  /** Next hops that a peer brought and that are kept. */
  chargedTo(slot: number): number {
    return this.#charged[slot] ?? 0;
  }

  /** The slot goes to another peer: what is left of its next hops (others use them) is charged to nobody. */
  acquit(slot: number): void {
    if (this.chargedTo(slot) === 0) return;
    for (let id = 0; id < this.#ids.end; id++) if (this.#payerOf[id] === slot) this.#charge(id, 0);
  }

  #charge(id: number, slot: number): void {
    if (slot >= this.#charged.length) {
      const charged = new Int32Array(slot * 2);
      charged.set(this.#charged);
      this.#charged = charged;
    }
    const before = this.#payerOf[id]!;
    if (this.#entries[id] !== undefined) this.#charged[before] = this.#charged[before]! - 1;
    this.#payerOf[id] = slot;
    this.#charged[slot] = this.#charged[slot]! + 1;
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
    const key = this.#secret.of(word);
    const known = this.#byKey.get(key);
    if (known === undefined) return this.#add(key, [word], octetsOfWords([word]), undefined, undefined);
    this.#entries[known]!.references++;
    return known;
  }

  /** The id of a known IPv4 next hop, without a reference, or -1. */
  find4(word: number): number {
    return this.#byKey.get(this.#secret.of(word)) ?? -1;
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
      const wire = octetsOfWords([...(global ?? []), ...(linkLocal ?? [])]);
      return this.#add(key, used ?? [0, 0, 0, 0], wire, global && octetsOfWords(global), link);
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
    const payer = this.#payerOf[id]!;
    this.#charged[payer] = this.#charged[payer]! - 1;
    this.#byKey.delete(entry.key);
    const isLast = this.#dropAddress(withZone(entry.address, entry.device), id);
    if (this.reachable[id] === 0) this.unreachableCount--;
    this.#ids.free(id);
    if (isLast) this.#tracker?.untrack(entry.address, entry.device);
  }

  read(id: number): { readonly address: string; readonly device?: string } {
    const { address, device } = this.#entries[id] ?? { address: '', device: undefined };
    return device === undefined ? { address } : { address, device };
  }

  /** As it came: 4, 16 or 32 bytes. */
  wire(id: number): Uint8Array {
    return this.#entries[id]!.bytes;
  }

  /** Do two ids (-1: none) stand for one address on one link? */
  isSame(a: number, b: number): boolean {
    if (a === b || a < 0 || b < 0 || this.family[a] === 0 || this.family[b] === 0) return a === b;
    const [x, y] = [this.#entries[a]!, this.#entries[b]!];
    return x.address === y.address && x.device === y.device;
  }

  /**
   * What goes out unchanged to sessions on a link (undefined: none is known): a link-local address only where the
   * neighbours share its link (RFC 2545 section 3, TX-10). Undefined when nothing is left that they could use.
   */
  bytesFor(id: number, link: string | undefined): Uint8Array | undefined {
    const { bytes, global, device } = this.#entries[id]!;
    return this.needsLink[id] === 0 || (link !== undefined && link === device) ? bytes : global;
  }

  /** Is it the address that the peer's own session goes to? */
  isOfPeer(id: number, slot: number): boolean {
    const number = this.owner[id]!;
    return number >= 0 && this.addressOf[slot] === number;
  }

  /** As Speaker.updateNextHop. True when a route may be decided differently now: `changed` is set for those ids. */
  update(
    address: string,
    isReachable: boolean,
    metric: number,
    device?: string,
    interfaces?: readonly string[],
    isOnLink = true,
  ): boolean {
    let any = false;
    const [now, isOffLink] = [isReachable ? 1 : 0, isReachable && !isOnLink ? 1 : 0];
    const links = interfaces === undefined ? LINKS_UNKNOWN : this.#linkSet(interfaces);
    for (const id of this.#idsByAddress.get(withZone(address, device)) ?? []) {
      if (this.links[id] !== links) {
        this.links[id] = links;
        if (this.areLinksAsked) {
          this.changed[id] = this.changed[id]! | HOP_LINKS_CHANGED;
          any = true;
        }
      }
      if (this.isOffLink[id] !== isOffLink) {
        this.isOffLink[id] = isOffLink;
        this.changed[id] = this.changed[id]! | HOP_RULE_CHANGED;
        any = true;
      }
      if (this.reachable[id] === now && this.metric[id] === metric) continue;
      this.unreachableCount += this.reachable[id]! - now;
      this.reachable[id] = now;
      this.metric[id] = metric;
      this.changed[id] = this.changed[id]! | HOP_REACH_CHANGED;
      any = true;
    }
    if (any && metric !== 0) this.hasMetrics = true;
    return any;
  }

  linkNames(links: number): readonly string[] {
    return this.#linkSets[links] ?? [];
  }

  #linkSet(interfaces: readonly string[]): number {
    const names = [...new Set(interfaces)].sort();
    const key = names.join(' ');
    let set = this.#linkSetOf.get(key);
    if (set === undefined) {
      set = this.#linkSets.push(names) - 1;
      this.#linkSetOf.set(key, set);
    }
    return set;
  }

  /** All routes were looked at since the last change. */
  settle(): void {
    this.changed.fill(0);
  }

  /**
   * A session used addresses of ours, and uses others from now on (link-local ones with their links). Returns true
   * when routes must be looked at again: `changed` is set for their next hops.
   */
  replaceOwnAddresses(before: readonly string[], now: readonly string[]): boolean {
    let isChanged = false;
    // First the new ones: what stays must not be gone for a moment.
    for (const key of now) if (this.#useOwnAddress(key, 1)) isChanged = true;
    for (const key of before) if (this.#useOwnAddress(key, -1)) isChanged = true;
    return isChanged;
  }

  #useOwnAddress(key: string, by: 1 | -1): boolean {
    const before = this.#ownUsers.get(key) ?? 0;
    const users = before + by;
    if (users === 0) this.#ownUsers.delete(key);
    else this.#ownUsers.set(key, users);
    const isOwn = users > 0 ? 1 : 0;
    if (before > 0 === users > 0) return false;
    let isUsed = false;
    for (const id of this.#idsByAddress.get(key) ?? []) {
      this.isOwn[id] = isOwn;
      this.changed[id] = this.changed[id]! | HOP_RULE_CHANGED;
      isUsed = true;
    }
    return isUsed;
  }

  /**
   * A peer with that address came up or went down. True when it is the next hop of some route.
   * @param device its session's link: link-local addresses are told apart by it
   */
  setOwner(address: string, slot: number, device: string | undefined, isUp: boolean): boolean {
    let isUsed = false;
    const key = withZone(address, needsZone(address) ? device : undefined);
    const number = this.#addressNumbers.get(key) ?? this.#addressIds.take();
    const others = this.slotsAt(number).filter((other) => other !== slot);
    const slots = isUp ? [...others, slot] : others;
    this.#slotsAt[number] = slots;
    if (slot >= this.addressOf.length) {
      this.addressOf = grown(this.addressOf, new Int32Array(slot * 2).fill(-1));
    }
    this.addressOf[slot] = isUp ? number : -1;
    if (slots.length > 0) {
      this.#addressNumbers.set(key, number);
    } else {
      this.#addressNumbers.delete(key);
      this.#addressIds.free(number);
    }
    for (const id of this.#idsByAddress.get(key) ?? []) {
      this.owner[id] = slots.length > 0 ? number : -1;
      isUsed = true;
    }
    return isUsed;
  }

  /** Established peers at an address, by its number: `owner` of a next hop. */
  slotsAt(number: number): readonly number[] {
    return this.#slotsAt[number] ?? [];
  }

  /** @param words the address that is used; @param bytes all of the next hop; @param global what of it is global */
  #add(
    key: string | number,
    words: readonly number[],
    bytes: Uint8Array,
    global: Uint8Array | undefined,
    device: string | undefined,
  ): number {
    const address = formatWords(words);
    const family = words.length === 1 ? 0 : 1;
    const id = this.#ids.take();
    if (id >= this.reachable.length) this.#grow();
    this.#charge(id, this.payer);
    this.#entries[id] = { key, address, device, bytes, global, references: 1 };
    this.#byKey.set(key, id);
    const used = withZone(address, device);
    const others = this.#idsByAddress.get(used);
    this.reachable[id] = 1;
    this.metric[id] = 0;
    this.links[id] = LINKS_UNKNOWN;
    this.isOffLink[id] = 0;
    if (others === undefined) {
      this.#idsByAddress.set(used, new Set([id]));
    } else {
      const [known] = others;
      this.reachable[id] = this.reachable[known!]!;
      this.metric[id] = this.metric[known!]!;
      this.links[id] = this.links[known!]!;
      this.isOffLink[id] = this.isOffLink[known!]!;
      if (this.reachable[id] === 0) this.unreachableCount++;
      others.add(id);
    }
    this.changed[id] = 0;
    this.family[id] = family;
    this.owner[id] = this.#addressNumbers.get(used) ?? -1;
    this.isOwn[id] = this.#ownUsers.has(used) ? 1 : 0;
    this.needsLink[id] = family === 1 && bytes.length !== global?.length ? 1 : 0;
    if (others === undefined) this.#tracker?.track(address, device);
    return id;
  }

  /** True when it was the last one with this address. */
  #dropAddress(key: string, id: number): boolean {
    const ids = this.#idsByAddress.get(key);
    ids?.delete(id);
    if (ids !== undefined && ids.size > 0) return false;
    return this.#idsByAddress.delete(key);
  }

  #grow(): void {
    const size = this.reachable.length * 2;
    this.reachable = grown(this.reachable, new Uint8Array(size));
    this.metric = grown(this.metric, new Float64Array(size));
    this.links = grown(this.links, new Int32Array(size));
    this.changed = grown(this.changed, new Uint8Array(size));
    this.family = grown(this.family, new Uint8Array(size));
    this.isOwn = grown(this.isOwn, new Uint8Array(size));
    this.isOffLink = grown(this.isOffLink, new Uint8Array(size));
    this.needsLink = grown(this.needsLink, new Uint8Array(size));
    this.#payerOf = grown(this.#payerOf, new Uint16Array(size));
    this.owner = grown(this.owner, new Int32Array(size).fill(-1));
  }
}

function grown<T extends Uint8Array | Uint16Array | Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
