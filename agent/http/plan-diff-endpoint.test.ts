import assert from 'node:assert/strict';
import type { PlanDiffReply } from '#agent-api';
import { PlanDiffDesk } from './plan-diff-endpoint.ts';

const REPLY: PlanDiffReply = {
  objects: ['BGPPeer a'],
  settings: [],
  sessions: [],
  originated: [],
  withdrawn: [],
  problems: [],
  notes: [],
};
const asked = { method: 'POST', url: '/v1/plan/diff', body: 'kind: BGPPeer' };

describe('the agent’s socket about what a file would change', () => {
  it('compares what it is given, one at a time, and says what is wrong with it', async () => {
    const { promise, resolve } = Promise.withResolvers<PlanDiffReply>();
    const deeds: string[] = [];
    const desk = new PlanDiffDesk(({ file, text, deed }) => {
      deeds.push(`${deed} ${file}`);
      assert.equal(text, asked.body);
      return promise;
    });
    const first = desk.answer(asked);
    assert.equal((await desk.answer(asked))?.status, 409);
    resolve(REPLY);
    assert.deepEqual(JSON.parse((await first)!.body), REPLY);
    await desk.answer({ ...asked, url: '/v1/plan/diff?delete' });
    await desk.answer({ ...asked, url: '/v1/plan/diff?file=peers%2Fa%20b.yaml' });
    assert.deepEqual(deeds, ['apply FILE', 'delete FILE', 'apply peers/a b.yaml']);
    const refuses = new PlanDiffDesk(() => Promise.reject(new RangeError('BGPPeer a: wrong')));
    for (let i = 0; i < 2; i++) {
      const reply = await refuses.answer(asked);
      assert.deepEqual([reply?.status, reply?.body], [400, '{"error":"BGPPeer a: wrong"}']);
    }
  });

  it('takes a POST only, and leaves other paths to others', async () => {
    const desk = new PlanDiffDesk(() => Promise.resolve(REPLY));
    assert.equal((await desk.answer({ method: 'GET', url: '/v1/plan/diff' }))?.status, 405);
    assert.equal(desk.answer({ method: 'GET', url: '/v1/plan' }), undefined);
  });
});
