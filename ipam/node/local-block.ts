// One block of this node in memory: which of its addresses are in use. Every address of a block is usable, the first
// and the last too: pods have /32 and /128 routes, so a block has no network or broadcast address. Of a block larger
// than 65,536 addresses (a podCIDR such as fd00::/64) the first 65,536 are used.
import {
  addressCount,
  contains,
  type Family,
  formatAddress,
  formatPrefix,
  nthAddress,
  parseAddress,
  type Prefix,
} from '#ip';
import { FreeList } from './free-list.ts';
import type { Block, BlockUsage } from './types.ts';

const MAX_ADDRESSES = 65_536n;

export class LocalBlock {
  readonly prefix: Prefix;
  readonly cidr: string;
  /** Undefined for one from Node.spec.podCIDRs. */
  readonly pool: string | undefined;
  readonly capacity: number;
  state: BlockUsage['state'] = 'active';
  /** Monotonic; undefined while an address is in use. */
  emptySinceMs: number | undefined;
  readonly #free: FreeList;
  /** 1: an IPReservation covers it; it is out of the free list. */
  readonly #reserved: Uint8Array;
  /** Reserved addresses that are in use nevertheless: asked for by address, or in use before. */
  readonly #heldReserved = new Set<number>();
  #reservedCount = 0;
  #used = 0;

  constructor(prefix: Prefix, pool: string | undefined, nowMs: number) {
    this.prefix = prefix;
    this.cidr = formatPrefix(prefix);
    this.pool = pool;
    const count = addressCount(prefix);
    this.capacity = Number(count < MAX_ADDRESSES ? count : MAX_ADDRESSES);
    this.#free = new FreeList(this.capacity);
    this.#reserved = new Uint8Array(this.capacity);
    this.emptySinceMs = nowMs;
  }

  get family(): Family {
    return this.prefix.family;
  }
  get used(): number {
    return this.#used;
  }
  get free(): number {
    return this.#free.count;
  }

  describe(): Block {
    return { family: this.family, cidr: this.cidr, ...(this.pool === undefined ? {} : { pool: this.pool }) };
  }

  usage(): BlockUsage {
    return {
      ...this.describe(),
      state: this.state,
      capacity: this.capacity,
      used: this.#used,
      reserved: this.#reservedCount,
      free: this.free,
    };
  }

  /** The place of an address in this block; -1 when it is elsewhere (or behind the first 65,536). */
  indexOf(address: string): number {
    const parsed = parseAddress(address);
    if (parsed === undefined || !contains(this.prefix, parsed)) return -1;
    const index = parsed.value - this.prefix.value;
    return index < BigInt(this.capacity) ? Number(index) : -1;
  }

  addressAt(index: number): string {
    return formatAddress(nthAddress(this.prefix, index)!);
  }

  /** When the next address to be given out became free (monotonic); undefined when none is. */
  oldestFreedAtMs(): number | undefined {
    const index = this.#free.oldest;
    return index < 0 ? undefined : this.#free.freedAtMs(index);
  }

  /** Gives out the address that has been free longest. */
  takeOldest(): string | undefined {
    const index = this.#free.oldest;
    if (index < 0) return undefined;
    this.#take(index);
    return this.addressAt(index);
  }

  /** Gives out this one, reserved or not. False when it is in use. */
  take(index: number): boolean {
    if (this.isUsed(index)) return false;
    this.#take(index);
    return true;
  }

  isUsed(index: number): boolean {
    return !this.#free.isFree(index) && !(this.#reserved[index] === 1 && !this.#heldReserved.has(index));
  }

  release(index: number, nowMs: number): void {
    if (!this.isUsed(index)) return;
    this.#used--;
    this.#heldReserved.delete(index);
    if (this.#reserved[index] === 0) this.#free.free(index, nowMs);
    if (this.#used === 0) this.emptySinceMs = nowMs;
  }

  /** Moves a free address behind all others, as if it were freed now. */
  touch(index: number, nowMs: number): void {
    if (this.#free.take(index)) this.#free.free(index, nowMs);
  }

  /** Takes the addresses under these prefixes out of what is given out unasked; others come back. */
  setReservations(prefixes: readonly Prefix[]): void {
    const here = prefixes.filter((p) => contains(p, this.prefix) || contains(this.prefix, p));
    for (let index = 0; index < this.capacity; index++) {
      const address = { family: this.family, value: this.prefix.value + BigInt(index) };
      const isReserved = here.some((p) => contains(p, address));
      if (isReserved === (this.#reserved[index] === 1)) continue;
      const wasUsed = this.isUsed(index);
      this.#reserved[index] = isReserved ? 1 : 0;
      this.#reservedCount += isReserved ? 1 : -1;
      if (wasUsed) {
        if (isReserved) this.#heldReserved.add(index);
        else this.#heldReserved.delete(index);
      } else if (isReserved) this.#free.take(index);
      else this.#free.free(index, Number.NEGATIVE_INFINITY);
    }
  }

  #take(index: number): void {
    this.#free.take(index);
    if (this.#reserved[index] === 1) this.#heldReserved.add(index);
    this.#used++;
    this.emptySinceMs = undefined;
  }
}
