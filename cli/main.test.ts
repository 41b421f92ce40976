// The command from outside: exit codes, the one kind of line on stderr, pipes that close, and colours.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { sessionAnswer, statusAnswer } from './testing/answers.ts';
import { cannedAgent, MAIN, podroute, run } from './testing/run.ts';

describe('the podroute command', function () {
  this.timeout(30_000);
  const folder = mkdtempSync(join(tmpdir(), 'podroute-main-'));
  const socket = join(folder, 'agent.sock');
  after(() => rmSync(folder, { recursive: true }));

  for (const [what, args, words] of [
    ['a command that is not there', ['nosuch'], /unknown command 'nosuch'/],
    ['one of a group', ['ipam', 'nosuch'], /unknown command 'nosuch'/],
    ['an option', ['status', '--nosuch'], /unknown option '--nosuch'/],
    ['a value that is not allowed', ['routes', '--family', 'x'], /Allowed choices are ipv4, ipv6/],
    ['a number that is none', ['routes', '--limit', 'x'], /--limit x: expected a whole number/],
    ['an argument that is missing', ['session', 'tor-a'], /missing required argument 'action'/],
    ['an argument too many', ['status', 'a', 'b'], /too many arguments/],
    ['a value that is missing', ['status', '--socket'], /argument missing/],
    ['options that exclude each other', ['routes', '--best', '--fib'], /cannot be used with/],
    [
      'a store that is none',
      ['agent', '--node-name', 'n', '--store', 'nosuch'],
      /agent: --store nosuch: expected/,
    ],
    [
      'a controller’s store that is none',
      ['controller', '--store', 'dir:'],
      /controller: --store dir:: expected/,
    ],
    [
      'an address that is none',
      ['controller', '--store', 'dir:x', '--http', '9'],
      /controller: --http 9: expected/,
    ],
    [
      'a cluster that is a folder',
      ['status', '--all', '--store', 'dir:x'],
      /status: --store dir:x: a folder has/,
    ],
    [
      'a cluster’s kubeconfig that is not there',
      ['status', '--all', '--store', `kubernetes:${join(folder, 'none')}`],
      /status: --all: kubeconfig .*none cannot be read/,
    ],
    ['a file that is not there', ['validate', join(folder, 'none')], /ENOENT/],
  ] as const) {
    it(`wrong use is exit code 2: ${what}`, async () => {
      const { code, stdout, stderr } = await podroute(args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /^podroute: /);
      assert.match(stderr, words);
    });
  }

  it('wrong use is exit code 2: a store that is not there, or a kubeconfig that leads nowhere', async () => {
    const agent = ['agent', '--node-name', 'n', '--fib', 'none', '--socket', socket, '--state-dir', folder];
    for (const daemon of [agent, ['controller']]) {
      const missing = await podroute([...daemon, '--store', `kubernetes:${join(folder, 'none')}`]);
      assert.match(missing.stdout + missing.stderr, /cannot run: kubeconfig .*none cannot be read: ENOENT/);
      const folderless = await podroute([...daemon, '--store', `dir:${join(folder, 'none')}`]);
      assert.match(folderless.stdout + folderless.stderr, /cannot run: store dir:.*none: no such folder/);
      assert.deepEqual([missing.code, folderless.code], [2, 2]);
    }
  });

  it('without a command there is help, and exit code 2', async () => {
    const { code, stdout, stderr } = await podroute([]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^Usage: podroute/);
  });

  it('an agent that does not answer is exit code 3, for every command that asks one', async () => {
    const asking = [
      ['status'],
      ['session', 'a', 'reset'],
      ['routes'],
      ['plan'],
      ...['show', 'check', 'release 10.0.0.1'].map((verb) => ['ipam', ...verb.split(' ')]),
    ];
    const outcomes = await Promise.all(asking.map((args) => podroute([...args, '--socket', `${socket}.no`])));
    for (const { code, stdout, stderr } of outcomes) {
      assert.deepEqual([code, stdout], [3, '']);
      assert.match(stderr, /^podroute: agent on .*: no such socket: is the agent running/);
    }
  });

  it('an agent that knows no such session is wrong use', async () => {
    await using _agent = await cannedAgent(socket, { 'GET /v1/status': statusAnswer() });
    for (const args of [
      ['status', 'x'],
      ['session', 'x', 'reset'],
    ]) {
      const { code, stderr } = await podroute([...args, '--socket', socket]);
      assert.equal(code, 2);
      assert.match(stderr, /^podroute: /);
    }
  });

  it('status -w outlives an agent, and ends quietly when its reader does', async () => {
    let agent = await cannedAgent(socket, { 'GET /v1/status': statusAnswer() });
    const watching = spawn(process.execPath, [MAIN, 'status', '-w', '--socket', socket]);
    try {
      let stdout = '';
      let stderr = '';
      watching.stdout.on('data', (text) => (stdout += text));
      watching.stderr.on('data', (text) => (stderr += text));
      const seen = async (hasCome: () => boolean) => {
        while (!hasCome()) await new Promise((soon) => setTimeout(soon, 20));
      };
      await seen(() => stdout.includes('n1: AS 64512'));
      await agent[Symbol.asyncDispose]();
      await seen(() => /^podroute: agent on .*: no such socket/m.test(stderr));
      agent = await cannedAgent(socket, { 'GET /v1/status': statusAnswer({ node: 'n1-again' }) });
      await seen(() => stdout.includes('n1-again: AS 64512'));
      const before = stderr;
      const ended = new Promise((done) => watching.on('close', (code, signal) => done([code, signal])));
      watching.stdout.destroy();
      assert.deepEqual(await ended, [0, null]);
      assert.equal(stderr, before);
    } finally {
      watching.kill();
      await agent[Symbol.asyncDispose]();
    }
  });

  it('what is down is red on a terminal only, and never with NO_COLOR or TERM=dumb', async () => {
    const sessions = [sessionAnswer(), sessionAnswer({ id: 'tor-b', state: 'Active' })];
    const conditions = [
      {
        type: 'SessionsEstablished',
        isTrue: false,
        reason: 'SessionsDown',
        message: '1 of 2 sessions are up',
      },
    ] as const;
    const answer = statusAnswer({ sessions, conditions });
    await using _agent = await cannedAgent(socket, { 'GET /v1/status': answer });
    const command = `${process.execPath} ${MAIN} status --socket ${socket}`;
    const onTerminal = (env: NodeJS.ProcessEnv) =>
      // Node takes CI=true for a terminal without colours.
      run('script', ['--return', '--quiet', '--command', command, '/dev/null'], { CI: undefined, ...env });
    const { stdout, code } = await onTerminal({ TERM: 'xterm' });
    assert.equal(code, 1);
    assert.ok(stdout.includes('\u001b[31mActive\u001b[39m '), stdout);
    assert.ok(!stdout.includes('\u001b[31mEstablished'), stdout);
    const plain = [
      await onTerminal({ TERM: 'xterm', NO_COLOR: '1' }),
      await onTerminal({ TERM: 'dumb' }),
      await podroute(['status', '--socket', socket], { TERM: 'xterm' }),
    ];
    for (const one of plain) {
      assert.match(one.stdout, /tor-b .* Active /);
      assert.ok(!one.stdout.includes('\u001b['), one.stdout);
    }
    assert.equal(
      stripVTControlCharacters(stdout),
      plain[0]!.stdout,
      'columns stand where they stand without colour',
    );
  });
});
