// A running lab: namespaces, one agent a node, a ToR where the topology has one, pods wired through the CNI
// executable. It can be left up and found again by its folder, which holds everything it made.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { StatusReply } from '#agent-api';
import { waitUntil } from '#world';
import { type CniAnswer, type CniResult, invokeCni, readConflist } from './cni-runtime.ts';
import { addAddresses, connect, createHost, type Host, openHost } from './hosts.ts';
import { kernelPrefixes, knowsAll } from './kernel-prefixes.ts';
import { type KubernetesApi, startApiHost } from './kubernetes/kubernetes-api.ts';
import { checkFree, type LabStore, readLabFile, writeLabFile } from './lab-file.ts';
import { answers, endProcess, logTail, type ProcessRecord, recordOf, stillRuns } from './processes.ts';
import { Router } from './routers.ts';
import { type LabNodePlan, type Topology, type TopologyName, topology } from './topology.ts';

const PROJECT = resolve(import.meta.dirname, '..');
const PODROUTE = join(PROJECT, 'bin', 'podroute');
const CNI_EXECUTABLE = join(PROJECT, 'build', 'podroute-cni');

export interface LabOptions {
  readonly topology: TopologyName;
  /** Where the nodes' objects are; default 'folder': one that all nodes share. */
  readonly store?: LabStore;
  /** Folder for the lab's files; must not exist. */
  readonly folder: string;
  /** Namespaces are named `<name>-<host>`. */
  readonly name: string;
  /** Outlives this process; only `down` ends it. */
  readonly keep: boolean;
  readonly logLevel?: string;
  /** What the ToR of topology tor is; default BIRD. */
  readonly tor?: 'BIRD' | 'FRR';
}

export interface Pod {
  readonly name: string;
  readonly node: string;
  readonly host: Host;
  /** Without prefix length. */
  readonly addresses: readonly string[];
}

export class Lab implements AsyncDisposable {
  readonly folder: string;
  readonly plan: Topology;
  readonly pods = new Map<string, Pod>();
  readonly #hosts = new Map<string, Host>();
  readonly #processes = new Map<string, ProcessRecord>();
  readonly #name: string;
  readonly #keep: boolean;
  readonly #logLevel: string;
  readonly #store: LabStore;
  #api: KubernetesApi | undefined;
  readonly #removeAtExit = () => this.#removeNow();

  private constructor(options: LabOptions) {
    this.folder = options.folder;
    this.plan = topology(options.topology, options.tor);
    this.#name = options.name;
    this.#keep = options.keep;
    this.#logLevel = options.logLevel ?? 'info';
    this.#store = options.store ?? 'folder';
  }

  /** Makes everything, starts routers and agents, and waits until each node can wire pods. Leaves nothing when it fails. */
  static async up(options: LabOptions): Promise<Lab> {
    checkFree(options.folder);
    const lab = new Lab(options);
    process.on('exit', lab.#removeAtExit);
    try {
      await lab.#build();
      return lab;
    } catch (error) {
      // What made it fail is what is told, whatever else goes wrong.
      await lab.down().catch(() => undefined);
      throw error;
    }
  }

  /** A lab that another process left up. Throws when there is none. */
  static open(folder: string): Lab {
    const file = readLabFile(folder);
    const lab = new Lab({ topology: file.topology, store: file.store, folder, name: file.name, keep: true });
    for (const [name, netns] of Object.entries(file.hosts)) {
      if (existsSync(`/run/netns/${netns}`)) lab.#hosts.set(name, openHost(name, netns));
    }
    for (const [name, record] of Object.entries(file.processes)) lab.#processes.set(name, record);
    for (const [name, pod] of Object.entries(file.pods)) {
      const host = lab.#hosts.get(podHostName(pod.node, name));
      if (host !== undefined) lab.pods.set(name, { name, node: pod.node, host, addresses: pod.addresses });
    }
    return lab;
  }

  /** From now on the lab outlives this process (`keep`). Until then it goes when the process ends, however it ends. */
  release(): void {
    process.off('exit', this.#removeAtExit);
  }

  get nodes(): readonly LabNodePlan[] {
    return this.plan.nodes;
  }

  host(name: string): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`lab: no host ${name}`);
    return host;
  }

  socketOf(node: string): string {
    return join(this.folder, node, 'agent.sock');
  }

  logOf(name: string): string {
    return join(this.folder, name, 'log');
  }

  /** Folder of the directory store that all agents of the lab share. */
  get store(): string {
    return join(this.folder, 'store');
  }

  /** Names of processes that should run, and whether they do. */
  processes(): { name: string; pid: number; runs: boolean }[] {
    return [...this.#processes].map(([name, record]) => ({ name, pid: record.pid, runs: stillRuns(record) }));
  }

  /** The `podroute` command against one node's agent: what it prints, good news or bad. */
  podroute(node: string, ...args: string[]): string {
    return this.host(node).run([PODROUTE, ...args, '--socket', this.socketOf(node)], { check: false });
  }

  status(node: string): StatusReply {
    return JSON.parse(this.podroute(node, 'status', '-o', 'json')) as StatusReply;
  }

  /** The blocks that a node holds: its unreachable routes, of both families. */
  ownBlocks(node: string): string[] {
    return kernelPrefixes(this.host(node), 'type', 'unreachable');
  }

  /** Waits until every node has routes in the kernel to the blocks of every other node. */
  async settled(timeoutMs = 15_000): Promise<void> {
    for (const owner of this.nodes) {
      await waitUntil(`${owner.name} to hold a block of each family`, timeoutMs, () => {
        return this.ownBlocks(owner.name).length >= 2;
      });
      for (const node of this.nodes.filter((n) => n !== owner)) {
        await waitUntil(`${node.name} to learn the blocks of ${owner.name}`, timeoutMs, () =>
          knowsAll(this.host(node.name), this.ownBlocks(owner.name)),
        );
      }
    }
  }

  /** Waits until every session of every node is up and its routes have arrived. */
  async allEstablished(timeoutMs = 15_000): Promise<void> {
    for (const { name } of this.nodes) {
      await waitUntil(`every session of ${name}`, timeoutMs, () =>
        this.status(name).sessions.every(
          (one) =>
            one.state === 'Established' && Object.values(one.prefixes.received).some((count) => count > 0),
        ),
      );
    }
  }

  /** Before anybody is told that the lab is up: every process runs, every session is up. @throws naming what is not */
  async allUp(): Promise<void> {
    await this.allEstablished();
    const ended = this.processes().filter(({ runs }) => !runs);
    if (ended.length > 0) throw new Error(`lab: ended already: ${ended.map(({ name }) => name).join(', ')}`);
  }

  async #build(): Promise<void> {
    const { plan } = this;
    // Routers that drop their privileges look into their folders below; what is secret is in the store.
    mkdirSync(this.folder, { recursive: true });
    this.#save(); // before anything else: `down` finds by it what there is
    for (const node of plan.nodes) this.#createHost(node.name, true);
    for (const router of plan.routers) this.#createHost(router.host, true);
    if (plan.bridge !== undefined) {
      const bridge = this.#createHost(plan.bridge, false);
      bridge.ip('link', 'add', 'lan', 'type', 'bridge');
      bridge.ip('link', 'set', 'lan', 'up');
    }
    for (const [a, b] of plan.wires) {
      connect(this.host(a.host), this.host(b.host), {
        devices: [a.device, b.device],
        addresses: [a.addresses, b.addresses],
      });
      if (b.host === plan.bridge) this.host(b.host).ip('link', 'set', b.device, 'master', 'lan');
    }
    for (const node of plan.nodes) {
      const host = this.host(node.name);
      addAddresses(host, 'lo', node.loopback ?? []);
      const [uplink = ''] = node.uplinks;
      if (node.gateway === undefined) continue;
      host.ip('route', 'add', 'default', 'via', node.gateway.ipv4, 'dev', uplink);
      host.ip('-6', 'route', 'add', 'default', 'via', node.gateway.ipv6, 'dev', uplink);
    }
    await this.#fillStore();
    for (const router of plan.routers) {
      addAddresses(this.host(router.host), 'lo', router.loopback ?? []);
      mkdirSync(join(this.folder, router.host), { recursive: true });
      await this.#startRouter(router.host);
    }
    for (const node of plan.nodes) this.startAgent(node.name);
    await Promise.all(plan.nodes.map((node) => this.agentReady(node.name)));
    this.#save();
  }

  async #fillStore(): Promise<void> {
    const { documents } = this.plan;
    if (this.#store === 'folder') {
      mkdirSync(this.store, { mode: 0o700 });
      for (const [name, text] of Object.entries(documents)) writeFileSync(join(this.store, name), text);
      return;
    }
    const nodes = this.plan.nodes.map(({ name }) => this.host(name));
    this.#api = await startApiHost(this.#createHost('api', false), nodes, join(this.folder, 'api'));
    for (const [name, pid] of Object.entries(this.#api.pids)) this.#remember(name, pid);
    this.#api.install(Object.values(documents).join('---\n'));
  }

  #storeOf(node: string): string {
    if (this.#api === undefined) return `dir:${this.store}`;
    const path = join(this.folder, node, 'kubeconfig');
    if (!existsSync(path)) writeFileSync(path, this.#api.nodeKubeconfig(node), { mode: 0o600 });
    return `kubernetes:${path}`;
  }

  /** The cluster's API server. Throws when the lab has none. */
  get api(): KubernetesApi {
    if (this.#api === undefined) throw new Error('lab: there is no API server: its store is a folder');
    return this.#api;
  }

  #createHost(name: string, forwarding: boolean): Host {
    const host = createHost(name, { netns: `${this.#name}-${name}`, keep: this.#keep, forwarding });
    this.#hosts.set(name, host);
    this.#save();
    return host;
  }

  async #startRouter(name: string): Promise<void> {
    const pids = await this.router(name).start(this.logOf(name));
    for (const [process, pid] of Object.entries(pids)) this.#remember(process, pid);
  }

  router(name: string): Router {
    const plan = this.plan.routers.find(({ host }) => host === name);
    if (plan === undefined) throw new Error(`lab: topology ${this.plan.name} has no router ${name}`);
    return new Router(this.host(name), plan, join(this.folder, name));
  }

  get routers(): Router[] {
    return this.plan.routers.map(({ host }) => this.router(host));
  }

  /** The router loses its power: its processes are gone and its links dark, and nobody was told. */
  async killRouter(name: string): Promise<void> {
    const { host } = this.router(name);
    for (const end of this.plan.wires.flat())
      if (end.host === name) host.ip('link', 'set', end.device, 'down');
    for (const process of [name, `${name}-zebra`]) {
      const record = this.#processes.get(process);
      if (record !== undefined) await endProcess(record, 'SIGKILL');
      this.#processes.delete(process);
    }
    this.#save();
  }

  /** @param leakGraceSeconds 0: what the lab wires has no Pod object, and is no leak */
  startAgent(node: string, leakGraceSeconds = 0): void {
    const folder = join(this.folder, node);
    mkdirSync(folder, { recursive: true });
    const agent = this.host(node).spawn(
      [
        PODROUTE,
        'agent',
        ...['--node-name', node, '--store', this.#storeOf(node), '--log-level', this.#logLevel],
        ...['--socket', this.socketOf(node), '--state-dir', join(folder, 'state')],
        ...['--cni-socket', join(folder, 'cni.sock'), '--cni-conf-dir', join(folder, 'net.d')],
        ...['--leak-grace-seconds', String(leakGraceSeconds)],
      ],
      { stdio: { file: this.logOf(node) } },
    );
    this.#remember(node, agent.pid);
  }

  /** Waits until the node's agent has written its conflist: it can serve ADD. Throws with the end of its log. */
  async agentReady(node: string, timeoutMs = 15_000): Promise<void> {
    const record = this.#processes.get(node);
    await waitUntil(`agent of ${node} to be ready`, timeoutMs, () => {
      if (record !== undefined && !stillRuns(record)) {
        throw new Error(`lab: the agent of ${node} ended:\n${logTail(this.logOf(node))}`);
      }
      if (readConflist(join(this.folder, node, 'net.d')) === undefined) return false;
      return answers(this.socketOf(node));
    }).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}\n${logTail(this.logOf(node))}`);
    });
  }

  /** SIGKILL by default: a crash, not a farewell. Resolves when the process is gone. */
  async stopAgent(node: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const record = this.#processes.get(node);
    if (record === undefined) throw new Error(`lab: no agent runs on ${node}`);
    await endProcess(record, signal);
    this.#processes.delete(node);
    this.#save();
  }

  /** Has the node's CNI executable wire a new namespace. Throws with its answer when it refuses: then it can be asked again. */
  async addPod(node: string, name: string, args?: string): Promise<{ pod: Pod; answer: CniAnswer }> {
    const host = this.#hosts.get(podHostName(node, name)) ?? this.#createHost(podHostName(node, name), false);
    const answer = await this.#invoke(node, name, 'ADD', args);
    if (answer.exitCode !== 0)
      throw new Error(`CNI ADD ${name} on ${node}: ${answer.stdout}${answer.stderr}`);
    const result = JSON.parse(answer.stdout) as CniResult;
    const pod = { name, node, host, addresses: result.ips.map((ip) => ip.address.replace(/\/.*/, '')) };
    this.pods.set(name, pod);
    this.#save();
    return { pod, answer };
  }

  async deletePod(name: string): Promise<CniAnswer> {
    const pod = this.pods.get(name);
    if (pod === undefined) throw new Error(`lab: no pod ${name}`);
    const answer = await this.#invoke(pod.node, name, 'DEL');
    if (answer.exitCode !== 0) throw new Error(`CNI DEL ${name}: ${answer.stdout}${answer.stderr}`);
    await pod.host[Symbol.asyncDispose]();
    this.#hosts.delete(podHostName(pod.node, name));
    this.pods.delete(name);
    this.#save();
    return answer;
  }

  #invoke(node: string, pod: string, command: 'ADD' | 'DEL', args?: string): Promise<CniAnswer> {
    return invokeCni(this.host(node), join(this.folder, node, 'net.d'), CNI_EXECUTABLE, {
      command,
      containerId: `${this.#name}-${pod}`,
      netns: this.host(podHostName(node, pod)).path,
      podName: pod,
      args,
    });
  }

  #remember(name: string, pid: number): void {
    this.#processes.set(name, recordOf(pid));
    this.#save();
  }

  #save(): void {
    writeLabFile(this.folder, {
      name: this.#name,
      store: this.#store,
      topology: this.plan.name,
      hosts: Object.fromEntries([...this.#hosts].map(([name, host]) => [name, host.netns])),
      processes: Object.fromEntries(this.#processes),
      pods: Object.fromEntries(
        [...this.pods.values()].map((p) => [
          p.name,
          { node: p.node, netns: p.host.netns, addresses: [...p.addresses] },
        ]),
      ),
    });
  }

  /** Ends every process, then removes every namespace and file. Can be repeated. */
  async down(): Promise<void> {
    // One that cannot be ended keeps nothing else from going.
    const ends = await Promise.allSettled(
      [...this.#processes.values()].map((record) => endProcess(record, 'SIGTERM')),
    );
    this.#processes.clear();
    for (const host of this.#hosts.values()) await host[Symbol.asyncDispose]();
    this.#hosts.clear();
    this.pods.clear();
    rmSync(this.folder, { recursive: true, force: true });
    this.release();
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.down();
  }

  /** What an exit handler can do of `down`: nothing that waits. */
  #removeNow(): void {
    for (const record of this.#processes.values()) if (stillRuns(record)) process.kill(record.pid, 'SIGKILL');
    for (const host of this.#hosts.values()) host.removeNow();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function podHostName(node: string, pod: string): string {
  return `${node}-${pod}`;
}
