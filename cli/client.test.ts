import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from './client.ts';
import { CommandError, EXIT } from './exit.ts';

describe('what a command asks the agent', () => {
  const folder = mkdtempSync(join(tmpdir(), 'podroute-client-'));
  const path = join(folder, 'agent.sock');
  after(() => rmSync(folder, { recursive: true }));

  /** An agent that gives one answer to everything. */
  async function agent(status: number, bodyOf: (asked: string) => string): Promise<AsyncDisposable> {
    const server = createServer(({ method, url }, response) => {
      response.writeHead(status).end(bodyOf(`${method} ${url}`));
    });
    await new Promise<void>((done) => {
      server.listen(path, done);
    });
    return {
      async [Symbol.asyncDispose]() {
        await new Promise((done) => {
          server.close(done);
        });
      },
    };
  }

  const failsWith = (asking: Promise<unknown>, exitCode: number, message: RegExp) =>
    assert.rejects(asking, (error: Error) => {
      assert(error instanceof CommandError);
      assert.equal(error.exitCode, exitCode);
      assert.match(error.message, message);
      return true;
    });

  it('carries a question and its answer', async () => {
    await using _agent = await agent(200, (asked) => JSON.stringify({ asked }));
    assert.deepEqual(await ask(path, '/v1/status?a=b'), { asked: 'GET /v1/status?a=b' });
    assert.deepEqual(await ask(path, '/v1/ipam/release', 'POST'), { asked: 'POST /v1/ipam/release' });
  });

  for (const [status, exitCode, what] of [
    [400, EXIT.wrongUse, 'the question is wrong'],
    [404, EXIT.wrongUse, 'there is no such thing'],
    [409, EXIT.badNews, 'it refuses'],
    [500, EXIT.badNews, 'it fails'],
  ] as const) {
    it(`tells the agent’s own words when ${what}`, async () => {
      await using _agent = await agent(status, () => JSON.stringify({ error: 'no such peer' }));
      await failsWith(ask(path, '/v1/routes'), exitCode, /^agent: no such peer$/);
    });
  }

  it('shows what is not JSON, with its status', async () => {
    await using _agent = await agent(200, () => 'hello');
    await failsWith(ask(path, '/'), EXIT.badNews, /GET \/: status 200, not JSON: hello$/);
  });

  it('says that nobody is there: no file, or a file that a dead agent left', async () => {
    await failsWith(ask(join(folder, 'none'), '/'), EXIT.agentUnreachable, /is the agent running/);
    const left = join(folder, 'left.sock');
    writeFileSync(left, '');
    await failsWith(ask(left, '/'), EXIT.agentUnreachable, /left over/);
  });
});
