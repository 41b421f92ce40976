// Builds the UPDATE messages of a batch: attributes rewritten once per set, prefixes packed up to the longest
// message, messages laid one behind the other in chunks that all members share. Withdrawals and announcements
// of one source peer are one run of bytes, so that a member skips its own run and shares the rest.
import * as codec from '../../../message/index.ts';
import type { AttributeStore } from '../../attributes/attribute-store.ts';
import type { ExportRules } from '../export-rules.ts';
import type { NextHops } from '../../attributes/next-hops.ts';
import { KIND_IBGP, LOCAL_SLOT, type PeerSlots } from '../../table/peer-slots.ts';
import type { RibTable } from '../../table/rib-table.ts';
import type { UpdateBatch } from './update-batch.ts';

/** A chunk is sent when less than one message fits behind what it holds. */
const CHUNK = 65536;
const LARGEST_MESSAGE = 65535;
/** Longest prefix on the wire: path id, length, 16 bytes. */
const PREFIX4 = 5;
const PREFIX6 = 17;

export interface PackerSink {
  /** Whole messages; the bytes belong to the sink. The packer's runs tell what came from whom. */
  chunk(bytes: Buffer): void;
  /** A set whose attributes do not fit into a message (TX-9): its units were packed as withdrawals instead. */
  tooLarge(unit: number): void;
  /** A fault of ours: the set could not be put into a message. Once a set; what was to carry it is dropped(). */
  broken(error: unknown, unit: number, source: number, set: number): void;
  /** Its unit was packed as a withdrawal too. */
  dropped(unit: number): void;
}

export class UpdatePacker {
  readonly #attributes: AttributeStore;
  readonly #nextHops: NextHops;
  readonly #peers: PeerSlots;
  readonly #out = new Uint8Array(CHUNK + LARGEST_MESSAGE + 1);
  readonly #block = new Uint8Array(LARGEST_MESSAGE + 1);
  #at = 0;
  #runStart = 0;
  #sink: PackerSink | undefined;

  /** Runs of the chunk being sent: source slot and byte range. */
  readonly runSource: number[] = [];
  readonly runStart: number[] = [];
  readonly runEnd: number[] = [];
  runCount = 0;

  constructor(attributes: AttributeStore, nextHops: NextHops, peers: PeerSlots) {
    this.#attributes = attributes;
    this.#nextHops = nextHops;
    this.#peers = peers;
  }

  /** Packs everything that is for all members of the group. */
  pack(batch: UpdateBatch, table: RibTable, rules: ExportRules, sink: PackerSink): void {
    this.#begin(sink);
    // Who takes only so many paths of a prefix must not have more in between.
    const isApart = rules.mostPaths !== Infinity;
    if (isApart) this.#allWithdrawals(batch, table, rules);
    for (let i = 0; i < batch.sourceCount; i++) {
      const source = batch.source[i]!;
      this.#runStart = this.#at;
      const withdrawn = isApart ? 0 : batch.firstWithdrawn[source]!;
      if (withdrawn !== 0) this.#withdrawals(batch, withdrawn, table, rules, source);
      for (let b = batch.firstBucket[source]!; b !== 0; b = batch.bucketNext[b - 1]!) {
        this.#announcements(batch, b - 1, table, rules, source);
      }
      this.#closeRun(source);
    }
    this.#send();
  }

  /** In chunks of their own: in a chunk there is one run of a source. */
  #allWithdrawals(batch: UpdateBatch, table: RibTable, rules: ExportRules): void {
    for (let i = 0; i < batch.sourceCount; i++) {
      const source = batch.source[i]!;
      this.#runStart = this.#at;
      const withdrawn = batch.firstWithdrawn[source]!;
      if (withdrawn === 0) continue;
      this.#withdrawals(batch, withdrawn, table, rules, source);
      this.#closeRun(source);
    }
    this.#send();
  }

  /** Packs the withdrawals for one member. */
  packFor(batch: UpdateBatch, slot: number, table: RibTable, rules: ExportRules, sink: PackerSink): void {
    this.#begin(sink);
    this.#withdrawals(batch, batch.firstForMember[slot]!, table, rules, slot);
    this.#send();
  }

  /** A set as it goes out, for display: next hop, and the attributes beside it. Undefined when they do not fit. */
  outgoing(
    set: number,
    source: number,
    table: RibTable,
    rules: ExportRules,
  ): { readonly nextHop: Uint8Array; readonly attributes: Uint8Array } | undefined {
    const nextHop = this.#nextHopOf(set, rules);
    const isClassic = table.family === 0 && nextHop.length === 4;
    const length = this.#rewrite(set, rules, source, isClassic ? nextHop : undefined);
    return length < 0 ? undefined : { nextHop, attributes: this.#block.slice(0, length) };
  }

  #nextHopOf(set: number, rules: ExportRules): Uint8Array {
    if (!this.#attributes.leavesWithHop(set, rules.keepsNextHop)) return rules.self!;
    return this.#nextHops.bytesFor(this.#attributes.nextHop[set]!, rules.link) ?? rules.self!;
  }

  #begin(sink: PackerSink): void {
    this.#sink = sink;
    this.#at = 0;
    this.#runStart = 0;
    this.runCount = 0;
  }

  #closeRun(source: number): void {
    if (this.#at === this.#runStart) return;
    this.runSource[this.runCount] = source;
    this.runStart[this.runCount] = this.#runStart;
    this.runEnd[this.runCount] = this.#at;
    this.runCount++;
    this.#runStart = this.#at;
  }

  /** Called before each message: sends the chunk when another message might not fit. */
  #makeRoom(source: number): void {
    if (this.#at < CHUNK) return;
    this.#closeRun(source);
    this.#send();
  }

  #send(): void {
    if (this.#at === 0) return;
    // Small chunks share a slab; large ones go to the allocator, as keeping a slab alive would cost more.
    const bytes = this.#at < 2048 ? Buffer.allocUnsafe(this.#at) : Buffer.allocUnsafeSlow(this.#at);
    bytes.set(this.#out.subarray(0, this.#at));
    this.#sink!.chunk(bytes);
    this.#at = 0;
    this.#runStart = 0;
    this.runCount = 0;
  }

  #withdrawals(batch: UpdateBatch, first: number, table: RibTable, rules: ExportRules, source: number): void {
    const { unit: units, next } = batch;
    const out = this.#out;
    const isV4 = table.family === 0;
    let entry = first;
    while (entry !== 0) {
      this.#makeRoom(source);
      const start = this.#at;
      let at = isV4 ? codec.beginWithdraw(out, start) : codec.beginMpUnreach(out, start, table.family);
      const last = start + rules.maxMessageBytes - 2 - (rules.addPath ? 4 : 0) - (isV4 ? PREFIX4 : PREFIX6);
      while (entry !== 0 && at <= last) {
        at = putUnit(out, at, table, units[entry - 1]!, rules.addPath);
        entry = next[entry - 1]!;
      }
      this.#at = isV4 ? codec.endWithdraw(out, start, at) : codec.endMpUnreach(out, start, at);
    }
  }

  #announcements(
    batch: UpdateBatch,
    bucket: number,
    table: RibTable,
    rules: ExportRules,
    source: number,
  ): void {
    const set = batch.bucketSet[bucket]!;
    const first = batch.bucketFirst[bucket]!;
    const hopBytes = this.#nextHopOf(set, rules);
    const isClassic = table.family === 0 && hopBytes.length === 4;
    let length: number;
    try {
      length = this.#rewrite(set, rules, source, isClassic ? hopBytes : undefined);
    } catch (error) {
      this.#sink!.broken(error, batch.unit[first - 1]!, source, set);
      for (let e = first; e !== 0; e = batch.next[e - 1]!) this.#sink!.dropped(batch.unit[e - 1]!);
      this.#withdrawals(batch, first, table, rules, source);
      return;
    }
    const prefixRoom = (rules.addPath ? 4 : 0) + (table.family === 0 ? PREFIX4 : PREFIX6);
    const overhead = isClassic ? codec.CLASSIC_OVERHEAD : codec.MP_REACH_OVERHEAD + hopBytes.length;
    if (length < 0 || overhead + length + prefixRoom > rules.maxMessageBytes) {
      for (let e = first; e !== 0; e = batch.next[e - 1]!) this.#sink!.tooLarge(batch.unit[e - 1]!);
      this.#withdrawals(batch, first, table, rules, source);
      return;
    }
    const { unit: units, next } = batch;
    const out = this.#out;
    let entry = first;
    while (entry !== 0) {
      this.#makeRoom(source);
      const start = this.#at;
      const last = start + rules.maxMessageBytes - prefixRoom - (isClassic ? 0 : length);
      let at = isClassic
        ? codec.beginAnnounce(out, start, this.#block, 0, length)
        : codec.beginMpReach(out, start, table.family, hopBytes, 0, hopBytes.length);
      while (entry !== 0 && at <= last) {
        at = putUnit(out, at, table, units[entry - 1]!, rules.addPath);
        entry = next[entry - 1]!;
      }
      this.#at = isClassic
        ? codec.endAnnounce(out, start, at)
        : codec.endMpReach(out, start, at, this.#block, 0, length);
    }
  }

  /** The outgoing attributes of a set into #block; returns their length, -1 when they do not fit. */
  #rewrite(set: number, rules: ExportRules, source: number, nextHop: Uint8Array | undefined): number {
    const attributes = this.#attributes;
    const { plan } = rules;
    plan.defaultLocalPref = attributes.localPref[set]!;
    plan.nextHop = nextHop === undefined ? codec.UNCHANGED : codec.readU32(nextHop, 0);
    if (rules.external) {
      plan.keepMed = plan.prepend.length === 0 || source === LOCAL_SLOT || attributes.isMedSet(set);
    } else {
      const isReflected = this.#peers.kind[source] === KIND_IBGP;
      plan.originatorId = isReflected ? this.#peers.routerId[source]! : codec.UNCHANGED;
      plan.clusterId = isReflected ? rules.clusterId : codec.UNCHANGED;
    }
    const start = attributes.start(set);
    const limit = Math.min(rules.maxMessageBytes, this.#block.length);
    return codec.rewriteAttributes(
      attributes.blob(set),
      start,
      start + attributes.length[set]!,
      plan,
      this.#block,
      0,
      limit,
    );
  }
}

/** Writes one unit as it stands in NLRI and withdrawn routes. With ADD-PATH a unit is a path: its id + 1 goes out. */
function putUnit(out: Uint8Array, at: number, table: RibTable, unit: number, addPath: boolean): number {
  let to = at;
  let prefix = unit;
  if (addPath) {
    to = codec.writePathId(out, to, unit + 1);
    prefix = table.prefix[unit]!;
  }
  const p = table.prefixes;
  if (table.family === 0) return codec.writeIpv4(out, to, p.a0[prefix]!, p.lengths[prefix]!);
  return codec.writeIpv6(
    out,
    to,
    p.a0[prefix]!,
    p.a1[prefix]!,
    p.a2[prefix]!,
    p.a3[prefix]!,
    p.lengths[prefix]!,
  );
}
