// The decision on bare columns against the same rules written once more for objects, over any mixture of paths: which
// may be chosen, which is better and by which step, what is chosen and marked, and what is used together.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AttributeReader } from '../attributes/attribute-reader.ts';
import type { AttributeStore } from '../attributes/attribute-store.ts';
import type { NextHops } from '../attributes/next-hops.ts';
import * as decision from './decision.ts';
import { KIND_EBGP, KIND_IBGP, KIND_LOCAL, PeerSlots } from './peer-slots.ts';
import {
  BEST,
  CHANGED,
  DEAD,
  FILTERED,
  INELIGIBLE,
  LONG_LIVED_STALE,
  MULTIPATH,
  RibTable,
} from './rib-table.ts';

interface Attributes {
  readonly localPref: number;
  readonly pathLength: number;
  readonly origin: number;
  readonly med: number;
  readonly neighborAs: number;
  readonly path: number;
  readonly originator: number;
  readonly clusterLength: number;
  /** -1: none. */
  readonly nextHop: number;
}
interface Peer {
  readonly kind: number;
  readonly routerId: number;
  readonly address: readonly number[];
  readonly isRefreshing: boolean;
}
interface Path {
  readonly peer: number;
  readonly attributes: number;
  readonly receivedId: number;
  readonly flags: number;
  /** Of how many sessions or refreshes ago. */
  readonly age: number;
}
interface Hop {
  readonly isReachable: boolean;
  readonly metric: number;
  readonly address: number;
}
interface Scene {
  readonly attributes: readonly Attributes[];
  readonly peers: readonly Peer[];
  readonly paths: readonly Path[];
  readonly hops: readonly Hop[];
  readonly multipath: decision.MultipathRules;
  readonly out: number;
}

const few = (most: number) => fc.nat(most);
const scenes: fc.Arbitrary<Scene> = fc.record({
  attributes: fc.array(
    fc.record({
      localPref: fc.constantFrom(100, 100, 200),
      pathLength: fc.constantFrom(2, 2, 3),
      origin: fc.constantFrom(0, 0, 2),
      med: fc.constantFrom(0, 0, 5, 4_000_000_000),
      neighborAs: fc.constantFrom(7, 8),
      path: few(1),
      originator: fc.constantFrom(0, 0, 1, 3_000_000_000),
      clusterLength: fc.constantFrom(0, 0, 1),
      nextHop: fc.integer({ min: -1, max: 2 }),
    }),
    { minLength: 4, maxLength: 4 },
  ),
  peers: fc.array(
    fc.record({
      kind: fc.constantFrom(KIND_EBGP, KIND_EBGP, KIND_IBGP, KIND_IBGP, KIND_LOCAL),
      routerId: fc.constantFrom(1, 1, 2, 4_000_000_000),
      address: fc.array(fc.constantFrom(0, 0, 0, 1, 0xfe800000), { minLength: 4, maxLength: 4 }),
      isRefreshing: fc.boolean(),
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
        LONG_LIVED_STALE,
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
  multipath: fc.record({
    ebgp: fc.integer({ min: 1, max: 4 }),
    ibgp: fc.integer({ min: 1, max: 4 }),
    relax: fc.boolean(),
  }),
  out: fc.constantFrom(1, 3, 64),
});

/** Paths that only MED, neighbouring AS and router ID tell apart: nearly each has a triple that is no order (RFC 3345). */
const medScenes: fc.Arbitrary<Scene> = fc
  .array(fc.record({ med: few(2), neighborAs: fc.integer({ min: 7, max: 9 }), routerId: few(9) }), {
    minLength: 3,
    maxLength: 6,
  })
  .map((list) => ({
    attributes: list.map(({ med, neighborAs }) => ({
      ...{ med, neighborAs, localPref: 100, pathLength: 2, origin: 0 },
      ...{ path: 0, originator: 0, clusterLength: 0, nextHop: -1 },
    })),
    peers: list.map(({ routerId }, i) => ({
      ...{ kind: KIND_EBGP, routerId, address: [0, 0, 0, i], isRefreshing: false },
    })),
    paths: list.map((_, i) => ({ peer: i, attributes: i, receivedId: 0, flags: 0, age: 0 })),
    hops: [],
    multipath: { ebgp: 1, ibgp: 1, relax: false },
    out: 1,
  }));

const PREFIX = 0;

class Columns {
  readonly scene: Scene;
  readonly peers = new PeerSlots();
  readonly table = new RibTable(1, 7);
  readonly slots: number[] = [];
  readonly decision: decision.Decision;

  constructor(scene: Scene, hasIds: boolean) {
    this.scene = scene;
    const { attributes, hops, peers } = scene;
    for (const { kind, routerId, address, isRefreshing } of peers) {
      const slot = this.peers.take();
      this.slots.push(slot);
      this.peers.kind[slot] = kind;
      this.peers.routerId[slot] = routerId;
      this.peers.address.set(address, slot * 4);
      for (let i = 0; i < 3; i++) this.peers.nextEpoch(slot, 1, isRefreshing);
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
    this.decision = new decision.Decision(
      store as unknown as AttributeStore,
      { samePath: (a, b) => attributes[a]!.path === attributes[b]!.path } as AttributeReader,
      this.peers,
      nextHops as NextHops,
      scene.multipath,
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

/** The rules, with paths as numbers into scene.paths, which are the ids of the columns. */
class Rules {
  readonly #scene: Scene;
  readonly #hasIds: boolean;

  constructor(scene: Scene, hasIds: boolean) {
    this.#scene = scene;
    this.#hasIds = hasIds;
  }

  peer(path: number): Peer {
    return this.#scene.peers[this.#scene.paths[path]!.peer]!;
  }
  a(path: number): Attributes {
    return this.#scene.attributes[this.#scene.paths[path]!.attributes]!;
  }
  hop(path: number): Hop | undefined {
    return this.#scene.hops[this.a(path).nextHop];
  }

  refusal(path: number): number {
    const { age, flags } = this.#scene.paths[path]!;
    if (age > 1 || (age === 1 && !this.peer(path).isRefreshing)) return decision.GONE;
    if ((flags & DEAD) !== 0) return decision.WITHDRAWN;
    if ((flags & INELIGIBLE) !== 0) return decision.FORBIDDEN;
    if ((flags & FILTERED) !== 0) return decision.FILTERED_BY_POLICY;
    return this.hop(path)?.isReachable === false ? decision.NEXT_HOP_UNREACHABLE : decision.USABLE;
  }

  get usable(): number[] {
    return this.#scene.paths.map((_, i) => i).filter((i) => this.refusal(i) === decision.USABLE);
  }

  /** The first step that tells two paths apart, negative when the first is better. */
  compare(x: number, y: number, upToMetric = false): number {
    const [a, b, p, q] = [this.a(x), this.a(y), this.peer(x), this.peer(y)];
    const [pathX, pathY] = [this.#scene.paths[x]!, this.#scene.paths[y]!];
    const is = (path: Path): number => path.flags & LONG_LIVED_STALE;
    const metric = (path: number): number => this.hop(path)?.metric ?? 0;
    const isSameSet = pathX.attributes === pathY.attributes;
    const steps: [number, number][] = [
      [decision.STEP_LONG_LIVED_STALE, is(pathX) - is(pathY)],
      [decision.STEP_LOCAL, Number(q.kind === KIND_LOCAL) - Number(p.kind === KIND_LOCAL)],
      [decision.STEP_LOCAL_PREF, b.localPref - a.localPref],
      [decision.STEP_AS_PATH_LENGTH, a.pathLength - b.pathLength],
      [decision.STEP_ORIGIN, a.origin - b.origin],
      [decision.STEP_MED, a.neighborAs === b.neighborAs ? a.med - b.med : 0],
      [decision.STEP_EBGP, p.kind === q.kind ? 0 : p.kind === KIND_EBGP ? -1 : 1],
      [decision.STEP_METRIC, isSameSet ? 0 : metric(x) - metric(y)],
    ];
    if (!upToMetric) {
      steps.push([decision.STEP_ROUTER_ID, (a.originator || p.routerId) - (b.originator || q.routerId)]);
      steps.push([decision.STEP_CLUSTER_LIST, a.clusterLength - b.clusterLength]);
      for (let i = 0; i < 4; i++) steps.push([decision.STEP_PEER_ADDRESS, p.address[i]! - q.address[i]!]);
      // Two sessions with one address: the one that came up first.
      steps.push([decision.STEP_PEER_ADDRESS, pathX.peer - pathY.peer]);
      steps.push([decision.STEP_PATH_ID, this.#hasIds ? pathX.receivedId - pathY.receivedId : 0]);
    }
    const [step, difference] = steps.find(([, d]) => d !== 0) ?? [0, 0];
    return difference < 0 ? -step : step;
  }

  /** Paths that nothing tells apart may come in any order. */
  get areAllDifferent(): boolean {
    const all = this.usable;
    return all.every((x) => all.every((y) => x === y || this.compare(x, y) !== 0));
  }

  get best(): number {
    const groups = Map.groupBy(this.usable, (path) => this.a(path).neighborAs);
    const first = (paths: number[]): number => paths.sort((x, y) => this.compare(x, y))[0]!;
    const best = [...groups.values()].map(first);
    return best.length === 0 ? -1 : first(best);
  }

  /** With the best: what is equal to it, one of each next hop, as many as are allowed. */
  together(best: number): number[] {
    const { multipath, out } = this.#scene;
    const isEbgp = this.peer(best).kind === KIND_EBGP;
    const equal = this.usable
      .filter((path) => path !== best && this.compare(best, path, true) === 0)
      .filter((path) => {
        if (multipath.relax) return true;
        return isEbgp
          ? this.a(path).neighborAs === this.a(best).neighborAs
          : this.a(path).path === this.a(best).path;
      })
      .sort((x, y) => this.compare(x, y));
    const hops: (number | undefined)[] = [];
    return [best, ...equal]
      .filter((path) => {
        const { nextHop } = this.a(path);
        const key = nextHop < 0 ? undefined : this.hop(path)!.address;
        if (hops.includes(key)) return false;
        hops.push(key);
        return true;
      })
      .slice(0, Math.min(isEbgp ? multipath.ebgp : multipath.ibgp, out));
  }
}

const RUNS = { numRuns: 1000 };
const both = (check: (scene: Scene, columns: Columns, rules: Rules) => void): void => {
  fc.assert(
    fc.property(scenes, fc.boolean(), (given, hasIds) =>
      check(given, new Columns(given, hasIds), new Rules(given, hasIds)),
    ),
    RUNS,
  );
};

/** Several paths may be used together, so each change may matter to forwarding. */
const isShared = ({ multipath }: Scene): boolean => multipath.ebgp > 1 || multipath.ibgp > 1;

describe('the decision on columns', () => {
  it('refuses what may not be chosen, and says why', () => {
    both(({ paths }, { decision: decide, table }, rules) => {
      paths.forEach((_, path) => {
        assert.equal(decide.refusal(table, path), rules.refusal(path));
        assert.equal(decide.isUsable(table, path), rules.refusal(path) === decision.USABLE);
      });
    });
  });

  it('compares any two paths by the first step in which they differ', () => {
    both((_scene, { decision: decide, table }, rules) => {
      for (const x of rules.usable)
        for (const y of rules.usable)
          if (x !== y) assert.equal(decide.compare(table, x, y), rules.compare(x, y));
    });
  });

  it('chooses the best of each neighbouring AS, and of these the best', () => {
    both((scene, { decision: decide, table }, rules) => {
      if (!rules.areAllDifferent) return;
      const { paths } = scene;
      const { best } = rules;
      assert.equal(
        decide.choose(table, PREFIX),
        best >= 0 || (isShared(scene) && paths.some(({ flags }) => (flags & (CHANGED | DEAD)) !== 0)),
      );
      assert.equal(table.best(PREFIX), best);
      paths.forEach(({ flags }, path) => {
        assert.equal(
          table.flags[path],
          (flags & ~CHANGED) | (path === best ? BEST : 0),
          'no other flag, and not CHANGED',
        );
      });
      assert.equal(
        decide.choose(table, PREFIX),
        isShared(scene) && paths.some(({ flags }) => (flags & DEAD) !== 0),
      );
      assert.equal(table.best(PREFIX), best);
      if (best < 0) return;
      table.flags[best]! |= CHANGED;
      assert.equal(decide.choose(table, PREFIX), true, 'the best has changed');
      // One that has gone gives the place to the next, and its marks up.
      table.flags[best]! |= DEAD | MULTIPATH;
      assert.equal(decide.choose(table, PREFIX), true);
      assert.equal(table.flags[best]! & (BEST | MULTIPATH), 0);
      assert.notEqual(table.best(PREFIX), best);
    });
  });

  it('chooses the same where MED is no order among all of them', () => {
    fc.assert(
      fc.property(medScenes, (scene) => {
        const { decision: decide, table } = new Columns(scene, false);
        decide.choose(table, PREFIX);
        assert.equal(table.best(PREFIX), new Rules(scene, false).best);
      }),
      RUNS,
    );
  });

  it('tells that another path has changed only where several are used together', () => {
    both((scene, { decision: decide, table }, rules) => {
      const { paths } = scene;
      if (!rules.areAllDifferent || rules.usable.length < 2 || paths.some(({ flags }) => flags & DEAD))
        return;
      decide.choose(table, PREFIX);
      const other = rules.usable.find((path) => path !== rules.best)!;
      table.flags[other]! |= CHANGED;
      assert.equal(decide.choose(table, PREFIX), isShared(scene));
      assert.equal(table.flags[other]! & CHANGED, 0);
    });
  });

  it('uses equal paths together, as many as are allowed, one of each next hop, the tie-break’s first', () => {
    both(({ paths, out: room }, { decision: decide, table }, rules) => {
      if (!rules.areAllDifferent) return;
      const out = new Int32Array(room);
      const { best } = rules;
      assert.equal(decide.markMultipath(table, PREFIX, out), 0, 'nothing is chosen yet');
      decide.choose(table, PREFIX);
      paths.forEach((_, path) => path !== best && (table.flags[path]! |= MULTIPATH));
      const count = decide.markMultipath(table, PREFIX, out);
      if (best < 0) return assert.equal(count, 0);
      const expected = rules.together(best);
      assert.deepEqual([...out.subarray(0, count)], expected);
      const marked = paths.map((_, path) => path).filter((path) => (table.flags[path]! & MULTIPATH) !== 0);
      assert.deepEqual(
        marked,
        expected.slice(1).sort((a, b) => a - b),
      );
    });
  });
});
