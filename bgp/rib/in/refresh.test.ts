import assert from 'node:assert/strict';
import type { FakePeerOptions } from '../testing/fake-session.ts';
import { RibLab } from '../testing/rib-lab.ts';
import { peerRoutes } from '../../speaker-status.ts';
import { type WireAttributes, withdrawMessage } from '../../testing/message-bytes.ts';

const GIVER: FakePeerOptions = { id: 'giver', address: '10.0.1.1', as: 65001 };
const TAKER: FakePeerOptions = { id: 'taker', address: '10.0.1.2', as: 65002 };
const OTHER: FakePeerOptions = { id: 'other', address: '10.0.1.3', as: 65003 };
const A = '20.0.1.0/24';
const B = '20.0.2.0/24';
const C = '20.0.3.0/24';
const SIX = 'fd00:1::/32';
const route = (as: number, more: Partial<WireAttributes> = {}): WireAttributes => ({
  path: [as],
  nextHop: '10.0.1.1',
  ...more,
});
const SIX_ROUTE: WireAttributes = { path: [65001], nextHop: 'fd00::9' };
const END_OF_RIB = Buffer.from(`${'ff'.repeat(16)}00170200000000`, 'hex');

/** The giver has sent three routes and End-of-RIB for IPv4, and one IPv6 route. */
function lab(hasEndOfRib = true): RibLab {
  const one = new RibLab();
  for (const peer of [GIVER, TAKER, OTHER]) one.up(peer);
  one.announce('giver', [A, B, C], route(65001));
  one.announce('giver', [SIX], SIX_ROUTE);
  if (hasEndOfRib) one.feed('giver', END_OF_RIB);
  one.settle();
  return one;
}

function begin(one: RibLab): void {
  one.rib.refreshBegins(one.session('giver'), 0);
  one.settle();
}

function end(one: RibLab): void {
  one.rib.refreshEnds(one.session('giver'), 0);
  one.settle();
}

const heldBy = (one: RibLab, id: string): string[] => [...one.session(id).held.keys()].sort();

describe('a refresh that the neighbour marks (RFC 7313)', () => {
  it('removes at its end what was not sent again, and nothing before', () => {
    const one = lab();
    const { announced } = one.session('taker');
    begin(one);
    one.announce('giver', [A], route(65001));
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [A, B, C, SIX]);
    end(one);
    assert.deepEqual(heldBy(one, 'taker'), [A, SIX]);
    assert.equal(one.session('taker').announced, announced, 'what came again as it was is not passed on');
    assert.equal(one.rib.peer('giver')!.received[0], 1);
  });

  it('a route that waits to be sent again is still chosen when something else about it changes', () => {
    const one = lab();
    begin(one);
    one.announce('other', [B], route(65003, { path: [65003, 65009], nextHop: '10.0.1.3' }));
    one.settle();
    assert.match(one.session('taker').held.get(B)!, /65001/);
    end(one);
    assert.match(one.session('taker').held.get(B)!, /65009/);
  });

  it('a change and a withdrawal in the middle count, and so do routes that are new', () => {
    const one = lab();
    begin(one);
    one.announce('giver', [A], route(65001, { path: [65001, 65007] }));
    one.withdraw('giver', [B]);
    one.announce('giver', ['20.0.9.0/24'], route(65001));
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [A, C, '20.0.9.0/24', SIX]);
    end(one);
    assert.deepEqual(heldBy(one, 'taker'), [A, '20.0.9.0/24', SIX]);
    assert.match(one.session('taker').held.get(A)!, /65007/);
    assert.equal(one.rib.peer('giver')!.received[0], 2);
  });

  it('is ignored before End-of-RIB, and an end without a beginning is nothing', () => {
    const early = lab(false);
    begin(early);
    end(early);
    assert.deepEqual(heldBy(early, 'taker'), [A, B, C, SIX]);
    const one = lab();
    end(one);
    assert.deepEqual(heldBy(one, 'taker'), [A, B, C, SIX]);
  });

  it('begun again in the middle it is one refresh', () => {
    const one = lab();
    begin(one);
    one.announce('giver', [A], route(65001));
    begin(one);
    one.announce('giver', [B], route(65001));
    end(one);
    assert.deepEqual(heldBy(one, 'taker'), [A, B, SIX]);
  });

  it('that never ends is over after ten minutes', () => {
    const one = lab();
    begin(one);
    one.announce('giver', [A], route(65001));
    one.settle();
    one.clock.advance(599_000);
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [A, B, C, SIX]);
    one.clock.advance(2000);
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [A, SIX]);
  });

  it('a session that ends in the middle takes everything with it, and the next one begins clean', () => {
    const one = lab();
    begin(one);
    one.announce('giver', [A], route(65001));
    one.down('giver');
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), []);
    one.up(GIVER);
    one.announce('giver', [A, B], route(65001));
    one.settle();
    one.clock.advance(700_000);
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [A, B]);
  });

  it('300 of them, one after another, lose nothing', () => {
    const one = lab();
    for (let i = 0; i < 300; i++) {
      begin(one);
      one.announce('giver', [A, B], route(65001));
      end(one);
    }
    assert.deepEqual(heldBy(one, 'taker'), [A, B, SIX]);
  });

  it('more of them in one piece of input than an epoch has numbers bring nothing back', () => {
    for (const pairs of [255, 256, 257, 65_535]) {
      const one = lab();
      one.feed('giver', withdrawMessage([C]));
      for (let i = 0; i < pairs; i++) {
        one.rib.refreshBegins(one.session('giver'), 0);
        one.announce('giver', [A], route(65001));
        one.rib.refreshEnds(one.session('giver'), 0);
        if (!one.session('giver').isPaused) continue;
        // As a socket would: nothing more until reading goes on.
        one.settle();
        assert.ok(!one.session('giver').isPaused);
      }
      one.settle();
      assert.deepEqual(heldBy(one, 'taker'), [A, SIX], `${pairs} pairs`);
    }
  });

  it('nothing is read after its end until what it left out was found', () => {
    const one = lab();
    one.rib.refreshBegins(one.session('giver'), 0);
    assert.ok(!one.session('giver').isPaused);
    one.rib.refreshEnds(one.session('giver'), 0);
    assert.ok(one.session('giver').isPaused);
    one.settle();
    assert.ok(!one.session('giver').isPaused);
    assert.deepEqual(heldBy(one, 'taker'), [SIX]);
  });

  it('counts what waits to be sent again, so that the limit of prefixes is one', () => {
    const one = new RibLab();
    one.up({ ...GIVER, config: { maxPrefixes: { limit: 4, warnPercent: 100 } } });
    one.announce('giver', [A, B, C], route(65001));
    one.feed('giver', END_OF_RIB);
    one.rib.refreshBegins(one.session('giver'), 0);
    one.announce('giver', [A, '20.0.4.0/24'], route(65001));
    assert.equal(peerRoutes(one.rib, 'giver')!.families[0]!.received, 4);
    one.withdraw('giver', [B]);
    one.announce('giver', ['20.0.5.0/24'], route(65001));
    assert.deepEqual(
      one.events.filter((event) => event.includes('limit')),
      [],
    );
    one.announce('giver', ['20.0.6.0/24'], route(65001));
    assert.deepEqual(
      one.events.filter((event) => event.includes('limit')),
      ['over limit giver 0'],
    );
  });

  it('without end do not keep a newcomer from its table', () => {
    const one = new RibLab({ ebgp: 1, ibgp: 1, relax: false }, 8);
    for (const peer of [GIVER, OTHER]) one.up(peer);
    const table = Array.from({ length: 2000 }, (_, i) => `20.${i >>> 8}.${i & 255}.0/24`);
    for (let i = 0; i < table.length; i += 100) one.announce('other', table.slice(i, i + 100), route(65003));
    one.feed('giver', END_OF_RIB);
    one.settle();
    const newcomer = one.up(TAKER);
    let turns = 0;
    for (; newcomer.endOfRib.length < 2 && turns < 5000; turns++) {
      one.rib.refreshBegins(one.session('giver'), 0);
      one.rib.refreshEnds(one.session('giver'), 0);
      one.turn();
    }
    assert.equal(newcomer.held.size, 2000, `after ${turns} turns`);
  });
});
