// When a node is said to be unavailable for pods, and when its start-up taint goes.
import assert from 'node:assert/strict';
import type { NodeMarks } from '#store';
import { SeededRandom } from '#world';
import { FakeClock } from '#world/testing';
import { NodeMarker } from './node-marker.ts';

const TAINT = 'podroute.io/agent-not-ready';

describe('the marks on a Node', () => {
  let clock: FakeClock;
  let written: NodeMarks[];
  let why: string | undefined;
  let uid: string | undefined;
  let failure: string | undefined;
  let told: readonly string[];
  let marker: NodeMarker;

  beforeEach(() => {
    clock = new FakeClock();
    written = [];
    why = 'no plan yet';
    uid = 'first';
    failure = undefined;
    told = [];
    const markNode = async (_: string, marks: NodeMarks) => {
      if (failure !== undefined) throw new Error(failure);
      written.push(marks);
    };
    marker = new NodeMarker('n1', TAINT, {
      ...{ clock, random: new SeededRandom(1), notes: { markNode } },
      uid: () => uid,
      whyUnavailable: () => why,
      tell: (messages) => (told = messages),
    });
    marker.start();
  });
  afterEach(() => marker[Symbol.asyncDispose]());

  it('say that pods can run when they can, and only then take the taint off', async () => {
    await clock.run(30_000);
    assert.deepEqual(written, [], 'an agent that starts anew changes nothing');
    why = undefined;
    await clock.run(2_000);
    assert.deepEqual(
      written.map(({ isUnavailable, startUpTaint }) => [isUnavailable, startUpTaint]),
      [[false, TAINT]],
    );
  });

  it('say that they cannot after a minute, and why, and never for a link that flaps', async () => {
    await clock.run(62_000);
    assert.deepEqual(
      written.map(({ isUnavailable, message, startUpTaint }) => [isUnavailable, message, startUpTaint]),
      [[true, 'no plan yet', undefined]],
    );
    why = undefined;
    await clock.run(2_000);
    for (let i = 0; i < 20; i++) {
      why = 'none of 2 sessions is established';
      await clock.run(20_000);
      why = undefined;
      await clock.run(2_000);
    }
    assert.ok(written.slice(1).every(({ isUnavailable }) => !isUnavailable));
    why = 'none of 2 sessions is established';
    await clock.run(63_000);
    assert.equal(written.at(-1)?.isUnavailable, true);
  });

  it('are written when they change, and looked at again every five minutes or so', async () => {
    why = undefined;
    await clock.run(3_600_000);
    assert.ok(written.length >= 8 && written.length <= 17, `${written.length} writes`);
  });

  it('are written at once to a Node that was made anew, also after it was away for long', async () => {
    why = undefined;
    await clock.run(30_000);
    const before = written.length;
    uid = 'second';
    await clock.run(1_100);
    assert.equal(written.length, before + 1);
    uid = undefined;
    failure = '404 Not Found';
    await clock.run(1_800_000);
    failure = undefined;
    uid = 'third';
    await clock.run(1_100);
    assert.equal(written.length, before + 2);
    assert.equal(written.at(-1)?.startUpTaint, TAINT);
    await clock.run(60_000);
    assert.equal(written.length, before + 2, 'and once');
  });

  it('are tried again, seldom, while they cannot be written, which is a problem', async () => {
    why = undefined;
    failure = '403 Forbidden';
    await clock.run(10_000);
    assert.match(told.join(), /NetworkUnavailable of Node n1 cannot be written: 403/);
    failure = undefined;
    await clock.run(70_000);
    assert.deepEqual(told, []);
    assert.equal(written.length, 1);
  });
});
