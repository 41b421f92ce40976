import assert from 'node:assert/strict';
import { systemClock } from '#world';
import type { Log } from '../log.ts';
import type { Plan } from '../plan/index.ts';
import { Rehearsal } from './rehearsal.ts';

function planWith(...limits: readonly number[]): Plan {
  const peers = limits.map((limit) => ({
    config: { id: `limit-${limit}`, maxPrefixes: { limit } },
    from: '',
  }));
  return { peers } as unknown as Plan;
}

describe('the decision to rehearse large tables', () => {
  const said: string[] = [];
  const like: string[] = [];
  const note = (_fields: object, text: string) => void said.push(text);
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const rehearsal = (outcome: () => Promise<number>) =>
    new Rehearsal({
      clock: systemClock,
      log,
      rehearse: (config) => {
        like.push(config.id);
        return outcome();
      },
    });

  beforeEach(() => {
    said.length = 0;
    like.length = 0;
  });

  it('falls for a neighbour that may send 100,000 prefixes, once, and not for those of a mesh', async () => {
    using decision = rehearsal(() => Promise.resolve(1));
    decision.consider(planWith(10_000, 99_999));
    // Of documents of Calico, which know no limit.
    decision.consider(planWith(0xffffffff));
    assert.deepEqual(like, []);
    decision.consider(planWith(10_000, 100_000, 1_000_000));
    decision.consider(planWith(2_000_000));
    assert.deepEqual(like, ['limit-100000']);
    await Promise.resolve();
    assert.match(said.join(), /rehearsed/);
  });

  it('has no consequence but a warning when the rehearsal fails', async () => {
    using decision = rehearsal(() => Promise.reject(new Error('out of paint')));
    decision.consider(planWith(100_000));
    await new Promise((done) => setImmediate(done));
    assert.deepEqual(said, ['the rehearsal of large tables failed']);
  });
});
