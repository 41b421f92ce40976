// What a forwarding table reads of the RIB: which prefixes changed, and by which next hops each is reached. Numbers
// only, filled into what the reader gives: a million routes are handed over without an object each.
import type { FamilyIndex } from '#ip';
import { isAggregate } from './in/aggregates.ts';
import type { AttributeIntern } from './attributes/attribute-intern.ts';
import type { AttributeStore } from './attributes/attribute-store.ts';
import type { NextHops } from './attributes/next-hops.ts';
import type { Decision } from './table/decision.ts';
import { MOST_PATHS } from './table/decision-steps.ts';
import { KIND_LOCAL, type PeerSlots } from './table/peer-slots.ts';
import type { RibTable } from './table/rib-table.ts';
import { fillWeights } from './weights.ts';

/** Changes told at once, at most. */
export const MOST_CHANGES = 8192;

/** Prefixes whose forwarding may have changed; read each with ForwardingView. `prefixIds` lives only during the call. */
export interface ForwardingChange {
  readonly family: FamilyIndex;
  readonly prefixIds: Uint32Array;
  readonly count: number;
}

/** Filled in place, so that a million reads allocate nothing. */
export interface Forwarding {
  /** 0 no usable path, 1 originated here, 2 learned, 3 an aggregate made here. */
  kind: number;
  /** Of the kernel's route, as an import policy set it for the best path; 0: none did. */
  metric: number;
  /** Of next hops: when learned at least one, and no more than there is room for. */
  count: number;
  nextHopIds: Int32Array;
  /**
   * Beside nextHopIds: the share of each, by the link bandwidths that all of them came with; else 1. Left out by who
   * does not ask.
   */
  readonly weights?: Uint16Array;
}

/** The numbers (prefix id, next-hop id) are valid until the batch or call that gave them ends. */
export interface ForwardingView {
  /** Writes the address to out[0..16) and returns the prefix length, or -1 when the id is free. */
  readPrefix(family: FamilyIndex, id: number, out: Uint8Array): number;
  forwarding(family: FamilyIndex, id: number, out: Forwarding): void;
  nextHop(id: number): { readonly address: string; readonly device?: string };
}

export interface ForwardingSource extends ForwardingView {
  /** Changes in batches, after each flush. Returns what ends it. */
  subscribe(listener: (change: ForwardingChange) => void): () => void;
}

export class RibForwarding implements ForwardingSource {
  readonly #tables: readonly [RibTable, RibTable];
  readonly #intern: AttributeIntern;
  readonly #attributes: AttributeStore;
  readonly #nextHops: NextHops;
  readonly #peers: PeerSlots;
  readonly #decision: Decision;
  readonly #listeners = new Set<(change: ForwardingChange) => void>();
  readonly #told = new Uint32Array(MOST_CHANGES);
  readonly #multipath = new Int32Array(MOST_PATHS);
  readonly #bandwidths = new Float32Array(MOST_PATHS);

  constructor(
    tables: readonly [RibTable, RibTable],
    intern: AttributeIntern,
    nextHops: NextHops,
    peers: PeerSlots,
    decision: Decision,
  ) {
    this.#tables = tables;
    this.#intern = intern;
    this.#attributes = intern.store;
    this.#nextHops = nextHops;
    this.#peers = peers;
    this.#decision = decision;
  }

  subscribe(listener: (change: ForwardingChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Of the first `count` prefixes those with isChanged = 1; at most MOST_CHANGES. */
  tell(table: RibTable, prefixes: Int32Array, isChanged: Uint8Array, count: number): void {
    if (this.#listeners.size === 0) return;
    const told = this.#told;
    let n = 0;
    for (let i = 0; i < count; i++) if (isChanged[i] === 1) told[n++] = prefixes[i]!;
    if (n === 0) return;
    const change = { family: table.family, prefixIds: told, count: n };
    for (const listener of this.#listeners) listener(change);
  }

  readPrefix(family: FamilyIndex, id: number, out: Uint8Array): number {
    return this.#tables[family].prefixes.read(id, out, 0);
  }

  forwarding(family: FamilyIndex, id: number, out: Forwarding): void {
    const table = this.#tables[family];
    const best = id < table.prefixes.ids.end ? table.best(id) : -1;
    out.count = 0;
    out.kind = 0;
    out.metric = 0;
    if (best < 0 || !this.#decision.isUsable(table, best)) return;
    if (this.#peers.kind[table.peer[best]!] === KIND_LOCAL) {
      out.kind = isAggregate(this.#intern, table, best) ? 3 : 1;
      return;
    }
    out.kind = 2;
    out.metric = this.#attributes.metricOf(table.attribute[best]!);
    const count = this.#decision.markMultipath(table, id, this.#multipath);
    for (let i = 0; i < count && i < out.nextHopIds.length; i++) {
      out.nextHopIds[out.count++] = this.#attributes.nextHop[table.attribute[this.#multipath[i]!]!]!;
    }
    if (out.weights !== undefined) this.#fillWeights(table, out.count, out.weights);
  }

  #fillWeights(table: RibTable, count: number, out: Uint16Array): void {
    const { linkBandwidth } = this.#attributes;
    let isWeighted = count > 1 && this.#decision.rules.weighted !== false;
    for (let i = 0; isWeighted && i < count; i++) {
      const bandwidth = linkBandwidth[table.attribute[this.#multipath[i]!]!]!;
      this.#bandwidths[i] = bandwidth;
      isWeighted = bandwidth > 0;
    }
    if (isWeighted) fillWeights(this.#bandwidths, count, out);
    else out.fill(1, 0, count);
  }

  nextHop(id: number): { readonly address: string; readonly device?: string } {
    return this.#nextHops.read(id);
  }
}
