// Paths of one prefix for tests of the decision: what there is to compare, any mixture of it, and mixtures that random
// ones rarely are; and the columns that the decision reads, filled with them.
import fc from 'fast-check';
import { HAS_LLGR_STALE, HAS_NO_EXPORT, PRESENT_MED } from '../../message/index.ts';
import type { AttributeReader } from '../attributes/attribute-reader.ts';
import type { AttributeStore } from '../attributes/attribute-store.ts';
import type { NextHops } from '../attributes/next-hops.ts';
import { Decision } from '../table/decision.ts';
import type { DecisionRules } from '../table/decision-steps.ts';
import { KIND_EBGP, KIND_IBGP, KIND_LOCAL, PeerSlots } from '../table/peer-slots.ts';
import { CHANGED, DEAD, FILTERED, INELIGIBLE, RibTable } from '../table/rib-table.ts';

export interface Attributes {
  /** Its number is its weight here. */
  readonly variant: number;
  readonly localPref: number;
  readonly pathLength: number;
  readonly origin: number;
  /** 0 where it is missing. */
  readonly med: number;
  /** PRESENT_* bits. */
  readonly present: number;
  /** HAS_* bits. */
  readonly flags: number;
  readonly neighborAs: number;
  readonly path: number;
  readonly originator: number;
  readonly clusterLength: number;
  /** -1: none. */
  readonly nextHop: number;
}
export interface Peer {
  readonly kind: number;
  readonly routerId: number;
  readonly address: readonly number[];
  /** So many epochs before the newest are still used. */
  readonly kept: number;
}
export interface Path {
  readonly peer: number;
  readonly attributes: number;
  readonly receivedId: number;
  readonly flags: number;
  /** Of how many sessions or refreshes ago. */
  readonly age: number;
}
export interface Hop {
  readonly isReachable: boolean;
  readonly metric: number;
  readonly address: number;
}
export interface Scene {
  readonly attributes: readonly Attributes[];
  readonly peers: readonly Peer[];
  readonly paths: readonly Path[];
  readonly hops: readonly Hop[];
  readonly rules: DecisionRules;
  readonly out: number;
}

const few = (most: number) => fc.nat(most);
/** Any mixture. */
export const scenes: fc.Arbitrary<Scene> = fc.record({
  attributes: fc
    .array(
      fc.record({
        variant: fc.constantFrom(0, 0, 0, 1, 2),
        localPref: fc.constantFrom(100, 100, 200),
        pathLength: fc.constantFrom(2, 2, 3),
        origin: fc.constantFrom(0, 0, 2),
        med: fc.constantFrom(0, 0, 5, 4_000_000_000),
        present: fc.constantFrom(0, PRESENT_MED),
        flags: fc.constantFrom(0, 0, 0, HAS_LLGR_STALE, HAS_LLGR_STALE | HAS_NO_EXPORT, HAS_NO_EXPORT),
        neighborAs: fc.constantFrom(7, 8),
        path: few(1),
        originator: fc.constantFrom(0, 0, 1, 3_000_000_000),
        clusterLength: fc.constantFrom(0, 0, 1),
        nextHop: fc.integer({ min: -1, max: 2 }),
      }),
      { minLength: 4, maxLength: 4 },
    )
    .map((all) => all.map((one) => ({ ...one, med: one.present === 0 ? 0 : one.med }))),
  peers: fc.array(
    fc.record({
      kind: fc.constantFrom(KIND_EBGP, KIND_EBGP, KIND_IBGP, KIND_IBGP, KIND_LOCAL),
      routerId: fc.constantFrom(1, 1, 2, 4_000_000_000),
      address: fc.array(fc.constantFrom(0, 0, 0, 1, 0xfe800000), { minLength: 4, maxLength: 4 }),
      kept: few(2),
    }),
    { minLength: 4, maxLength: 4 },
  ),
  paths: fc.array(
    fc.record({
      peer: few(3),
      attributes: few(3),
      receivedId: few(2),
      flags: fc.constantFrom(
        0,
        0,
        0,
        0,
        0,
        CHANGED,
        FILTERED,
        INELIGIBLE,
        DEAD,
        DEAD | FILTERED,
        INELIGIBLE | FILTERED,
      ),
      age: fc.constantFrom(0, 0, 0, 0, 1, 2),
    }),
    { maxLength: 7 },
  ),
  hops: fc.array(
    fc.record({ isReachable: fc.constantFrom(true, true, true, false), metric: few(2), address: few(2) }),
    { minLength: 3, maxLength: 3 },
  ),
  rules: fc.record({
    ebgp: fc.integer({ min: 1, max: 4 }),
    ibgp: fc.integer({ min: 1, max: 4 }),
    relax: fc.boolean(),
    alwaysCompareMed: fc.boolean(),
    missingMedAsWorst: fc.boolean(),
  }),
  out: fc.constantFrom(1, 3, 64),
});

const medRules = fc.record({ alwaysCompareMed: fc.boolean(), missingMedAsWorst: fc.boolean() });

/** Paths that only MED, neighbouring AS and router ID tell apart: nearly each has a triple that is no order (RFC 3345). */
export const medScenes: fc.Arbitrary<Scene> = fc
  .tuple(
    fc.array(
      fc.record({
        med: few(2),
        isMissing: fc.boolean(),
        neighborAs: fc.integer({ min: 7, max: 9 }),
        routerId: few(9),
      }),
      { minLength: 3, maxLength: 6 },
    ),
    medRules,
  )
  .map(([list, rules]) => ({
    attributes: list.map(({ med, isMissing, neighborAs }) => ({
      ...{
        med: isMissing ? 0 : med,
        present: isMissing ? 0 : PRESENT_MED,
        neighborAs,
        variant: 0,
        localPref: 100,
        pathLength: 2,
        origin: 0,
        flags: 0,
      },
      ...{ path: 0, originator: 0, clusterLength: 0, nextHop: -1 },
    })),
    peers: list.map(({ routerId }, i) => ({
      ...{ kind: KIND_EBGP, routerId, address: [0, 0, 0, i], kept: 0 },
    })),
    paths: list.map((_, i) => ({ peer: i, attributes: i, receivedId: 0, flags: 0, age: 0 })),
    hops: [],
    rules: { ebgp: 1, ibgp: 1, relax: false, ...rules },
    out: 1,
  }));
/** Paths that are equal up to the metric, often with one next hop and one address: as many as may be used together. */
export const sharedScenes: fc.Arbitrary<Scene> = fc
  .record({
    scene: scenes,
    kind: fc.constantFrom(KIND_EBGP, KIND_IBGP),
    paths: fc.array(fc.record({ peer: few(3), attributes: few(3) }), { minLength: 4, maxLength: 7 }),
  })
  .map(({ scene, kind, paths }) => ({
    ...scene,
    attributes: scene.attributes.map((one) => ({
      ...one,
      ...{ variant: 0, localPref: 100, pathLength: 2, origin: 0, med: one.med & 1, flags: 0 },
    })),
    peers: scene.peers.map(({ address, ...peer }) => ({
      ...peer,
      ...{ kind, address: [address[0]! & 1, 0, 0, address[3]! & 1] },
    })),
    paths: paths.map((path, i) => ({ ...path, receivedId: (i * 3) % 7, flags: 0, age: 0 })),
    hops: scene.hops.map(({ address }) => ({ isReachable: true, metric: 0, address })),
  }));

/** Id of the prefix. */
export const PREFIX = 0;

export class Columns {
  readonly scene: Scene;
  readonly peers = new PeerSlots();
  readonly table = new RibTable(1, 7);
  readonly slots: number[] = [];
  readonly decision: Decision;

  constructor(scene: Scene, hasIds: boolean) {
    this.scene = scene;
    const { attributes, hops, peers } = scene;
    for (const { kind, routerId, address, kept } of peers) {
      const slot = this.peers.take();
      this.slots.push(slot);
      this.peers.kind[slot] = kind;
      this.peers.routerId[slot] = routerId;
      this.peers.address.set(address, slot * 4);
      for (let i = 3; i > 0; i--) this.peers.nextEpoch(slot, 1, i <= kept);
    }
    const column = (name: keyof Attributes) => attributes.map((one) => one[name]);
    const store = Object.fromEntries(
      Object.keys(attributes[0]!).map((name) => [name, column(name as keyof Attributes)]),
    );
    const nextHops: Partial<NextHops> = {
      unreachableCount: hops.filter(({ isReachable }) => !isReachable).length,
      hasMetrics: hops.some(({ metric }) => metric > 0),
      reachable: Uint8Array.from(hops, ({ isReachable }) => (isReachable ? 1 : 0)),
      metric: Float64Array.from(hops, ({ metric }) => metric),
      isSame: (a, b) => a === b || (a >= 0 && b >= 0 && hops[a]!.address === hops[b]!.address),
    };
    this.decision = new Decision(
      { ...store, variants: { weight: [0, 1, 2] } } as unknown as AttributeStore,
      { samePath: (a, b) => attributes[a]!.path === attributes[b]!.path } as AttributeReader,
      this.peers,
      nextHops as NextHops,
      scene.rules,
      11,
    );
    if (hasIds) this.table.keepReceivedIds();
    for (const path of scene.paths) {
      const slot = this.slots[path.peer]!;
      const id = this.table.addPath(PREFIX, slot, path.attributes, path.flags, 3 - path.age);
      if (hasIds) this.table.receivedId![id] = path.receivedId;
    }
  }
}
