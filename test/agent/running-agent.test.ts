// A running agent, as an operator starts it, under what other users and slow clients of its machine do to it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RoutesReply, StatusReply, VersionReply } from '#agent-api';
import { createHost, type Host } from '#lab';
import { waitUntil } from '#world';
import { EXECUTABLE } from '../conformance/testing/cni-node.ts';
import { PODROUTE, startPodroute } from '../testing/start-podroute.ts';

/** As long as Kubernetes allows. */
const NODE = `${'n'.repeat(63)}.`.repeat(4).slice(0, 253);

const documents = (node: string, more: object = {}) =>
  [
    {
      kind: 'BGPConfiguration',
      metadata: { name: 'default' },
      spec: { nodeToNodeMeshEnabled: false, ...more },
    },
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: node },
      spec: { podCIDRs: ['10.77.0.0/24'] },
      status: { addresses: [{ type: 'InternalIP', address: '10.20.0.1' }] },
    },
  ]
    .map((part) => JSON.stringify({ apiVersion: 'podroute.io/v1', ...part }))
    .join('\n---\n');

describe('a running agent', function () {
  this.timeout(60_000);
  let host: Host;
  let folder: string;

  before(() => {
    host = createHost('node', { group: 'agent' });
  });
  after(async () => {
    await host[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    await Promise.all([...host.processes].map((process) => process.stop()));
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'podroute-agent-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is one a node, whoever listens on abstract sockets, of several that start at once', async () => {
    const squatters: Server[] = [];
    for (const name of [`node ${NODE.slice(0, 80)}`, 'node short', 'kernel routing table 254']) {
      const server = createServer();
      squatters.push(server);
      await new Promise<void>((done) => server.listen(`\0podroute/${name}`, done));
    }
    try {
      const started = await Promise.allSettled(
        [1, 2, 3].map((i) =>
          startPodroute(host, { nodeName: NODE, documents: documents(NODE), folder: join(folder, `${i}`) }),
        ),
      );
      const running = started.filter((one) => one.status === 'fulfilled').map((one) => one.value);
      assert.equal(running.length, 1, started.map((one) => String(one.status)).join());
      assert.equal((await running[0]!.get<VersionReply>('/v1/version')).node, NODE);
      for (const one of started) {
        if (one.status === 'rejected')
          assert.match(String(one.reason), /has an agent already: pid \d+, node n/);
      }
      await running[0]!.process.stop();
    } finally {
      for (const server of squatters) server.close();
    }
  });

  it('does not start on a store folder that does not exist, says so, and makes none', async () => {
    const store = join(folder, 'mistyped');
    const agent = host.spawn([
      ...[PODROUTE, 'agent', '--node-name', 'n1', '--store', `dir:${store}`, '--fib', 'none'],
      ...['--socket', join(folder, 'agent.sock'), '--state-dir', join(folder, 'state')],
    ]);
    assert.equal((await agent.exited).code, 2);
    assert.ok(agent.output.includes(`store dir:${store}: no such folder`), agent.output);
    assert.equal(existsSync(store), false);
  });

  it('keeps pods to their addresses, also once it is killed, and says where the kernel does not let it', async () => {
    // A table of that name that belongs to another program is out of reach until that one ends.
    const owner = host.spawn(['nft', '-i'], { stdio: 'pipe' });
    owner.child.stdin!.write('add table inet podroute { flags owner; }\n');
    const table = () => host.run(['nft', 'list', 'ruleset']);
    await waitUntil('the other table', 5000, () => table().includes('flags owner'));
    const agent = await startPodroute(host, {
      ...{ nodeName: 'n1', documents: documents('n1'), folder, fib: 'kernel' },
      more: ['--http', '127.0.0.1:0'],
    });
    const status = () => agent.get<StatusReply>('/v1/status');
    const problems = async () => (await status()).problems.map(({ text }) => text).join('\n');
    assert.match(
      await problems(),
      /Node n1: the kernel does not check from which addresses pods send: .*podroute: EPERM.*; IPv4 is left to rp_filter/,
    );
    const { whyNoPods, podPacketsDropped } = await status();
    assert.deepEqual([whyNoPods, podPacketsDropped], [undefined, undefined]);
    await owner.stop();
    await waitUntil('the table', 12_000, () => table().includes('iifname != @links accept'));
    await waitUntil('no problem', 12_000, async () => !(await problems()).includes('does not check'));
    await waitUntil('counters', 12_000, async () => (await status()).podPacketsDropped?.source === 0);
    const whole = table();
    agent.process.kill('SIGKILL');
    await agent.process.exited;
    assert.equal(table(), whole);
  });

  it('whose port another program holds dials its neighbours all the same, and listens once it is free', async () => {
    host.ip('link', 'set', 'lo', 'up');
    for (const n of [1, 2]) host.ip('address', 'replace', `10.20.0.${n}/32`, 'dev', 'lo');
    const speaks = (own: number, other: number, listenPort: number, spec: object) =>
      [
        {
          kind: 'BGPConfiguration',
          metadata: { name: 'default' },
          spec: { nodeToNodeMeshEnabled: false, listenPort },
        },
        {
          apiVersion: 'v1',
          kind: 'Node',
          metadata: { name: `n${own}` },
          status: { addresses: [{ type: 'InternalIP', address: `10.20.0.${own}` }] },
        },
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'bgp' }, stringData: { key: 'hush' } },
        {
          kind: 'BGPPeer',
          metadata: { name: `n${other}` },
          spec: {
            ...{ peerIP: `10.20.0.${other}:${listenPort === 179 ? 1179 : 179}`, asNumber: 64512 },
            ...{ password: { secretKeyRef: { name: 'bgp', key: 'key' } }, ...spec },
          },
        },
      ]
        .map((part) => JSON.stringify({ apiVersion: 'podroute.io/v1', ...part }))
        .join('\n---\n');
    const squatter = host.spawn([
      process.execPath,
      '-e',
      "require('net').createServer().listen(179, '0.0.0.0')",
    ]);
    await waitUntil('the other program', 5000, () => host.run(['ss', '-ltn']).includes('0.0.0.0:179'));
    const start = (nodeName: string, documents: string) =>
      startPodroute(host, { nodeName, documents, folder: join(folder, nodeName) });
    await start('n2', speaks(2, 1, 1179, { passive: true }));
    const near = await start('n1', speaks(1, 2, 179, {}));
    const status = () => near.get<StatusReply>('/v1/status');
    await waitUntil('the session', 15_000, async () => (await status()).sessions[0]?.state === 'Established');
    const texts = async () => (await status()).problems.map(({ text }) => text).join('\n');
    assert.match(await texts(), /port 179.*EADDRINUSE; this node dials its neighbours/);
    await squatter.stop();
    await waitUntil('no problem', 12_000, async () => !(await texts()).includes('EADDRINUSE'));
    assert.match(host.run(['ss', '-ltn']), /0\.0\.0\.0:179/);
    const [session] = (await status()).sessions;
    assert.deepEqual([session!.state, session!.flaps], ['Established', 0]);
  });

  it('makes the objects of its blocks anew when they are deleted under it, and says which one cannot be read', async () => {
    const poolText = JSON.stringify({
      apiVersion: 'podroute.io/v1',
      kind: 'IPPool',
      metadata: { name: 'pods' },
      spec: { cidr: '10.60.0.0/24' },
    });
    const agent = await startPodroute(host, {
      nodeName: 'n1',
      documents: `${documents('n1')}\n---\n${poolText}`,
      folder,
      fib: 'kernel',
    });
    try {
      const blocks = join(agent.storePath, '.podroute', 'IPAMBlock');
      const files = () =>
        existsSync(blocks) ? readdirSync(blocks).filter((name) => name.endsWith('.yaml')) : [];
      await waitUntil('a block', 3_000, () => files().length === 1);
      const before = files();
      rmSync(join(agent.storePath, '.podroute'), { recursive: true });
      await waitUntil('the same block again', 2_000, () => files().length === 1);
      assert.deepEqual(files(), before);

      writeFileSync(join(blocks, before[0]!), '');
      const texts = async () =>
        (await agent.get<StatusReply>('/v1/status')).problems.map(({ text }) => text).join('\n');
      await waitUntil('the problem', 3_000, async () =>
        /its object in the store cannot be read/.test(await texts()),
      );
      assert.match(await texts(), /the file is empty/);
      rmSync(join(blocks, before[0]!));
      await waitUntil('no problem', 3_000, async () => !/block 10\.60|is empty/.test(await texts()));
      assert.deepEqual(files(), before);
    } finally {
      await agent.process.stop();
    }
  });

  it('whose state directory cannot be written announces its routes, and gives no address until it can', async () => {
    const state = join(folder, 'state');
    const cniConf = join(folder, 'cni');
    mkdirSync(state);
    mkdirSync(cniConf);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'state', state]);
    try {
      const agent = await startPodroute(host, {
        nodeName: 'n1',
        documents: documents('n1'),
        folder,
        fib: 'kernel',
        more: ['--cni-conf-dir', cniConf],
      });
      const status = () => agent.get<StatusReply>('/v1/status');
      const texts = async () => (await status()).problems.map(({ text }) => text).join('\n');
      assert.match(await texts(), /ipam\.journal: cannot be written: EROFS/);
      assert.match(await texts(), /cannot keep other agents out: lock .*\/state\/lock: EROFS/);
      assert.deepEqual(
        (await status()).plan.originations.map(({ prefix }) => prefix),
        ['10.77.0.0/24'],
      );
      await waitUntil('the block in the kernel', 3_000, () =>
        host.ip('route', 'show', 'table', 'all', 'proto', '179').includes('unreachable 10.77.0.0/24'),
      );
      const call = (command: string) =>
        host.run([EXECUTABLE], {
          env: {
            CNI_COMMAND: command,
            CNI_CONTAINERID: 'c1',
            CNI_NETNS: '/run/netns/none',
            CNI_IFNAME: 'eth0',
            CNI_PATH: '/',
          },
          input: JSON.stringify({
            cniVersion: '1.1.0',
            name: 'podroute',
            socketPath: join(folder, 'cni.sock'),
            stateDir: state,
          }),
          check: false,
        });
      assert.match(call('STATUS'), /"code":50,.*cannot be written: EROFS/);
      assert.match(call('ADD'), /"code":(3|104),/);
      assert.deepEqual(readdirSync(cniConf), []);

      writeFileSync(join(cniConf, '05-flannel.conflist'), '{}');
      execFileSync('mount', ['-o', 'remount,rw', state]);
      await waitUntil('the conflist', 10_000, () => readdirSync(cniConf).includes('10-podroute.conflist'));
      assert.equal(call('STATUS'), '');
      await waitUntil('one problem less', 10_000, async () => !/journal/.test(await texts()));
      await waitUntil('one problem more', 10_000, async () =>
        /05-flannel\.conflist sorts before 10-podroute\.conflist/.test(await texts()),
      );
    } finally {
      execFileSync('umount', ['-l', state]);
    }
  });

  it('of another host with its node’s name does not start on the same store', async () => {
    const twin = createHost('twin', { group: 'agent' });
    try {
      const agent = await startPodroute(host, { nodeName: 'n1', documents: documents('n1'), folder });
      const process = twin.spawn([
        PODROUTE,
        'agent',
        ...['--node-name', 'n1', '--store', `dir:${agent.storePath}`, '--fib', 'none'],
        ...['--socket', join(folder, 'twin.sock'), '--state-dir', join(folder, 'twin')],
      ]);
      assert.equal((await process.exited).code, 1);
      assert.match(process.output, /node n1 of the store .* has an agent already: pid \d+, node n1, on host/);
      await agent.process.stop();
    } finally {
      await twin[Symbol.asyncDispose]();
    }
  });

  it('has the pods of its namespace for itself, also beside one of another node and another table', async () => {
    const agent = await startPodroute(host, {
      ...{ nodeName: 'n1', documents: documents('n1'), folder, fib: 'kernel' },
    });
    const other = host.spawn([
      ...[PODROUTE, 'agent', '--node-name', 'n2', '--store', `dir:${agent.storePath}`, '--table', '100'],
      ...['--socket', join(folder, 'other.sock'), '--state-dir', join(folder, 'other')],
      ...['--cni-socket', join(folder, 'other-cni.sock'), '--cni-conf-dir', join(folder, 'other-net.d')],
    ]);
    assert.equal((await other.exited).code, 1);
    assert.match(other.output, /pods of this network namespace has an agent already: pid \d+, node n1/);
    await agent.process.stop();
  });

  it('holds an aggregate in the kernel while it has a route inside, also over a restart, and no longer', async () => {
    const start = { nodeName: 'n1', folder, fib: 'kernel' } as const;
    const aggregates = [{ cidr: '10.77.0.0/16', summaryOnly: true }, { cidr: '10.78.0.0/16' }];
    const routes = () => host.ip('route', 'show', 'table', 'all', 'proto', '179');
    const isHeld = (prefix: string) => routes().includes(`unreachable ${prefix}`);
    const first = await startPodroute(host, { ...start, documents: documents('n1', { aggregates }) });
    await waitUntil('it in the kernel', 3_000, () => isHeld('10.77.0.0/16'));
    assert.ok(isHeld('10.77.0.0/24') && !isHeld('10.78.0.0/16'), 'nothing is inside the other');
    assert.throws(() => host.ip('route', 'get', '10.77.9.9'), /No route to host/);
    await first.process.stop();
    assert.ok(isHeld('10.77.0.0/16'));
    const second = await startPodroute(host, { ...start, documents: documents('n1', { aggregates }) });
    await waitUntil('what an earlier run left to be looked at', 5_000, async () => {
      const { routes: found } = await second.get<RoutesReply>('/v1/routes?view=fib&prefix=10.77.0.0/16');
      return found[0]?.kernel?.state === 'installed';
    });
    assert.ok(isHeld('10.77.0.0/16'));
    second.configure(documents('n1'));
    await waitUntil('it gone', 3_000, () => !isHeld('10.77.0.0/16'));
    assert.ok(isHeld('10.77.0.0/24'));
    await second.process.stop();
  });

  it('answers a probe at once while sixty-four clients of its socket ask for ever', async () => {
    const agent = await startPodroute(host, { nodeName: 'n1', documents: documents('n1'), folder });
    const slow: Socket[] = Array.from({ length: 64 }, () => connect(agent.socketPath));
    try {
      for (const socket of slow) {
        socket.on('error', () => undefined);
        await new Promise<void>((done) => void socket.write('GET /hea', () => done()));
      }
      const status = await new Promise((done, fail) => {
        const call = get({ socketPath: agent.socketPath, path: '/healthz', timeout: 3000 }, (response) => {
          response.resume();
          done(response.statusCode);
        });
        call.on('timeout', () => call.destroy(new Error('no answer within 3 s')));
        call.on('error', fail);
      });
      assert.equal(status, 200);
    } finally {
      for (const socket of slow) socket.destroy();
      await agent.process.stop();
    }
  });
});
