// Two controllers on a real API server: what kubectl shows, and what happens when the leader is killed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type HostProcess, type KubernetesApi, startProcess } from '#lab';
import { waitUntil } from '#world';
import { PODROUTE } from '../testing/start-podroute.ts';
import { startServer } from './testing/real-server.ts';

const LEASE_SECONDS = 4;
const SOON_MS = 15_000;

describe('controllers of a cluster', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'podroute-controllers-'));
  const controllers = new Map<string, HostProcess>();
  let api: KubernetesApi;
  let server: AsyncDisposable;

  before(async function () {
    // The first run on a machine builds it.
    this.timeout(1_800_000);
    const started = await startServer();
    ({ api } = started);
    server = started;
  });
  after(async () => {
    for (const controller of controllers.values()) await controller.stop(10_000);
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const start = (identity: string) =>
    controllers.set(
      identity,
      startProcess(
        [
          ...[PODROUTE, 'controller', '--store', `kubernetes:${api.kubeconfig}`, '--identity', identity],
          ...['--lease-seconds', String(LEASE_SECONDS), '--node-grace-seconds', '3'],
        ],
        { stdio: { file: join(folder, `${identity}.log`) } },
      ),
    );
  const apply = (...objects: readonly object[]) =>
    api.kubectl(['apply', '-f', '-'], objects.map((one) => JSON.stringify(one)).join('\n---\n'));
  const ours = (kind: string, name: string, spec: object) => ({
    apiVersion: 'podroute.io/v1',
    kind,
    metadata: { name },
    spec,
  });
  const node = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
  /** As the node's agent writes it. */
  const report = (name: string, status: object) => {
    apply(ours('BGPNodeStatus', name, { node: name }));
    const patch = JSON.stringify({ status });
    api.kubectl(['patch', 'bgpns', name, '--subresource=status', '--type=merge', '-p', patch]);
  };
  const session = (state: string, more: object = {}) => ({
    ...{ peer: 'tor', object: 'BGPPeer tor', address: '192.0.2.1', state },
    ...{ since: '2026-01-01T00:00:00.000Z', ...more },
  });
  const shown = (...what: string[]) => api.kubectl(['get', ...what]);
  const holder = () =>
    shown('lease', 'podroute-controller', '--ignore-not-found', '-o', 'jsonpath={.spec.holderIdentity}');
  const peers = () => shown('bgppeers.podroute.io', 'tor').replaceAll(/ +/g, ' ');
  const blocks = () => shown('ipamblocks', '-o', 'name').trim().split('\n');

  it('show in kubectl how many sessions of a peer are up, and the worst reason', async () => {
    apply(
      node('n1'),
      node('n2'),
      ours('BGPPeer', 'tor', { peerIP: '192.0.2.1', asNumber: 65000 }),
      ours('IPPool', 'pods', { cidr: '10.244.0.0/16' }),
      ours('IPAMBlock', '10-244-0-0-26', { cidr: '10.244.0.0/26', node: 'n1', pool: 'pods' }),
      ours('IPAMBlock', '10-244-0-64-26', { cidr: '10.244.0.64/26', node: 'n2', pool: 'pods' }),
    );
    const block = { cidr: '10.244.0.0/26', pool: 'pods', used: 5, free: 59, leaked: 1 };
    const counts = { established: 1, configured: 1 };
    report('n1', { ...counts, leaked: 1, sessions: [session('Established')], blocks: [block] });
    report('n2', { sessions: [session('Active', { whyDown: 'no answer from 192.0.2.1' })] });
    start('a');
    await waitUntil('a to lead', SOON_MS, () => holder() === 'a');
    start('b');
    await waitUntil('the sum', SOON_MS, () => /\n.* 1 2 n2: no answer from 192\.0\.2\.1 /.test(peers()));
    assert.match(peers(), /ESTABLISHED DESIRED WORST AGE/);
    await waitUntil('the pool', SOON_MS, () =>
      /LEAKED.*\n.* 2 5 65531 1 Usable /.test(shown('ippools.podroute.io', 'pods').replaceAll(/ +/g, ' ')),
    );
    const condition = JSON.parse(shown('bgppeers.podroute.io', 'tor', '-o', 'json')) as {
      metadata: { generation: number };
      status: { conditions: { type: string; reason: string; observedGeneration: number }[] };
    };
    const ready = condition.status.conditions.find(({ type }) => type === 'Ready');
    assert.deepEqual(
      [ready?.reason, ready?.observedGeneration],
      ['SessionsDown', condition.metadata.generation],
    );
  });

  it('have beside them podroute status --all, also as a plugin of kubectl', () => {
    const { status, stdout, stderr } = spawnSync('kubectl', ['podroute', 'status', '--all'], {
      encoding: 'utf8',
      env: {
        ...process.env,
        PATH: `${dirname(PODROUTE)}:${process.env['PATH']}`,
        KUBECONFIG: api.kubeconfig,
      },
    });
    assert.equal(status, 1, stderr);
    assert.match(stdout.replaceAll(/ +/g, ' '), /^NODE READY AS SESSIONS .*\nn1 no - 1\/1 1 5 0 /);
    assert.match(stdout, /\n0 of 2 nodes are ready\n/);
    assert.match(stdout, /\n1 Pod is gone and still has addresses: n1 1\n/);
    const away = join(folder, 'away.kubeconfig');
    // The discard port: nobody listens there.
    writeFileSync(away, readFileSync(api.kubeconfig, 'utf8').replace(api.url, 'https://127.0.0.1:9'));
    const asked = (file: string) =>
      spawnSync(PODROUTE, ['status', '--all', '--store', `kubernetes:${file}`]).status;
    assert.equal(asked(away), 3, 'no API server answers');
    assert.equal(asked(join(folder, 'none')), 2, 'there is no such file');
  });

  it('write no status again when nothing is new', async () => {
    const versions = () =>
      ['bgppeers.podroute.io', 'ippools.podroute.io'].map((kind) =>
        shown(kind, '-o', 'jsonpath={.items[*].metadata.resourceVersion}'),
      );
    const before = versions();
    await new Promise((later) => setTimeout(later, 4_000));
    assert.deepEqual(versions(), before);
  });

  it('lose nothing when the leader is killed: another goes on within the time of the lease', async () => {
    controllers.get('a')!.kill('SIGKILL');
    await controllers.get('a')!.exited;
    const killedMs = Date.now();
    report('n2', { sessions: [session('Established')] });
    api.kubectl(['delete', 'node', 'n2']);
    await waitUntil('b to lead', SOON_MS, () => holder() === 'b');
    // By what b wrote itself: kubectl's own time is not in it.
    const tookMs =
      Date.parse(shown('lease', 'podroute-controller', '-o', 'jsonpath={.spec.acquireTime}')) - killedMs;
    assert.ok(tookMs < LEASE_SECONDS * 2_000 + 1_000, `${Math.round(tookMs)} ms`);
    await waitUntil(
      'the blocks of n2 to be freed',
      SOON_MS,
      () => blocks().join() === 'ipamblock.podroute.io/10-244-0-0-26',
    );
    await waitUntil('the sum without n2', SOON_MS, () => /\n.* 1 1 /.test(peers()));
    await waitUntil('its status to go', SOON_MS, () => !shown('bgpns', '-o', 'name').includes('n2'));
  });

  it('keep a pool that was deleted until its blocks are given back', async () => {
    api.kubectl(['delete', 'ippool.podroute.io', 'pods', '--wait=false']);
    await waitUntil('the pool to say so', SOON_MS, () =>
      shown('ippools.podroute.io', 'pods').includes('Deleting'),
    );
    api.kubectl(['delete', 'ipamblock', '10-244-0-0-26']);
    await waitUntil('the pool to go', SOON_MS, () => shown('ippools.podroute.io', '-o', 'name') === '');
  });

  it('give the lease back when they are told to stop', async () => {
    await controllers.get('b')!.stop(10_000);
    assert.equal(holder(), '');
  });
});
