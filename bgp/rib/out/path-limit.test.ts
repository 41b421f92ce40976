// A neighbour that gets at most so many paths of a prefix (addPathLimit, Paths-Limit): which, in which order, and never more.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fakeConfig, type FakePeerOptions } from '../testing/fake-session.ts';
import { RibLab } from '../testing/rib-lab.ts';
import type { WireAttributes } from '../../testing/message-bytes.ts';

const P = '20.0.1.0/24';
const client = (n: number): FakePeerOptions => ({
  ...{ id: `i${n}`, address: `198.51.100.${n}`, as: 65000, client: true },
  families: ['ipv4'],
});
const taker = (limit: number | undefined, more: Partial<FakePeerOptions> = {}): FakePeerOptions => ({
  ...{
    id: 'taker',
    address: '198.51.100.99',
    as: 65000,
    client: true,
    addPathSend: true,
    families: ['ipv4'],
  },
  ...(limit === undefined ? {} : { config: { addPathLimit: limit } }),
  ...more,
});

function lab(limit: number | undefined, more: Partial<FakePeerOptions> = {}, grain?: number): RibLab {
  const one = new RibLab(undefined, grain);
  for (let n = 1; n <= 5; n++) one.up(client(n));
  one.up(taker(limit, more));
  one.settle();
  return one;
}

/** By `localPref` from client n. */
function give(one: RibLab, n: number, localPref: number, more: Partial<WireAttributes> = {}): void {
  one.announce(`i${n}`, [P], { path: [65101], nextHop: `198.51.100.${n}`, localPref, ...more });
}

/** Whose paths the taker has. */
const has = (one: RibLab, id = 'taker'): string[] =>
  [...one.session(id).held.values()].map((text) => /nh=198\.51\.100\.(\d+)/.exec(text)![1]!).sort();

function change(one: RibLab, limit: number | undefined): void {
  const config = fakeConfig(taker(limit));
  one.session('taker').config = config;
  one.rib.neighbours.configure(config);
  one.settle();
}

describe('a limit of paths', () => {
  it('sends the best ones; who falls out is withdrawn, who comes in announced, and the ids stay', () => {
    const one = lab(2, { mostPaths: 2 });
    for (const [n, preference] of [10, 30, 20, 40].entries()) give(one, n + 1, preference);
    one.settle();
    assert.deepEqual(has(one), ['2', '4']);
    const before = new Map(one.session('taker').held);
    give(one, 1, 50);
    one.settle();
    assert.deepEqual(has(one), ['1', '4']);
    const stayed = [...one.session('taker').held.keys()].filter((key) => before.has(key));
    assert.equal(stayed.length, 1, 'of 4, as it was');
    one.withdraw('i4', [P]);
    one.settle();
    assert.deepEqual(has(one), ['1', '2']);
    one.withdraw('i1', [P]);
    one.settle();
    assert.deepEqual(has(one), ['2', '3']);
  });

  it('is the lesser of ours and what the neighbour asks for', () => {
    for (const [ours, theirs, count] of [
      [undefined, undefined, 5],
      [undefined, 3, 3],
      [2, 3, 2],
      [4, 3, 3],
      [4, undefined, 4],
    ] as const) {
      const one = lab(ours, theirs === undefined ? {} : { negotiated: { pathsLimit: { ipv4: theirs } } });
      for (let n = 1; n <= 5; n++) give(one, n, n);
      one.settle();
      assert.equal(has(one).length, count, `${ours} ${theirs}`);
    }
  });

  it('changes on a session that goes on', () => {
    const one = lab(undefined);
    for (let n = 1; n <= 5; n++) give(one, n, n);
    one.settle();
    change(one, 2);
    assert.deepEqual(has(one), ['4', '5']);
    assert.equal(one.session('taker').withdrawn, 3);
    assert.equal(one.session('taker').announced, 5, 'what stays is not sent again');
    change(one, 4);
    assert.deepEqual(has(one), ['2', '3', '4', '5']);
    change(one, undefined);
    assert.deepEqual(has(one), ['1', '2', '3', '4', '5']);
  });

  it('counts the paths of the neighbour itself: its place is nobody else’s', () => {
    const one = lab(2);
    one.announce('taker', [P], { path: [65101], nextHop: '198.51.100.99', localPref: 9 });
    for (let n = 1; n <= 3; n++) give(one, n, n);
    one.settle();
    assert.deepEqual(has(one), ['3']);
  });

  it('takes no path that must not go out for one', () => {
    const one = lab(2);
    for (let n = 1; n <= 4; n++) give(one, n, n, n > 2 ? { communities: [0xffffff02] } : {});
    one.settle();
    assert.deepEqual(has(one), ['1', '2'], 'the best two have NO_ADVERTISE');
  });

  it('follows the decision where MED counts inside one neighbouring AS only', () => {
    const one = lab(2);
    // 1 beats 2 by MED; 3 beats 1 and loses to 2 by router ID, which does not come to it.
    give(one, 3, 100, { path: [65102], med: 0 });
    give(one, 2, 100, { path: [65101], med: 9 });
    give(one, 4, 100, { path: [65101], med: 1 });
    one.settle();
    assert.equal(one.routes({ view: 'best', prefix: P })[0]!.peer, 'i3');
    assert.deepEqual(has(one), ['3', '4'], 'not 2, which is before both by its router ID');
  });

  it('is not passed by who is owed more changes than are kept in order', () => {
    const one = lab(1, { mostPaths: 1 }, 64);
    const taker = one.session('taker');
    const halves = [0, 128].map((net) =>
      Array.from({ length: 750 }, (_, i) => `20.2.${net + (i >> 3)}.${(i & 7) << 5}/27`),
    );
    const from = (n: number): number =>
      [...taker.held.values()].filter((text) => text.includes(`nh=198.51.100.${n} `)).length;
    // What the second one has comes again when the first one’s is gone: with a lower id, and so before it.
    for (const n of [2, 1]) {
      for (const prefixes of halves)
        one.announce(`i${n}`, prefixes, { path: [65101], nextHop: `198.51.100.${n}`, localPref: 9 - n });
      one.settle();
    }
    assert.equal(from(1), 1500);
    one.drain('taker', 0);
    give(one, 3, 1);
    one.settle();
    for (const prefixes of halves) one.withdraw('i1', prefixes);
    one.settle();
    assert.equal(from(1), 1500, 'it takes nothing');
    one.drain('taker', Number.POSITIVE_INFINITY);
    one.settle();
    assert.deepEqual([from(1), from(2)], [0, 1500]);
  });

  for (const { each, grain, numRuns, maxLength } of [
    { each: 1, grain: 3, numRuns: 300, maxLength: 50 },
    { each: 500, grain: 64, numRuns: 20, maxLength: 20 },
  ])
    it(`is never passed in between by who is slow, with ${each * 3} prefixes that change together`, () => {
      const blocks = [1, 2, 3].map((n) =>
        Array.from({ length: each }, (_, i) => `20.${n}.${i >> 1}.${(i & 1) << 7}/25`),
      );
      const step = fc.record({
        n: fc.integer({ min: 1, max: 5 }),
        changed: fc.subarray([0, 1, 2], { minLength: 1 }),
        localPref: fc.option(fc.integer({ min: 1, max: 9 })),
        turns: fc.nat({ max: 2 * Math.ceil((3 * each) / grain) }),
        room: fc.constantFrom(0, 1, 2, 100),
        isAsking: fc.boolean(),
        /** Another group from here on. */
        interval: fc.option(fc.constantFrom(0, 30)),
      });
      const intervals = fc.constantFrom(0, 30);
      const property = fc.property(
        fc.array(step, { maxLength }),
        fc.integer({ min: 1, max: 3 }),
        intervals,
        (steps, limit, advertisementIntervalSeconds) => {
          const config = { addPathLimit: limit, advertisementIntervalSeconds };
          const one = lab(limit, { mostPaths: limit, config }, grain);
          one.up({ ...taker(limit, { mostPaths: limit }), id: 'other', address: '198.51.100.98' });
          const paths = new Map<string, number>();
          for (const { n, changed, localPref, turns, room, isAsking, interval } of steps) {
            for (const prefixes of changed.map((at) => blocks[at]!)) {
              if (localPref === null) paths.delete(`${prefixes[0]} ${n}`);
              else paths.set(`${prefixes[0]} ${n}`, localPref);
              if (localPref === null) one.withdraw(`i${n}`, prefixes);
              else
                one.announce(`i${n}`, prefixes, {
                  ...{ path: [65101], nextHop: `198.51.100.${n}`, localPref },
                });
            }
            if (interval !== null)
              one.rib.neighbours.configure({
                ...one.session('taker').config,
                advertisementIntervalSeconds: interval,
              });
            if (isAsking) one.rib.refresh(one.session('taker'), 0);
            one.drain('taker', room);
            for (let i = 0; i < turns; i++) one.turn();
          }
          one.drain('taker', Number.POSITIVE_INFINITY);
          one.settle();
          one.clock.advance(30_000);
          one.settle();
          for (const prefixes of blocks) {
            const wanted = [...paths]
              .flatMap(([key, preference]) =>
                key.startsWith(prefixes[0]!) ? [{ n: key.slice(prefixes[0]!.length + 1), preference }] : [],
              )
              .sort((a, b) => b.preference - a.preference || Number(a.n) - Number(b.n))
              .slice(0, limit)
              .map(({ n }) => n)
              .sort();
            for (const id of ['taker', 'other']) {
              const got = new Map<string, string[]>(prefixes.map((prefix) => [prefix, []]));
              for (const [key, text] of one.session(id).held)
                got.get(key.split('#')[0]!)?.push(/nh=198\.51\.100\.(\d+)/.exec(text)![1]!);
              for (const prefix of prefixes)
                assert.deepEqual(got.get(prefix)!.sort(), wanted, `${id} ${prefix}`);
            }
          }
        },
      );
      // Thousands of routes are told apart by no shorter example.
      fc.assert(property, { numRuns, endOnFailure: each > 1 });
    });
});
