// What shells get to complete `podroute`: the words by themselves, and in each real shell that is there.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suggestions } from '../completion-words.ts';
import { program } from '../program.ts';
import { sessionAnswer, statusAnswer } from '../testing/answers.ts';
import { cannedAgent, MAIN, podroute, run } from '../testing/run.ts';

const words = (...line: string[]) => suggestions(program(), line).words.map(({ word }) => word);
const has = (shell: string): boolean => spawnSync('sh', ['-c', `command -v ${shell}`]).status === 0;

describe('completion', function () {
  this.timeout(30_000);
  const folder = mkdtempSync(join(tmpdir(), 'podroute-completion-'));
  const socket = join(folder, 'agent.sock');
  const command = join(folder, 'podroute');
  before(() => {
    writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
    chmodSync(command, 0o755);
  });
  after(() => rmSync(folder, { recursive: true }));
  const shell = (name: string, script: string) =>
    run(name, ['-c', script], { PATH: `${folder}:${process.env['PATH']}`, PODROUTE_SOCKET: socket });

  it('knows every command, those below a command, options and values, and nothing that is hidden', () => {
    const all = words('');
    assert.ok(
      ['status', 'routes', 'ipam', 'completion'].every((one) => all.includes(one)),
      String(all),
    );
    assert.ok(!all.some((one) => one.startsWith('_')));
    assert.deepEqual(words('st'), ['status']);
    assert.deepEqual(words('ipam', ''), ['show', 'check', 'release', 'help']);
    assert.deepEqual(words('status', '--so'), ['--socket']);
    assert.deepEqual(words('routes', '--family', ''), ['ipv4', 'ipv6']);
    assert.deepEqual(words('status', '-o', 'j'), ['json']);
    assert.deepEqual(words('session', 'tor-a', 're'), ['reset', 'refresh']);
    assert.deepEqual(words('session', '--socket', '/x', 'tor-a', 'refresh', ''), ['in', 'out']);
    assert.deepEqual(words('version', 'x'), []);
  });

  it('knows where files and sessions fit', () => {
    for (const line of [
      ['validate', ''],
      ['validate', 'a.yaml', ''],
      ['plan', '--dir', ''],
    ]) {
      assert.equal(suggestions(program(), line).files, true, line.join(' '));
    }
    assert.deepEqual(suggestions(program(), ['routes', '--socket', '/x', '--received', '']).sessions, {
      socket: '/x',
    });
    assert.equal(suggestions(program(), ['routes', '']).sessions, undefined);
  });

  it('asks the agent for its sessions, and says nothing where none answers', async () => {
    const asked = () => podroute(['__complete', '--', 'status', 'tor'], { PODROUTE_SOCKET: socket });
    assert.deepEqual(await asked(), { stdout: '', stderr: '', code: 0 });
    const sessions = [sessionAnswer(), sessionAnswer({ id: 'mesh/n2/ipv4' })];
    await using _agent = await cannedAgent(socket, { 'GET /v1/status': statusAnswer({ sessions }) });
    assert.equal((await asked()).stdout, 'tor-a\t10.0.0.9 Established\n');
  });

  it('puts nothing on the line that is no id, whoever answers on the socket', async () => {
    const ids = ['tor$(touch x)', 'tor`id`', 'tor a', 'tor;id', 'tor\nrm', 'tor\u001b[31m', 'tor-b'];
    const sessions = ids.map((id) => sessionAnswer({ id }));
    await using _agent = await cannedAgent(socket, { 'GET /v1/status': statusAnswer({ sessions }) });
    const { stdout } = await podroute(['__complete', '--', 'status', 'tor'], { PODROUTE_SOCKET: socket });
    assert.equal(stdout, 'tor-b\t10.0.0.9 Established\n');
  });

  it('works in bash, with ids that have colons', async () => {
    const sessions = [sessionAnswer({ id: 'rack/fd00::9' })];
    await using _agent = await cannedAgent(socket, { 'GET /v1/status': statusAnswer({ sessions }) });
    const lines = ['podroute ro', 'podroute session rack/fd00:', 'podroute routes --family '];
    const { stdout, stderr } = await shell(
      'bash',
      `source <(podroute completion bash)
       for COMP_LINE in ${lines.map((line) => `'${line}'`).join(' ')}; do
         COMP_POINT=\${#COMP_LINE}; _podroute; echo "\${COMPREPLY[@]}"
       done
       complete -p podroute`,
    );
    assert.equal(stderr, '');
    assert.equal(stdout, 'routes\n:9\nipv4 ipv6\ncomplete -F _podroute podroute\n');
  });

  it('works in zsh', async function () {
    if (!has('zsh')) this.skip();
    const { stdout, stderr } = await shell(
      'zsh',
      `autoload -Uz compinit && compinit -u -D
       source <(podroute completion zsh)
       _describe() { print -l -- "\${(@P)2}" }
       _files() { print files }
       words=(podroute session x re) CURRENT=4 _podroute
       words=(podroute validate '') CURRENT=3 _podroute
       print -- "\${_comps[podroute]}"`,
    );
    assert.equal(stderr, '');
    assert.equal(stdout, 'reset:\nrefresh:\nfiles\n_podroute\n');
  });

  it('works in fish', async function () {
    if (!has('fish')) this.skip();
    writeFileSync(join(folder, 'bgp.yaml'), '');
    const { stdout } = await shell(
      'fish',
      `podroute completion fish | source
       complete -C 'podroute rou'
       complete -C 'podroute routes --family '
       cd ${folder}; complete -C 'podroute validate bg'`,
    );
    assert.equal(stdout, 'routes\troutes of this node\nipv4\nipv6\nbgp.yaml\n');
  });
});
