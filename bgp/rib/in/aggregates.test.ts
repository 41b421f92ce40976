// Aggregates: there while a route inside them is chosen, for neighbours that take them, with what RFC 4271 asks for; and, over
// random changes, the same as a model that looks at everything anew.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { contains, parsePrefix } from '#ip';
import type { Aggregate } from '../../config.ts';
import { configure, ebgp, held, ibgp } from '../testing/live-lab.ts';
import { RibLab } from '../testing/rib-lab.ts';

const of = (prefix: string, more: Partial<Aggregate> = {}): Aggregate => ({
  ...{ prefix, summaryOnly: false, communities: [], largeCommunities: [], why: 'aggregate' },
  ...more,
});
const OUTER = '10.0.0.0/8';
const INNER = '10.1.0.0/16';
const outside = (n: number) => ebgp(n, { config: { takesAggregates: true } });

function set(lab: RibLab, ...list: readonly Aggregate[]): void {
  lab.rib.aggregate(list);
  lab.settle();
}

function own(lab: RibLab, ...prefixes: readonly string[]): void {
  lab.rib.originated.originate(prefixes.map((prefix) => ({ prefix, why: 'block' })));
  lab.rib.wake();
  lab.settle();
}

function disown(lab: RibLab, ...prefixes: readonly string[]): void {
  lab.rib.originated.withdraw(prefixes);
  lab.rib.wake();
  lab.settle();
}

function learn(lab: RibLab, id: string, ...prefixes: readonly string[]): void {
  lab.announce(id, prefixes, { path: [65009], nextHop: '192.0.2.9' });
  lab.settle();
}

const names = (lab: RibLab, id: string) => Object.keys(held(lab, id)).sort();

/** 3: an aggregate; 0 none; 1 ours; 2 learned. */
function kindOf(lab: RibLab, prefix: string): number {
  const { words, length, family } = { ...parsePrefix(prefix)!, words: [0x0a000000 | 0] };
  const out = { kind: 9, metric: 0, count: 0, nextHopIds: new Int32Array(8) };
  lab.rib.forwarding.forwarding(0, lab.rib.tables[0].prefixes.find4(words[0]!, length), out);
  assert.equal(family, 'ipv4');
  return out.kind;
}

/** e9 is where routes come from, e1 is outside, i2 is a node. */
function lab(grain?: number): RibLab {
  const rib = new RibLab(undefined, grain);
  for (const peer of [ebgp(9), outside(1), ibgp(2)]) rib.up(peer);
  rib.settle();
  return rib;
}

describe('aggregates', () => {
  it('are there from the first route inside to the last, own or learned, and held in the kernel as long', () => {
    const rib = lab();
    set(rib, of(OUTER));
    assert.deepEqual([names(rib, 'e1'), kindOf(rib, OUTER)], [[], 0]);
    learn(rib, 'e9', '10.1.1.0/24');
    assert.deepEqual([names(rib, 'e1'), kindOf(rib, OUTER)], [[OUTER, '10.1.1.0/24'], 3]);
    own(rib, '10.2.0.0/26');
    rib.withdraw('e9', ['10.1.1.0/24']);
    rib.settle();
    assert.deepEqual(names(rib, 'e1'), [OUTER, '10.2.0.0/26']);
    disown(rib, '10.2.0.0/26');
    assert.deepEqual([names(rib, 'e1'), kindOf(rib, OUTER)], [[], 0]);
    learn(rib, 'e9', '11.0.0.0/24', '0.0.0.0/0');
    assert.equal(names(rib, 'e1').includes(OUTER), false, 'nothing of these is inside');
  });

  it('say who made them, that a path was left out, and the worst ORIGIN (RFC 4271 sections 9.2.2.2, 5.1.6, 5.1.7)', () => {
    const rib = lab();
    set(rib, of(OUTER, { communities: ['65000:7'] }));
    own(rib, '10.2.0.0/26');
    const shown = () => rib.routes({ view: 'advertised', peer: 'e1', prefix: OUTER })[0]!;
    assert.deepEqual([shown().asPath, shown().origin, shown().communities], ['65000', 'igp', ['65000:7']]);
    assert.deepEqual(shown().others, [
      { name: 'atomic_aggregate', value: 'true' },
      { name: 'aggregator', value: '65000 10.0.0.1' },
    ]);
    assert.equal(shown().why, 'best, the only usable path (from aggregate)');
    rib.announce('e9', ['10.3.0.0/24'], { path: [65009], nextHop: '192.0.2.9', origin: 2 });
    rib.settle();
    assert.equal(shown().origin, 'incomplete');
    rib.withdraw('e9', ['10.3.0.0/24']);
    rib.settle();
    assert.equal(shown().origin, 'igp');
  });

  it('go to neighbours that take them and with summaryOnly in place of what is inside; nodes have all of that, and no aggregate', () => {
    const rib = lab();
    set(rib, of(OUTER, { summaryOnly: true }), of(INNER));
    own(rib, '10.1.0.0/26', '10.2.0.0/26', '11.0.0.0/26');
    assert.deepEqual(
      names(rib, 'e1'),
      [OUTER, INNER, '11.0.0.0/26'].sort(),
      'an aggregate inside one that is asked for is told',
    );
    assert.deepEqual(names(rib, 'i2'), ['10.1.0.0/26', '10.2.0.0/26', '11.0.0.0/26']);
    const why = (prefix: string) => rib.pages.routes({ view: 'all', prefix, explain: true, limit: 9 }).notes!;
    assert.ok(
      why('10.1.0.0/26').includes('10.1.0.0/26: not sent to e1: an aggregate with summaryOnly stands for it'),
    );
    assert.ok(
      why(OUTER).some((line) => line.includes('not sent to e9, i2: an aggregate goes to neighbours outside')),
    );
  });

  it('change while sessions go on: what was suppressed comes before the aggregate goes, and goes after it came', () => {
    const rib = lab(2);
    // Others are looked at before.
    const others = Array.from({ length: 9 }, (_, i) => `9.${i}.0.0/16`);
    own(rib, ...others, '10.1.0.0/26', '10.2.0.0/26');
    const inside = () => names(rib, 'e1').filter((prefix) => prefix.startsWith('10.'));
    const history: string[][] = [];
    const watch = (list: readonly Aggregate[]): void => {
      rib.rib.aggregate(list);
      while (rib.turn()) history.push(inside());
      rib.settle();
    };
    for (const list of [
      [of(OUTER, { summaryOnly: true })],
      [of(OUTER)],
      [of(OUTER, { summaryOnly: true })],
      [],
    ])
      watch(list);
    assert.deepEqual(inside(), ['10.1.0.0/26', '10.2.0.0/26']);
    assert.ok(history.some((all) => all.join() === OUTER));
    for (const all of history) {
      const isReached = all.includes(OUTER) || all.length === 2;
      assert.ok(isReached, `nobody is without a route: ${all.join()}`);
    }
    watch([of(OUTER, { communities: ['65000:1'] })]);
    assert.match(held(rib, 'e1')[OUTER]!, /65000:1/);
    watch([of(OUTER, { communities: ['65000:2'] })]);
    assert.match(held(rib, 'e1')[OUTER]!, /65000:2/);
    watch([of(INNER)]);
    assert.deepEqual(inside(), [INNER, '10.1.0.0/26', '10.2.0.0/26']);
    configure(rib, ebgp(1), { takesAggregates: false });
    assert.deepEqual(inside(), ['10.1.0.0/26', '10.2.0.0/26']);
  });

  it('stand behind an own route of the same prefix, and before a learned one', () => {
    const rib = lab();
    set(rib, of(INNER, { communities: ['65000:7'] }));
    own(rib, INNER, '10.1.0.0/26');
    assert.doesNotMatch(held(rib, 'e1')[INNER]!, /65000:7/);
    assert.match(held(rib, 'i2')[INNER]!, /nh=/, 'an own route is for nodes, too');
    disown(rib, INNER);
    assert.match(held(rib, 'e1')[INNER]!, /65000:7/);
    learn(rib, 'e9', INNER);
    assert.match(held(rib, 'e1')[INNER]!, /path=65000 .*65000:7/);
    disown(rib, '10.1.0.0/26');
    assert.match(
      held(rib, 'e1')[INNER]!,
      /path=65000,65009/,
      'the learned one is no contributor, and shows again',
    );
  });

  it('carry the AS and router ID of now', () => {
    const rib = lab();
    set(rib, of(OUTER));
    own(rib, '10.2.0.0/26');
    rib.rib.reconfigure(
      { asNumber: 65000, routerId: 0x0a000009, clusterId: 1 },
      { ebgp: 1, ibgp: 1, relax: false },
    );
    set(rib, of(OUTER));
    const [shown] = rib.routes({ view: 'advertised', peer: 'e1', prefix: OUTER });
    assert.equal(shown!.others!.at(-1)!.value, '65000 10.0.0.9');
  });

  it('of IPv6 count what is inside by all of its bits', () => {
    const rib = lab();
    set(rib, of('fd00:1:2:3:8000::/65', { summaryOnly: true }));
    own(rib, 'fd00:1:2:3:7fff::/80', 'fd00:1:2:3:8fff::/80');
    assert.deepEqual(names(rib, 'e1'), ['fd00:1:2:3:7fff::/80', 'fd00:1:2:3:8000::/65']);
  });

  const OCTETS = [0, 1, 128] as const;
  const prefixes = fc
    .tuple(fc.constantFrom(8, 9, 16, 24), fc.constantFrom(...OCTETS), fc.constantFrom(...OCTETS))
    .map(([length, second, third]) => {
      const [b, c] = [length === 8 ? 0 : length === 9 ? second & 128 : second, length === 24 ? third : 0];
      return `10.${b}.${c}.0/${length}`;
    });
  const lists = fc.uniqueArray(fc.tuple(prefixes, fc.boolean()), {
    maxLength: 4,
    selector: ([prefix]) => prefix,
  });
  type Step =
    | { readonly kind: 'set'; readonly list: [string, boolean][] }
    | { readonly kind: 'own' | 'disown' | 'learn' | 'unlearn'; readonly prefix: string }
    | { readonly kind: 'turn' };
  const steps = fc.array(
    fc.oneof(
      lists.map((list): Step => ({ kind: 'set', list })),
      fc
        .tuple(fc.constantFrom('own', 'disown', 'learn', 'unlearn'), prefixes)
        .map(([kind, prefix]): Step => ({ kind, prefix })),
      { weight: 4, arbitrary: fc.constant<Step>({ kind: 'turn' }) },
    ),
    { maxLength: 60 },
  );

  it('come, over random changes that are interrupted anywhere, to what a look at everything says', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const rib = new RibLab(undefined, 2);
        for (const peer of [ebgp(9), outside(1), ibgp(2)]) rib.up(peer);
        let list: [string, boolean][] = [];
        const [mine, learned] = [new Set<string>(), new Set<string>()];
        for (const step of all) {
          switch (step.kind) {
            case 'set':
              list = step.list;
              rib.rib.aggregate(list.map(([prefix, summaryOnly]) => of(prefix, { summaryOnly })));
              break;
            case 'own':
              mine.add(step.prefix);
              rib.rib.originated.originate([{ prefix: step.prefix, why: 'block' }]);
              rib.rib.wake();
              break;
            case 'disown':
              mine.delete(step.prefix);
              rib.rib.originated.withdraw([step.prefix]);
              rib.rib.wake();
              break;
            case 'learn':
              learned.add(step.prefix);
              rib.announce('e9', [step.prefix], { path: [65009], nextHop: '192.0.2.9' });
              break;
            case 'unlearn':
              learned.delete(step.prefix);
              rib.withdraw('e9', [step.prefix]);
              break;
            case 'turn':
              rib.turn();
          }
        }
        rib.settle();
        const inside = (outer: string, text: string) =>
          outer !== text && contains(parsePrefix(outer)!, parsePrefix(text)!);
        const isAnnounced = ([prefix]: [string, boolean]) =>
          !mine.has(prefix) &&
          // A learned route of an aggregate's own prefix is hidden behind it, and counts no more for one around it.
          [...mine, ...learned].some((text) => inside(prefix, text));
        const announced = new Set(list.filter(isAnnounced).map(([prefix]) => prefix));
        const others = new Set([...mine, ...[...learned].filter((text) => !announced.has(text))]);
        const isHidden = (text: string) =>
          list.some(([prefix, summaryOnly]) => summaryOnly && inside(prefix, text));
        assert.deepEqual(
          names(rib, 'e1'),
          [...announced, ...[...others].filter((text) => !isHidden(text))].sort(),
        );
        assert.deepEqual(names(rib, 'i2'), [...others].sort());
        rib.rib.originated.withdraw([...mine]);
        for (const prefix of learned) rib.withdraw('e9', [prefix]);
        rib.rib.wake();
        rib.settle();
        assert.deepEqual(names(rib, 'e1'), [], 'nothing was counted twice');
      }),
      { numRuns: 150 },
    );
  });
});
