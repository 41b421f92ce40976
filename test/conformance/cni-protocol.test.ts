// The installed executable as a raw protocol: variables and stdin in, exit code, stdout and stderr out. One test per
// case of the specification's process contract.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { unixSocketListener } from '#cni-plugin';
import { systemClock } from '#world';
import { CniNode, EXECUTABLE } from './testing/cni-node.ts';

const ALL = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];

describe('CNI executable, protocol', function () {
  let node: CniNode;
  before(async function () {
    if (process.getuid?.() !== 0) {
      console.log('      skipped: needs root to make network namespaces (sh scripts/as-root.sh …)');
      this.skip();
    }
    node = await CniNode.up();
  });
  after(async () => {
    await node?.[Symbol.asyncDispose]();
  });

  it('is small', () => {
    assert.ok(statSync(EXECUTABLE).size < 100_000);
  });

  it('says what it is on stderr when it is told nothing', async () => {
    const { exitCode, stdout, stderr } = await node.exec({}, '');
    assert.deepEqual([exitCode, stdout], [0, '']);
    assert.match(stderr, /^podroute: CNI plugin .*1\.1\.0/);
  });

  for (const input of [
    '{"cniVersion":"0.4.0"}',
    '{"cniVersion":"1.1.0","prevResult":{"cniVersion":"0.1.0"}}',
    '',
  ]) {
    it(`answers VERSION with ${input || 'no input'}, with no agent`, async () => {
      const { exitCode, json } = await node.exec({ CNI_COMMAND: 'VERSION' }, input);
      assert.equal(exitCode, 0);
      const cniVersion = input.includes('0.4.0') ? '0.4.0' : '1.1.0';
      assert.deepEqual(json, { cniVersion, supportedVersions: ALL });
    });
  }

  for (const [command, missing] of [
    ['ADD', 'CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH'],
    ['CHECK', 'CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH'],
    ['DEL', 'CNI_CONTAINERID,CNI_IFNAME,CNI_PATH'],
    ['GC', 'CNI_PATH'],
    ['STATUS', 'CNI_PATH'],
  ]) {
    it(`names every variable that ${command} lacks`, async () => {
      const { exitCode, json } = await node.exec({ CNI_COMMAND: command! }, '{}');
      assert.equal(exitCode, 1);
      assert.deepEqual([json?.['code'], json?.['details']], [4, missing]);
    });
  }

  for (const command of ['add', 'AD', 'ADD DEL', 'UPDATE']) {
    it(`refuses the verb "${command}"`, async () => {
      assert.equal((await node.exec({ CNI_COMMAND: command, CNI_PATH: '/' }, '{}')).json?.['code'], 4);
    });
  }

  it('refuses input that is not JSON, has no name, is of an unknown version or an unknown field', async () => {
    const environment = {
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: 'c',
      CNI_NETNS: '/run/netns/x',
      CNI_IFNAME: 'eth0',
      CNI_PATH: '/',
    };
    const path = JSON.stringify(node.socketPath);
    for (const [input, code] of [
      [`{"socketPath":${path},`, 6],
      [`{"socketPath":${path}}`, 7],
      [`{"socketPath":${path},"name":"x","cniVersion":"2.0.0"}`, 1],
      [`{"socketPath":${path},"name":"x","cniVersion":"1.1.0","bogus":1}`, 2],
    ] as const) {
      const { exitCode, json, stderr } = await node.exec(environment, input);
      assert.deepEqual([exitCode, json?.['code'], stderr], [1, code, ''], input);
    }
    const bad = await node.exec({ ...environment, CNI_IFNAME: 'a/b' }, `{"socketPath":${path},"name":"x"}`);
    assert.equal(bad.json?.['code'], 4);
  });

  it("answers an error in the configuration's version", async () => {
    for (const cniVersion of ALL) {
      const { json } = await node.call('ADD', 'c', '/run/netns/none', { cniVersion });
      assert.deepEqual([json?.['cniVersion'], json?.['code']], [cniVersion, 3]);
    }
  });

  it('answers ADD in every version, in its form', async () => {
    for (const cniVersion of ALL) {
      const netns = node.addNetns();
      const { json, exitCode, stdout } = await node.call('ADD', `v${cniVersion}`, netns, { cniVersion });
      assert.equal(exitCode, 0, stdout);
      assert.equal(json?.['cniVersion'], cniVersion);
      const isOldest = cniVersion < '0.3.0';
      assert.equal('interfaces' in json, !isOldest);
      assert.equal('ip4' in json && 'ip6' in json, isOldest);
      if (!isOldest) {
        const [first] = json['ips'] as { version?: string; interface: number }[];
        assert.equal(first?.version, cniVersion < '1.0.0' ? '4' : undefined);
        assert.equal(first?.interface, 1);
      }
      assert.equal((await node.call('DEL', `v${cniVersion}`, netns, { cniVersion })).stdout, '');
    }
  });

  it('refuses CHECK before 0.4.0, STATUS and GC before 1.1.0 with code 1', async () => {
    assert.equal((await node.call('CHECK', 'c', '/x', { cniVersion: '0.3.1' })).json?.['code'], 1);
    for (const command of ['STATUS', 'GC'] as const) {
      assert.equal((await node.call(command, '', '', { cniVersion: '1.0.0' })).json?.['code'], 1);
    }
  });

  it('puts its result behind that of an earlier plugin of the chain', async () => {
    const prevResult = { cniVersion: '1.0.0', interfaces: [{ name: 'x0' }], ips: [], dns: { domain: 'a' } };
    const { json } = await node.call('ADD', 'chained', node.addNetns(), { cniVersion: '1.0.0', prevResult });
    const { interfaces, ips, dns } = json as {
      interfaces: object[];
      ips: { interface: number }[];
      dns: object;
    };
    assert.equal(interfaces.length, 3);
    assert.equal(ips[0]!.interface, 2);
    assert.deepEqual(dns, { domain: 'a' });
  });

  it('finds the socket by an escaped path, and says when it cannot', async () => {
    const environment = { CNI_COMMAND: 'STATUS', CNI_PATH: '/' };
    const escaped = node.socketPath.replaceAll('/', '\\/');
    const good = await node.exec(environment, `{"cniVersion":"1.1.0","name":"x","socketPath":"${escaped}"}`);
    assert.deepEqual([good.exitCode, good.stdout], [0, '']);
    const bad = await node.exec(environment, '{"name":"x","socketPath":"\\u002frun"}');
    assert.equal(bad.json?.['code'], 7);
  });

  it('ignores a socketPath that is not its own', async () => {
    const input = `{"x":{"socketPath":"/a"},"y":["socketPath","/b"],"z":"\\"socketPath\\":\\"/c\\"","name":"n",
      "cniVersion":"1.1.0", "socketPath" : ${JSON.stringify(node.socketPath)}}`;
    const { json } = await node.exec({ CNI_COMMAND: 'STATUS', CNI_PATH: '/' }, input);
    assert.equal(json?.['code'], 2, 'the agent answered (and refused x)');
  });

  describe('with an agent that', () => {
    const silent: Server[] = [];
    const serve = async (
      path: string,
      answer: (request: Buffer, reply: (b: Uint8Array, end: boolean) => void) => void,
    ) => {
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', (bytes: Buffer) =>
          answer(bytes, (b, end) => void (end ? socket.end(b) : socket.write(b))),
        );
      });
      silent.push(server);
      await new Promise<void>((resolve) => server.listen(path, resolve));
    };
    after(() => silent.forEach((server) => server.close()));

    /**
     * Accepts and says nothing. For each call: whether it was given up within a second from when its request was here.
     * Starting and ending a process, and what this process is late by, are not in that time.
     */
    const serveNobody = async (path: string): Promise<Promise<boolean>[]> => {
      const calls: Promise<boolean>[] = [];
      const server = createServer((socket) => {
        let isGivenUp = false;
        socket.on('close', () => (isGivenUp = true)).on('error', () => undefined);
        socket.once('data', () => {
          // What came during the second is heard between the timer and the immediate.
          const second = new Promise<boolean>((resolve) => {
            setTimeout(() => setImmediate(() => setImmediate(() => resolve(isGivenUp))), 1000);
          });
          calls.push(second);
        });
      });
      silent.push(server);
      await new Promise<void>((resolve) => server.listen(path, resolve));
      return calls;
    };

    it('accepts calls and is silent: ADD 11 within a second, DEL queued', async () => {
      const socketPath = `${node.folder}/silent.sock`;
      const stateDir = `${node.folder}/silent`;
      const calls = await serveNobody(socketPath);
      const more = { socketPath, stateDir };
      const [add, status, del] = await Promise.all([
        node.call('ADD', 'c', '/x', more),
        node.call('STATUS', '', '', more),
        node.call('DEL', 'c', '', more),
      ]);
      assert.equal(add.json?.['code'], 11);
      assert.equal(status.json?.['code'], 50);
      assert.deepEqual([del.exitCode, del.stdout], [0, '']);
      assert.deepEqual(readdirSync(`${stateDir}/del-queue`), ['c@eth0']);
      assert.deepEqual(await Promise.all(calls), [true, true, true]);
    });

    it('works long and says so is waited for', async () => {
      const socketPath = `${node.folder}/slow.sock`;
      await serve(socketPath, (_, reply) => {
        for (const at of [300, 600, 900]) setTimeout(() => reply(Uint8Array.of(255), false), at);
        setTimeout(() => reply(Buffer.from('\0{"late":1}'), true), 1200);
      });
      const answer = await node.call('ADD', 'c', '/x', { socketPath });
      assert.deepEqual([answer.exitCode, answer.stdout], [0, '{"late":1}']);
    });

    it('dies before its answer is an agent that is down', async () => {
      const socketPath = `${node.folder}/dying.sock`;
      await serve(socketPath, (_, reply) => reply(new Uint8Array(), true));
      const answer = await node.call('ADD', 'c', '/x', { socketPath });
      assert.equal(answer.json?.['code'], 11);
      assert.match(String(answer.json?.['details']), /Connection reset/);
    });

    it('cannot queue either: DEL is refused, to be tried again', async () => {
      const more = { socketPath: '/nowhere.sock', stateDir: '/proc/nowhere' };
      const answer = await node.call('DEL', 'c', '', more);
      assert.equal(answer.json?.['code'], 11);
      assert.match(String(answer.json?.['details']), /cannot queue below \/proc\/nowhere\/del-queue/);
    });
  });

  it('does not let a second agent take the socket', async () => {
    const answer = (): Promise<Uint8Array> => Promise.resolve(new Uint8Array());
    await assert.rejects(
      unixSocketListener.listen(node.socketPath, answer, systemClock),
      /another agent serves it; give each agent .* its own --cni-socket/,
    );
  });
});
