import assert from 'node:assert/strict';
import { RibLab } from '../testing/rib-lab.ts';

const client = (n: number) => ({ id: `c${n}`, address: `198.51.100.${n}`, as: 65000, client: true });
const route = (n: number) => ({ path: [], nextHop: `198.51.100.${n}` });
const prefixes = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `10.${(from + i) >> 8}.${(from + i) & 255}.0/24`);

/** Keys of what a peer holds, in order. */
const held = (lab: RibLab, id: string): string[] => [...lab.session(id).held.keys()].sort();

describe('update groups: one stream for many peers', () => {
  it('gives every client all routes but its own (split horizon by holes)', () => {
    const lab = new RibLab();
    for (let n = 1; n <= 30; n++) lab.up(client(n));
    lab.settle();
    for (let n = 1; n <= 30; n++) lab.announce(`c${n}`, prefixes(n * 10, 10), route(n));
    lab.settle();
    for (let n = 1; n <= 30; n++) {
      const own = new Set(prefixes(n * 10, 10));
      const expected = prefixes(10, 300).filter((p) => !own.has(p));
      assert.deepEqual(held(lab, `c${n}`), expected.sort());
    }
    assert.equal(lab.rib.exports.groups[0].length, 1, 'one group');
  });

  it('packs routes with equal attributes into as few messages as fit', () => {
    const lab = new RibLab();
    lab.up(client(1));
    lab.up(client(2));
    lab.settle();
    const before = lab.session('c2').messages;
    for (let i = 0; i < 2000; i += 200) lab.announce('c1', prefixes(i, 200), route(1));
    lab.settle();
    assert.equal(lab.session('c2').held.size, 2000);
    assert.equal(lab.session('c2').messages - before, 2, '2,000 prefixes of 4 bytes in messages of 4,096');
  });

  it('says nothing when the best path moves to a peer that sent the same, and does when it differs', () => {
    const lab = new RibLab();
    lab.up({ id: 'outside', address: '192.0.2.9', as: 64_999 });
    lab.up({ id: 'other', address: '192.0.2.8', as: 64_998 });
    for (const n of [1, 2]) lab.up(client(n));
    lab.settle();
    const same = { path: [64_500], nextHop: '203.0.113.1' };
    lab.announce('c1', prefixes(0, 10), same);
    lab.announce('c2', prefixes(0, 10), same);
    lab.settle();
    const { announced } = lab.session('outside');
    lab.withdraw('c1', prefixes(0, 5));
    lab.settle();
    assert.equal(lab.session('outside').announced, announced, 'same octets, so nothing was sent');
    assert.equal(lab.session('outside').withdrawn, 0);
    lab.announce('c2', prefixes(0, 2), { ...same, path: [64_500, 64_500] });
    lab.withdraw('c2', prefixes(2, 1));
    lab.settle();
    assert.equal(lab.session('outside').announced, announced + 2);
    assert.equal(lab.session('outside').withdrawn, 1);
    assert.deepEqual(
      held(lab, 'outside'),
      prefixes(0, 10)
        .filter((p) => p !== '10.0.2.0/24')
        .sort(),
    );
    // A peer of the group that becomes the source must be told that its own route is not ours any more.
    lab.announce('other', prefixes(5, 5), { path: [64_998], nextHop: '192.0.2.8', localPref: 100 });
    lab.settle();
    assert.deepEqual(held(lab, 'other').length, 9 - 5);
  });

  it('collapses the changes that a slow peer missed to the newest state of each prefix', () => {
    const lab = new RibLab();
    for (const n of [1, 2, 3]) lab.up(client(n));
    lab.settle();
    const slow = lab.session('c3');
    slow.room = 1;
    lab.announce('c1', prefixes(0, 1), route(1));
    lab.settle();
    const announced = slow.announced;
    for (let round = 0; round < 50; round++) {
      lab.announce('c1', prefixes(0, 20), { ...route(1), med: round });
      lab.settle();
      if (round % 2 === 1) lab.withdraw('c1', prefixes(10, 10));
      lab.settle();
    }
    assert.equal(slow.announced, announced, 'nothing is written to a full queue');
    assert.equal(lab.session('c2').held.size, 10, 'others are not held up');
    lab.drain('c3', Number.POSITIVE_INFINITY);
    lab.settle();
    assert.deepEqual(held(lab, 'c3'), held(lab, 'c2'));
    assert.equal(slow.announced - announced, 10, 'each prefix once');
    assert.equal(slow.withdrawn, 0, 'what came and went meanwhile is never mentioned');
  });

  it('joins the stream again after catching up', () => {
    const lab = new RibLab();
    for (const n of [1, 2]) lab.up(client(n));
    lab.settle();
    lab.session('c2').room = 1;
    lab.announce('c1', prefixes(0, 1), route(1));
    lab.settle();
    const [group] = lab.rib.exports.groups[0];
    assert.deepEqual([group!.stream.length, group!.catchUps.length], [1, 1]);
    lab.drain('c2', Number.POSITIVE_INFINITY);
    lab.settle();
    assert.deepEqual([group!.stream.length, group!.catchUps.length], [2, 0]);
  });

  it('sends a table in steps, with changes before the rest of it', () => {
    const lab = new RibLab(undefined, 8);
    lab.up(client(1));
    lab.settle();
    lab.announce('c1', prefixes(0, 400), route(1));
    lab.settle();
    const late = lab.up(client(2));
    while (late.held.size === 0) lab.turn();
    assert.ok(late.held.size < 100, 'the dump has only begun');
    lab.announce('c1', prefixes(399, 1), { ...route(1), med: 7 });
    lab.turn();
    lab.turn();
    assert.ok(late.held.size < 300, 'the dump still runs');
    assert.match(late.held.get(prefixes(399, 1)[0]!)!, /med=7/);
    lab.settle();
    assert.equal(late.held.size, 400);
    assert.equal(late.announced, 400, 'nothing is sent twice');
    assert.deepEqual(late.endOfRib, ['ipv6', 'ipv4']);
  });

  it('sends everything again when asked, once for several requests, between BoRR and EoRR', () => {
    const lab = new RibLab();
    lab.up(client(1));
    lab.up({ ...client(2), negotiated: { enhancedRouteRefresh: true } });
    lab.announce('c1', prefixes(0, 50), route(1));
    lab.settle();
    const session = lab.session('c2');
    const { announced } = session;
    lab.rib.refresh(session, 0);
    lab.rib.refresh(session, 0);
    lab.settle();
    assert.equal(session.announced - announced, 50);
    assert.deepEqual(session.marks, ['ipv4 1', 'ipv4 2']);
  });

  it('withdraws a route whose attributes fit into no message, and says to whom', () => {
    const lab = new RibLab();
    lab.up({ ...client(1), maxMessageBytes: 65535 });
    lab.up(client(2));
    lab.announce('c1', prefixes(0, 1), route(1));
    lab.settle();
    const communities = Array.from({ length: 1100 }, (_, i) => i + 1);
    lab.announce('c1', prefixes(0, 1), { ...route(1), communities });
    lab.settle();
    assert.deepEqual(held(lab, 'c2'), []);
    assert.deepEqual(lab.events, ['too large 10.0.0.0/24 to c2']);
    lab.announce('c1', prefixes(0, 1), route(1));
    lab.settle();
    assert.deepEqual(held(lab, 'c2'), prefixes(0, 1));
  });

  it('stops reading from a peer that sends more than its share, and goes on later', () => {
    const lab = new RibLab();
    lab.up(client(1));
    lab.up(client(2));
    lab.settle();
    for (let i = 0; i < 4000; i += 500) lab.announce('c1', prefixes(i, 500), route(1));
    assert.equal(lab.session('c1').isPaused, true);
    lab.announce('c2', ['10.200.0.0/24'], route(2));
    assert.equal(lab.session('c2').isPaused, false, 'small talkers are always heard');
    lab.settle();
    assert.equal(lab.session('c1').isPaused, false);
  });
});

describe('memory', () => {
  it('is reused over a long churn, and comes back after a burst', function () {
    this.timeout(30_000); // seconds of work on one core
    const lab = new RibLab();
    lab.up(client(1));
    lab.up(client(2));
    lab.settle();
    const churn = (rounds: number): void => {
      for (let round = 0; round < rounds; round++) {
        for (let i = 0; i < 2000; i += 100) {
          lab.announce('c1', prefixes(i, 100), { ...route(1), med: round * 100 + i });
        }
        lab.settle();
        lab.withdraw('c1', prefixes(round % 7, 500));
        lab.settle();
      }
    };
    churn(5);
    const before = lab.pages.sizes();
    churn(40);
    assert.equal(lab.pages.sizes().bytes, before.bytes);
    for (let i = 0; i < 60_000; i++) {
      lab.announce('c1', [`11.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32`], { ...route(1), med: i });
    }
    lab.settle();
    const { bytes: peak } = lab.pages.sizes();
    lab.down('c1');
    lab.settle();
    lab.up(client(3));
    lab.settle();
    const { bytes } = lab.pages.sizes();
    assert.ok(bytes < peak / 3, `${peak} bytes at the peak, ${bytes} after it`);
  });
});
