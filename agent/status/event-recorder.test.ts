// How events are counted, how often they are written, and what becomes of those that cannot be.
import assert from 'node:assert/strict';
import type { StatusReply } from '#agent-api';
import { parseDocument, type Resource, type Resources, resourcesOf } from '#api';
import type { ClusterEvent } from '#store';
import { SeededRandom } from '#world';
import { FakeClock } from '#world/testing';
import { SILENT } from '../log.ts';
import { EventRecorder } from './event-recorder.ts';
import { HEALTHY } from './testing/healthy-session.ts';

const object = (value: object) => parseDocument(value).resource as Resource;
const RESOURCES = resourcesOf([
  object({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', uid: 'uid-n1' } }),
  object({
    apiVersion: 'podroute.io/v1',
    kind: 'BGPPeer',
    metadata: { name: 'tor', uid: 'uid-tor' },
    spec: { peerIP: '192.0.2.1', asNumber: 65000 },
  }),
  object({
    apiVersion: 'podroute.io/v1',
    kind: 'BFDProfile',
    metadata: { name: 'fast', uid: 'uid-fast' },
    spec: {},
  }),
]);

describe('events of a node', () => {
  let clock: FakeClock;
  let written: ClusterEvent[];
  let failure: string | undefined;
  let recorder: EventRecorder;
  let resources: Resources;

  beforeEach(() => {
    clock = new FakeClock();
    written = [];
    failure = undefined;
    resources = RESOURCES;
    const recordEvent = async (event: ClusterEvent) => {
      if (failure !== undefined) throw new Error(failure);
      written.push(event);
    };
    recorder = new EventRecorder('n1', {
      ...{ clock, random: new SeededRandom(1), notes: { recordEvent }, log: SILENT },
      resources: () => resources,
    });
  });
  afterEach(() => recorder[Symbol.asyncDispose]());

  const look = (sessions: readonly object[], problems: readonly object[] = []) =>
    recorder.observe({ sessions, problems } as unknown as StatusReply);
  const session = (id: string, from: string, flaps: number) => ({
    ...HEALTHY,
    id,
    from,
    remote: '192.0.2.1',
    flaps,
  });

  it('are about the object that they concern, as it is known, and else about the Node', async () => {
    const noKey = {
      object: 'BFDProfile fast',
      field: '',
      message: 'no key',
      text: 'no key',
      cause: 'SecretMissing',
    };
    look([session('tor', 'BGPPeer tor', 0), session('m', 'node-to-node mesh, Node n2', 0)], [noKey]);
    await clock.run(2_000);
    assert.deepEqual(
      written.map(({ about: { apiVersion, kind, name, uid }, reason }) => [
        apiVersion,
        kind,
        name,
        uid,
        reason,
      ]),
      [
        ['podroute.io/v1', 'BGPPeer', 'tor', 'uid-tor', 'SessionUp'],
        ['v1', 'Node', 'n1', 'uid-n1', 'SessionUp'],
        ['podroute.io/v1', 'BFDProfile', 'fast', 'uid-fast', 'SecretMissing'],
      ],
    );
  });

  it('begin anew with an object that was deleted and made anew', async () => {
    look([session('tor', 'BGPPeer tor', 0)]);
    await clock.run(2_000);
    const peer = RESOURCES.bgpPeers.get('tor')!;
    resources = {
      ...RESOURCES,
      bgpPeers: new Map([['tor', { ...peer, metadata: { name: 'tor', uid: 'new' } }]]),
    };
    look([session('tor', 'BGPPeer tor', 1)]);
    await clock.run(2_000);
    const ups = written.filter(({ reason }) => reason === 'SessionUp');
    assert.deepEqual(
      ups.map(({ about, count }) => `${about.uid} ${count}`),
      ['uid-tor 1', 'new 1'],
    );
  });

  it('count on: what flaps every second is one event, written every ten seconds at most', async () => {
    for (let flaps = 0; flaps < 60; flaps++) {
      look([session('tor', 'BGPPeer tor', flaps)]);
      await clock.run(1_000);
    }
    const downs = written.filter(({ reason }) => reason === 'SessionDown');
    assert.ok(downs.length >= 5 && downs.length <= 7, `${downs.length} writes`);
    assert.equal(new Set(downs.map(({ name }) => name)).size, 1);
    await clock.run(15_000);
    assert.equal(written.findLast(({ reason }) => reason === 'SessionDown')?.count, 59);
  });

  it('are written a few a second, and all of them in the end', async () => {
    look(
      [],
      Array.from({ length: 40 }, (_, i) => ({ object: i % 2 ? 'BGPPeer tor' : 'Node n1', text: `${i}` })),
    );
    look(
      Array.from({ length: 100 }, (_, i) => session(`s${i}`, 'BGPPeer tor', 0)),
      [],
    );
    await clock.run(1_100);
    assert.ok(written.length <= 4, `${written.length}`);
    await clock.run(60_000);
    const counts = written.map(({ about, reason, count }) => `${about.kind} ${reason} ${count}`);
    assert.deepEqual(counts.sort(), [
      'BGPPeer ProblemFound 20',
      'BGPPeer SessionUp 100',
      'Node ProblemFound 20',
    ]);
  });

  it('are tried a few times, seldom, and dropped then', async () => {
    failure = 'no answer';
    look([session('tor', 'BGPPeer tor', 0)]);
    await clock.run(600_000);
    failure = undefined;
    await clock.run(600_000);
    assert.equal(written.length, 0);
    look([session('tor', 'BGPPeer tor', 1)]);
    await clock.run(70_000);
    assert.deepEqual(
      written.map(({ reason, count }) => `${reason} ${count}`),
      ['SessionDown 1', 'SessionUp 2'],
    );
  });

  it('come when the server is back soon', async () => {
    failure = 'no answer';
    look([session('tor', 'BGPPeer tor', 0)]);
    await clock.run(3_000);
    failure = undefined;
    await clock.run(60_000);
    assert.equal(written.length, 1);
  });
});
