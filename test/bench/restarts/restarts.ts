// npm run bench -- restart: how many of a thousand packets a second are lost while agents and routers of a lab restart
// and a mesh becomes reflectors, and what the kept routes of a neighbour that is away cost in memory.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Flood, Lab, type TopologyName } from '#lab';
import { waitUntil } from '#world';
import { dateText, machineText } from '../report.ts';
import { retainedRow } from './retained.ts';

const AWAY_MS = 2000;
const UP_MS = 60_000;

interface Case {
  readonly what: string;
  /** Graceful restart covers it: nothing may be lost. */
  readonly isCovered: boolean;
  /** Ends when everything is as before. */
  readonly act: (lab: Lab) => Promise<void>;
}

/** @returns the part of the page, and whether nothing was lost where nothing may be */
export async function benchRestarts(
  command: string,
): Promise<{ readonly page: string; readonly isReached: boolean }> {
  const rows: string[] = [];
  let isReached = true;
  for (const [topology, tor, cases] of [
    ['tor', 'BIRD', [...AGENT, ...ROUTER]],
    ['tor', 'FRR', [...AGENT, ...ROUTER]],
    ['rr', undefined, MESH],
  ] as const) {
    await using lab = await labWithPods(topology, tor);
    for (const one of cases) {
      const { sent, lost, lostMs } = await flooded(lab, one);
      if (one.isCovered && lost > 0) isReached = false;
      const gap = lost === 0 ? '–' : `${Math.round(lostMs)} ms`;
      const verdict = one.isCovered && lost > 0 ? ', missed' : '';
      say(`${tor ?? topology}: ${one.what}: ${lost} of ${sent} lost`);
      rows.push(`| ${one.what} | ${tor ?? 'no ToR'} | ${sent} | ${lost}${verdict} | ${gap} |`);
    }
  }
  const page = [
    '| what | ToR | packets | lost | longest gap at most |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    await retainedRow(),
    '',
    `${machineText()}; ${dateText()}; \`${command}\`.`,
  ];
  return { page: page.join('\n'), isReached };
}

const AGENT: readonly Case[] = [
  {
    what: 'the agent of n3 is stopped, and started after two seconds',
    isCovered: true,
    act: (lab) => agentRestarts(lab, 'SIGTERM', AWAY_MS),
  },
  {
    what: 'it is killed, and started after two seconds',
    isCovered: true,
    act: (lab) => agentRestarts(lab, 'SIGKILL', AWAY_MS),
  },
  {
    what: 'it is upgraded: stopped, and the new process started at once',
    isCovered: true,
    act: (lab) => agentRestarts(lab, 'SIGTERM', 0),
  },
];

const ROUTER: readonly Case[] = [
  {
    what: 'the ToR is killed, and started after two seconds, gracefully',
    isCovered: true,
    act: (lab) => routerRestarts(lab, true),
  },
  {
    what: 'the ToR is killed, its kernel routes go, and it is started after two seconds',
    isCovered: false,
    act: (lab) => routerRestarts(lab, false),
  },
];

const MESH: readonly Case[] = [
  ...AGENT,
  {
    what: 'two route reflectors become a mesh',
    isCovered: false,
    act: (lab) => toReflectors(lab, false),
  },
  {
    what: 'the mesh becomes two route reflectors',
    isCovered: false,
    act: (lab) => toReflectors(lab, true),
  },
];

/** Pod to pod, and from the router where there is one, in both families. */
async function flooded(lab: Lab, { act }: Case) {
  const to = podOf(lab, 'n3').addresses;
  const from = [podOf(lab, 'n1').host, ...lab.routers.map(({ host }) => host)];
  const floods = from.flatMap((host) => to.map((address) => new Flood(host, address)));
  await sleep(1000);
  await act(lab);
  await sleep(2000);
  const all = await Promise.all(floods.map((flood) => flood.stop()));
  const sum = (of: (one: (typeof all)[number]) => number) => all.reduce((total, one) => total + of(one), 0);
  return {
    sent: sum((one) => one.sent),
    lost: sum((one) => one.lost),
    lostMs: Math.max(...all.map((one) => one.lostMs)),
  };
}

async function agentRestarts(lab: Lab, signal: NodeJS.Signals, awayMs: number): Promise<void> {
  await lab.stopAgent('n3', signal);
  await sleep(awayMs);
  lab.startAgent('n3');
  await lab.agentReady('n3');
  await converged(lab);
}

async function routerRestarts(lab: Lab, isGraceful: boolean): Promise<void> {
  const router = lab.routers[0]!;
  for (const { name, pid } of lab.processes())
    if (name.startsWith(router.name)) process.kill(pids.get(`${lab.folder}/${name}`) ?? pid, 'SIGKILL');
  // FRR's routes hang on nexthop objects, and go with them; BIRD's have none.
  if (!isGraceful) {
    router.host.run(['ip', 'nexthop', 'flush'], { check: false });
    for (const family of ['-4', '-6'])
      router.host.run(['ip', family, 'route', 'flush', 'proto', 'bird'], { check: false });
  }
  await sleep(AWAY_MS);
  const started = await router.start(lab.logOf(router.name), isGraceful);
  for (const [name, pid] of Object.entries(started)) pids.set(`${lab.folder}/${name}`, pid);
  await converged(lab);
}

/** Of routers that were started again here: the lab knows only their first ones. */
const pids = new Map<string, number>();

async function toReflectors(lab: Lab, isReflected: boolean): Promise<void> {
  const spec = isReflected
    ? {
        asNumber: 64512,
        routeReflectors: { mode: 'Manual', nodeSelector: REFLECTORS, clusterID: '10.0.0.250' },
      }
    : { asNumber: 64512, nodeToNodeMeshEnabled: true };
  const document = {
    apiVersion: 'podroute.io/v1',
    kind: 'BGPConfiguration',
    metadata: { name: 'default' },
    spec,
  };
  for (const file of readdirSync(lab.store).filter((name) => name.endsWith('.yaml'))) {
    const path = join(lab.store, file);
    const documents = readFileSync(path, 'utf8').split('---\n');
    const changed = documents.map((text) =>
      text.includes('kind: BGPConfiguration') || text.includes('"kind":"BGPConfiguration"')
        ? `${JSON.stringify(document)}\n`
        : text,
    );
    writeFileSync(path, changed.join('---\n'));
  }
  const kind = isReflected ? 'reflector' : 'mesh';
  await waitUntil('the new sessions', UP_MS, () =>
    lab.nodes.every(({ name }) => lab.status(name).sessions.every((one) => one.kind === kind)),
  );
  await converged(lab);
}

/** n1 and n2 of topology rr. */
const REFLECTORS = "example.org/route-reflector == 'true'";

async function converged(lab: Lab): Promise<void> {
  await waitUntil('sessions and kernel routes of all nodes', UP_MS, () =>
    lab.nodes.every(({ name }) => {
      const { sessions, fib } = lab.status(name);
      return fib?.isConverged === true && sessions.every(({ state }) => state === 'Established');
    }),
  );
}

async function labWithPods(topology: TopologyName, tor: 'BIRD' | 'FRR' | undefined): Promise<Lab> {
  const parent = mkdtempSync(join(tmpdir(), 'podroute-bench-'));
  // FRR becomes a user of its own.
  chmodSync(parent, 0o755);
  process.once('exit', () => rmSync(parent, { recursive: true, force: true }));
  const lab = await Lab.up({
    ...{ topology, folder: join(parent, 'lab'), name: `podroute-bench-${process.pid}`, keep: false },
    ...(tor === undefined ? {} : { tor }),
  });
  for (const { name } of lab.nodes) await lab.addPod(name, `pod-${name}`);
  await lab.settled();
  await converged(lab);
  // Until then a restart finds that nothing was agreed yet.
  await sleep(3000);
  return lab;
}

function podOf(lab: Lab, node: string) {
  const pod = lab.pods.get(`pod-${node}`);
  if (pod === undefined) throw new Error(`no pod on ${node}`);
  return pod;
}

function say(text: string): void {
  console.error(`bench: ${text}`);
}
