import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sessionAnswer, statusAnswer } from '../testing/answers.ts';
import { cannedAgent, podroute } from '../testing/run.ts';

describe('podroute routes --advertised', function () {
  this.timeout(30_000);
  const folder = mkdtempSync(join(tmpdir(), 'podroute-routes-'));
  const socket = join(folder, 'agent.sock');
  after(() => rmSync(folder, { recursive: true }));

  for (const [ipv4, words] of [
    [0, undefined],
    [1, 'tor-a has not taken 1 change of these routes yet: it may have others'],
    [70, 'tor-a has not taken 70 changes of these routes yet: it may have others'],
  ] as const) {
    it(`says of a neighbour that is owed ${ipv4} changes that it may not have all of it`, async () => {
      const { prefixes } = sessionAnswer();
      const session = sessionAnswer({ prefixes: { ...prefixes, owed: { ipv4, ipv6: 0 } } });
      await using _agent = await cannedAgent(socket, {
        'GET /v1/routes': { view: 'advertised', routes: [] },
        'GET /v1/status': statusAnswer({ sessions: [session] }),
      });
      const { stdout, code } = await podroute(['routes', '--advertised', 'tor-a', '--socket', socket]);
      assert.deepEqual(stdout.trimEnd().split('\n'), ['no routes', ...(words === undefined ? [] : [words])]);
      assert.equal(code, 0);
    });
  }
});
