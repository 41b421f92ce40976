// What a million routes of a neighbour that is away cost: a scripted peer that agrees on graceful restart and goes.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, createHost } from '#lab';
import { waitUntil } from '#world';
import {
  address,
  asPath,
  attribute,
  capability,
  fourOctetAs,
  hex,
  IPV4_UNICAST,
  update,
} from '../../testing/messages.ts';
import { RawHost } from '../../testing/raw-peer.ts';
import { startPodroute } from '../../testing/start-podroute.ts';
import type { StatusReply } from '#agent-api';

const ROUTES = 1_000_000;
const A_MESSAGE = 900;
const OURS = '10.9.0.1';
const THEIRS = '10.9.0.2';
const AS = 65010;
const TIMEOUT_MS = 60_000;
/** No R bit, 120 s, IPv4 unicast kept (RFC 4724 section 3). */
const RESTARTS = capability(64, hex('0078 0001 01 80'));

/** A sentence with its figures. */
export async function retainedRow(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'podroute-bench-'));
  await using owned = new AsyncDisposableStack();
  owned.defer(() => rmSync(folder, { recursive: true, force: true }));
  const [host, far] = ['dut', 'feed'].map((name) =>
    owned.use(createHost(name, { group: 'bench-restart' })),
  ) as [ReturnType<typeof createHost>, ReturnType<typeof createHost>];
  connect(host, far, { devices: ['eth0', 'eth0'], addresses: [[`${OURS}/24`], [`${THEIRS}/24`]] });
  const agent = await startPodroute(host, { nodeName: 'dut', documents: DOCUMENTS, folder });
  owned.use(agent.process);
  const status = async () => (await agent.get<StatusReply>('/v1/status')).sessions[0]!;
  const raw = owned.use(await RawHost.start(far));
  const peer = await raw.connect(OURS, THEIRS);
  await peer.establish({
    asNumber: AS,
    holdTimeSeconds: 180,
    routerId: THEIRS,
    capabilities: [IPV4_UNICAST, fourOctetAs(AS), RESTARTS],
  });
  for (const message of feed()) peer.send(message);
  await waitUntil('all routes', TIMEOUT_MS, async () => (await status()).prefixes.received.ipv4 === ROUTES);
  await sleep(10_000);
  const before = residentMb(agent.process.pid);
  peer.close();
  await waitUntil('the session to end', TIMEOUT_MS, async () => (await status()).state !== 'Established');
  await sleep(10_000);
  const after = residentMb(agent.process.pid);
  const { rib } = await agent.get<StatusReply>('/v1/status');
  return `A neighbour with ${ROUTES.toLocaleString('en')} routes: the agent has ${before} MB while it is there, and ${after} MB ten seconds after it went away, with ${rib.prefixes.ipv4.toLocaleString('en')} of its routes kept.`;
}

const DOCUMENTS = [
  {
    apiVersion: 'podroute.io/v1',
    kind: 'BGPConfiguration',
    metadata: { name: 'default' },
    spec: { asNumber: 65020, nodeToNodeMeshEnabled: false },
  },
  {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'dut' },
    spec: {},
    status: { addresses: [{ type: 'InternalIP', address: OURS }] },
  },
  {
    apiVersion: 'podroute.io/v1',
    kind: 'BGPPeer',
    metadata: { name: 'feed' },
    spec: {
      peerIP: THEIRS,
      asNumber: AS,
      passive: true,
      holdTime: '180s',
      import: 'All',
      export: 'All',
      maxPrefixes: { limit: 2 * ROUTES },
    },
  },
]
  .map((one) => JSON.stringify(one))
  .join('\n---\n');

/** /24 prefixes from 16.0.0.0 on, and the End-of-RIB. */
function* feed(): Generator<Buffer> {
  const attributes = (message: number) =>
    Buffer.concat([
      attribute(0x40, 1, hex('00')),
      asPath([AS, 100_000 + message]),
      attribute(0x40, 3, address(THEIRS)),
    ]);
  for (let first = 0; first < ROUTES; first += A_MESSAGE) {
    const count = Math.min(A_MESSAGE, ROUTES - first);
    const nlri = Buffer.alloc(count * 4);
    for (let i = 0; i < count; i++) {
      nlri.writeUInt32BE((((16 << 16) + first + i) | (24 << 24)) >>> 0, i * 4);
    }
    yield update({ attributes: attributes(first / A_MESSAGE), nlri });
  }
  yield update({});
}

function residentMb(pid: number): number {
  const found = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(found?.[1]) / 1024);
}
