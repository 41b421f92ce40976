// Storms: everything asked for again and again with a large table, and a configuration that changes all the time.
import { waitUntil } from '#world';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { REJECT_ALL } from '#bgp';
import { flood } from './testing/attack.ts';
import { assertBounded, report } from './testing/figures.ts';
import { update } from '../testing/messages.ts';
import type { RawMessage } from '../testing/raw-peer.ts';
import { assertInTime, Innocents } from './testing/innocents.ts';
import { neighbourConfig, SpeakerUnderFire } from './testing/speaker-under-fire.ts';

const STORM_MS = 1100;
const TABLE = 100_000;

function isEndOfRib({ type, body }: RawMessage): boolean {
  return type === 2 && body.equals(update({}).subarray(19));
}

describe('BGP in a storm', function () {
  this.timeout(30_000);

  it('of route refreshes for a large table from two neighbours: changes overtake them', async () => {
    await using speaker = await SpeakerUnderFire.start([2, 3, 4, 5].map((host) => neighbourConfig(host)));
    await speaker.order({ do: 'originate', count: TABLE, perSet: 5 });
    using innocents = await Innocents.start(speaker);
    const floods = await Promise.all([4, 5].map((host) => flood(speaker, host, 'refresh')));
    await innocents.live(300);
    const before = await speaker.figures('measure');
    const seen = await innocents.live(STORM_MS);
    const after = await speaker.figures();
    const refreshed = after.peers.find(({ id }) => id === 'n4')!.counters;
    await Promise.all(floods.map((one) => one.stop()));
    report(`${refreshed.in.routeRefresh} refreshes asked of ${TABLE} routes`, before, after, seen);
    assert.ok(refreshed.in.routeRefresh > 10_000, 'that was no storm');
    // The first dump is 20,000 UPDATEs; at least one refresh was answered whole, and far fewer than were asked for.
    assert.ok(refreshed.out.update > 25_000, `${refreshed.out.update} UPDATEs`);
    assertInTime(seen);
    assertBounded(before, after);
  });

  it('of marked refreshes that bring nothing: a newcomer gets its table all the same', async () => {
    await using speaker = await SpeakerUnderFire.start([2, 3, 4, 5, 6].map((host) => neighbourConfig(host)));
    await speaker.order({ do: 'originate', count: TABLE, perSet: 5 });
    using innocents = await Innocents.start(speaker);
    const floods = await Promise.all([4, 5].map((host) => flood(speaker, host, 'marks')));
    await innocents.live(300);
    const before = await speaker.figures('measure');
    const begin = performance.now();
    const newcomer = await speaker.neighbour(6);
    await waitUntil('End-of-RIB', 3000, () => newcomer.received.some(isEndOfRib));
    const joinMs = performance.now() - begin;
    const seen = await innocents.live(500);
    const after = await speaker.figures();
    const marks = after.peers.find(({ id }) => id === 'n4')!.counters.in.routeRefresh;
    await Promise.all(floods.map((one) => one.stop()));
    report(`${marks} marks, table of ${TABLE} after ${joinMs.toFixed(0)} ms`, before, after, seen);
    assert.ok(marks > 10_000, 'that was no storm');
    assertInTime(seen);
    assertBounded(before, after);
    newcomer.close();
  });

  it('of neighbours that are added, changed and removed: the others stay up', async () => {
    await using speaker = await SpeakerUnderFire.start([2, 3].map((host) => neighbourConfig(host)));
    await speaker.order({ do: 'originate', count: 20_000, perSet: 5 });
    using innocents = await Innocents.start(speaker);
    await innocents.live(300);
    const before = await speaker.figures('measure');
    const hosts = Array.from({ length: 40 }, (_, i) => 20 + i);
    const ids = hosts.map((host) => `n${host}`);
    let rounds = 0;
    const storm = (async () => {
      for (const begin = performance.now(); performance.now() - begin < STORM_MS; rounds++) {
        await speaker.order({ do: 'addPeer', peers: hosts.map((host) => neighbourConfig(host)) });
        const up = await Promise.all(hosts.slice(0, 5).map((host) => speaker.neighbour(host)));
        await speaker.order({
          do: 'updatePeer',
          peers: hosts.map((host) => neighbourConfig(host, { export: REJECT_ALL, description: `${rounds}` })),
        });
        // A policy of an innocent one, too: nothing that resets.
        await speaker.order({
          do: 'updatePeer',
          peers: [neighbourConfig(2, { maxPrefixes: { limit: 10_000 + rounds, warnPercent: 90 } })],
        });
        await speaker.order({ do: 'removePeer', ids });
        await sleep(5);
        for (const peer of up) peer.close();
      }
    })();
    const seen = await innocents.live(STORM_MS);
    await storm;
    const after = await speaker.figures();
    report(`${rounds} times 40 neighbours added, changed and removed`, before, after, seen);
    assert.ok(rounds >= 3);
    assert.deepEqual(
      after.peers.map(({ id, state, flaps }) => `${id} ${state} ${flaps}`),
      ['n2 Established 0', 'n3 Established 0'],
    );
    assertInTime(seen);
    assertBounded(before, after);
  });
});
