// Next-hop sets and targets, by what they promise: equal ones have one number, and nothing that nobody uses is kept.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Forwarding, ForwardingView } from '#bgp';
import type { FamilyIndex } from '#ip';
import type { Link, NextHop, RouteBatch } from '#linux';
import { ForeignRoutes } from './foreign-routes.ts';
import type { LinkedHop } from './resolve.ts';
import { HopSets, NO_SET } from './hop-sets.ts';
import { NO_TARGET, Targets } from './targets.ts';
import { NextHops } from './tracked-hops.ts';

const LINKS: ReadonlyMap<number, Link> = new Map(
  [
    [2, 'eth0'],
    [3, 'eth1'],
  ].map(([index, name]) => [
    index as number,
    {
      ...{ index: index as number, name: name as string, mtu: 1500, up: true, carrier: true },
      ...{ loopback: false, group: 0, peerElsewhere: false },
    },
  ]),
);

/** The kernel's pool of groups: equal ones have one number, and none is given back that it does not have. */
class Pool {
  readonly held = new Map<number, string>();
  /** A link that went away. */
  lost: number | undefined;
  readonly #free: number[] = [];
  #last = 0;

  internNextHops(family: FamilyIndex, hops: readonly NextHop[]): number {
    if (hops.some(({ deviceIndex }) => deviceIndex === this.lost)) throw new Error('ENODEV: no such link');
    return this.#add(`${family} ${hops.map(({ gateway }) => gateway).join(' ')}`);
  }
  internType(type: string): number {
    return this.#add(type);
  }
  releaseNextHops(id: number): void {
    assert.ok(this.held.delete(id), `group ${id} is given back twice`);
    this.#free.push(id);
  }
  #add(text: string): number {
    for (const [id, known] of this.held) if (known === text) return id;
    const number = this.#free.pop() ?? ++this.#last;
    this.held.set(number, text);
    return number;
  }
}

const eth0 = (last: number, more: Partial<NextHop> = {}): LinkedHop => ({
  ...{ gateway: `10.9.0.${last}`, deviceIndex: 2 },
  ...more,
});

describe('targets', () => {
  let pool: Pool;
  let targets: Targets;
  beforeEach(() => {
    pool = new Pool();
    targets = new Targets(pool as Partial<RouteBatch> as RouteBatch, 1024);
  });

  it('are one for the same next hops in any order, and others for whatever differs in the kernel', () => {
    const one = targets.takeHops(0, [eth0(1), eth0(2)]);
    for (const same of [
      [eth0(2), eth0(1)],
      [eth0(2), eth0(1), eth0(2)],
      [eth0(1, { weight: 1 }), eth0(2, { onlink: false })],
    ])
      assert.equal(targets.takeHops(0, same), one);
    assert.equal(targets.takeHops(0, [eth0(1), eth0(2)], 1024), one);
    const others = [
      targets.takeHops(1, [eth0(1), eth0(2)]),
      targets.takeHops(0, [eth0(1), eth0(2)], 500),
      targets.takeHops(0, [eth0(1)]),
      targets.takeHops(0, [eth0(1), eth0(3)]),
      targets.takeHops(0, [eth0(1), eth0(2, { deviceIndex: 3 })]),
      targets.takeHops(0, [eth0(1), eth0(2, { onlink: true })]),
      targets.takeHops(0, [eth0(1), eth0(2, { weight: 2 })]),
      targets.takeUnreachable(),
      targets.takeUnreachable(500),
    ];
    assert.equal(new Set([...others, one]).size, 10);
    assert.equal(targets.takeUnreachable(1024), others[7]);
    assert.equal(targets.takeHops(0, []), NO_TARGET, 'no next hop is no route');
  });

  it('live as long as somebody uses them, in the kernel’s pool, too; then their numbers are used again', () => {
    const ids = new Set<number>();
    for (let round = 0; round < 50; round++) {
      const id = targets.takeHops(0, [eth0(round)]);
      targets.takeHops(0, [eth0(round)]);
      targets.retain(id);
      targets.release(id);
      targets.release(id);
      assert.deepEqual([...pool.held.values()], [`0 10.9.0.${round}`]);
      assert.equal(pool.held.has(targets.batchIdOf(id)), true);
      targets.release(id);
      assert.equal(pool.held.size, 0);
      assert.throws(() => targets.batchIdOf(id), RangeError);
      assert.equal(targets.metricOf(id), 0);
      ids.add(id);
    }
    assert.equal(ids.size, 1);
    targets.retain(NO_TARGET);
    targets.release(NO_TARGET);
    assert.throws(() => targets.batchIdOf(NO_TARGET), RangeError);
  });

  it('of several metrics share a group of the kernel, which is there until the last of them goes', () => {
    for (const take of [
      (metric?: number) => targets.takeHops(0, [eth0(1)], metric),
      (metric?: number) => targets.takeUnreachable(metric),
    ]) {
      const [low, plain, high] = [take(500), take(), take(2000)];
      for (const [gone, left] of [
        [low, plain],
        [high, plain],
      ] as const) {
        targets.release(gone);
        assert.equal(pool.held.has(targets.batchIdOf(left)), true);
      }
      targets.release(plain);
      assert.equal(pool.held.size, 0);
    }
  });

  it('have a metric, links and words', () => {
    const [near, far] = [targets.takeHops(0, [eth0(2), eth0(1)]), targets.takeHops(0, [eth0(7)], 500)];
    const gone = targets.takeHops(0, [eth0(1), eth0(2, { deviceIndex: 77 })]);
    const held = targets.takeUnreachable(20);
    assert.deepEqual(
      [near, far, gone, held, NO_TARGET].map((id) => [targets.metricOf(id), targets.textOf(id, LINKS)]),
      [
        [1024, 'via 10.9.0.1 dev eth0 via 10.9.0.2 dev eth0'],
        [500, 'via 10.9.0.7 dev eth0 metric 500'],
        [1024, 'via 10.9.0.1 dev eth0 via 10.9.0.2 dev link 77'],
        [20, 'unreachable metric 20'],
        [0, 'none'],
      ],
    );
    assert.deepEqual(
      [2, 3, 77].map((index) => targets.usesLink(index)),
      [true, false, true],
    );
    targets.release(gone);
    assert.equal(targets.usesLink(77), false);
  });
});

/** A RIB of which each prefix is forwarded by the next hops of its number. */
class Wishes implements ForwardingView {
  kind = 2;
  metric = 0;
  hops: readonly number[] = [];
  addressOf: (hop: number) => string = (hop) => `10.9.${hop >> 8}.${hop & 255}`;

  readPrefix(): number {
    return -1;
  }
  forwarding(_family: FamilyIndex, _id: number, out: Forwarding): void {
    out.kind = this.kind;
    out.metric = this.metric;
    out.count = this.hops.length;
    out.nextHopIds.set(this.hops);
    out.weights?.fill(1, 0, this.hops.length);
  }
  nextHop(id: number): { readonly address: string } {
    return { address: this.addressOf(id) };
  }
}

describe('sets of next hops', () => {
  let pool: Pool;
  let targets: Targets;
  let hops: NextHops;
  let sets: HopSets;
  let rib: Wishes;
  let foreign: ForeignRoutes;
  beforeEach(() => begin());

  function begin(): void {
    foreign = new ForeignRoutes([254]);
    for (const [family, destination, deviceIndex] of [
      ['ipv4', '10.9.0.0/16', 2],
      ['ipv6', 'fd09::/64', 3],
    ] as const)
      foreign.apply('new', {
        ...{ family, destination, table: 254, protocol: 2, scope: 'link', type: 'unicast', metric: 0 },
        nextHops: [{ deviceIndex }],
      });
    pool = new Pool();
    targets = new Targets(pool as Partial<RouteBatch> as RouteBatch, 1024);
    hops = new NextHops({ links: LINKS, foreign });
    sets = new HopSets(hops, targets);
    rib = new Wishes();
  }

  /** What a prefix with these next hops wants, used once. */
  function want(ids: readonly number[], metric = 0): number {
    Object.assign(rib, { hops: ids, metric });
    const set = sets.ofRib(0, 0, rib);
    sets.retain(set);
    sets.endBatch();
    return set;
  }
  const words = (set: number, family: FamilyIndex = 0) => targets.textOf(sets.targetOf(set, family), LINKS);
  const nothingIsLeft = () => {
    assert.deepEqual([...hops.all()], []);
    assert.deepEqual([...pool.held.values()], []);
  };

  it('are of what was learned, not of own routes or none', () => {
    for (const [kind, isSet] of [
      [0, false],
      [1, false],
      [2, true],
    ] as const) {
      rib.kind = kind;
      assert.equal(want([1, 2]) !== NO_SET, isSet);
    }
    assert.deepEqual(sets.addressesOf(NO_SET), []);
    assert.equal(sets.troubleOf(NO_SET), '');
    assert.equal(sets.targetOf(NO_SET, 0), NO_TARGET);
    sets.release(NO_SET);
  });

  it('have one number for the same next hops and metric, in any order, whatever numbers the RIB gives them', () => {
    const set = want([1, 2, 3]);
    assert.equal(want([3, 1, 2]), set);
    assert.equal(want([2, 3, 1], 1024), set, 'the metric that is taken when no policy says one');
    rib.addressOf = (hop) => `10.9.0.${hop - 60}`;
    assert.equal(want([61, 63, 62]), set);
    for (const other of [want([61, 62]), want([61, 62, 64]), want([61, 62, 63], 500)])
      assert.notEqual(other, set);
    assert.deepEqual(sets.addressesOf(set), ['10.9.0.1', '10.9.0.2', '10.9.0.3']);
  });

  it('are told apart, 19,000 of them, of which two pairs have one hash', () => {
    const keyOf = new Map<number, number>();
    const wantAll = () => {
      // Looked for: few sequences have such pairs.
      let state = 2510;
      const below = (end: number) => {
        state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
        return (state >>> 8) % end;
      };
      for (let i = 0; i < 20_000; i++) {
        const first = below(300);
        rib.hops = i % 4 === 0 ? [first] : [first, first + 1 + below(3000)];
        rib.metric = i % 4 === 0 ? 1 + below(4000) : 500;
        const key = (rib.metric * 1000 + first) * 10_000 + (rib.hops[1] ?? 0);
        const set = sets.ofRib(0, 0, rib);
        const known = keyOf.get(set);
        if (known === undefined) sets.retain(set);
        else if (known !== key) assert.fail(`${known} and ${key} are one set`);
        keyOf.set(set, key);
      }
      sets.endBatch();
      assert.ok(keyOf.size > 19_000);
      assert.equal(new Set(keyOf.values()).size, keyOf.size);
    };
    wantAll();
    for (const [set, key] of keyOf) {
      if (key % 2 === 0) continue;
      sets.release(set);
      keyOf.delete(set);
    }
    wantAll();
    for (const set of keyOf.keys()) sets.release(set);
    nothingIsLeft();
  });

  it('lead where their next hops do, in each family, with their metric', () => {
    const set = want([2, 1]);
    assert.equal(words(set), 'via 10.9.0.1 dev eth0 via 10.9.0.2 dev eth0');
    assert.equal(words(want([1], 500)), 'via 10.9.0.1 dev eth0 metric 500');
    assert.notEqual(sets.targetOf(set, 1), sets.targetOf(set, 0));
    assert.equal(sets.troubleOf(set), '');
    rib.addressOf = () => 'fd09::7';
    assert.equal(words(want([9])), 'via fd09::7 dev eth1');
    rib.addressOf = () => '10.9.0.1';
    const set1 = want([1]);
    assert.equal(sets.ofAddress('10.9.0.1'), set1, 'by address as from the RIB');
  });

  it('say which next hops cannot be reached, and use the others', () => {
    const addresses = ['10.9.0.1', '192.0.2.1', '192.0.2.2'];
    rib.addressOf = (hop) => addresses[hop]!;
    const [some, none] = [want([0, 1, 2]), want([1])];
    assert.equal(words(some), 'via 10.9.0.1 dev eth0');
    const why = (address: string) => `next hop ${address} no route leads to it`;
    assert.equal(sets.troubleOf(some), `${why('192.0.2.1')}; ${why('192.0.2.2')}`);
    assert.equal(sets.targetOf(none, 0), NO_TARGET);
    assert.equal(sets.troubleOf(none), why('192.0.2.1'));
  });

  it('have no target while a link is gone that the kernel has not told about', () => {
    const set = want([1]);
    pool.lost = 2;
    assert.equal(sets.targetOf(set, 0), NO_TARGET);
    assert.equal(sets.troubleOf(set), 'ENODEV: no such link');
    pool.lost = undefined;
    assert.equal(sets.targetOf(set, 0), NO_TARGET, 'until it tells');
    assert.deepEqual([...sets.hopsChanged(new Set([hops.acquire('10.9.0.1', undefined).id]))], [set]);
    assert.equal(words(set), 'via 10.9.0.1 dev eth0');
    assert.equal(sets.troubleOf(set), '');
  });

  it('follow their next hops: those change, in both families, that lead elsewhere now', () => {
    rib.addressOf = (hop) => (hop === 9 ? 'fd09::9' : `10.9.0.${hop}`);
    const [both, one, six, unasked] = [want([1, 2]), want([3]), want([9]), want([4])];
    for (const set of [both, one]) sets.targetOf(set, 0);
    sets.targetOf(six, 1);
    const idOf = (address: string) => [...hops.all()].find((hop) => hop.address === address)!.id;
    const changed = (...addresses: string[]) => [...sets.hopsChanged(new Set(addresses.map(idOf)))];
    assert.deepEqual(changed('10.9.0.1', '10.9.0.2', 'fd09::9'), [], 'each leads where it did');
    foreign.apply('new', {
      ...{ family: 'ipv4', destination: '10.9.0.1/32', table: 254, protocol: 4, scope: 'global' },
      ...{ type: 'unicast', metric: 0, nextHops: [{ gateway: '10.9.0.5', deviceIndex: 2 }] },
    });
    foreign.apply('new', {
      ...{ family: 'ipv6', destination: 'fd09::9/128', table: 254, protocol: 4, scope: 'global' },
      ...{ type: 'unicast', metric: 0, nextHops: [{ gateway: 'fd09::5', deviceIndex: 3 }] },
    });
    assert.equal(hops.resolveAgain().length, 2);
    assert.deepEqual(changed('10.9.0.3', '10.9.0.4'), [], 'others are not looked at');
    assert.deepEqual(changed('10.9.0.1', '10.9.0.3', '10.9.0.4', 'fd09::9'), [both, six]);
    assert.equal(words(both), 'via 10.9.0.2 dev eth0 via 10.9.0.5 dev eth0');
    assert.equal(words(six, 1), 'via fd09::5 dev eth1');
    for (const set of [both, one, six, unasked]) sets.release(set);
    nothingIsLeft();
  });

  it('keep nothing that nobody uses: not a set, nor a next hop, nor a group of the kernel', () => {
    const metric = fc.constantFrom(0, 500);
    const ids = fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 3 });
    const step = fc.oneof(
      fc.record({ does: fc.constant('want' as const), ids, metric }),
      fc.record({ does: fc.constant('drop' as const), which: fc.nat(20) }),
      fc.record({ does: fc.constant('ask' as const), which: fc.nat(20), family: fc.constantFrom(0, 1) }),
      fc.record({ does: fc.constant('change' as const), which: fc.nat(3) }),
      fc.record({ does: fc.constant('address' as const), which: fc.nat(3) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        begin();
        const used: number[] = [];
        let most = 0;
        for (const s of steps) {
          const set = 'which' in s ? used[s.which % Math.max(1, used.length)] : undefined;
          if (s.does === 'want') used.push(want(s.ids, s.metric));
          else if (s.does === 'address') {
            used.push(sets.ofAddress(`10.9.0.${s.which}`));
            sets.retain(used.at(-1)!);
          } else if (s.does === 'change') sets.hopsChanged(new Set([s.which]));
          else if (set === undefined) continue;
          else if (s.does === 'ask') sets.targetOf(set, s.family as FamilyIndex);
          else {
            used.splice(used.indexOf(set), 1);
            sets.release(set);
            assert.equal(sets.addressesOf(set).length > 0, used.includes(set));
          }
          most = Math.max(most, new Set(used).size);
          const addresses = new Set(used.flatMap((id) => sets.addressesOf(id)));
          assert.deepEqual([...hops.all()].map(({ address }) => address).sort(), [...addresses].sort());
          assert.ok(Math.max(0, ...used) <= most, 'numbers are used again');
        }
        for (const set of used) sets.release(set);
        nothingIsLeft();
      }),
      { seed: Number(process.env['PODROUTE_SEED'] ?? 11) },
    );
  });
});
