// Our agent: the directory store, no kernel routes, everything else on.
import type { StatusReply } from '#agent-api';
import { startPodroute } from '../../testing/start-podroute.ts';
import { versionFrom } from '../../testing/routers.ts';
import { probed } from '../event-loop.ts';
import { type Job, listening, type Speaker } from './speaker.ts';

const PORT = 1179;

export const podroute: Speaker = {
  name: 'podroute',
  title: 'podroute',
  isSlow: false,
  missing: () => undefined,
  version: () => `on Node ${versionFrom(['node', '--version'], /(v\S+)/)}`,
  async start(job) {
    const { ticks, ...probe } = probed(job.folder);
    const profile = job.profile ? ['--cpu-prof', `--cpu-prof-dir=${job.folder}`] : [];
    const agent = await startPodroute(job.host, {
      nodeName: 'dut',
      documents: documentsOf(job),
      folder: job.folder,
      nodeOptions: [...probe.nodeOptions, ...profile],
      env: probe.env,
    });
    await listening(job.host, agent.process, PORT);
    return {
      process: agent.process,
      port: PORT,
      ticks,
      inside: async () => (await agent.get<StatusReply>('/v1/status')).process,
    };
  },
};

function documentsOf({ load, place }: Job): string {
  const peers: Record<Job['load'], string[]> = {
    table: [peer('load', '10.99.0.0/24', 'external', 'nextHopMode: Self')],
    churn: [peer('load', '10.99.0.0/24', 'external', 'nextHopMode: Self')],
    reflect: [peer('clients', '10.98.0.0/16', 'internal', 'routeReflectorClient: true')],
    feed: [
      peer('sink', '10.99.0.0/25', 'external', 'nextHopMode: Self'),
      peer('feed', '10.99.0.128/25', 'internal', 'nextHopMode: Auto'),
    ],
  };
  const documents = [
    `apiVersion: podroute.io/v1
kind: BGPConfiguration
metadata: { name: default }
spec: { asNumber: ${place.asNumber}, nodeToNodeMeshEnabled: false, listenPort: ${PORT}, routerID: ${place.speakerAddress} }
`,
    `apiVersion: v1
kind: Node
metadata: { name: dut }
status: { addresses: [{ type: InternalIP, address: ${place.speakerAddress} }] }
`,
    ...peers[load],
  ];
  return documents.join('---\n');
}

function peer(name: string, range: string, asNumber: string, more: string): string {
  return `apiVersion: podroute.io/v1
kind: BGPPeer
metadata: { name: ${name} }
spec:
  peerRange: ${range}
  maxPeers: 5000
  asNumber: ${asNumber}
  passive: true
  holdTime: 600s
  families: [IPv4]
  ${more}
  import: All
  export: All
  maxPrefixes: { limit: 5000000 }
  gracefulRestart: { mode: Disabled }
`;
}
