// What is foreseen of a change, compared with what the same RIB then does when the change is made.
import assert from 'node:assert/strict';
import type { Aggregate, PeerConfig } from '../../config.ts';
import { ACCEPT_ALL, type Policy, type PolicyTerm, REJECT_ALL } from '../../policy/policy.ts';
import type { DecisionRules } from '../table/decision-steps.ts';
import { fakeConfig, type FakePeerOptions } from '../testing/fake-session.ts';
import { A, B, ebgp, ibgp } from '../testing/live-lab.ts';
import { RibLab } from '../testing/rib-lab.ts';
import type { Foreseen } from './foreseen.ts';
import { Foresight } from './foresight.ts';
import type { PrefixChanges } from './prefix-changes.ts';

const term = (prefix: string, action: PolicyTerm['action']): PolicyTerm => ({
  match: { prefixes: [{ prefix, operator: 'equal' }] },
  action,
  why: 'test',
});
const policy = (...terms: PolicyTerm[]): Policy => ({ name: 'test', terms, otherwise: 'accept' });

interface Then {
  readonly configs?: Readonly<Record<string, Partial<PeerConfig> | 'ends'>>;
  readonly rules?: DecisionRules;
  readonly aggregates?: readonly Aggregate[];
  readonly withdrawn?: readonly string[];
  readonly originated?: readonly {
    readonly prefix: string;
    readonly communities?: string[];
    readonly why: string;
  }[];
}

class ForesightLab extends RibLab {
  readonly options = new Map<string, FakePeerOptions>();

  with(...peers: FakePeerOptions[]): this {
    for (const peer of peers) {
      this.options.set(peer.id, peer);
      this.up(peer);
    }
    return this;
  }

  configThen(id: string, { configs = {} }: Then): PeerConfig | undefined {
    const peer = this.options.get(id)!;
    const more = configs[id];
    return more === 'ends' ? undefined : fakeConfig({ ...peer, config: { ...peer.config, ...more } });
  }

  foresee(then: Then): Foreseen {
    const peers = new Map<string, PeerConfig>();
    for (const id of this.options.keys()) {
      const config = this.configThen(id, then);
      if (config !== undefined) peers.set(id, config);
    }
    const foresight = new Foresight(this.rib, {
      identity: this.rib.intern.identity,
      rules: then.rules ?? this.rib.decision.rules,
      peers,
      aggregates: then.aggregates ?? this.rib.aggregates.flatMap(({ configured }) => configured),
      withdrawn: then.withdrawn ?? [],
      originated: then.originated ?? [],
    });
    for (const _ of foresight.walk());
    return foresight.found;
  }

  apply(then: Then): void {
    for (const id of [...this.options.keys()]) {
      const config = this.configThen(id, then);
      if (config === undefined) {
        this.down(id);
        this.rib.neighbours.remove(id);
        this.options.delete(id);
      } else {
        this.session(id).config = config;
        this.rib.neighbours.configure(config);
      }
    }
    if (then.rules !== undefined) this.rib.reconfigure(this.rib.intern.identity, then.rules);
    if (then.aggregates !== undefined) this.rib.aggregate(then.aggregates);
    this.rib.originated.withdraw(then.withdrawn ?? []);
    this.rib.originated.originate(then.originated ?? []);
    this.rib.wake();
    this.settle();
  }

  /** By neighbour: what it holds, and what of its own is accepted. */
  seen(): Map<string, { readonly sent: Map<string, string>; readonly accepted: Map<string, string> }> {
    const all = this.routes({ view: 'all' });
    return new Map(
      [...this.options.keys()].map((id) => {
        const own = all.filter(({ peer, usable }) => peer === id && usable);
        const text = ({ localPref, med, asPath, communities }: (typeof own)[number]) =>
          JSON.stringify([localPref, med, asPath, communities]);
        const accepted = new Map(own.map((route) => [route.prefix, text(route)]));
        return [id, { sent: byPrefix(this.session(id).held), accepted }];
      }),
    );
  }
}

/** Several paths of one prefix (ADD-PATH) as one text. */
function byPrefix(held: ReadonlyMap<string, string>): Map<string, string> {
  const groups = Map.groupBy(held, ([key]) => key.split('#')[0]!);
  return new Map(
    [...groups].map(([prefix, paths]) => [
      prefix,
      paths
        .map(([, text]) => text)
        .sort()
        .join('; '),
    ]),
  );
}

/** What differs between two tables, as it is foreseen. */
function differences(before: Map<string, string>, after: Map<string, string>): Record<string, string[]> {
  const [was, is] = [[...before.keys()], [...after.keys()]];
  return {
    appear: is.filter((prefix) => !before.has(prefix)).sort(),
    vanish: was.filter((prefix) => !after.has(prefix)).sort(),
    change: is.filter((prefix) => before.has(prefix) && before.get(prefix) !== after.get(prefix)).sort(),
  };
}

const names = ({ appear, vanish, change }: PrefixChanges): Record<string, string[]> => ({
  appear: [...appear.first].sort(),
  vanish: [...vanish.first].sort(),
  change: [...change.first].sort(),
});

function assertComesTrue(lab: ForesightLab, then: Then, about: string): Foreseen {
  const before = lab.seen();
  // The RIB's own policies remember their last answer.
  lab.foresee(then);
  const sets = lab.rib.attributes.count;
  const foreseen = lab.foresee(then);
  assert.equal(lab.rib.attributes.count, sets, `${about}: attribute sets are given back`);
  assert.deepEqual(lab.seen(), before, `${about}: nothing was applied`);
  lab.apply(then);
  const after = lab.seen();
  for (const { id, sent, accepted } of foreseen.neighbours) {
    const was = before.get(id)!;
    const is = after.get(id) ?? { sent: new Map<string, string>(), accepted: new Map<string, string>() };
    assert.deepEqual(names(accepted), differences(was.accepted, is.accepted), `${about}: taken of ${id}`);
    assert.deepEqual(names(sent!), differences(was.sent, is.sent), `${about}: sent to ${id}`);
  }
  return foreseen;
}

describe('rib: what a change would do to routes is foreseen', () => {
  const path = (as: number, hop: string) => ({ path: [as], nextHop: hop });

  it('of import: a route that is refused, the path that takes its place, and what others are sent', () => {
    const lab = new ForesightLab().with(ebgp(1), ebgp(2), ebgp(3), ibgp(1));
    lab.announce('e1', [A, B], path(65101, '192.0.2.1'));
    lab.announce('e2', [A], { path: [65102, 7], nextHop: '192.0.2.2' });
    lab.settle();
    const refuses = { import: policy(term(A, { verdict: 'reject' }), term(B, { verdict: 'reject' })) };
    const foreseen = assertComesTrue(lab, { configs: { e1: refuses } }, 'refused');
    assert.deepEqual(names(foreseen.best), { appear: [], vanish: [B], change: [A] });
    const [one, two, three] = foreseen.neighbours;
    assert.deepEqual(names(one!.accepted), { appear: [], vanish: [A, B], change: [] });
    assert.deepEqual(names(one!.sent!), { appear: [A], vanish: [], change: [] });
    assert.deepEqual(names(two!.sent!), { appear: [], vanish: [A, B], change: [] });
    assert.deepEqual(names(three!.sent!), { appear: [], vanish: [B], change: [A] });
    const back = assertComesTrue(lab, { configs: {} }, 'taken again');
    assert.deepEqual(names(back.neighbours[0]!.accepted), { appear: [A, B], vanish: [], change: [] });
  });

  it('of a limit that is passed, another count of paths, and own routes that go, come and change', () => {
    const lab = new ForesightLab({ ebgp: 1, ibgp: 1, relax: true }).with(ebgp(1), ebgp(2));
    lab.announce('e1', [A, B], path(65101, '192.0.2.1'));
    lab.announce('e2', [A], path(65102, '192.0.2.2'));
    lab.rib.originated.originate(['10.1.0.0/16', '10.2.0.0/16'].map((prefix) => ({ prefix, why: 'own' })));
    lab.rib.wake();
    lab.settle();
    const limited = lab.foresee({ configs: { e1: { maxPrefixes: { limit: 1, warnPercent: 80 } } } });
    assert.deepEqual(limited.neighbours[0]!.overLimit, { family: 'ipv4', received: 2, limit: 1 });
    assert.deepEqual(names(limited.best), { appear: [], vanish: [B], change: [A] });
    const rules = lab.foresee({ rules: { ebgp: 4, ibgp: 4, relax: true } });
    assert.deepEqual(names(rules.best), { appear: [], vanish: [], change: [A] });
    const originated = [
      { prefix: '10.2.0.0/16', communities: ['65000:1'], why: 'own' },
      { prefix: '10.3.0.0/16', why: 'own' },
    ];
    const own = assertComesTrue(lab, { withdrawn: ['10.1.0.0/16'], originated }, 'own routes');
    assert.deepEqual(names(own.neighbours[0]!.sent!), {
      appear: ['10.3.0.0/16'],
      vanish: ['10.1.0.0/16'],
      change: ['10.2.0.0/16'],
    });
  });

  it('of a default route for who asks for it, and of a limit that drops', () => {
    const lab = new ForesightLab().with(ebgp(1), ebgp(2));
    lab.announce('e1', [A, B], path(65101, '192.0.2.1'));
    lab.settle();
    const configs = { e2: { defaultOriginate: ['ipv4'] } } as const;
    const originated = [{ prefix: '0.0.0.0/0', onRequest: true, why: 'asked for' }] as const;
    const asked = assertComesTrue(lab, { configs, originated }, 'asked for');
    assert.deepEqual(names(asked.neighbours[1]!.sent!).appear, ['0.0.0.0/0']);
    assert.deepEqual(names(asked.best), { appear: [], vanish: [], change: [] });
    assertComesTrue(lab, {}, 'asked for no more');
    assertComesTrue(lab, { configs }, 'asked for again');
    const gone = assertComesTrue(lab, { withdrawn: ['0.0.0.0/0'] }, 'it goes');
    assert.deepEqual(names(gone.neighbours[1]!.sent!).vanish, ['0.0.0.0/0']);
    const limits = (action?: 'drop' | 'warn') => ({
      configs: { e1: { maxPrefixes: { limit: 1, warnPercent: 80, ...(action && { action }) } } },
    });
    const drops = lab.foresee(limits('drop'));
    assert.deepEqual(drops.doubts, ['places']);
    const counts = ({ neighbours: [one] }: Foreseen) =>
      [one!.accepted.appear.count, one!.accepted.vanish.count, one!.overLimit] as const;
    assert.deepEqual(counts(drops), [0, 1, undefined]);
    lab.apply(limits('drop'));
    assert.deepEqual(counts(lab.foresee({})), [1, 0, undefined]);
    assert.deepEqual(counts(lab.foresee(limits('warn'))), [1, 0, undefined]);
    assert.deepEqual(counts(lab.foresee(limits())), [0, 1, { family: 'ipv4', received: 2, limit: 1 }]);
  });

  it('leaves out what an aggregate stands for', () => {
    const lab = new ForesightLab().with(ebgp(1), ebgp(2, { config: { takesAggregates: true } }));
    const aggregate = { summaryOnly: true, communities: [], largeCommunities: [], why: 'aggregate' };
    const aggregates = [{ prefix: '20.0.0.0/8', ...aggregate }];
    lab.rib.aggregate(aggregates);
    lab.announce('e1', ['20.1.0.0/16', '21.0.0.0/16'], path(65101, '192.0.2.1'));
    lab.settle();
    const all = lab.foresee({ configs: { e2: { takesAggregates: false } } });
    const { sent } = all.neighbours[1]!;
    assert.deepEqual([sent!.appear.first, sent!.vanish.first], [['20.1.0.0/16'], ['20.0.0.0/8']]);
  });

  it('of aggregates that come, go, keep back and let free, and of what leaves or enters them', () => {
    const lab = new ForesightLab().with(ebgp(1), ebgp(2, { config: { takesAggregates: true } }), ibgp(1));
    const words = { communities: [], largeCommunities: [], why: 'aggregate' };
    const of = (prefix: string, summaryOnly = false) => ({ prefix, summaryOnly, ...words });
    lab.announce('e1', ['20.1.0.0/16', '20.2.0.0/16', '22.1.0.0/16'], path(65101, '192.0.2.1'));
    lab.settle();
    const sent = (then: Then, about: string) => names(assertComesTrue(lab, then, about).neighbours[1]!.sent!);
    const [outer, inside] = ['20.0.0.0/8', ['20.1.0.0/16', '20.2.0.0/16']];
    assert.deepEqual(sent({ aggregates: [of(outer), of('23.0.0.0/8')] }, 'one comes'), {
      appear: [outer],
      vanish: [],
      change: [],
    });
    assert.deepEqual(sent({ aggregates: [of(outer, true)] }, 'it keeps back').vanish, inside);
    const more = [of(outer, true), of('20.1.0.0/16', true)];
    assert.deepEqual(sent({ aggregates: more }, 'one of a route that is there').appear, []);
    const refuses = (...prefixes: string[]): Then => ({
      configs: { e1: { import: policy(...prefixes.map((one) => term(one, { verdict: 'reject' }))) } },
    });
    assert.deepEqual(sent(refuses(...inside), 'nothing is inside').vanish, [outer]);
    assert.deepEqual(sent({ originated: [{ prefix: '20.3.0.0/16', why: 'own' }] }, 'own inside').appear, [
      outer,
    ]);
    assert.deepEqual(sent({ originated: [{ prefix: outer, why: 'own' }] }, 'own of its prefix').change, [
      outer,
    ]);
    assert.deepEqual(sent({ withdrawn: [outer] }, 'it goes').change, [outer]);
    const none = sent({ aggregates: [] }, 'no aggregates');
    assert.deepEqual([none['appear'], none['vanish']], [[...inside, '20.3.0.0/16'], [outer]]);
  });

  it('names a thousand prefixes of a sort and counts them all, resting in between', () => {
    const lab = new ForesightLab().with(ebgp(1), ebgp(2));
    const many = Array.from({ length: 1500 }, (_, n) => `20.${n >> 8}.${n & 255}.0/24`);
    for (let at = 0; at < many.length; at += 500)
      lab.announce('e1', many.slice(at, at + 500), path(65101, '192.0.2.1'));
    lab.settle();
    const config = fakeConfig({ ...ebgp(1), config: { import: REJECT_ALL } });
    const peers = new Map([config, fakeConfig(ebgp(2))].map((peer) => [peer.id, peer]));
    const { intern, decision } = lab.rib;
    const nothing = { aggregates: [], withdrawn: [], originated: [] };
    const then = { identity: intern.identity, rules: decision.rules, peers, ...nothing };
    const foresight = new Foresight(lab.rib, then);
    const rests = [...foresight.walk()].length;
    assert.ok(rests > 4, `${rests} rests`);
    const [one, two] = foresight.found.neighbours;
    for (const { count, first } of [one!.accepted.vanish, two!.sent!.vanish])
      assert.deepEqual([count, first.length], [1500, 1000]);
    const cut = new Foresight(lab.rib, then);
    for (const _ of cut.walk()) if (cut.found.lookedAt > 0) break;
    const { lookedAt, prefixes } = cut.found;
    assert.ok(lookedAt > 0 && lookedAt < prefixes, `${lookedAt} of ${prefixes}`);
  });

  it('reads the policies of one neighbour at a time, so that sessions and timers are served meanwhile', () => {
    const lab = new ForesightLab().with(...Array.from({ length: 40 }, (_, n) => ebgp(n + 1)));
    let compiled = 0;
    const policies = lab.rib.compiled.bind(lab.rib);
    lab.rib.compiled = (one: Policy) => {
      compiled++;
      return policies(one);
    };
    const own = (n: number) => policy(term(A, { verdict: 'accept', set: { med: n } }));
    const peers = new Map(
      Array.from({ length: 40 }, (_, n) => {
        const config = fakeConfig({ ...ebgp(n + 1), config: { import: own(n), export: own(n + 100) } });
        return [config.id, config];
      }),
    );
    const { intern, decision } = lab.rib;
    const nothing = { aggregates: [], withdrawn: [], originated: [] };
    const change = { identity: intern.identity, rules: decision.rules, peers, ...nothing };
    const walk = new Foresight(lab.rib, change).walk();
    const perPiece: number[] = [];
    for (let before = 0, isOver = false; !isOver; before = compiled) {
      isOver = walk.next().done === true;
      perPiece.push(compiled - before);
    }
    assert.deepEqual([compiled, Math.max(...perPiece)], [80, 2]);
  });

  it('says so where a policy is the first to ask for interfaces', () => {
    const lab = new ForesightLab().with(ebgp(1));
    const asks = { match: { interface: 'eth*' }, action: { verdict: 'reject' as const }, why: 'test' };
    assert.deepEqual(lab.foresee({ configs: { e1: { import: policy(asks) } } }).doubts, ['interfaces']);
    assert.deepEqual(lab.foresee({}).doubts, []);
  });

  it('of whatever is changed in many worlds of a few routes', () => {
    let seed = 7;
    const below = (n: number) => (seed = (seed * 48271) % 0x7fffffff) % n;
    const pick = <T>(of: readonly T[]): T => of[below(of.length)]!;
    const prefixes = ['0.0.0.0/0', '20.0.1.128/25', ...Array.from({ length: 5 }, (_, n) => `20.0.${n}.0/24`)];
    const policies = (): Policy =>
      pick([
        ACCEPT_ALL,
        REJECT_ALL,
        policy(term(pick(prefixes), { verdict: 'reject' })),
        policy(term(pick(prefixes), { verdict: 'accept', set: { localPref: 50 + below(200) } })),
        policy(term(pick(prefixes), { verdict: 'next', set: { med: below(9) } })),
        policy(
          term(pick(prefixes), {
            verdict: 'accept',
            set: { prependAs: [65000], addCommunities: ['65000:7'] },
          }),
        ),
      ]);
    const settings = (): Partial<PeerConfig> =>
      pick([
        {},
        { import: policies() },
        { export: policies() },
        { import: policies(), export: policies() },
        { nextHop: 'self' as const },
        { allowedLocalAs: 1 },
        { defaultOriginate: ['ipv4' as const] },
        { takesAggregates: true },
        { takesAggregates: true, import: policies() },
      ]);
    const aggregates = (): Aggregate[] =>
      ['20.0.0.0/16', '20.0.0.0/22', '20.0.1.0/24'].flatMap((prefix) => {
        const communities = below(2) === 0 ? [] : ['65000:9'];
        const one = { prefix, summaryOnly: below(2) === 0, communities, largeCommunities: [], why: 'a' };
        return below(2) === 0 ? [] : [one];
      });
    for (let world = 0; world < 120; world++) {
      const lab = new ForesightLab();
      lab.with(
        ebgp(1),
        ebgp(2, { config: settings() }),
        ebgp(3),
        ibgp(1, { client: true }),
        ibgp(2),
        ibgp(3, { addPathSend: true, client: true }),
      );
      for (const id of lab.options.keys()) {
        for (const prefix of prefixes) {
          if (below(3) === 0) continue;
          const { as, address } = lab.options.get(id)!;
          const first = as === 65000 ? [] : [as];
          const rest = pick([[], [7], [7, 8], [65000]]);
          const med = below(2) === 0 ? {} : { med: below(5) };
          lab.announce(id, [prefix], { path: [...first, ...rest], nextHop: address, ...med });
        }
      }
      lab.rib.originated.originate([{ prefix: '0.0.0.0/0', onRequest: true, why: 'asked for' }]);
      lab.rib.aggregate(aggregates());
      lab.settle();
      const ids = [...lab.options.keys()];
      const configs = Object.fromEntries(
        [pick(ids), pick(ids)].map((id) => [id, below(6) === 0 ? ('ends' as const) : settings()]),
      );
      const rules =
        below(4) === 0 ? { rules: { ebgp: 1, ibgp: 1, relax: false, alwaysCompareMed: true } } : {};
      const others = below(3) === 0 ? { aggregates: aggregates() } : {};
      assertComesTrue(lab, { configs, ...rules, ...others }, `world ${world}: ${JSON.stringify(configs)}`);
    }
  });
});
