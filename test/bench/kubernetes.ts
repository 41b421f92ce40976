// npm run bench -- kubernetes: what a large cluster's API server costs one agent, and one agent it. The lab of three nodes
// and a ToR on a real API server, which has many Nodes and blocks beside; the agent of n1 is measured, the others are stopped.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '#lab';
import { waitUntil } from '#world';
import { clusterObjects, NODES } from './cluster-objects.ts';
import { dateText, machineText, median } from './report.ts';

const NODE = 'n1';
const STARTS = 5;
const APPLIES = 20;
const PODS = 20;
const REST_S = 120;
const PEER = {
  apiVersion: 'podroute.io/v1',
  kind: 'BGPPeer',
  metadata: { name: `tor-${NODE}-ipv4` },
  spec: { node: NODE, peerIP: '10.0.1.0', asNumber: 65000 },
};
/** Needs all Nodes to tell, and finds none. */
const REFLECTORS = [{ op: 'add', path: '/spec/routeReflectors', value: { nodeSelector: 'has(nobody)' } }];

interface Row {
  readonly what: string;
  readonly figure: string;
  readonly goal: string;
  readonly isReached: boolean;
}

/** @returns the part of the page, and whether every goal is reached */
export async function benchKubernetes(
  command: string,
): Promise<{ readonly page: string; readonly isReached: boolean }> {
  const parent = mkdtempSync(join(tmpdir(), 'podroute-bench-'));
  try {
    await using lab = await Lab.up({
      topology: 'tor',
      store: 'kubernetes',
      folder: join(parent, 'lab'),
      name: `podroute-bench-${process.pid}`,
      keep: false,
    });
    await lab.settled();
    for (const node of ['n2', 'n3']) await lab.stopAgent(node, 'SIGTERM');
    // As the DaemonSet starts it.
    for (const name of ['NODE_OPTIONS', 'MALLOC_ARENA_MAX']) process.env[name] = daemonEnv(lab, name);
    say(`${NODES} Nodes and ${2 * NODES} IPAMBlocks are made`);
    lab.api.kubectl(['create', '-f', '-'], clusterObjects());
    const rows = await measure(new Subject(lab));
    const lines = rows.map(({ what, figure, goal, isReached }) =>
      `| ${what} | ${figure} | ${goal}${isReached ? '' : ', missed'} |`.replace('| , missed', '| missed'),
    );
    const page = [
      '| what | figure | goal |',
      '|---|---|---|',
      ...lines,
      '',
      `${machineText()}; ${dateText()}; \`${command}\`.`,
    ];
    return { page: page.join('\n'), isReached: rows.every(({ isReached }) => isReached) };
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

function daemonEnv({ api }: Lab, name: string): string {
  const path = `{.spec.template.spec.containers[0].env[?(@.name=="${name}")].value}`;
  return api.kubectl([
    'get',
    'daemonset',
    'podroute-agent',
    '-n',
    'podroute-system',
    '-o',
    `jsonpath=${path}`,
  ]);
}

async function measure(subject: Subject): Promise<Row[]> {
  const rows: Row[] = [];
  const add = (what: string, figure: number, unit: string, most?: number) => {
    const text = `${figure.toFixed(figure < 10 ? 1 : 0)}${unit}`;
    say(`${what}: ${text}`);
    const goal = most === undefined ? '' : `≤ ${most}${unit}`;
    rows.push({ what, figure: text, goal, isReached: most === undefined || figure <= most });
  };
  const starts = await times(STARTS, () => subject.start());
  const seconds = starts.map((one) => one.seconds);
  add(`start of the agent to its first session, median of ${STARTS}`, median(seconds), ' s', 3);
  add('CPU time of the agent until then', median(starts.map(({ cpuSeconds }) => cpuSeconds)), ' s');
  const applied = await times(APPLIES, () => subject.applyPeer());
  applied.sort((a, b) => a - b);
  add(`\`kubectl apply\` of a BGPPeer to Established, p50 of ${APPLIES}`, median(applied), ' ms', 500);
  add('the same, longest', applied.at(-1)!, ' ms');

  const before = subject.requests();
  for (let i = 0; i < PODS; i++) await subject.lab.addPod(NODE, `pod${i}`);
  const writes = subject.requests().writes - before.writes;
  add('writes to the API server for each pod ADD', writes / PODS, '', 0);

  await sleep(10_000);
  const atRest = subject.requests();
  const withAgent = await subject.serverLoad();
  const later = subject.requests();
  const minutes = REST_S / 60;
  add('requests of the agent at rest, a minute', (later.all - atRest.all) / minutes, '');
  add('of these, writes of its BGPNodeStatus', (later.reports - atRest.reports) / minutes, '');
  add('watches that it holds', later.watches, '');
  add('CPU of the API server meanwhile, of a core', withAgent, ' %');
  const rssMb = subject.rssMb();
  await subject.lab.stopAgent(NODE, 'SIGTERM');
  await sleep(10_000);
  add('the same without any agent', await subject.serverLoad(), ' %');
  add('RSS of the agent, its own Node and blocks watched', rssMb, ' MB', 120);

  subject.lab.startAgent(NODE);
  await subject.lab.agentReady(NODE);
  subject.lab.api.kubectl([
    'patch',
    'bgpconfiguration.podroute.io',
    'default',
    '--type=json',
    '-p',
    JSON.stringify(REFLECTORS),
  ]);
  const wide = await times(STARTS, () => subject.start());
  add(
    `start of the agent to its first session, all ${NODES} Nodes watched, median of ${STARTS}`,
    median(wide.map(({ seconds: one }) => one)),
    ' s',
    3,
  );
  await sleep(30_000);
  add(`RSS of the agent, all ${NODES} Nodes watched`, subject.rssMb(), ' MB', 120);
  return rows;
}

/** The agent that is measured, and what is seen of it from outside. */
class Subject {
  readonly lab: Lab;

  constructor(lab: Lab) {
    this.lab = lab;
  }

  /** From nothing but its journal, with BIRD waiting, until its first session is up. */
  async start(): Promise<{ readonly seconds: number; readonly cpuSeconds: number }> {
    await this.lab.stopAgent(NODE, 'SIGTERM');
    rmSync(join(this.lab.folder, NODE, 'state', 'last-good'), { recursive: true, force: true });
    await this.#birdWaits();
    const begin = performance.now();
    this.lab.startAgent(NODE);
    await this.#established();
    const seconds = (performance.now() - begin) / 1000;
    const cpuSeconds = cpuSecondsOf(this.#agentPid);
    await this.lab.agentReady(NODE);
    return { seconds, cpuSeconds };
  }

  /** @returns milliseconds, those of kubectl included */
  async applyPeer(): Promise<number> {
    this.lab.api.kubectl(['delete', 'bgppeer.podroute.io', PEER.metadata.name]);
    await this.#birdWaits();
    const begin = performance.now();
    this.lab.api.kubectl(['apply', '-f', '-'], JSON.stringify(PEER));
    await this.#established();
    return performance.now() - begin;
  }

  /** Of podroute's kinds, Nodes and Secrets, as the API server has counted them: nobody else asks for these. */
  requests() {
    const text = this.lab.api.kubectl(['get', '--raw', '/metrics']);
    const sum = (name: string, matches: (labels: string) => boolean) =>
      [...text.matchAll(new RegExp(`^${name}\\{(.*)\\} (\\S+)$`, 'gm'))]
        .filter(([, labels = '']) => isOurs(labels) && matches(labels))
        .reduce((total, [, , value]) => total + Number(value), 0);
    const isWrite = (labels: string) => /verb="(POST|PUT|PATCH|DELETE|APPLY)"/.test(labels);
    const isReport = (labels: string) => labels.includes('resource="bgpnodestatuses"');
    const count = (matches: (labels: string) => boolean) => sum('apiserver_request_total', matches);
    return {
      all: count((labels) => !labels.includes('verb="WATCH"')),
      /** Of the status of the node, when it changed and twice a minute for its counts. */
      reports: count((labels) => isWrite(labels) && isReport(labels)),
      writes: count((labels) => isWrite(labels) && !isReport(labels)),
      watches: sum('apiserver_longrunning_requests', (labels) => labels.includes('verb="WATCH"')),
    };
  }

  /** Lets REST_S go by. @returns per cent of a core that the API server takes */
  async serverLoad(): Promise<number> {
    const pid = this.lab.api.pids['kube-apiserver']!;
    const before = cpuSecondsOf(pid);
    await sleep(REST_S * 1000);
    return (100 * (cpuSecondsOf(pid) - before)) / REST_S;
  }

  rssMb(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.#agentPid}/status`, 'utf8'))![1]) / 1024;
  }

  get #agentPid(): number {
    return this.lab.processes().find(({ name }) => name === NODE)!.pid;
  }

  async #birdWaits(): Promise<void> {
    await waitUntil('BIRD to lose the session', 20_000, () => !this.#isEstablished());
    // After a session that failed it would wait for a minute.
    const control = join(this.lab.folder, 'tor', 'bird.ctl');
    this.lab.host('tor').run(['birdc', '-s', control, 'restart', `${NODE}_ipv4`]);
    await sleep(500);
  }

  async #established(): Promise<void> {
    await waitUntil('BIRD to see the session', 60_000, () => this.#isEstablished());
  }

  #isEstablished(): boolean {
    return new RegExp(`^${NODE}_ipv4.*Established`, 'm').test(
      this.lab.router('tor').ask('show', 'protocols'),
    );
  }
}

function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [, , , , , , , , , , , , user, system] = stat.slice(stat.lastIndexOf(')')).split(' ');
  return (Number(user) + Number(system)) / 100;
}

const isOurs = (labels: string): boolean =>
  labels.includes('group="podroute.io"') || /resource="(nodes|secrets)"/.test(labels);

async function times<T>(count: number, run: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < count; i++) results.push(await run());
  return results;
}

function say(text: string): void {
  console.error(`kubernetes: ${text}`);
}
