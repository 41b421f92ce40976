// Paths of a neighbour that did not come back in time: RFC 9494.
import assert from 'node:assert/strict';
import { fakeConfig } from '../testing/fake-session.ts';
import {
  A,
  B,
  C,
  END_OF_RIB,
  giver,
  heldBy,
  kept,
  lab,
  leaves,
  returns,
  route,
  SIX,
  wait,
} from '../testing/restart-lab.ts';

describe('a neighbour that does not come back in time (RFC 9494)', () => {
  const long = {
    longLived: [
      { family: 'ipv4', staleSeconds: 3600, isForwardingKept: true },
      { family: 'ipv6', staleSeconds: 3600, isForwardingKept: true },
    ],
  } as const;

  it('is the last choice from then on, and only told to those who know what that is', () => {
    const one = lab(giver({}, long));
    one.announce('other', [A], { path: [65003, 65009, 65010], nextHop: '10.0.1.3' });
    one.settle();
    leaves(one, kept(30, 3600));
    wait(one, 31);
    assert.match(one.session('taker').held.get(A)!, /65003/, 'a worse one is better than a stale one');
    assert.deepEqual(heldBy(one, 'taker'), [A]);
    assert.deepEqual(heldBy(one, 'heir'), [A, B, C, SIX]);
    assert.match(one.session('heir').held.get(B)!, /comm=llgr-stale/);
    assert.match(one.routes({ prefix: B })[0]!.why, /long-lived stale/);
    wait(one, 3600);
    assert.deepEqual(heldBy(one, 'heir'), [A]);
  });

  it('keeps no route that says it must not be (NO_LLGR)', () => {
    const one = lab(giver({}, long));
    one.announce('giver', [B], route({ communities: [0xffff0007] }));
    one.settle();
    leaves(one, kept(30, 3600));
    wait(one, 31);
    assert.deepEqual(heldBy(one, 'heir'), [A, C, SIX]);
    assert.equal(one.rib.peer('giver')!.received[0], 2);
  });

  it('comes back: what it sends again is as good as any, what it does not goes with its End-of-RIB', () => {
    const one = lab(giver({}, long));
    leaves(one, kept(30, 3600));
    wait(one, 100);
    returns(one, giver({}, long));
    one.announce('giver', [A], route());
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [A]);
    assert.deepEqual(heldBy(one, 'heir'), [A, B, C, SIX]);
    one.feed('giver', END_OF_RIB);
    one.settle();
    assert.deepEqual(heldBy(one, 'heir'), [A, SIX]);
  });

  it('comes back unable to have gone on forwarding: all of it goes', () => {
    const one = lab(giver({}, long));
    leaves(one, kept(30, 3600));
    wait(one, 31);
    returns(
      one,
      giver({}, { ...long, longLived: [{ family: 'ipv4', staleSeconds: 3600, isForwardingKept: false }] }),
    );
    assert.deepEqual(heldBy(one, 'heir'), []);
  });

  it('stays the last choice when import policy is asked again', () => {
    const one = lab(giver({}, long));
    leaves(one, kept(30, 3600));
    wait(one, 31);
    const preferred = {
      name: 'all preferred',
      terms: [{ match: {}, action: { verdict: 'accept' as const, set: { localPref: 500 } }, why: 'rule 1' }],
      otherwise: 'accept' as const,
    };
    one.rib.neighbours.configure(fakeConfig(giver({ config: { import: preferred } }, long)));
    one.announce('other', [A], { path: [65003, 65009], nextHop: '10.0.1.3' });
    one.settle();
    assert.match(one.session('taker').held.get(A)!, /65003/);
    assert.match(one.session('heir').held.get(B)!, /comm=llgr-stale/);
  });

  it('waits for no restart of a family that it can keep long and not restart: stale from the start', () => {
    const one = lab(giver({}, { ...long, families: [{ family: 'ipv6', isForwardingKept: true }] }));
    leaves(one, {
      restartSeconds: 30,
      families: [
        { family: 'ipv6', longLivedSeconds: 3600 },
        { family: 'ipv4', longLivedSeconds: 3600, isLongLivedOnly: true },
      ],
    });
    wait(one, 0);
    assert.match(one.session('heir').held.get(B)!, /comm=llgr-stale/);
    assert.doesNotMatch(one.session('heir').held.get(SIX)!, /comm=llgr-stale/);
    assert.deepEqual(heldBy(one, 'taker'), [SIX]);
  });

  it('a route that a neighbour sends as such is the last choice, too', () => {
    const one = lab();
    one.announce('giver', [A], route({ communities: [0xffff0006] }));
    one.announce('other', [A], { path: [65003, 65009], nextHop: '10.0.1.3' });
    one.settle();
    assert.match(one.session('taker').held.get(A)!, /65003/);
    one.announce('giver', [B], route({ communities: [0xffff0006] }));
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [A, C, SIX]);
    assert.deepEqual(heldBy(one, 'heir'), [A, B, C, SIX]);
  });
});
