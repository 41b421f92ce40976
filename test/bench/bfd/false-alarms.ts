// How often BFD says that a neighbour is gone that is not: the agent takes a recorded full table each minute, while two
// busy loops want both cores.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusReply } from '#agent-api';
import { addAddresses, connect, createHost, startProcess } from '#lab';
import { waitUntil } from '#world';
import { startPodroute } from '../../testing/start-podroute.ts';
import { blastCommand, runBlast } from '../blast.ts';
import { addressPlus, placeOf } from '../cases.ts';
import { birdConfig, FAR, MULTIPLIER, podrouteDocuments, startBird } from './finders.ts';

const LOOPS = 2;
const MINUTE_MS = 60_000;
const UP_MS = 30_000;
const SIZE = { peers: 1, prefixes: 0 };
const INTERVAL_MS = 100;
const OURS = '10.1.0.2';
const GROUP = 'bench-bfd-load';

export async function falseAlarms(
  minutes: number,
): Promise<{ readonly text: string; readonly downs: number }> {
  const place = placeOf('feed', SIZE);
  await using owned = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'podroute-bench-'));
  owned.defer(() => rmSync(folder, { recursive: true, force: true }));
  const [host, far, loader] = ['dut', 'far', 'load'].map((name) =>
    owned.use(createHost(name, { group: GROUP })),
  ) as [ReturnType<typeof createHost>, ReturnType<typeof createHost>, ReturnType<typeof createHost>];
  connect(host, far, { devices: ['eth0', 'eth0'], addresses: [[`${OURS}/24`], [`${FAR.address}/24`]] });
  const ours = `${place.speakerAddress}/${place.prefixLength}`;
  connect(host, loader, { devices: ['eth1', 'eth0'], addresses: [[ours], []] });
  const loads = Array.from({ length: place.peerCount }, (_, i) => addressPlus(place.firstPeer, i));
  addAddresses(
    loader,
    'eth0',
    loads.map((address) => `${address}/${place.prefixLength}`),
  );
  host.ip('route', 'add', 'default', 'via', place.firstPeer);
  const settings = { address: OURS, asNumber: place.asNumber, intervalMs: INTERVAL_MS };
  await startBird(far, join(folder, 'far'), birdConfig({ ...FAR, intervalMs: INTERVAL_MS }, [settings]));
  const agent = await startPodroute(host, {
    ...{ nodeName: 'podroute', folder: join(folder, 'agent') },
    documents: podrouteDocuments(settings, [
      feedPeer('sink', '10.99.0.0/25', 'external'),
      feedPeer('feed', '10.99.0.128/25', 'internal'),
    ]),
  });
  const bfd = async () => {
    const { sessions } = await agent.get<StatusReply>('/v1/status');
    const found = sessions.find((one) => one.bfd !== undefined)?.bfd;
    if (found === undefined) throw new Error('bench: the agent has no BFD session');
    return found;
  };
  const isUp = async () => {
    const { state, detectionMicros } = await bfd();
    return state === 'Up' && detectionMicros === MULTIPLIER * INTERVAL_MS * 1000;
  };
  await waitUntil('BFD of the agent and BIRD', UP_MS, isUp);
  for (let i = 0; i < LOOPS; i++) owned.use(startProcess(['sh', '-c', 'while :; do :; done']));
  const target = { place, port: 179, pid: agent.process.pid };
  const from = performance.now();
  for (let minute = 1; minute <= minutes; minute++) {
    await runBlast(loader, blastCommand('feed', SIZE, target));
    console.error(`bench: minute ${minute}: a table came and went, ${(await bfd()).downs} false alarms`);
    await sleep(Math.max(0, from + minute * MINUTE_MS - performance.now()));
  }
  const { downs } = await bfd();
  const during = minutes === 1 ? 'a minute' : `${minutes} minutes`;
  return {
    text: `False alarms, ${MULTIPLIER} × ${INTERVAL_MS} ms with BIRD, while the agent takes the recorded table and loses it again each minute and ${LOOPS} loops want the cores: ${downs} in ${during} (goal: 0${downs > 0 ? ', missed' : ''}).`,
    downs,
  };
}

function feedPeer(name: string, peerRange: string, asNumber: string): object {
  return {
    apiVersion: 'podroute.io/v1',
    kind: 'BGPPeer',
    metadata: { name },
    spec: {
      ...{ peerRange, asNumber, passive: true, holdTime: '600s', sourceAddress: 'None' },
      ...{ families: ['IPv4'], import: 'All', export: 'All', maxPrefixes: { limit: 5_000_000 } },
      nextHopMode: asNumber === 'external' ? 'Self' : 'Auto',
      gracefulRestart: { mode: 'Disabled' },
    },
  };
}
