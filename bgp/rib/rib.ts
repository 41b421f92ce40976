// The RIB put together: tables, attribute store, decision, export, and the work loop that drives them.
// The speaker tells it what sessions do and what is originated; it writes UPDATEs to the sessions.
import { type FamilyIndex, formatOctets } from '#ip';
import type { Clock, Scheduler } from '#world';
import type { PeerConfig } from '../config.ts';
import { PolicyCache } from '../policy/policy-cache.ts';
import { ACTION_RESET } from '../message/index.ts';
import type { Session } from '../session/index.ts';
import { AdjRibIn } from './in/adj-rib-in.ts';
import { AttributeIntern, type OwnIdentity } from './attributes/attribute-intern.ts';
import { AttributeReader } from './attributes/attribute-reader.ts';
import { AttributeStore } from './attributes/attribute-store.ts';
import { Decision, type MultipathRules } from './table/decision.ts';
import { ExportGroups } from './out/export-groups.ts';
import { ExportView } from './out/export-view.ts';
import { RibForwarding } from './forwarding.ts';
import { asUpdate, faultReason, RibFaults } from './faults.ts';
import { Housekeeping } from './housekeeping.ts';
import { Eligibility, flagsOf } from './in/eligibility.ts';
import { Importer, type ImportEvents } from './in/import.ts';
import { NextHops } from './attributes/next-hops.ts';
import { Originated } from './in/originated.ts';
import { PeerSlots } from './table/peer-slots.ts';
import { ReadingPace } from './in/reading-pace.ts';
import { RefreshesIn } from './in/refreshes-in.ts';
import { ownAddresses, RibPeer } from './in/rib-peer.ts';
import { RibTable } from './table/rib-table.ts';
import { RibWork } from './rib-work.ts';
import { SWEEP_OLD_EPOCH, SWEEP_POLICY, Sweeper } from './in/sweeper.ts';
import { UpdateBatch } from './out/update-batch.ts';
import type { UpdateGroup } from './out/update-group.ts';
import { UpdatePacker } from './out/update-packer.ts';

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
  readonly forwarding: RibForwarding;
  readonly bySlot: (RibPeer | undefined)[] = [];
  readonly #byId = new Map<string, RibPeer>();
  readonly #bySession = new Map<Session, RibPeer>();
  readonly #sweepers: readonly [Sweeper, Sweeper];
  readonly #work: RibWork;
  readonly #pace: ReadingPace;
  readonly #refreshes: RefreshesIn;
  readonly #housekeeping: Housekeeping;
  readonly #batch: UpdateBatch;
  readonly #clock: Clock;
  readonly #faults: RibFaults;
  readonly #policies = new PolicyCache();
  readonly #events: RibEvents;
  /** Removed peers whose paths are not all gone yet. */
  readonly #leaving = new Set<RibPeer>();

  constructor(
    identity: OwnIdentity,
    multipath: MultipathRules,
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
    this.#clock = io.clock;
    this.#events = events;
    this.nextHops = new NextHops(seed);
    this.attributes = new AttributeStore(this.nextHops, seed);
    this.#faults = new RibFaults(this.attributes);
    this.intern = new AttributeIntern(this.attributes, this.nextHops, identity, seed);
    this.reader = new AttributeReader(this.attributes, this.nextHops);
    this.tables = [new RibTable(0, seed), new RibTable(1, seed)];
    this.decision = new Decision(this.attributes, this.reader, this.slots, this.nextHops, multipath, seed);
    this.paths = new AdjRibIn(this.intern, this.reader, this.slots, this.tables, io.clock);
    const { attributes, nextHops, intern, reader, slots, tables, paths } = this;
    this.eligibility = new Eligibility(intern, reader, slots, nextHops);
    this.importer = new Importer(intern, this.eligibility, tables, paths, nextHops, events);
    this.view = new ExportView(intern, reader, slots, nextHops, this.decision, tables);
    const parts = {
      attributes,
      nextHops,
      view: this.view,
      batch: new UpdateBatch(attributes, seed),
      packer: new UpdatePacker(attributes, nextHops, slots),
      faults: this.#faults,
      grain: io.grain ?? GRAIN,
      tooLarge: (group: UpdateGroup, unit: number) => {
        const prefix = group.rules.addPath ? group.table.prefix[unit]! : unit;
        const source = this.bySlot[group.out.source[unit]!]?.id ?? '';
        const text = () => this.prefixText(group.table, prefix);
        events.tooLarge(source, () => ({ prefix: text(), peers: group.memberIds() }));
      },
    };
    this.exports = new ExportGroups(tables, parts, slots);
    this.#batch = parts.batch;
    this.originated = new Originated(tables, paths, intern, nextHops);
    this.forwarding = new RibForwarding(tables, attributes, nextHops, slots, this.decision);
    this.#sweepers = [this.#sweeper(0, parts.grain), this.#sweeper(1, parts.grain)];
    this.#pace = new ReadingPace((peer) => this.#sweepers.some((sweeper) => sweeper.isClearing(peer.slot)));
    this.#refreshes = new RefreshesIn(slots, io.clock, (peer, family) => {
      this.#sweepers[family].sweep(peer.slot, SWEEP_OLD_EPOCH);
      this.#pace.pause(peer);
      this.wake();
    });
    this.#housekeeping = new Housekeeping(tables, attributes, nextHops, io.clock, () => this.wake());
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
    for (const peer of this.#byId.values())
      for (const family of [0, 1] as const) this.#refreshes.drop(peer, family);
  }

  wake(): void {
    this.#work.wake();
  }

  peer(id: string): RibPeer | undefined {
    return this.#byId.get(id);
  }

  /** @throws Error naming policy and value when one of a peer's policies is wrong */
  checkPolicies(config: PeerConfig): void {
    this.#policies.get(config.import);
    this.#policies.get(config.export);
  }

  prefixText(table: RibTable, prefix: number): string {
    const bytes = new Uint8Array(16);
    const length = table.prefixes.read(prefix, bytes, 0);
    return `${formatOctets(bytes, 0, table.family === 0 ? 4 : 16)}/${length}`;
  }

  peers(): Iterable<RibPeer> {
    return this.#byId.values();
  }

  established(session: Session): void {
    const known = this.#byId.get(session.peerId);
    let peer = known;
    if (
      known !== undefined &&
      this.slots.paths[known.slot] !== 0 &&
      !known.isSameSpeaker(session, this.slots)
    ) {
      // What it says now looks different to others, even where it is the same: another slot, and the old paths go.
      this.#leaving.add(known);
      peer = undefined;
    }
    if (peer === undefined) {
      peer = new RibPeer(this.slots.take(), session.config, this.#policies, this.#clock, known?.malformed);
      this.#byId.set(peer.id, peer);
      this.bySlot[peer.slot] = peer;
    }
    peer.isRemoved = false;
    this.#leaving.delete(peer);
    peer.configure(session.config);
    this.nextHops.areLinksAsked ||= peer.asksLinks;
    peer.attach(session, this.slots);
    this.#bySession.set(session, peer);
    const { remoteAddress, device } = session.negotiated;
    this.#useOwnAddresses(peer, session);
    if (this.nextHops.setOwner(remoteAddress, peer.slot, device, true)) this.exports.ownersChanged();
    this.#batch.fit(this.slots.end);
    this.exports.join(peer, session, this.intern.identity);
    this.wake();
  }

  down(session: Session): void {
    const peer = this.#bySession.get(session);
    if (peer === undefined) return;
    this.#bySession.delete(session);
    this.#pace.drop(peer);
    this.exports.leave(session);
    this.importer.forgetBlocks(peer);
    this.#housekeeping.ask();
    if (peer.session === session) {
      peer.session = undefined;
      this.#useOwnAddresses(peer, undefined);
    }
    const { remoteAddress, device } = session.negotiated;
    if (this.nextHops.setOwner(remoteAddress, peer.slot, device, false)) this.exports.ownersChanged();
    for (const family of [0, 1] as const) {
      this.#refreshes.drop(peer, family);
      this.slots.nextEpoch(peer.slot, family, false);
    }
    peer.forgetCounts();
    for (const sweeper of this.#sweepers) sweeper.sweep(peer.slot, SWEEP_OLD_EPOCH);
    this.wake();
  }

  /** Handed to sessions as it is: an UPDATE comes straight here. */
  readonly update = (session: Session, buf: Uint8Array, start: number, end: number): void => {
    const peer = this.#bySession.get(session);
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
    const peer = this.#bySession.get(session);
    if (peer !== undefined) this.#refreshes.begin(peer, family);
  }

  /** An EoRR. Ignored without a BoRR. */
  refreshEnds(session: Session, family: FamilyIndex): void {
    const peer = this.#bySession.get(session);
    if (peer !== undefined) this.#refreshes.end(peer, family);
  }

  drained(session: Session): void {
    if (this.exports.drained(session)) this.wake();
  }

  /** A peer's configuration changed without a new session: re-evaluates only what that touches. */
  configure(config: PeerConfig): void {
    const peer = this.#byId.get(config.id);
    if (peer === undefined) return;
    const change = peer.configure(config);
    this.nextHops.areLinksAsked ||= peer.asksLinks;
    if (peer.session === undefined) return;
    if (change.isClientChanged) {
      this.slots.client[peer.slot] = config.routeReflectorClient ? 1 : 0;
      this.exports.rebuild();
    }
    this.#useOwnAddresses(peer, peer.session);
    if (change.isImportChanged) this.softIn(config.id);
    this.exports.rulesChanged(peer, this.intern.identity);
    this.wake();
    if (change.isLimitChanged) this.importer.checkLimits(peer);
  }

  /** Import policy again over everything that the peer sent. */
  softIn(id: string): void {
    const peer = this.#byId.get(id);
    if (peer === undefined) return;
    for (const sweeper of this.#sweepers) sweeper.sweep(peer.slot, SWEEP_POLICY);
    this.wake();
  }

  /** Everything again to the peer. */
  softOut(id: string): void {
    const session = this.#byId.get(id)?.session;
    if (session === undefined) return;
    this.exports.refresh(session, 0);
    this.exports.refresh(session, 1);
    this.wake();
  }

  /** No longer configured: forgotten when its last path is gone. */
  remove(id: string): void {
    const peer = this.#byId.get(id);
    if (peer === undefined) return;
    peer.isRemoved = true;
    this.#leaving.add(peer);
    this.wake();
  }

  updateNextHop(...told: Parameters<NextHops['update']>): void {
    if (this.nextHops.update(...told)) this.#sweepNextHops();
  }

  /**
   * Who we are changed, or how many paths are used together. Sessions restart by themselves where that is needed; what
   * is a loop and what goes out is looked at again, and forwarding is told of every prefix.
   */
  reconfigure(identity: OwnIdentity, multipath: MultipathRules): void {
    const before = this.intern.identity;
    const fields = ['asNumber', 'routerId', 'clusterId'] as const;
    if (fields.some((field) => before[field] !== identity[field])) {
      this.intern.identity = identity;
      for (const peer of this.#byId.values()) {
        this.exports.rulesChanged(peer, identity);
        this.softIn(peer.id);
      }
    }
    this.decision.multipath = multipath;
    for (const sweeper of this.#sweepers) sweeper.sweepAll();
    this.wake();
  }

  /** The addresses of ours that a session uses (undefined: none any more) are no next hops for others to give. */
  #useOwnAddresses(peer: RibPeer, session: Session | undefined): void {
    const before = peer.ownAddresses;
    peer.ownAddresses = session === undefined ? [] : ownAddresses(session, peer.config);
    if (this.nextHops.replaceOwnAddresses(before, peer.ownAddresses)) this.#sweepNextHops();
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
    for (const peer of this.#leaving) if (this.slots.paths[peer.slot] === 0) this.#forget(peer);
    this.originated.owner.marked = 0;
  }

  #sweeper(family: FamilyIndex, grain: number): Sweeper {
    const { tables, paths, attributes, slots, nextHops } = this;
    return new Sweeper(
      tables[family],
      paths,
      attributes,
      slots,
      nextHops,
      (table, path) => {
        const peer = this.bySlot[table.peer[path]!];
        if (peer === undefined) return;
        const code = this.eligibility.of(peer, this.paths.received(table, path));
        this.paths.reevaluate(peer, table, path, flagsOf(code));
      },
      grain,
      this.#faults,
    );
  }

  #forget(peer: RibPeer): void {
    this.#leaving.delete(peer);
    this.bySlot[peer.slot] = undefined;
    if (this.#byId.get(peer.id) === peer) this.#byId.delete(peer.id);
    this.nextHops.acquit(peer.slot);
    this.slots.free(peer.slot);
  }
}
