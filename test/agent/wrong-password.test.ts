// Two agents with different passwords: neither side is told, and each says what the kernel's counters prove.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusReply } from '#agent-api';
import { connect, createHost } from '#lab';
import { waitUntil } from '#world';
import { type RunningPodroute, startPodroute } from '../testing/start-podroute.ts';

function documents(own: number, key: string, passive: boolean): string {
  return [
    { kind: 'BGPConfiguration', metadata: { name: 'default' }, spec: { nodeToNodeMeshEnabled: false } },
    {
      ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: `n${own}` } },
      status: { addresses: [{ type: 'InternalIP', address: `10.20.0.${own}` }] },
    },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'bgp' }, stringData: { key } },
    {
      ...{ kind: 'BGPPeer', metadata: { name: 'other' } },
      spec: {
        ...{ peerIP: `10.20.0.${3 - own}`, asNumber: 64512, passive },
        password: { secretKeyRef: { name: 'bgp', key: 'key' } },
      },
    },
  ]
    .map((part) => JSON.stringify({ apiVersion: 'podroute.io/v1', ...part }))
    .join('\n---\n');
}

describe('a wrong password', function () {
  this.timeout(60_000);

  it('is told from a firewall by the kernel’s counters, on the side that is dialled', async () => {
    await using cleanUp = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), 'podroute-password-'));
    cleanUp.defer(() => rmSync(folder, { recursive: true, force: true }));
    const [one, two] = [1, 2].map((n) => cleanUp.use(createHost(`n${n}`, { group: 'password' })));
    connect(one!, two!, { addresses: [['10.20.0.1/24'], ['10.20.0.2/24']] });
    const start = (n: 1 | 2, key: string) =>
      startPodroute(n === 1 ? one! : two!, {
        ...{ nodeName: `n${n}`, documents: documents(n, key, n === 2), folder: join(folder, `${n}`) },
      });
    const [dials, listens] = await Promise.all([start(1, 'hush'), start(2, 'other')]);
    const session = async (agent: RunningPodroute) =>
      (await agent.get<StatusReply>('/v1/status')).sessions[0]!;
    const next = async (agent: RunningPodroute) => (await session(agent)).whyDown?.next ?? '';
    const hears = async (words: RegExp) => {
      await waitUntil(String(words), 20_000, async () => words.test(await next(listens)));
    };
    await hears(/^compare the passwords of both sides: \d+ packets? signed with another one .*TCPMD5Failure/);
    assert.doesNotMatch(await next(dials), /TCPMD5/);

    dials.configure(documents(1, 'other', false));
    await waitUntil('the session', 20_000, async () => (await session(listens)).state === 'Established');
  });
});
