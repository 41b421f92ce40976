// MRAI: what a neighbour with an advertisement interval is told, and when.
import assert from 'node:assert/strict';
import { peerRoutes } from '../../../speaker-status.ts';
import { RibLab } from '../../testing/rib-lab.ts';

const SECONDS = 30;
const SHORTEST_MS = SECONDS * 750;

const slow = (advertisementIntervalSeconds = SECONDS, id = 'slow') => ({
  id,
  address: id === 'slow' ? '192.0.2.2' : '192.0.2.3',
  as: 65102,
  config: { advertisementIntervalSeconds },
});
const route = (med: number) => ({ path: [65101], nextHop: '192.0.2.1', localPref: 100, med });
const P = '10.1.0.0/24';
const many = Array.from({ length: 3000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);

/** `source` has a route, and `slow` and the other one (`quick`) have it from us. */
function lab(prefixes: readonly string[] = [P]): RibLab {
  const rib = new RibLab();
  rib.up({ id: 'source', address: '198.51.100.1', as: 65000 });
  rib.up({ id: 'quick', address: '192.0.2.4', as: 65104 });
  for (const prefix of prefixes) rib.announce('source', [prefix], route(1));
  rib.settle();
  rib.up(slow());
  rib.settle();
  return rib;
}

const waits = (rib: RibLab): number => peerRoutes(rib.rib, 'slow')!.families[0]!.heldBack;
/** What `--why` says of who has the prefix. */
const said = (rib: RibLab): string[] =>
  rib.pages
    .routes({ view: 'best', prefix: P, explain: true, limit: 9 })
    .notes!.filter((line) => line.includes('sent to'));
const heldPath = (rib: RibLab, id = 'slow', prefix = P) =>
  /path=(\S+)/.exec(rib.session(id).held.get(prefix) ?? '')?.[1];
const grow = (rib: RibLab, times: number, prefixes: readonly string[] = [P]): void => {
  rib.announce('source', prefixes, { ...route(1), path: Array.from({ length: times }, () => 65101) });
  rib.settle();
};
const later = (rib: RibLab, ms: number): void => {
  rib.clock.advance(ms);
  rib.settle();
};

describe('advertisement interval (RFC 4271 section 9.2.1.1)', () => {
  it('holds up neither the first transfer nor its End-of-RIB', () => {
    const rib = lab(many);
    assert.equal(rib.session('slow').held.size, many.length);
    assert.deepEqual(rib.session('slow').endOfRib, ['ipv4', 'ipv6']);
    assert.equal(waits(rib), 0);
  });

  it('tells a change when it is over, the newest state only, and others at once', () => {
    const rib = lab();
    const before = rib.session('slow').announced;
    for (let times = 2; times <= 6; times++) grow(rib, times);
    assert.equal(rib.session('slow').announced, before);
    assert.equal(rib.session('quick').held.get(P)?.includes('65101,65101,65101,65101,65101,65101'), true);
    assert.equal(waits(rib), 1);
    assert.deepEqual(said(rib).slice(1, 2), [
      `${P}: sent to slow before it changed: the change waits for the advertisement interval`,
    ]);
    later(rib, SHORTEST_MS - 2000);
    assert.equal(rib.session('slow').announced, before, 'not before three quarters of it');
    later(rib, SECONDS * 1000 - SHORTEST_MS + 2000);
    assert.equal(rib.session('slow').announced, before + 1);
    assert.equal(heldPath(rib), heldPath(rib, 'quick')?.replace('65104', '65000'));
    assert.equal(waits(rib), 0);
  });

  it('tells a first change after a quiet time at once, and the next one when it is over again', () => {
    const rib = lab();
    later(rib, SECONDS * 1000);
    const before = rib.session('slow').announced;
    grow(rib, 2);
    assert.equal(rib.session('slow').announced, before + 1);
    grow(rib, 3);
    assert.equal(rib.session('slow').announced, before + 1);
    later(rib, SECONDS * 1000);
    assert.equal(rib.session('slow').announced, before + 2);
  });

  it('withdraws at once; what comes back within it waits', () => {
    const rib = lab();
    rib.withdraw('source', [P]);
    rib.settle();
    assert.equal(rib.session('slow').held.size, 0);
    grow(rib, 1);
    assert.equal(rib.session('slow').held.size, 0);
    assert.deepEqual(said(rib), [
      `${P}: sent to quick`,
      `${P}: not sent to source: split horizon: the best path came from there`,
      `${P}: not sent to slow: it waits for the advertisement interval`,
    ]);
    later(rib, SECONDS * 1000);
    assert.equal(rib.session('slow').held.size, 1);
  });

  it('withdraws at once what changed before and still waits, also among thousands', () => {
    const rib = lab(many);
    grow(rib, 2, many.slice(0, 900));
    for (let i = 900; i < many.length; i += 700) grow(rib, 2, many.slice(i, i + 700));
    assert.equal(waits(rib), many.length);
    rib.withdraw('source', many.slice(2900));
    rib.withdraw('source', many.slice(0, 1));
    rib.settle();
    assert.equal(rib.session('slow').held.size, 2899);
    assert.equal(waits(rib), 2899);
    const before = rib.session('slow').announced;
    later(rib, SECONDS * 1000);
    assert.equal(rib.session('slow').announced, before + 2899, 'each once');
    assert.deepEqual([...rib.session('slow').held.keys()].sort(), many.slice(1, 2900).sort());
  });

  it('sends all, what waits too, when it asks for a refresh', () => {
    const rib = lab();
    grow(rib, 2);
    rib.rib.refresh(rib.session('slow'), 0);
    rib.settle();
    assert.equal(heldPath(rib)?.split(',').length, 3);
    assert.equal(waits(rib), 0);
  });

  it('changes on a session: to 0 what waits goes at once, and nothing else; a shorter one counts from what was told last', () => {
    for (const [next, atOnce] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const rib = lab(many);
      grow(rib, 2, [P]);
      later(rib, 10);
      const before = rib.session('slow').announced;
      rib.rib.neighbours.configure({ ...rib.session('slow').config, advertisementIntervalSeconds: next });
      for (let i = 0; i < 20; i++) rib.turn();
      assert.equal(rib.session('slow').announced - before, atOnce, `${next}`);
      later(rib, 1000);
      assert.equal(rib.session('slow').announced - before, 1);
      rib.rib.neighbours.configure({ ...rib.session('slow').config, advertisementIntervalSeconds: SECONDS });
      rib.settle();
      assert.equal(rib.session('slow').announced - before, 1, 'and back: nothing is said twice');
    }
  });

  it('keeps one timer for all that waits, and none when nothing does', () => {
    const rib = lab(many);
    rib.up(slow(SECONDS, 'other'));
    rib.settle();
    const idle = rib.clock.pending;
    grow(rib, 2, many.slice(0, 700));
    assert.equal(rib.clock.pending, idle + 1);
    later(rib, SECONDS * 1000);
    assert.equal(rib.clock.pending, idle);
  });
});
