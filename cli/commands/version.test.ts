import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cannedAgent, podroute } from '../testing/run.ts';
import { VERSION, versionText } from './version.ts';

describe('podroute version', function () {
  this.timeout(30_000);
  const folder = mkdtempSync(join(tmpdir(), 'podroute-version-'));
  const socket = join(folder, 'agent.sock');
  after(() => rmSync(folder, { recursive: true }));
  const agentOf = (version: string) =>
    cannedAgent(socket, { 'GET /v1/version': { version, node: 'n1', pid: 7, runtime: 'v24.0.0' } });

  it('tells both, and that they differ', async () => {
    await using _agent = await agentOf('0.0.9');
    const { code, stdout, stderr } = await podroute(['version', '--socket', socket]);
    assert.match(stdout, new RegExp(`^podroute ${VERSION} \\(Node v\\d`));
    assert.match(stdout, /^agent +0\.0\.9 \(Node v24\.0\.0, node n1, pid 7\)$/m);
    assert.match(
      stderr,
      new RegExp(`^podroute: version: the agent is 0\\.0\\.9 and this command ${VERSION}: `),
    );
    assert.equal(code, 0);
  });

  it('says nothing where they are the same, or no agent runs', async () => {
    const alone = await podroute(['version', '--socket', socket]);
    assert.match(alone.stdout, /^agent +none answers/m);
    await using _agent = await agentOf(VERSION);
    const both = await podroute(['version', '--socket', socket, '-o', 'json']);
    assert.deepEqual([alone.code, alone.stderr, both.code, both.stderr], [0, '', 0, '']);
    assert.equal(JSON.parse(both.stdout).agent.version, VERSION);
  });

  it('has a commit only where a bundle was made of one', () => {
    assert.equal(versionText(), VERSION);
    globalThis.PODROUTE_BUILT_FROM = { commit: 'abc', date: '2026-01-01T00:00:00Z' };
    try {
      assert.equal(versionText(), `${VERSION} (commit abc, 2026-01-01T00:00:00Z)`);
    } finally {
      globalThis.PODROUTE_BUILT_FROM = undefined;
    }
  });
});
