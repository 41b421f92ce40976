import assert from 'node:assert/strict';
import fc from 'fast-check';
import { HeardRouters, SILENT_MS } from './heard-routers.ts';

/** Advertisements of these routers every `everyMs` from begin to end, with a look after each. */
function hear(
  routers: HeardRouters,
  who: string[],
  [begin, end]: [number, number],
  isUp = false,
  everyMs = 10_000,
) {
  for (let now = begin; now < end; now += everyMs) {
    for (const address of who) {
      routers.heard(address, now);
      routers.review(isUp, now);
    }
  }
}

describe('the neighbour on a link', () => {
  it('is who is heard first; a second router is named, and takes no turns with it', () => {
    const routers = new HeardRouters();
    assert.equal(routers.neighbour, undefined);
    const heard = new Set<string | undefined>();
    for (let now = 0; now < 600_000; now += 10_000) {
      hear(routers, ['fe80::1', 'fe80::2'], [now, now + 1]);
      heard.add(routers.neighbour);
    }
    assert.deepEqual([...heard], ['fe80::1']);
    assert.equal(routers.other, 'fe80::2');
  });

  it('stays while its session is up, however long it says nothing', () => {
    const routers = new HeardRouters();
    hear(routers, ['fe80::1'], [0, 1], true);
    hear(routers, ['fe80::2'], [10_000, 3_600_000], true);
    assert.equal(routers.neighbour, 'fe80::1');
    routers.review(false, 3_600_000);
    assert.equal(routers.neighbour, 'fe80::2');
    assert.equal(routers.other, undefined, 'the old one is not a second router');
  });

  it('stays when nobody else speaks, session or not', () => {
    const routers = new HeardRouters();
    hear(routers, ['fe80::1'], [0, 1]);
    routers.review(false, 86_400_000);
    assert.equal(routers.neighbour, 'fe80::1');
  });

  it('changes its address: the new one is taken when the old one missed two advertisements, also of rare ones', () => {
    const often = new HeardRouters();
    hear(often, ['fe80::1'], [0, 30_000]);
    hear(often, ['fe80::2'], [30_000, 40_001]);
    assert.equal(often.neighbour, 'fe80::1');
    hear(often, ['fe80::2'], [50_000, 50_001]);
    assert.equal(often.neighbour, 'fe80::2');

    const rarely = new HeardRouters();
    hear(rarely, ['fe80::1'], [0, 1]);
    hear(rarely, ['fe80::2'], [200_000, 200_001]);
    assert.equal(rarely.neighbour, 'fe80::2');
  });

  it('is another at once when the link was down between', () => {
    const routers = new HeardRouters();
    hear(routers, ['fe80::1'], [0, 20_000]);
    routers.linkDown();
    routers.review(false, 20_500);
    assert.equal(routers.neighbour, 'fe80::1');
    hear(routers, ['fe80::2'], [21_000, 21_001]);
    assert.equal(routers.neighbour, 'fe80::2');
  });

  it('is the same when it is the first to speak after the link was down', () => {
    const routers = new HeardRouters();
    hear(routers, ['fe80::1', 'fe80::2'], [0, 1]);
    routers.linkDown();
    hear(routers, ['fe80::1', 'fe80::2'], [1000, 600_000]);
    assert.equal(routers.neighbour, 'fe80::1');
  });

  it('is not pushed out by a flood of strangers, nor is a second router that goes on speaking', () => {
    const routers = new HeardRouters();
    for (let now = 0; now < 120_000; now += 10) {
      if (now % 10_000 === 0) for (const address of ['fe80::1', 'fe80::2']) routers.heard(address, now);
      routers.heard(`fe80::bad:${now.toString(16)}`, now);
      routers.review(false, now);
      assert.equal(routers.neighbour, 'fe80::1');
      assert.equal(routers.other, 'fe80::2');
    }
  });

  it('is not pushed out by a flood either when it advertises itself rarely, nor is the second router', () => {
    const routers = new HeardRouters();
    for (const address of ['fe80::1', 'fe80::2']) routers.heard(address, 0);
    for (let now = 100; now < 120_000; now += 100) {
      routers.heard(`fe80::bad:${now.toString(16)}`, now);
      routers.review(true, now);
      assert.equal(routers.other, 'fe80::2');
    }
    assert.equal(routers.neighbour, 'fe80::1');
    routers.heard('fe80::2', 200_000);
    routers.review(false, 200_000);
    assert.equal(routers.neighbour, 'fe80::2', 'who was there first of those that speak');
  });

  it('is always one that was heard, and one whenever anybody was', () => {
    const step = fc.record({
      who: fc.nat(40),
      afterMs: fc.nat(60_000),
      kind: fc.constantFrom('heard', 'heard', 'heard', 'review', 'linkDown'),
      isUp: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const routers = new HeardRouters();
        const all = new Set<string>();
        let now = 0;
        for (const { who, afterMs, kind, isUp } of steps) {
          now += afterMs;
          const before = routers.neighbour;
          if (kind === 'heard') {
            routers.heard(`fe80::${who}`, now);
            all.add(`fe80::${who}`);
          } else if (kind === 'review') routers.review(isUp, now);
          else routers.linkDown();
          assert.equal(routers.neighbour !== undefined, all.size > 0);
          if (routers.neighbour !== undefined) assert.ok(all.has(routers.neighbour));
          if (kind !== 'review' || isUp) assert.ok(before === undefined || routers.neighbour === before);
        }
      }),
    );
    assert.ok(SILENT_MS > 20_000, 'two advertisements of FRR may be lost');
  });
});
