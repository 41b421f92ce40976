// What the node holds, in memory: blocks, allocations, addresses of links that the journal does not know, and the
// newest releases (so that a restart does not forget which addresses were freed last). No disk, no store, no timers.
import { FAMILIES, type Family, parsePrefix, type Prefix } from '#ip';
import type { JournalRecord } from './journal-record.ts';
import { LocalBlock } from './local-block.ts';
import { hostLinkName, ownerKey } from './owner-key.ts';
import { type Addresses, type Allocation, type CheckReport, type Owner } from './types.ts';

/** Releases that a rewritten journal still carries. */
const RELEASES_KEPT = 256;

type AttachmentRecord = Extract<JournalRecord, { key: string }>;

export class IpamState {
  /** In the order in which they were claimed: the first are filled first. */
  readonly blocks: LocalBlock[] = [];
  /** By owner key. Bounded by the addresses of the blocks. */
  readonly allocations = new Map<string, Allocation>();
  /** Address → name of the host link that uses it. */
  readonly adopted = new Map<string, string>();
  #releases: AttachmentRecord[] = [];
  #reservations: readonly Prefix[] = [];

  blocksOf(family: Family): LocalBlock[] {
    return this.blocks.filter((block) => block.family === family);
  }

  blockWith(address: string): { block: LocalBlock; index: number } | undefined {
    for (const block of this.blocks) {
      const index = block.indexOf(address);
      if (index >= 0) return { block, index };
    }
    return undefined;
  }

  holdsBlock(cidr: string): LocalBlock | undefined {
    return this.blocks.find((block) => block.cidr === cidr);
  }

  /** Adds a block; what is allocated inside it already is marked so. */
  addBlock(prefix: Prefix, pool: string | undefined, nowMs: number): LocalBlock {
    const block = new LocalBlock(prefix, pool, nowMs);
    this.blocks.push(block);
    block.setReservations(this.#reservations);
    for (const release of this.#releases) {
      for (const address of addressesOf(release.addresses)) {
        const index = block.indexOf(address);
        if (index >= 0) block.touch(index, nowMs);
      }
    }
    for (const { addresses } of this.allocations.values()) {
      for (const address of addressesOf(addresses)) this.#takeIn(block, address);
    }
    for (const address of this.adopted.keys()) this.#takeIn(block, address);
    return block;
  }

  removeBlock(block: LocalBlock): void {
    const at = this.blocks.indexOf(block);
    if (at >= 0) this.blocks.splice(at, 1);
  }

  setReservations(cidrs: readonly string[]): void {
    this.#reservations = cidrs.map(parsePrefix).filter((prefix) => prefix !== undefined);
    for (const block of this.blocks) block.setReservations(this.#reservations);
  }

  /**
   * The address that has been free longest in the first block that has one free for cooldownMs; when all were freed
   * later than that, the one freed longest ago.
   */
  takeFree(family: Family, nowMs: number, cooldownMs: number): string | undefined {
    let best: LocalBlock | undefined;
    let bestFreedAtMs = Number.POSITIVE_INFINITY;
    for (const block of this.blocks) {
      if (block.family !== family || block.state !== 'active') continue;
      const freedAtMs = block.oldestFreedAtMs();
      if (freedAtMs === undefined) continue;
      if (freedAtMs + cooldownMs <= nowMs) return block.takeOldest();
      if (freedAtMs < bestFreedAtMs) {
        best = block;
        bestFreedAtMs = freedAtMs;
      }
    }
    return best?.takeOldest();
  }

  /** Takes back addresses that were picked, but not allocated. */
  putBack(addresses: Addresses, nowMs: number): void {
    for (const address of addressesOf(addresses)) {
      const place = this.blockWith(address);
      place?.block.release(place.index, nowMs);
    }
  }

  /** Remembers picked addresses as the owner's. Returns what the journal is to say. */
  allocate(owner: Owner, addresses: Addresses, atMs: number): AttachmentRecord {
    const key = ownerKey(owner);
    this.allocations.set(key, { owner, addresses, allocatedAtMs: atMs });
    return { type: 'allocate', key, owner, addresses, atMs };
  }

  /** Frees what the owner holds, also as an unknown link; undefined when the journal has nothing to say about it. */
  release(key: string, nowMs: number, atMs: number): AttachmentRecord | undefined {
    const link = hostLinkName(key);
    for (const [address, name] of this.adopted) {
      if (name !== link) continue;
      this.abandon(address, nowMs);
    }
    const allocation = this.allocations.get(key);
    if (allocation === undefined) return undefined;
    this.allocations.delete(key);
    this.putBack(allocation.addresses, nowMs);
    const record: AttachmentRecord = {
      type: 'release',
      key,
      owner: allocation.owner,
      addresses: allocation.addresses,
      atMs,
    };
    this.#rememberRelease(record);
    return record;
  }

  /** Holds an address that a link on this host uses although no allocation has it. False when one has. */
  adopt(address: string, link: string): boolean {
    for (const [key, { addresses }] of this.allocations) {
      if (hostLinkName(key) === link && addressesOf(addresses).includes(address)) return false;
    }
    if (this.adopted.has(address)) return false;
    const place = this.blockWith(address);
    if (place !== undefined && !place.block.take(place.index)) return false;
    this.adopted.set(address, link);
    return true;
  }

  /** Adopted no longer; false when it was not. */
  abandon(address: string, nowMs: number): boolean {
    if (!this.adopted.delete(address)) return false;
    this.putBack({ ipv4: address }, nowMs);
    return true;
  }

  /** Held against the attachments that are alive: of one network, or of all. */
  compare(live: readonly Pick<Owner, 'containerId' | 'ifname'>[], network: string | undefined): CheckReport {
    const alive = new Set(live.map(ownerKey));
    const all = [...this.allocations];
    const concerned = all.filter(([, { owner }]) => network === undefined || owner.network === network);
    return {
      leaked: concerned.filter(([key]) => !alive.has(key)).map(([, allocation]) => allocation),
      missing: live
        .filter((owner) => !this.allocations.has(ownerKey(owner)))
        .map(({ containerId, ifname }) => ({ containerId, ifname })),
      outside: all
        .filter(([, { addresses }]) => addressesOf(addresses).some((a) => this.blockWith(a) === undefined))
        .map(([, allocation]) => allocation),
    };
  }

  /** The records whose replay gives this state. */
  snapshot(node: string, atMs: number): JournalRecord[] {
    const records: JournalRecord[] = [{ type: 'head', node, atMs }];
    for (const { cidr, pool } of this.blocks) records.push({ type: 'holdBlock', cidr, pool, atMs });
    records.push(...this.#releases);
    for (const [key, { owner, addresses, allocatedAtMs }] of this.allocations) {
      records.push({ type: 'allocate', key, owner, addresses, atMs: allocatedAtMs });
    }
    return records;
  }

  /** Builds the state from the journal's records. Returns the node that wrote them. */
  replay(records: readonly JournalRecord[], nowMs: number): string | undefined {
    let node: string | undefined;
    const blocks = new Map<string, string | undefined>();
    const holders = new Map<string, string>();
    for (const record of records) {
      switch (record.type) {
        case 'head':
          node = record.node;
          break;
        case 'holdBlock':
          blocks.set(record.cidr, record.pool);
          break;
        case 'returnBlock':
          blocks.delete(record.cidr);
          break;
        case 'allocate': {
          const { key, owner, addresses, atMs } = record;
          // An address that a later record gives to somebody else was released by one that got lost.
          for (const address of addressesOf(addresses)) {
            const before = holders.get(address);
            if (before !== undefined && before !== key && this.#has(before, address))
              this.allocations.delete(before);
            holders.set(address, key);
          }
          this.allocations.set(key, { owner, addresses, allocatedAtMs: atMs });
          break;
        }
        case 'release':
          this.allocations.delete(record.key);
          for (const address of addressesOf(record.addresses)) holders.delete(address);
          this.#rememberRelease(record);
          break;
      }
    }
    for (const [cidr, pool] of blocks) this.addBlock(parsePrefix(cidr)!, pool, nowMs);
    return node;
  }

  #has(key: string, address: string): boolean {
    const allocation = this.allocations.get(key);
    return allocation !== undefined && addressesOf(allocation.addresses).includes(address);
  }

  #takeIn(block: LocalBlock, address: string): void {
    const index = block.indexOf(address);
    if (index >= 0) block.take(index);
  }

  #rememberRelease(record: AttachmentRecord): void {
    this.#releases.push(record);
    if (this.#releases.length > 2 * RELEASES_KEPT) this.#releases = this.#releases.slice(-RELEASES_KEPT);
  }
}

export function addressesOf(addresses: Addresses): string[] {
  return FAMILIES.map((family) => addresses[family]).filter((address) => address !== undefined);
}
