// What a node writes of itself, and how often.
import assert from 'node:assert/strict';
import type { StatusReply } from '#agent-api';
import { MemoryStore } from '#store';
import { SeededRandom } from '#world';
import { FakeClock } from '#world/testing';
import { nodeStatus, tellingPart } from './node-status.ts';
import { StatusWriter } from './status-writer.ts';

const ZERO = { ipv4: 0, ipv6: 0 };

function session(id: string, more: object = {}) {
  return {
    id,
    from: `BGPPeer ${id}`,
    remote: '192.0.2.1',
    state: 'Established',
    since: '2026-01-01T00:00:00.000Z',
    prefixes: { received: { ipv4: 3, ipv6: 1 }, accepted: ZERO, advertised: ZERO },
    flaps: 0,
    ...more,
  };
}

function reply(sessions: readonly object[], more: object = {}): StatusReply {
  return {
    node: 'n1',
    version: '1',
    sessions,
    ranges: [],
    conditions: [{ type: 'NoProblems', isTrue: true, reason: 'NothingReported', message: 'nothing' }],
    problems: [],
    ...more,
  } as unknown as StatusReply;
}

describe('the status that a node writes of itself', () => {
  let clock: FakeClock;
  let shared: MemoryStore;
  let now: StatusReply | Error;
  let reading: Promise<void>;
  let writes: number;
  let told: readonly string[];
  let opened: StatusWriter[];

  beforeEach(() => {
    clock = new FakeClock();
    shared = new MemoryStore(clock);
    now = reply([session('tor-a')]);
    reading = Promise.resolve();
    writes = 0;
    told = [];
    opened = [];
  });
  afterEach(async () => {
    for (const writer of opened) await writer[Symbol.asyncDispose]();
  });

  function start() {
    const view = shared.view();
    const writer = new StatusWriter('n1', {
      clock,
      random: new SeededRandom(1),
      tell: (messages) => void (told = messages),
      store: {
        get: (key) => view.get(key),
        create: (object) => view.create(object),
        updateStatus: (object) => {
          writes++;
          return view.updateStatus(object);
        },
      },
      read: async (before) => {
        await reading;
        if (now instanceof Error) throw now;
        return nodeStatus(now, [], before, new Date(clock.wall()).toISOString());
      },
    });
    opened.push(writer);
    writer.start();
    return view;
  }

  const stored = () => shared.get({ kind: 'BGPNodeStatus', name: 'n1' })?.status;

  it('says what is up, what is down and why, with what is down first', async () => {
    const lastError = {
      at: '2026-01-02T00:00:00.000Z',
      code: 6,
      subcode: 2,
      text: 'cease: shut down',
      kind: 'x',
    };
    now = reply([session('a'), session('b', { state: 'Active', lastError })]);
    start();
    await clock.run(2_000);
    assert.equal(stored()?.established, 1);
    assert.equal(stored()?.configured, 2);
    const [first] = stored()?.sessions ?? [];
    assert.deepEqual(
      [first?.peer, first?.state, first?.lastErrorCode, first?.lastError, first?.received],
      ['b', 'Active', '6/2', 'cease: shut down', 4],
    );
    assert.equal(stored()?.ready, 'True');
  });

  it('is written when something else is to be said, and not otherwise', async () => {
    start();
    await clock.run(290_000);
    assert.equal(writes, 1);
    now = reply([session('tor-a', { state: 'Idle', since: 'later' })]);
    await clock.run(1_000);
    assert.equal(writes, 2);
    assert.equal(stored()?.sessions?.[0]?.state, 'Idle');
  });

  it('is written every five minutes although nothing is new: who is silent for longer is taken for dead', async () => {
    start();
    await clock.run(3_600_000);
    assert.ok(writes >= 11 && writes <= 13, `${writes} writes`);
  });

  it('is written for counters alone every half minute at most', async () => {
    start();
    await clock.run(5_000);
    for (let i = 0; i < 60; i++) {
      now = reply([
        session('tor-a', { prefixes: { received: { ipv4: i, ipv6: 0 }, accepted: ZERO, advertised: ZERO } }),
      ]);
      await clock.run(1_000);
    }
    assert.ok(writes >= 2 && writes <= 4, `${writes} writes`);
  });

  it('keeps the time of a condition for as long as it is what it is', async () => {
    start();
    await clock.run(2_000);
    const since = stored()?.conditions?.[0]?.lastTransitionTime;
    now = reply([session('other')]);
    await clock.run(60_000);
    assert.equal(stored()?.conditions?.[0]?.lastTransitionTime, since);
    const bad = { type: 'NoProblems', isTrue: false, reason: 'ProblemsReported', message: 'a' };
    now = reply([session('other')], { conditions: [bad] });
    await clock.run(2_000);
    assert.notEqual(stored()?.conditions?.[0]?.lastTransitionTime, since);
    assert.equal(stored()?.ready, 'False');
  });

  it('comes when the store is back, and is asked for seldom meanwhile', async () => {
    const view = start();
    view.failure = 'away';
    await clock.run(600_000);
    assert.deepEqual(told, ['BGPNodeStatus n1 cannot be written: away']);
    view.failure = undefined;
    now = reply([session('newest')]);
    await clock.run(31_000);
    assert.equal(stored()?.sessions?.[0]?.peer, 'newest');
    assert.deepEqual(told, []);
  });

  it('comes when it can be read again, and what was wrong is said meanwhile', async () => {
    now = new Error('the speaker is gone');
    start();
    await clock.run(10_000);
    assert.deepEqual(told, ['BGPNodeStatus n1 cannot be written: the speaker is gone']);
    now = reply([session('newest')]);
    await clock.run(31_000);
    assert.equal(stored()?.sessions?.[0]?.peer, 'newest');
    assert.deepEqual(told, []);
  });

  it('is not written by an agent that ends while it is read', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    reading = promise;
    start();
    await clock.run(1_500);
    const closed = opened[0]![Symbol.asyncDispose]();
    resolve();
    await closed;
    await clock.run(60_000);
    assert.equal(writes, 0);
    assert.equal(stored(), undefined);
  });

  it('is made anew when somebody deletes it, and goes over what somebody writes into it', async () => {
    start();
    await clock.run(2_000);
    shared.remove({ kind: 'BGPNodeStatus', name: 'n1' });
    now = reply([session('b')]);
    await clock.run(10_000);
    assert.equal(stored()?.sessions?.[0]?.peer, 'b');
    shared.apply({ ...shared.get({ kind: 'BGPNodeStatus', name: 'n1' })!, status: { version: 'forged' } });
    now = reply([session('c')]);
    await clock.run(10_000);
    assert.equal(stored()?.sessions?.[0]?.peer, 'c');
  });

  it('says of each session what its BFD is, and counts those whose is up', () => {
    const told = (...sessions: object[]) =>
      nodeStatus(reply(sessions), [], undefined, '2026-01-01T00:00:00.000Z');
    const status = told(
      session('a', { bfd: { state: 'Up', downs: 2 } }),
      session('b', { bfd: { state: 'Down', downs: 0 } }),
      session('c'),
    );
    assert.deepEqual([status.bfdUp, status.bfdConfigured], [1, 2]);
    assert.deepEqual(
      status.sessions!.map(({ bfd, bfdDowns }) => [bfd, bfdDowns]),
      [
        ['Up', 2],
        ['Down', 0],
        [undefined, undefined],
      ],
    );
    const later = told(
      session('a', { bfd: { state: 'Down', downs: 3 } }),
      session('b', { bfd: { state: 'Down', downs: 0 } }),
      session('c'),
    );
    assert.notEqual(tellingPart({ ...later, bfdUp: 1 }), tellingPart(status), 'is written at once');
    const without = told(session('c'));
    assert.deepEqual([without.bfdUp, without.bfdConfigured], [undefined, undefined]);
  });

  it('fits into an object of the cluster with a mesh of 1,200 nodes and texts of any length', () => {
    const long = 'x'.repeat(5_000);
    const lastError = { at: 'a', code: 6, subcode: 2, text: long, kind: 'x' };
    const bfd = { state: 'AdminDown', downs: 4_000_000_000 };
    const sessions = Array.from({ length: 1_200 }, (_, i) =>
      session(`mesh/n${i}/ipv4`, { lastError, whyDown: { why: long, next: long }, bfd }),
    );
    const problems = Array.from({ length: 300 }, () => ({ object: long, field: long, text: long }));
    const status = nodeStatus(reply(sessions, { problems }), [], undefined, '2026-01-01T00:00:00.000Z');
    assert.equal(status.sessionsLeftOut, 200);
    const bytes = Buffer.byteLength(JSON.stringify(status));
    assert.ok(bytes < 1_500_000, `${bytes} bytes`);
  });
});
