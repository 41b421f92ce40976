// The RIB put together: tables, attribute store, decision, export, and the work loop that drives them.
// The speaker tells it what sessions do and what is originated; it writes UPDATEs to the sessions.
import { type FamilyIndex, familyIndex, familyOf, formatOctets } from '#ip';
import { type Clock, type Scheduler, SeededRandom } from '#world';
import type { Aggregate, PeerConfig } from '../config.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { Policy } from '../policy/policy.ts';
import { PolicyCache } from '../policy/policy-cache.ts';
import { ACTION_RESET } from '../message/index.ts';
import type { Session } from '../session/index.ts';
import { Aggregates } from './in/aggregates.ts';
import { AdjRibIn } from './in/adj-rib-in.ts';
import { AttributeIntern, type OwnIdentity } from './attributes/attribute-intern.ts';
import { AttributeReader } from './attributes/attribute-reader.ts';
import { AttributeStore } from './attributes/attribute-store.ts';
import { Decision } from './table/decision.ts';
import type { DecisionRules } from './table/decision-steps.ts';
import { BestFew } from './out/best-few.ts';
import { ExportGroups } from './out/export-groups.ts';
import { ExportView } from './out/export-view.ts';
import { AdvertisementTimer } from './out/sending/held-back.ts';
import { RibForwarding } from './forwarding.ts';
import { asUpdate, faultReason, RibFaults } from './faults.ts';
import { Housekeeping } from './housekeeping.ts';
import { Eligibility, flagsOf } from './in/eligibility.ts';
import { Importer, type ImportEvents } from './in/import.ts';
import { NextHops } from './attributes/next-hops.ts';
import { Originated } from './in/originated.ts';
import { PeerSlots } from './table/peer-slots.ts';
import { ReadingPace } from './in/reading-pace.ts';
import type { RibPeer } from './in/rib-peer.ts';
import { RibPeers } from './rib-peers.ts';
import { RibTable } from './table/rib-table.ts';
import { RibWork } from './rib-work.ts';
import { type PathChanges, Sweeper } from './in/sweeper.ts';
import { UpdateBatch } from './out/sending/update-batch.ts';
import type { UpdateGroup } from './out/update-group.ts';
import { UpdatePacker } from './out/sending/update-packer.ts';

/** Units looked at in one step of background work. */
export const GRAIN = 4096;

export interface RibEvents extends ImportEvents {
  /** A route's attributes fit into no message to some peers: it is not announced to them (TX-9). It came from `source`. */
  tooLarge(source: string, route: () => { readonly prefix: string; readonly peers: readonly string[] }): void;
  /**
   * A fault of ours, outside of any message: SEC-4.
   * @param peer whose route it was, and who must fall; `peer.malformed` has it already
   */
  fault(peer: RibPeer | undefined, error: unknown, route: string): void;
}

export class Rib {
  readonly nextHops: NextHops;
  readonly attributes: AttributeStore;
  readonly intern: AttributeIntern;
  readonly reader: AttributeReader;
  readonly slots = new PeerSlots();
  readonly tables: readonly [RibTable, RibTable];
  readonly decision: Decision;
  readonly paths: AdjRibIn;
  readonly eligibility: Eligibility;
  readonly importer: Importer;
  readonly view: ExportView;
  readonly exports: ExportGroups;
  readonly originated: Originated;
  readonly aggregates: readonly [Aggregates, Aggregates];
  readonly forwarding: RibForwarding;
  /** Who has a session, or whose paths are kept: what becomes of them, and what an operator orders. */
  readonly neighbours: RibPeers;
  readonly #sweepers: readonly [Sweeper, Sweeper];
  readonly #work: RibWork;
  readonly #pace: ReadingPace;
  readonly #housekeeping: Housekeeping;
  readonly #timer: AdvertisementTimer;
  readonly #faults: RibFaults;
  readonly #policies = new PolicyCache();
  readonly #events: RibEvents;
  /** By family: whatever is there has been chosen from, so that a first transfer can be complete. */
  readonly #isChosen: [boolean, boolean] = [true, true];

  constructor(
    identity: OwnIdentity,
    rules: DecisionRules,
    io: {
      readonly clock: Clock;
      readonly scheduler: Scheduler;
      /** Secret 31-bit number. */
      readonly seed: number;
      /** Units looked at in one step; tests take a small one. */
      readonly grain?: number;
    },
    events: RibEvents,
  ) {
    const { seed } = io;
    this.#events = events;
    this.nextHops = new NextHops(seed);
    this.attributes = new AttributeStore(this.nextHops, seed);
    this.#faults = new RibFaults(this.attributes);
    this.intern = new AttributeIntern(this.attributes, this.nextHops, identity, seed);
    this.reader = new AttributeReader(this.attributes, this.nextHops);
    this.tables = [new RibTable(0, seed), new RibTable(1, seed)];
    this.decision = new Decision(this.attributes, this.reader, this.slots, this.nextHops, rules, seed);
    this.paths = new AdjRibIn(this.intern, this.reader, this.slots, this.tables, io.clock);
    const { attributes, nextHops, intern, reader, slots, tables, paths } = this;
    this.eligibility = new Eligibility(intern, reader, slots, nextHops);
    const heard: ImportEvents = {
      ...events,
      endOfRib: (peer, family) => {
        this.neighbours.retention.endOfRib(peer, family);
        events.endOfRib(peer, family);
      },
    };
    this.importer = new Importer(intern, this.eligibility, tables, paths, nextHops, heard);
    this.originated = new Originated(tables, paths, intern, nextHops);
    const grain = io.grain ?? GRAIN;
    const aggregates = (family: FamilyIndex): Aggregates =>
      new Aggregates(tables[family], intern, this.originated, grain, () => this.exports.rebuild());
    this.aggregates = [aggregates(0), aggregates(1)];
    this.view = new ExportView(intern, reader, slots, nextHops, this.decision, tables, this.aggregates);
    this.#timer = new AdvertisementTimer(io.clock, new SeededRandom(seed), () => this.wake());
    const parts = {
      attributes,
      nextHops,
      view: this.view,
      few: new BestFew(attributes),
      batch: new UpdateBatch(attributes, seed),
      packer: new UpdatePacker(attributes, nextHops, slots),
      faults: this.#faults,
      grain: grain,
      timer: this.#timer,
      mayEndDump: (family: FamilyIndex) => this.#isChosen[family]!,
      tooLarge: (group: UpdateGroup, unit: number) => {
        const prefix = group.rules.addPath ? group.table.prefix[unit]! : unit;
        const source = this.bySlot[group.out.source[unit]!]?.id ?? '';
        const text = () => this.prefixText(group.table, prefix);
        events.tooLarge(source, () => ({ prefix: text(), peers: group.memberIds() }));
      },
    };
    this.exports = new ExportGroups(tables, parts, slots);
    this.forwarding = new RibForwarding(tables, intern, nextHops, slots, this.decision);
    this.#sweepers = [this.#sweeper(0, parts.grain), this.#sweeper(1, parts.grain)];
    this.#pace = new ReadingPace((peer) => this.#sweepers.some((sweeper) => sweeper.isClearing(peer.slot)));
    this.#housekeeping = new Housekeeping(tables, attributes, nextHops, io.clock, () => this.wake());
    this.neighbours = new RibPeers({
      slots,
      clock: io.clock,
      policies: this.#policies,
      nextHops,
      intern,
      exports: this.exports,
      importer: this.importer,
      batch: parts.batch,
      pace: this.#pace,
      housekeeping: this.#housekeeping,
      sweep: (slot, family, ...why) => this.#sweepers[family].sweep(slot, ...why),
      sweepNextHops: () => this.#sweepNextHops(),
      wake: () => this.wake(),
    });
    this.#work = new RibWork({
      clock: io.clock,
      scheduler: io.scheduler,
      tables,
      decision: this.decision,
      exports: this.exports,
      paths,
      slots,
      nextHops,
      sweepers: this.#sweepers,
      forwarding: this.forwarding,
      aggregates: this.aggregates,
      pace: this.#pace,
      housekeeping: this.#housekeeping,
      faults: this.#faults,
      most: parts.grain * 2,
      idle: () => this.#idle(),
      failed: () => this.#failed(),
    });
  }

  /** Stops working for good. */
  stop(): void {
    this.#work.stop();
    this.#housekeeping.stop();
    this.#timer.stop();
    this.neighbours.retention.stop();
  }

  wake(): void {
    this.#work.wake();
  }

  peer(id: string): RibPeer | undefined {
    return this.neighbours.get(id);
  }

  /** @throws Error naming policy and value when one of a peer's policies is wrong */
  checkPolicies(config: PeerConfig): void {
    this.#policies.get(config.import);
    this.#policies.get(config.export);
  }

  /** @throws as checkPolicies() */
  compiled(policy: Policy): CompiledPolicy {
    return this.#policies.get(policy);
  }

  prefixText(table: RibTable, prefix: number): string {
    const bytes = new Uint8Array(16);
    const length = table.prefixes.read(prefix, bytes, 0);
    return `${formatOctets(bytes, 0, table.family === 0 ? 4 : 16)}/${length}`;
  }

  peers(): Iterable<RibPeer> {
    return this.neighbours.all();
  }

  /** Only what starts here is chosen in that family, and no first transfer ends, until select(). */
  defer(family: FamilyIndex): void {
    this.decision.deferred[family] = 1;
    this.#isChosen[family] = false;
  }

  /** Chooses from all that has come. */
  select(family: FamilyIndex): void {
    this.decision.deferred[family] = 0;
    this.#sweepers[family].sweepAll();
    this.wake();
  }

  /** Nothing waits to be chosen. */
  get isIdle(): boolean {
    return this.#work.changes === 0 && this.#sweepers.every((sweeper) => sweeper.isIdle);
  }

  /** By slot; undefined for one that nobody has. */
  get bySlot(): readonly (RibPeer | undefined)[] {
    return this.neighbours.bySlot;
  }

  /** Handed to sessions as it is: an UPDATE comes straight here. */
  readonly update = (session: Session, buf: Uint8Array, start: number, end: number): void => {
    const peer = this.neighbours.of(session);
    if (peer === undefined) return;
    this.#pace.hear(peer);
    this.paths.startMessage();
    const before = peer.marked;
    try {
      this.importer.receive(peer, buf, start, end);
    } catch (error) {
      // The session that handed it on falls by what is thrown (session/input.ts).
      peer.malformed.note(ACTION_RESET, `internal error: ${String(error)}`, buf, start, end);
      throw error;
    }
    this.neighbours.fillPlaces(peer);
    const { changes } = this.#work;
    if (changes > 0 || this.#housekeeping.isOverBound) this.wake();
    this.#pace.heard(peer, peer.marked - before, changes);
  };

  refresh(session: Session, family: FamilyIndex): void {
    this.exports.refresh(session, family);
    this.wake();
  }

  /** A BoRR (RFC 7313): what the peer does not send again before its EoRR is gone then. */
  refreshBegins(session: Session, family: FamilyIndex): void {
    const peer = this.neighbours.of(session);
    if (peer !== undefined) this.neighbours.retention.refreshBegins(peer, family);
  }

  /** An EoRR. Ignored without a BoRR. */
  refreshEnds(session: Session, family: FamilyIndex): void {
    const peer = this.neighbours.of(session);
    if (peer !== undefined) this.neighbours.retention.refreshEnds(peer, family);
  }

  drained(session: Session): void {
    if (this.exports.drained(session)) this.wake();
  }

  updateNextHop(...told: Parameters<NextHops['update']>): void {
    if (this.nextHops.update(...told)) this.#sweepNextHops();
  }

  /**
   * Who we are changed, or how paths are compared and how many are used together. Sessions restart by themselves where that is needed; what
   * is a loop and what goes out is looked at again, and forwarding is told of every prefix.
   */
  reconfigure(identity: OwnIdentity, rules: DecisionRules): void {
    const before = this.intern.identity;
    const fields = ['asNumber', 'routerId', 'clusterId'] as const;
    if (before.asNumber !== identity.asNumber || before.routerId !== identity.routerId)
      this.neighbours.dropAllKept();
    if (fields.some((field) => before[field] !== identity[field])) {
      this.intern.identity = identity;
      for (const peer of this.neighbours.all()) {
        this.exports.rulesChanged(peer, identity);
        this.neighbours.softIn(peer.id);
      }
    }
    this.decision.rules = rules;
    for (const sweeper of this.#sweepers) sweeper.sweepAll();
    this.wake();
  }

  /** All of them, each time; also after reconfigure(), as they carry who we are. */
  aggregate(list: readonly Aggregate[]): void {
    for (const family of [0, 1] as const)
      this.aggregates[family].configure(
        list.filter(({ prefix }) => familyIndex(familyOf(prefix)) === family),
      );
    this.wake();
  }

  #sweepNextHops(): void {
    for (const sweeper of this.#sweepers) sweeper.sweepNextHops();
    this.wake();
  }

  #failed(): void {
    for (const fault of this.#faults.take()) {
      const peer = this.bySlot[fault.slot];
      const route = fault.table === undefined ? '' : this.prefixText(fault.table, fault.prefix);
      const message = asUpdate(fault);
      peer?.malformed.note(ACTION_RESET, faultReason(fault, route), message, 0, message.length);
      this.#events.fault(peer, fault.error, route);
    }
  }

  #idle(): void {
    for (const family of [0, 1] as const) {
      if (this.#isChosen[family] || this.decision.deferred[family] === 1) continue;
      this.#isChosen[family] = true;
      this.wake();
    }
    this.neighbours.tidy();
    this.originated.owner.marked = 0;
  }

  #sweeper(family: FamilyIndex, grain: number): Sweeper {
    const { tables, paths, attributes, slots, nextHops } = this;
    const of = (table: RibTable, path: number) => this.bySlot[table.peer[path]!];
    const changes: PathChanges = {
      reevaluate: (table, path) => {
        const peer = of(table, path);
        if (peer === undefined) return;
        const code = this.eligibility.of(peer, paths.received(table, path));
        paths.reevaluate(peer, table, path, flagsOf(code));
        this.neighbours.fillPlaces(peer);
      },
      makeLongLived: (table, path) => {
        const peer = of(table, path);
        if (peer === undefined) return;
        paths.makeLongLived(peer, table, path);
        this.neighbours.fillPlaces(peer);
      },
      fitPlaces: (table, path) => {
        const peer = of(table, path);
        if (peer !== undefined && paths.isOutOfPlace(peer, table, path)) changes.reevaluate(table, path);
      },
    };
    return new Sweeper(tables[family], paths, attributes, slots, nextHops, changes, grain, this.#faults);
  }
}
