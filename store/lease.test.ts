// Who holds a lease, in each store. Every candidate has a clock of its own: they differ, and some stand still.
import assert from 'node:assert/strict';
import { FakeClock } from '#world/testing';
import { LeaseCandidate } from './lease.ts';
import type { Store } from './store.ts';
import { STORE_PLACES, type SimulatedPlace } from './testing/store-places.ts';

const DURATION_MS = 15_000;

for (const { name, make } of STORE_PLACES) {
  describe(`a lease in the store ${name}`, () => {
    let place: SimulatedPlace;
    let store: Store;
    const candidate = (identity: string, clock = new FakeClock()) => {
      const options = { namespace: 'infra', name: 'leader', identity, durationSeconds: DURATION_MS / 1000 };
      return { clock, lease: new LeaseCandidate(store, clock, options) };
    };
    const held = async () => (await store.get({ kind: 'Lease', namespace: 'infra', name: 'leader' }))!;

    beforeEach(async () => {
      place = await make();
      store = place.open();
    });
    afterEach(() => store[Symbol.asyncDispose]());

    it('is the first one’s, as long as he renews it', async () => {
      const [a, b] = [candidate('a'), candidate('b')];
      assert.equal(a.lease.isHeld, false);
      assert.deepEqual(await a.lease.acquire(), { kind: 'held' });
      for (let i = 0; i < 6; i++) {
        for (const { clock } of [a, b]) clock.advance(DURATION_MS / 3);
        assert.deepEqual(await a.lease.acquire(), { kind: 'held' });
        assert.deepEqual(await b.lease.acquire(), { kind: 'taken', holder: 'a' });
        assert.deepEqual([a.lease.isHeld, b.lease.isHeld], [true, false]);
      }
      const { spec } = await held();
      assert.equal(spec.leaseTransitions, 0);
      assert.ok(spec.acquireTime < spec.renewTime);
    });

    it('goes to another when nothing was heard of its holder for its duration, after he knows that it is lost', async () => {
      const [a, b] = [candidate('a'), candidate('b')];
      await a.lease.acquire();
      await b.lease.acquire();
      for (const { clock } of [a, b]) clock.advance(DURATION_MS - 1);
      assert.deepEqual(await b.lease.acquire(), { kind: 'taken', holder: 'a' });
      assert.equal(a.lease.isHeld, true);
      for (const { clock } of [a, b]) clock.advance(1);
      assert.equal(a.lease.isHeld, false);
      assert.deepEqual(await b.lease.acquire(), { kind: 'held' });
      assert.equal((await held()).spec.leaseTransitions, 1);
      assert.deepEqual(await a.lease.acquire(), { kind: 'taken', holder: 'b' });
    });

    it('is not taken by one whose clock is a day ahead, or who looks for the first time', async () => {
      const a = candidate('a');
      await a.lease.acquire();
      const ahead = new FakeClock();
      ahead.advance(86_400_000);
      const b = candidate('b', ahead);
      a.clock.advance(DURATION_MS - 1);
      assert.deepEqual(await b.lease.acquire(), { kind: 'taken', holder: 'a' });
      b.clock.advance(DURATION_MS);
      assert.deepEqual(await b.lease.acquire(), { kind: 'held' });
    });

    it('is one candidate’s when many want it in one moment', async () => {
      const many = Array.from({ length: 10 }, (_, i) => candidate(`n${i}`));
      const states = await Promise.all(many.map(({ lease }) => lease.acquire()));
      assert.equal(states.filter(({ kind }) => kind === 'held').length, 1);
      assert.equal(many.filter(({ lease }) => lease.isHeld).length, 1);
    });

    it('is free at once when its holder gives it back; who has none gives none back', async () => {
      const [a, b] = [candidate('a'), candidate('b')];
      await a.lease.acquire();
      await b.lease.acquire();
      await b.lease.release();
      assert.equal((await held()).spec.holderIdentity, 'a');
      await a.lease.release();
      assert.equal(a.lease.isHeld, false);
      assert.deepEqual(await b.lease.acquire(), { kind: 'held' });
    });
  });
}
