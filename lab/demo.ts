// npm run demo: podroute's main job from nothing to pods that reach one another, told step by step. Every line that
// claims something was measured in this run; the first claim that does not hold ends the demo with exit code 1.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { waitUntil } from '#world';
import { captureDuring, type Frame } from './capture.ts';
import { Flood } from './flood.ts';
import { hints } from './hints.ts';
import type { LabStore } from './lab-file.ts';
import { knowsAll } from './kernel-prefixes.ts';
import { Lab, type Pod } from './lab.ts';
import type { Host } from './hosts.ts';
import { ping, pingUntilReached } from './ping.ts';
import { hasOneUser } from './routers.ts';
import { TOPOLOGIES, type TopologyName } from './topology.ts';

const FAMILIES = ['IPv4', 'IPv6'] as const;
const begin = performance.now();

function heading(text: string): void {
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  console.log(`\n\u001b[1m[${seconds.padStart(5)} s] ${text}\u001b[0m`);
}

function say(text: string): void {
  for (const line of text.trimEnd().split('\n')) console.log(`          ${line}`);
}

function parsed() {
  try {
    return parseArgs({
      options: {
        topology: { type: 'string', default: 'tor' },
        store: { type: 'string', default: 'folder' },
        keep: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new Error(
      `demo: ${(error as Error).message.split('. ', 1)[0]}: there are --topology, --store and --keep`,
    );
  }
}

function options(): { topology: TopologyName; store: LabStore; keep: boolean } {
  const { values } = parsed();
  const topology = TOPOLOGIES.find((name) => name === values.topology);
  if (topology === undefined) {
    throw new Error(`demo: --topology ${values.topology}: choose one of ${TOPOLOGIES.join(', ')}`);
  }
  if (values.keep && hasOneUser()) {
    throw new Error(
      'demo: --keep needs root: what an ordinary user makes here ends with this command. Run  sudo npm run demo -- --keep',
    );
  }
  const { store } = values;
  if (store !== 'folder' && store !== 'kubernetes') {
    throw new Error(`demo: --store ${store}: choose folder or kubernetes`);
  }
  return { topology, store, keep: values.keep };
}

/** Who look at the fabric from outside the node under test: the routers, or another node where there is none. */
function viewersOf(lab: Lab): Host[] {
  return lab.routers.length > 0 ? lab.routers.map((router) => router.host) : [lab.host('n1')];
}

async function addPods(lab: Lab): Promise<void> {
  heading('Two pods a node, wired through the CNI executable of each node');
  for (const node of lab.nodes) {
    for (const index of [1, 2]) {
      const name = `pod${index}-${node.name}`;
      const { pod, answer } = await lab.addPod(node.name, name);
      say(
        `${name.padEnd(8)} on ${node.name}  ${pod.addresses.join('  ')}  ADD took ${answer.milliseconds.toFixed(1)} ms`,
      );
    }
  }
}

function showSessions(lab: Lab): void {
  heading('BGP sessions, as `podroute status` tells them on n1');
  say(lab.podroute('n1', 'status'));
  for (const router of lab.routers) {
    heading(`and as ${router.name} (${router.plan.software}) tells them`);
    say(router.sessions());
  }
}

function showRoutes(lab: Lab): void {
  heading('Kernel routes of n1 that podroute made (protocol 179)');
  for (const family of ['-4', '-6']) say(lab.host('n1').ip(family, 'route', 'show', 'proto', '179'));
}

async function pingEverything(lab: Lab): Promise<void> {
  heading('Pings between pods on different nodes, both families');
  const pods = [...lab.pods.values()];
  const times: number[] = [];
  for (const from of pods) {
    for (const to of pods.filter((pod) => pod.node !== from.node)) {
      for (const address of to.addresses) times.push(mustPing(from.host, from.name, to, address));
    }
  }
  times.sort((a, b) => a - b);
  say(
    `${times.length} of ${times.length} answered, median ${(times[times.length >> 1] as number).toFixed(3)} ms`,
  );
  const hasRouters = lab.routers.length > 0;
  const outside = hasRouters ? pods : pods.filter((pod) => pod.node !== 'n1');
  for (const viewer of viewersOf(lab)) {
    heading(
      `Pings from ${viewer.name}, which is no pod, to ${hasRouters ? 'every pod' : 'pods of other nodes'}`,
    );
    for (const pod of outside) {
      const rtts = pod.addresses.map(
        (address) => `${address} ${mustPing(viewer, viewer.name, pod, address)} ms`,
      );
      say(`${pod.name.padEnd(8)}  ${rtts.join('   ')}`);
    }
  }
}

function mustPing(from: Host, name: string, to: Pod, address: string): number {
  const milliseconds = ping(from, address);
  if (milliseconds === undefined) throw new Error(`demo: ${name} got no answer from ${to.name} (${address})`);
  return milliseconds;
}

async function showWire(lab: Lab): Promise<void> {
  const from = lab.pods.get('pod1-n1') as Pod;
  const to = lab.pods.get('pod1-n2') as Pod;
  const host = lab.host('n1');
  const devices = lab.nodes[0]?.uplinks ?? [];
  heading(`On the wire of n1 (every frame on ${devices.join(' and ')}) while ${from.name} pings ${to.name}`);
  for (const [i, family] of FAMILIES.entries()) {
    const source = from.addresses[i] as string;
    const target = to.addresses[i] as string;
    const frames = await captureDuring(host, devices, [source, target], () => {
      mustPing(from.host, from.name, to, target);
    });
    const isOwn = (frame: Frame) =>
      frame.etherType === family &&
      [`${source} ${target}`, `${target} ${source}`].includes(`${frame.source} ${frame.destination}`);
    for (const frame of frames) say(frame.text);
    if (frames.length < 2 || !frames.every(isOwn)) {
      throw new Error("demo: not every packet carries the pods' own addresses");
    }
  }
  say("Ethernet, then the pods' own addresses: no outer header.");
}

async function crashAndRecover(lab: Lab): Promise<void> {
  const [viewer] = viewersOf(lab) as [Host];
  const blocks = lab.ownBlocks('n3');
  const from = lab.routers.length === 0 ? (lab.pods.get('pod1-n1') as Pod).host : viewer;
  heading(
    `The agent of n3 is killed (SIGKILL) and starts again, under a thousand packets a second from ${from.name}`,
  );
  if (!knowsAll(viewer, blocks))
    throw new Error(`demo: ${viewer.name} has no route to n3's blocks before the kill`);
  const floods = (lab.pods.get('pod1-n3') as Pod).addresses.map((address) => new Flood(from, address));
  await lab.stopAgent('n3');
  await sleep(1000);
  if (!knowsAll(viewer, blocks)) throw new Error(`demo: ${viewer.name} dropped the routes of n3`);
  say(`${viewer.name} keeps ${blocks.join(' and ')} while n3's agent is away (RFC 4724)`);
  const restart = performance.now();
  lab.startAgent('n3');
  await lab.agentReady('n3');
  await waitUntil("n3's sessions", 20_000, () =>
    lab.status('n3').sessions.every(({ state }) => state === 'Established'),
  );
  say(`its sessions are up ${(performance.now() - restart).toFixed(0)} ms after its start`);
  for (const flood of floods) {
    const { sent, lost } = await flood.stop();
    say(`${flood.what}: ${lost} of ${sent} packets lost`);
    if (lost > 0) throw new Error(`demo: ${flood.what}: packets were lost over a restart`);
  }
}

/** Where there are two routers: one dies, and what went through it goes through the other. */
async function loseRouter(lab: Lab): Promise<void> {
  const [first, second] = lab.routers;
  if (first === undefined || second === undefined) return;
  heading(`${first.name} loses its power; all traffic must move to ${second.name}`);
  const from = lab.pods.get('pod1-n1') as Pod;
  const to = lab.pods.get('pod1-n3') as Pod;
  await lab.allEstablished();
  await lab.killRouter(first.name);
  const begin = performance.now();
  for (const address of to.addresses) await pingUntilReached(from.host, address, 1000);
  say(`${from.name} reached ${to.name} in both families after ${(performance.now() - begin).toFixed(0)} ms`);
}

async function addOneMore(lab: Lab): Promise<void> {
  heading('One more pod on n2: how long until a pod of another node reaches it');
  const { pod, answer } = await lab.addPod('n2', 'pod3-n2');
  const from = lab.pods.get('pod1-n3') as Pod;
  const times: string[] = [];
  for (const address of pod.addresses) {
    times.push(`${address} after ${(await pingUntilReached(from.host, address, 1000)).toFixed(0)} ms`);
  }
  say(
    `ADD took ${answer.milliseconds.toFixed(1)} ms; ${from.name} reached ${times.join(', ')} (with the time ping takes to start)`,
  );
  const gone = await lab.deletePod('pod3-n2');
  say(`DEL took ${gone.milliseconds.toFixed(1)} ms`);
}

async function main(): Promise<void> {
  const { topology, store, keep } = options();
  const folder = keep ? '/run/podroute-lab' : mkdtempSync(join(tmpdir(), 'podroute-demo-'));
  if (!keep) rmSync(folder, { recursive: true });
  const name = keep ? 'podroute-lab' : `podroute-demo-${process.pid}`;
  heading('Building the lab: namespaces, links, routers, agents');
  await using cleanUp = new AsyncDisposableStack();
  const lab = await Lab.up({ topology, store, folder, name, keep });
  cleanUp.defer(() => lab.down());
  say(`${topology}: ${lab.plan.summary}`);
  await addPods(lab);
  await lab.settled();
  showSessions(lab);
  showRoutes(lab);
  await pingEverything(lab);
  await showWire(lab);
  await crashAndRecover(lab);
  await addOneMore(lab);
  if (!keep) await loseRouter(lab);
  if (keep) {
    await lab.allUp();
    cleanUp.move();
    lab.release();
    heading('The lab stays up. Try:');
    say(hints(lab));
    return;
  }
  heading('Cleaning up');
  await lab.down();
  heading('Done: everything held.');
}

main().catch((error: unknown) => {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
