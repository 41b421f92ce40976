import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ACCEPT_ALL, type Policy, REJECT_ALL } from '../policy/policy.ts';
import { peerRoutes } from '../speaker-status.ts';
import { fakeConfig } from './testing/fake-session.ts';
import { Model, type ModelPeer } from './testing/model.ts';
import { RibLab } from './testing/rib-lab.ts';
import type { WireAttributes } from '../testing/message-bytes.ts';

const PEERS: readonly ModelPeer[] = [
  { id: 'e1', address: '192.0.2.1', as: 65101 },
  { id: 'e2', address: '192.0.2.2', as: 65102 },
  { id: 'e3', address: '192.0.2.3', as: 65101, addPathSend: true, addPathReceive: true },
  { id: 'i1', address: '198.51.100.1', as: 65000 },
  { id: 'i2', address: '198.51.100.2', as: 65000, client: true },
  { id: 'i3', address: '198.51.100.3', as: 65000, client: true },
  { id: 'i4', address: '198.51.100.4', as: 65000, client: true, addPathSend: true },
].map((p) => ({ ...p, families: ['ipv4'] as const, import: ACCEPT_ALL, export: ACCEPT_ALL }));

const PREFIXES = ['10.1.0.0/16', '10.1.1.0/24', '10.2.0.0/16', '10.3.128.0/17', '0.0.0.0/0', '10.9.9.9/32'];

const one = (prefix: string, set: object | undefined, verdict: 'accept' | 'reject' | 'next'): Policy => ({
  name: 'test',
  terms: [
    {
      match: { prefixes: [{ prefix, operator: 'equal' }] },
      action: { verdict, ...(set === undefined ? {} : { set }) },
      why: 'rule 1',
    },
    { match: { source: 'ibgp' }, action: { verdict: 'next', set: { med: 9 } }, why: 'rule 2' },
  ],
  otherwise: 'accept',
});
const POLICIES: readonly Policy[] = [
  ACCEPT_ALL,
  REJECT_ALL,
  one('10.1.0.0/16', undefined, 'reject'),
  one('10.2.0.0/16', { localPref: 300 }, 'accept'),
  one('10.1.1.0/24', { med: 77, prependAs: [64900, 64900] }, 'next'),
];

const attributes = fc.record(
  {
    path: fc.array(fc.constantFrom(65101, 65102, 7, 8, 65000), { maxLength: 3 }),
    nextHop: fc.constantFrom('192.0.2.1', '192.0.2.2', '198.51.100.2', '203.0.113.9'),
    origin: fc.constantFrom(0, 2),
    med: fc.constantFrom(0, 5, 10),
    localPref: fc.constantFrom(100, 200),
    communities: fc.constantFrom([0xffffff01], [0xffffff02], [0xfde80001]),
    originator: fc.constantFrom('198.51.100.9', '10.0.0.1'),
    clusterList: fc.constantFrom(['10.0.0.9'], ['10.0.0.9', '10.0.0.8']),
  },
  { requiredKeys: ['path', 'nextHop'] },
);
const peer = fc.nat(PEERS.length - 1);
const prefixes = fc.uniqueArray(fc.nat(PREFIXES.length - 1), { minLength: 1, maxLength: 4 });
const policy = fc.nat(POLICIES.length - 1);

const command = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('announce'), peer, prefixes, pathId: fc.nat(2), attributes }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('withdraw'), peer, prefixes, pathId: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('toggle'), peer }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refresh'), peer }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('import'), peer, policy }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('export'), peer, policy }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('block'), peer, writes: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drain'), peer }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hop'), reachable: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('turns'), count: fc.integer({ min: 1, max: 3 }) }) },
);

interface Command {
  readonly do: string;
  readonly peer?: number;
  readonly prefixes?: readonly number[];
  readonly pathId?: number;
  readonly attributes?: WireAttributes;
  readonly policy?: number;
  readonly writes?: number;
  readonly count?: number;
  readonly reachable?: boolean;
}

function run(lab: RibLab, model: Model, c: Command): void {
  const p = PEERS[c.peer ?? 0]!;
  const { id } = p;
  const isUp = model.peers.has(id);
  const names = (c.prefixes ?? []).map((i) => PREFIXES[i]!);
  const pathId = p.addPathReceive === true ? c.pathId! : 0;
  const wire = p.addPathReceive === true ? names.map((n) => `${n}#${pathId}`) : names;
  switch (c.do) {
    case 'announce': {
      if (!isUp) return;
      // eBGP neighbours send no LOCAL_PREF and nothing of reflection; it would be discarded.
      const { originator: _o, clusterList: _c, localPref: _l, ...external } = c.attributes!;
      const a = p.as === 65000 ? c.attributes! : external;
      lab.announce(id, wire, a);
      for (const name of names) model.announce(id, name, pathId, a);
      return;
    }
    case 'withdraw':
      if (!isUp) return;
      lab.withdraw(id, wire);
      for (const name of names) model.withdraw(id, name, pathId);
      return;
    case 'toggle':
      if (isUp) {
        lab.down(id);
        model.down(id);
      } else {
        lab.up(p);
        model.peers.set(id, { ...p });
      }
      return;
    case 'refresh':
      if (isUp) lab.rib.refresh(lab.session(id), 0);
      return;
    case 'import':
    case 'export': {
      if (!isUp) return;
      const known = model.peers.get(id)!;
      known[c.do] = POLICIES[c.policy!]!;
      const config = fakeConfig({ ...p, config: { import: known.import, export: known.export } });
      lab.session(id).config = config;
      lab.rib.configure(config);
      return;
    }
    case 'block':
      if (isUp) lab.session(id).room = c.writes!;
      return;
    case 'drain':
      if (isUp) lab.drain(id, Number.POSITIVE_INFINITY);
      return;
    case 'hop':
      if (c.reachable!) model.unreachable.clear();
      else model.unreachable.add('203.0.113.9');
      lab.rib.updateNextHop('203.0.113.9', c.reachable!, 0);
      return;
    case 'turns':
      for (let i = 0; i < c.count!; i++) lab.turn();
  }
}

function heldBy(lab: RibLab, p: ModelPeer): Record<string, string | string[]> {
  const out: Record<string, string | string[]> = {};
  for (const [key, value] of lab.session(p.id).held) {
    const [prefix, pathId] = key.split('#') as [string, string | undefined];
    if (pathId === undefined) out[prefix] = value;
    else out[prefix] = [...((out[prefix] as string[] | undefined) ?? []), value].sort();
  }
  return out;
}

/** The view for operators in the words of `heldBy`. */
function shownAsSent(lab: RibLab, p: ModelPeer): Record<string, string | string[]> {
  const out: Record<string, string | string[]> = {};
  for (const route of lab.routes({ view: 'advertised', peer: p.id })) {
    const { med, localPref, communities, originatorId, clusterList } = route;
    const text = [
      `nh=${route.nextHop}`,
      `path=${route.asPath.replaceAll(' ', ',')}`,
      ...(localPref === undefined ? [] : [`lp=${localPref}`]),
      ...(med === undefined ? [] : [`med=${med}`]),
      ...(communities.length === 0 ? [] : [`comm=${communities.join(',')}`]),
      ...(originatorId === undefined ? [] : [`orig=${originatorId}`]),
      ...(clusterList === undefined ? [] : [`cl=${clusterList.length}`]),
    ].join(' ');
    if (p.addPathSend !== true) out[route.prefix] = text;
    else out[route.prefix] = [...((out[route.prefix] as string[] | undefined) ?? []), text].sort();
  }
  return out;
}

describe('rib: against a simple model', () => {
  for (const grain of [undefined, 1]) {
    const how = grain === undefined ? '' : ', in the smallest steps';
    it(`comes to the same tables after any sequence of events${how}`, () => check(grain)).timeout(60_000);
  }
});

function check(grain: number | undefined): void {
  fc.assert(
    fc.property(fc.array(command as fc.Arbitrary<Command>, { maxLength: 60 }), (commands) => {
      const lab = new RibLab(undefined, grain);
      const model = new Model();
      lab.rib.nextHops.setTracker({
        track: (address) => {
          if (model.unreachable.has(address)) lab.rib.updateNextHop(address, false, 0);
        },
        untrack: () => {},
      });
      for (const p of PEERS.slice(0, 5)) {
        lab.up(p);
        model.peers.set(p.id, { ...p });
      }
      for (const c of commands) run(lab, model, c);
      for (const id of model.peers.keys()) lab.drain(id, Number.POSITIVE_INFINITY);
      lab.settle();
      for (const p of model.peers.values())
        assert.deepEqual(heldBy(lab, p), model.view(p.id), `table of ${p.id}`);
      for (const p of model.peers.values()) {
        const { id } = p;
        assert.deepEqual(shownAsSent(lab, p), heldBy(lab, p), `what --advertised shows of ${id}`);
        const {
          family: _f,
          owed: _o,
          endOfRibReceived: _r,
          endOfRibSent: _s,
          ...counts
        } = peerRoutes(lab.rib, id)!.families[0]!;
        const expected = { ...model.counts(id), advertised: lab.session(id).held.size };
        assert.deepEqual(counts, expected, `counts of ${id}`);
      }
      for (const id of model.peers.keys()) lab.down(id);
      lab.settle();
      const { paths, prefixes: left } = lab.pages.sizes();
      assert.deepEqual({ paths, left }, { paths: 0, left: { ipv4: 0, ipv6: 0 } }, 'nothing leaks');
      // The two pairs of sets that import and export policy changed last are remembered.
      assert.ok(lab.pages.sizes().attributeSets <= 4, 'attribute sets leak');
    }),
    { numRuns: Number(process.env['PODROUTE_FUZZ_RUNS'] ?? 400) },
  );
}
