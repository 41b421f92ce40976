// A fault of ours while the RIB works, outside of any message: the neighbour whose route was being looked at falls, with
// the route kept, and the rest goes on (SEC-4). What is noted in a turn is acted on at its end, when nothing is half done.
// Bound: one fault a neighbour and turn, MOST in all.
import {
  beginAnnounce,
  beginMpReach,
  CLASSIC_OVERHEAD,
  endAnnounce,
  endMpReach,
  MP_REACH_OVERHEAD,
  writeIpv4,
  writeIpv6,
} from '../message/index.ts';
import type { AttributeStore } from './attributes/attribute-store.ts';
import { CHANGED, NO_PEER, type RibTable } from './table/rib-table.ts';
import { LOCAL_SLOT } from './table/peer-slots.ts';

const MOST = 16;

export interface RibFault {
  /** Of the neighbour whose route it was; LOCAL_SLOT when it is nobody's. */
  readonly slot: number;
  readonly error: unknown;
  readonly table: RibTable | undefined;
  /** -1 when it is not known. */
  readonly prefix: number;
  /** A copy of the attributes as they are stored; empty when they are not known. */
  readonly attributes: Uint8Array;
}

/** The route of a fault as an UPDATE (without NEXT_HOP, which is stored apart); empty when it is not known. */
export function asUpdate({ table, prefix, attributes }: RibFault): Uint8Array {
  if (table === undefined || prefix < 0) return new Uint8Array(0);
  const { a0, a1, a2, a3, lengths } = table.prefixes;
  const length = attributes.length;
  const out = new Uint8Array(CLASSIC_OVERHEAD + MP_REACH_OVERHEAD + length + 17);
  if (table.family === 0) {
    const at = beginAnnounce(out, 0, attributes, 0, length);
    return out.subarray(0, endAnnounce(out, 0, writeIpv4(out, at, a0[prefix]!, lengths[prefix]!)));
  }
  const at = beginMpReach(out, 0, table.family, new Uint8Array(0), 0, 0);
  const end = writeIpv6(out, at, a0[prefix]!, a1[prefix]!, a2[prefix]!, a3[prefix]!, lengths[prefix]!);
  return out.subarray(0, endMpReach(out, 0, end, attributes, 0, length));
}

/** What is kept with it. @param route its prefix, '' when it is not known */
export function faultReason({ error }: RibFault, route: string): string {
  return `internal error over ${route === '' ? 'an unknown route' : route}: ${String(error)}`;
}

export class RibFaults {
  readonly #attributes: AttributeStore;
  #noted: RibFault[] = [];

  constructor(attributes: AttributeStore) {
    this.#attributes = attributes;
  }

  /** While a path was looked at. */
  path(error: unknown, table: RibTable, path: number): void {
    const slot = table.peer[path] ?? NO_PEER;
    if (slot === NO_PEER) this.other(error);
    else this.#note(error, slot, table, table.prefix[path]!, table.attribute[path]!);
  }

  /** While a prefix was looked at: what came last is suspected, else what is in use. */
  prefix(error: unknown, table: RibTable, prefix: number): void {
    let suspect = -1;
    for (let path = table.head[prefix]! - 1; path >= 0; path = table.next[path]! - 1) {
      if (table.peer[path] === LOCAL_SLOT) continue;
      if (suspect < 0 || (table.flags[path]! & ~table.flags[suspect]! & CHANGED) !== 0) suspect = path;
    }
    if (suspect >= 0) this.path(error, table, suspect);
    else this.#note(error, LOCAL_SLOT, table, prefix, -1);
  }

  /** While a set from a peer was put into a message. */
  set(error: unknown, table: RibTable, prefix: number, slot: number, set: number): void {
    this.#note(error, slot, table, prefix, set);
  }

  /** Nobody knows whose route it was. */
  other(error: unknown): void {
    this.#note(error, LOCAL_SLOT, undefined, -1, -1);
  }

  /** What was noted since the last call; mostly nothing. */
  take(): readonly RibFault[] {
    if (this.#noted.length === 0) return this.#noted;
    const noted = this.#noted;
    this.#noted = [];
    return noted;
  }

  #note(error: unknown, slot: number, table: RibTable | undefined, prefix: number, set: number): void {
    if (this.#noted.length === MOST || this.#noted.some((fault) => fault.slot === slot)) return;
    this.#noted.push({ slot, error, table, prefix, attributes: this.#copy(set) });
  }

  #copy(set: number): Uint8Array {
    const store = this.#attributes;
    if (set < 0 || !store.has(set)) return new Uint8Array(0);
    try {
      const start = store.start(set);
      return store.blob(set).slice(start, start + store.length[set]!);
    } catch {
      return new Uint8Array(0);
    }
  }
}
