// Which next hops of a neighbour one hop away a running agent uses: UPDATEs over a real connection, routes of a real kernel.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RoutesReply } from '#agent-api';
import { connect, createHost } from '#lab';
import { waitUntil } from '#world';
import { address, asPath, attribute, prefix, update } from '../testing/messages.ts';
import { RawHost } from '../testing/raw-peer.ts';
import { startPodroute } from '../testing/start-podroute.ts';

const documents = (more: object) =>
  [
    { kind: 'BGPConfiguration', metadata: { name: 'default' }, spec: { nodeToNodeMeshEnabled: false } },
    {
      ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } },
      status: { addresses: [{ type: 'InternalIP', address: '10.20.0.1' }] },
    },
    {
      ...{ kind: 'BGPPeer', metadata: { name: 'tor' } },
      spec: { peerIP: '10.20.0.2', asNumber: 65001, passive: true, import: 'All', ...more },
    },
  ]
    .map((part) => JSON.stringify({ apiVersion: 'podroute.io/v1', ...part }))
    .join('\n---\n');

const ORIGIN_IGP = attribute(0x40, 1, Buffer.of(0));
const route = (to: string, nextHop: string) =>
  update({
    attributes: Buffer.concat([ORIGIN_IGP, asPath([65001]), attribute(0x40, 3, address(nextHop))]),
    nlri: prefix(to),
  });

describe('next hops of a neighbour one hop away', function () {
  this.timeout(60_000);

  it('are its own address and routers on links of the node; behind another router only when it may be further away', async () => {
    await using cleanUp = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), 'podroute-hops-'));
    cleanUp.defer(() => rmSync(folder, { recursive: true, force: true }));
    const [node, tor, other] = ['node', 'tor', 'other'].map((name) =>
      cleanUp.use(createHost(name, { group: 'hops' })),
    );
    connect(node!, tor!, { addresses: [['10.20.0.1/24'], ['10.20.0.2/24']] });
    connect(node!, other!, { addresses: [['10.21.0.1/24'], ['10.21.0.2/24']] });
    node!.ip('route', 'add', '10.30.0.0/16', 'via', '10.21.0.2');
    const agent = await startPodroute(node!, {
      ...{ nodeName: 'n1', documents: documents({}), folder, fib: 'kernel' },
    });
    const raw = cleanUp.use(await RawHost.start(tor!));
    using peer = await raw.connect('10.20.0.1', '10.20.0.2');
    await peer.establish({ asNumber: 65001, holdTimeSeconds: 90, routerId: '10.20.0.2' });
    peer.send(
      route('10.91.0.0/16', '10.20.0.2'),
      route('10.92.0.0/16', '10.20.0.9'),
      route('10.93.0.0/16', '10.21.0.9'),
      route('10.94.0.0/16', '10.30.0.1'),
    );
    const inKernel = () =>
      node!
        .ip('route', 'show', 'proto', '179')
        .split('\n')
        .map((line) => line.split(' dev')[0])
        .filter((line) => line !== '');
    const near = ['10.91.0.0/16 via 10.20.0.2', '10.92.0.0/16 via 10.20.0.9', '10.93.0.0/16 via 10.21.0.9'];
    const why = async () =>
      (await agent.get<RoutesReply>('/v1/routes?view=received&peer=tor&prefix=10.94.0.0/16')).routes[0]?.why;
    await waitUntil('the last route judged', 5000, async () => /on a link/.test((await why()) ?? ''));
    assert.equal(
      await why(),
      'next hop 10.30.0.1 is not on a link of this node, as that of a neighbour one hop away must be',
    );
    await waitUntil('three routes', 5000, () => inKernel().join() === near.join());

    agent.configure(documents({ multihop: 2 }));
    await waitUntil(
      'all four',
      5000,
      () => inKernel().join() === [...near, '10.94.0.0/16 via 10.21.0.2'].join(),
    );
    assert.equal(peer.isClosed, false);
  });
});
