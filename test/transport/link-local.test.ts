// Neighbours at link-local addresses, told apart by their link alone: two agents joined by two links, with the same
// addresses on both, and with a password. A link that goes down takes its session with it at once.
import { waitUntil } from '#world';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionStatus, StatusReply } from '#agent-api';
import { type RunningPodroute, startPodroute } from '../testing/start-podroute.ts';
import { connect, createHost, type Host } from '#lab';

const LINKS = ['one', 'two'] as const;

function documents(
  node: string,
  asNumber: number,
  remote: string,
  remoteAs: number,
  prefix: string,
  links: readonly string[] = LINKS,
): string {
  const parts = [
    {
      apiVersion: 'podroute.io/v1',
      kind: 'BGPConfiguration',
      metadata: { name: 'default' },
      spec: { asNumber, nodeToNodeMeshEnabled: false, routerID: `10.0.0.${asNumber % 100}` },
    },
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: node },
      spec: { podCIDRs: [prefix] },
      status: { addresses: [{ type: 'InternalIP', address: `fd00::${asNumber % 100}` }] },
    },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'bgp' }, stringData: { key: 'hush' } },
    ...links.map((link) => ({
      apiVersion: 'podroute.io/v1',
      kind: 'BGPPeer',
      metadata: { name: link },
      spec: {
        ...{ peerIP: `${remote}%${link}`, asNumber: remoteAs, import: 'All', families: ['IPv6'] },
        password: { secretKeyRef: { name: 'bgp', key: 'key' } },
      },
    })),
  ];
  return parts.map((part) => JSON.stringify(part)).join('\n---\n');
}

async function sessions(agent: RunningPodroute): Promise<readonly SessionStatus[]> {
  return (await agent.get<StatusReply>('/v1/status')).sessions;
}

async function up(agent: RunningPodroute): Promise<string> {
  return (await sessions(agent))
    .filter(({ state }) => state === 'Established')
    .map(({ remote }) => remote)
    .sort()
    .join(' ');
}

describe('BGP neighbours at link-local addresses', function () {
  this.timeout(40_000);
  let a: Host;
  let b: Host;
  let folder: string;
  let near: RunningPodroute;
  let far: RunningPodroute;

  before(async () => {
    a = createHost('a', { group: 'linklocal' });
    b = createHost('b', { group: 'linklocal' });
    for (const link of LINKS) {
      connect(a, b, { devices: [link, link], addresses: [['fe80::a/64'], ['fe80::b/64']] });
    }
    folder = mkdtempSync(join(tmpdir(), 'podroute-link-'));
    near = await startPodroute(a, {
      nodeName: 'a',
      documents: documents('a', 65001, 'fe80::b', 65002, 'fd00:a::/64'),
      folder: join(folder, 'a'),
      fib: 'kernel',
    });
    far = await startPodroute(b, {
      nodeName: 'b',
      documents: documents('b', 65002, 'fe80::a', 65001, 'fd00:b::/64'),
      folder: join(folder, 'b'),
      fib: 'kernel',
    });
  });
  after(async () => {
    await Promise.all([a, b].map((host) => host[Symbol.asyncDispose]()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('one session on each link, and kernel routes by the link that they came over', async () => {
    await waitUntil('two sessions', 15_000, async () => (await up(near)) === 'fe80::b%one fe80::b%two');
    assert.equal(await up(far), 'fe80::a%one fe80::a%two');
    await waitUntil('a route', 5000, () => a.ip('-6', 'route', 'show', 'fd00:b::/64').includes('fe80::b'));
    assert.match(a.ip('-6', 'route', 'show', 'fd00:b::/64'), /via fe80::b dev (one|two)/);
  });

  it('a link that goes down takes its session at once, and the route goes on over the other', async () => {
    const begin = performance.now();
    b.ip('link', 'set', 'one', 'down');
    await waitUntil('one session', 3000, async () => (await up(near)) === 'fe80::b%two');
    console.log(`        the session was gone ${(performance.now() - begin).toFixed(0)} ms after its link`);
    await waitUntil('the other link', 3000, () =>
      /via fe80::b dev two/.test(a.ip('-6', 'route', 'show', 'fd00:b::/64')),
    );
    const lost = (await sessions(near)).find(({ remote }) => remote === 'fe80::b%one')!;
    assert.match(JSON.stringify(lost), /link went down/);
  });

  it('a neighbour that is removed leaves the one on the other link its password', async () => {
    near.configure(documents('a', 65001, 'fe80::b', 65002, 'fd00:a::/64', ['two']));
    await waitUntil('one neighbour', 3000, async () => (await sessions(near)).length === 1);
    const dial =
      "require('node:net').connect({ host: 'fe80::a%two', port: 179 }).on('connect', () => process.exit(7))";
    const unsigned = b.spawn([process.execPath, '-e', `setTimeout(() => process.exit(0), 1500); ${dial}`]);
    await waitUntil('the end of the client', 5000, () => !unsigned.running);
    assert.equal((await unsigned.exited).code, 0, 'the kernel takes no unsigned connection');
    assert.equal(await up(near), 'fe80::b%two');
  });
});
