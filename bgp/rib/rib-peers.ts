// The neighbours that the RIB knows: those with a session, those that are away and whose paths are kept (RFC 4724), and
// those whose last paths are on their way out. Bound: the configured ones, and of ranges whoever has paths left.
import type { FamilyIndex } from '#ip';
import type { Clock } from '#world';
import type { PeerConfig } from '../config.ts';
import type { PolicyCache } from '../policy/policy-cache.ts';
import type { PolicyDelta } from '../policy/policy-delta.ts';
import type { RouteRetention, Session } from '../session/index.ts';
import type { AttributeIntern } from './attributes/attribute-intern.ts';
import type { NextHops } from './attributes/next-hops.ts';
import type { Housekeeping } from './housekeeping.ts';
import type { Importer } from './in/import.ts';
import type { ReadingPace } from './in/reading-pace.ts';
import { Retention } from './in/retention.ts';
import { ownAddresses, RibPeer } from './in/rib-peer.ts';
import { hasPlaceToFill, holdsTooMany } from './in/path-owner.ts';
import { SWEEP_OLD_EPOCH, SWEEP_PLACES, SWEEP_POLICY } from './in/sweeper.ts';
import type { ExportGroups } from './out/export-groups.ts';
import type { UpdateBatch } from './out/sending/update-batch.ts';
import type { PeerSlots } from './table/peer-slots.ts';

export interface RibPeersParts {
  readonly slots: PeerSlots;
  readonly clock: Clock;
  readonly policies: PolicyCache;
  readonly nextHops: NextHops;
  readonly intern: AttributeIntern;
  readonly exports: ExportGroups;
  readonly importer: Importer;
  readonly batch: UpdateBatch;
  readonly pace: ReadingPace;
  readonly housekeeping: Housekeeping;
  /** A peer's paths of a family must be looked at, for a reason of SWEEP_*. */
  sweep(slot: number, family: FamilyIndex, reason: number, delta?: PolicyDelta): void;
  /** Routes must be looked at again, as some of their next hops mean something else. */
  sweepNextHops(): void;
  wake(): void;
}

export class RibPeers {
  readonly retention: Retention;
  readonly bySlot: (RibPeer | undefined)[] = [];
  readonly #parts: RibPeersParts;
  readonly #byId = new Map<string, RibPeer>();
  readonly #bySession = new Map<Session, RibPeer>();
  /** Removed peers whose paths are not all gone yet. */
  readonly #leaving = new Set<RibPeer>();

  constructor(parts: RibPeersParts) {
    this.#parts = parts;
    this.retention = new Retention(parts.slots, parts.clock, (peer, family, reason) => {
      parts.sweep(peer.slot, family, reason);
      if (reason === SWEEP_OLD_EPOCH) parts.pace.pause(peer);
      this.fillPlaces(peer);
      if (peer.session === undefined && !this.retention.isAway(peer)) this.#left(peer);
      parts.wake();
    });
  }

  get(id: string): RibPeer | undefined {
    return this.#byId.get(id);
  }

  of(session: Session): RibPeer | undefined {
    return this.#bySession.get(session);
  }

  all(): Iterable<RibPeer> {
    return this.#byId.values();
  }

  established(session: Session): void {
    const { slots, nextHops, exports, batch, intern } = this.#parts;
    const peer = this.#peerFor(session);
    this.#leaving.delete(peer);
    const { isImportChanged } = peer.configure(session.config);
    nextHops.areLinksAsked ||= peer.asksLinks;
    const before = { role: peer.role, client: slots.client[peer.slot] };
    peer.attach(session, slots);
    this.retention.sessionBegan(peer, session);
    if (slots.paths[peer.slot] !== 0) {
      if (isImportChanged || peer.role !== before.role) this.#importAgain(peer);
      if (slots.client[peer.slot] !== before.client) exports.rebuild();
    }
    this.#bySession.set(session, peer);
    const { remoteAddress, device } = session.negotiated;
    this.#useOwnAddresses(peer, session);
    this.#goesTo(peer, { address: remoteAddress, device });
    batch.fit(slots.end);
    exports.join(peer, session, intern.identity);
    this.#parts.wake();
  }

  #peerFor(session: Session): RibPeer {
    const { slots, policies, clock } = this.#parts;
    const known = this.#byId.get(session.peerId);
    if (known !== undefined) {
      if (slots.paths[known.slot] === 0 || known.isSameSpeaker(session, slots)) return known;
      // What it says now looks different to others, even where it is the same: another slot, and the old paths go.
      this.#leaving.add(known);
      this.#dropIfAway(known);
    }
    const peer = new RibPeer(slots.take(), session.config, policies, clock, known?.malformed);
    this.#byId.set(peer.id, peer);
    this.bySlot[peer.slot] = peer;
    return peer;
  }

  /** @param kept whose routes stay until it is back (RFC 4724); undefined: none */
  down(session: Session, kept: RouteRetention | undefined): void {
    const { pace, exports, importer, housekeeping } = this.#parts;
    const peer = this.#bySession.get(session);
    if (peer === undefined) return;
    this.#bySession.delete(session);
    pace.drop(peer);
    exports.leave(session);
    importer.forgetBlocks(peer);
    housekeeping.ask();
    if (peer.session === session) peer.session = undefined;
    this.retention.sessionEnded(peer, kept);
    this.#parts.wake();
  }

  /** A peer's configuration changed without a new session, also of one that is away: re-evaluates only what that touches. */
  configure(config: PeerConfig): void {
    const { nextHops, slots, exports, intern, importer } = this.#parts;
    const peer = this.#byId.get(config.id);
    if (peer === undefined) return;
    const { isClientChanged, isImportChanged, importDelta, isLimitChanged } = peer.configure(config);
    nextHops.areLinksAsked ||= peer.asksLinks;
    if (config.gracefulRestart.mode === 'disabled') this.#dropIfAway(peer);
    const { session } = peer;
    if (session === undefined && !this.retention.isAway(peer)) return;
    if (isClientChanged) {
      slots.client[peer.slot] = config.routeReflectorClient ? 1 : 0;
      exports.rebuild();
    }
    if (isImportChanged) this.#importAgain(peer, importDelta);
    for (const family of [0, 1] as const)
      if (hasPlaceToFill(peer, family) || holdsTooMany(peer, family)) this.#fitPlaces(peer, family);
    if (session === undefined) return;
    this.#useOwnAddresses(peer, session);
    exports.rulesChanged(peer, intern.identity);
    this.#parts.wake();
    if (isLimitChanged) importer.checkLimits(peer);
  }

  /** Paths that its prefix limit drops get the places that are free; it is not heard while they are looked for. */
  fillPlaces(peer: RibPeer): void {
    for (const family of [0, 1] as const) if (hasPlaceToFill(peer, family)) this.#fitPlaces(peer, family);
  }

  #fitPlaces(peer: RibPeer, family: FamilyIndex): void {
    this.#parts.sweep(peer.slot, family, SWEEP_PLACES);
    this.#parts.pace.pause(peer);
    this.#parts.wake();
  }

  /** Import policy again over everything that the peer sent. */
  softIn(id: string): void {
    const peer = this.#byId.get(id);
    if (peer !== undefined) this.#importAgain(peer);
  }

  /** Everything again to the peer. */
  softOut(id: string): void {
    const { exports } = this.#parts;
    const session = this.#byId.get(id)?.session;
    if (session === undefined) return;
    exports.refresh(session, 0);
    exports.refresh(session, 1);
    this.#parts.wake();
  }

  /** @param delta what a change concerns; undefined: everything that the peer sent */
  #importAgain(peer: RibPeer, delta?: PolicyDelta): void {
    for (const family of [0, 1] as const) this.#parts.sweep(peer.slot, family, SWEEP_POLICY, delta);
    this.#parts.wake();
  }

  /** No longer configured: forgotten when its last path is gone. */
  remove(id: string): void {
    this.dropKept(id);
    this.forget(id);
  }

  /** Nobody remembers its name: forgotten when its last path is gone, also one that is kept over a restart. */
  forget(id: string): void {
    const peer = this.#byId.get(id);
    if (peer === undefined) return;
    this.#leaving.add(peer);
    this.#parts.wake();
  }

  /** What is kept of a neighbour that is away goes: somebody said that it will not come back as it was. */
  dropKept(id: string): void {
    const peer = this.#byId.get(id);
    if (peer !== undefined) this.#dropIfAway(peer);
  }

  dropAllKept(): void {
    for (const peer of this.#byId.values()) this.#dropIfAway(peer);
  }

  /** Frees what is gone. */
  tidy(): void {
    for (const peer of this.#leaving) if (this.#parts.slots.paths[peer.slot] === 0) this.#free(peer);
  }

  /** The addresses of ours that a session uses (undefined: none any more) are no next hops for others to give. */
  #useOwnAddresses(peer: RibPeer, session: Session | undefined): void {
    const before = peer.ownAddresses;
    peer.ownAddresses = session === undefined ? [] : ownAddresses(session, peer.config);
    if (this.#parts.nextHops.replaceOwnAddresses(before, peer.ownAddresses)) this.#parts.sweepNextHops();
  }

  /** Neither a session nor paths that are kept: its addresses mean nothing any more. */
  #left(peer: RibPeer): void {
    this.#useOwnAddresses(peer, undefined);
    this.#goesTo(peer, undefined);
  }

  #goesTo(peer: RibPeer, now: RibPeer['goesTo']): void {
    const { nextHops, exports } = this.#parts;
    const { goesTo: before, slot } = peer;
    if (now?.address === before?.address && now?.device === before?.device) return;
    peer.goesTo = now;
    let isUsed = false;
    if (before !== undefined) isUsed = nextHops.setOwner(before.address, slot, before.device, false);
    if (now !== undefined) isUsed = nextHops.setOwner(now.address, slot, now.device, true) || isUsed;
    if (isUsed) exports.ownersChanged();
  }

  #dropIfAway(peer: RibPeer): void {
    if (peer.session === undefined && this.retention.isAway(peer)) this.retention.drop(peer);
  }

  #free(peer: RibPeer): void {
    const { nextHops, slots } = this.#parts;
    this.#leaving.delete(peer);
    this.bySlot[peer.slot] = undefined;
    if (this.#byId.get(peer.id) === peer) this.#byId.delete(peer.id);
    nextHops.acquit(peer.slot);
    slots.free(peer.slot);
  }
}
