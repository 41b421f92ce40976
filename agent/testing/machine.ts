// One machine in memory: kernel, namespaces, disk, network card, and the agent that runs on it as users start it
// (agent/node.ts). The agent may stop in order or die, and the machine may lose power; both can start again.
import type { MemoryHost, MemoryNetwork } from '#bgp';
import {
  KernelError,
  MemoryDatagrams,
  MemoryKernel,
  MemoryNamespaces,
  MemoryPodSources,
  MemoryPodWirer,
  MemoryRouterDiscovery,
  type Request,
} from '#linux';
import type { MemoryStore, Store } from '#store';
import { MemoryDisk } from '#world/testing';
import { MemoryCni } from '../../cni-plugin/testing/memory-cni.ts';
import type { ProcessFigures } from '../http/figures.ts';
import { localDetection } from '../detection/local-detection.ts';
import { type NodeSettings, type RunningNode, startNode } from '../node.ts';
import type { NodeBindings } from '../outside.ts';
import { MemoryHttp } from './memory-http.ts';
import { MemoryLocks } from './memory-locks.ts';
import { SimulatedProcess, type Simulation } from './simulation.ts';

export const SETTINGS = {
  version: 'simulated',
  fib: 'kernel',
  table: 254,
  socketPath: '/run/podroute/agent.sock',
  stateDir: '/var/lib/podroute',
  cniSocketPath: '/run/podroute/cni.sock',
  cniConfDir: '/etc/cni/net.d',
  leakGraceSeconds: 900,
} as const satisfies Partial<NodeSettings>;

/** Of a process that uses nothing. */
export const NO_PROCESS: ProcessFigures = {
  cpuSeconds: 0,
  residentBytes: 0,
  heapUsedBytes: 0,
  startedAtSeconds: 0,
  eventLoopDelayP99Ms: 0,
  eventLoopDelayMaxMs: 0,
};

export interface MachineParts {
  readonly simulation: Simulation;
  readonly network: MemoryNetwork;
  /** Brings the kernel of a machine that starts onto the wire. */
  readonly plugIn: (kernel: MemoryKernel, machine: Machine) => void;
  readonly store: MemoryStore;
}

export class Machine {
  readonly name: string;
  /** Of its network card, one a family, without length. */
  readonly addresses: readonly string[];
  readonly host: MemoryHost;
  readonly #parts: MachineParts;
  #process: SimulatedProcess | undefined;
  kernel = new MemoryKernel();
  namespaces = new MemoryNamespaces();
  disk = new MemoryDisk();
  http = new MemoryHttp();
  cni = new MemoryCni(this.disk);
  #locks = new MemoryLocks();
  /** The agent, once it has started. */
  node: RunningNode | undefined;
  isUp = false;
  /** As a cluster's store tells; undefined: the store has no Pods. */
  ownPods: Store['ownPods'];

  constructor(name: string, addresses: readonly string[], parts: MachineParts) {
    this.name = name;
    this.addresses = addresses;
    this.#parts = parts;
    this.host = parts.network.host(...addresses);
    this.host.isUp = false;
  }

  /** Power on: a fresh kernel, the disk as the last run left it. */
  boot(): void {
    this.#parts.simulation.note(this.name, 'boots');
    this.kernel = new MemoryKernel(this.name);
    this.namespaces = new MemoryNamespaces();
    this.http = new MemoryHttp();
    this.cni = new MemoryCni(this.disk);
    this.#locks = new MemoryLocks();
    change(this.kernel, { type: 'setLink', device: 'lo', up: true });
    this.#parts.plugIn(this.kernel, this);
    this.host.isUp = true;
    this.isUp = true;
  }

  start(): void {
    this.boot();
    void this.startAgent();
  }

  /** Resolves when the agent serves its sockets; it need not be waited for. */
  async startAgent(): Promise<void> {
    const life = new SimulatedProcess(this.#parts.simulation, this.name);
    this.#process = life;
    try {
      const node = await startNode({ ...SETTINGS, nodeName: this.name }, this.#bindings(life));
      if (life.isAlive) this.node = node;
    } catch (error) {
      life.error({ error: String(error) }, 'agent cannot run');
    }
  }

  #bindings(life: SimulatedProcess): NodeBindings {
    const { host, kernel, namespaces } = this;
    const process = { rssBytes: 0, heapUsedBytes: 0, eventLoopDelayP99Ms: 0, eventLoopDelayMaxMs: 0 };
    return {
      clock: life,
      random: life,
      scheduler: life,
      log: life,
      process: { pid: 1, runtime: 'simulated', status: () => process, figures: async () => NO_PROCESS },
      locks: this.#locks,
      disk: this.disk,
      http: this.http,
      openStore: () => {
        const store = this.#parts.store.view();
        const { ownPods } = this;
        if (ownPods !== undefined) store.ownPods = ownPods;
        life.onDeath(() => void store[Symbol.asyncDispose]());
        return store;
      },
      openTransport: (links) => ({
        dial: (options, done) => host.dial(options, done),
        listen: (options, accept, prepare) => host.listen(options, accept, prepare),
        admit: (connection, rules) => host.admit(connection, rules),
        setTtlRule: (connection, rule) => host.setTtlRule(connection, rule),
        setMd5Key: (connection, key) => host.setMd5Key(connection, key),
        ...(links && {
          watchLink: (device, down) => links.watchLink(device, down),
          linkOf: (address, device) => links.linkOf(address, device),
        }),
      }),
      openDetection: () => {
        const datagrams = new MemoryDatagrams(kernel);
        life.onDeath(() => datagrams[Symbol.dispose]());
        return localDetection({ clock: life, random: life, scheduler: life, datagrams });
      },
      host: {
        openKernel: async () => kernel,
        openPodWirer: () => new MemoryPodWirer(kernel, namespaces),
        openPodSources: () => new MemoryPodSources(kernel.podTable),
        openPodKernel: async (netns) => {
          const pod = namespaces.open(netns);
          if (pod instanceof KernelError) throw pod;
          return pod;
        },
        sysctl: kernel.sysctl,
        routerDiscovery: new MemoryRouterDiscovery(kernel),
        cniListener: this.cni,
      },
    };
  }

  /** In order: neighbours are told. */
  async stopAgent(): Promise<void> {
    this.#parts.simulation.note(this.name, 'its agent stops');
    const { node } = this;
    this.node = undefined;
    await node?.[Symbol.asyncDispose]();
    this.#process?.die();
  }

  /** SIGKILL: the kernel closes its sockets and keeps its routes; pods go on. */
  killAgent(): void {
    this.#parts.simulation.note(this.name, 'its agent is killed');
    this.#end();
    this.host.kill();
  }

  /** Somebody does `nft flush ruleset`. */
  flushRules(): void {
    this.#parts.simulation.note(this.name, 'its nftables rules are flushed');
    this.kernel.podTable.flush();
  }

  /** Power off at once: kernel and pods are gone, nobody is told, the disk keeps what was synced and some of the rest. */
  crash(): void {
    const { simulation } = this.#parts;
    simulation.note(this.name, 'loses power');
    this.isUp = false;
    this.#end();
    this.host.crash();
    this.kernel.end();
    this.disk.crash();
    this.disk = this.disk.recover(simulation.random);
  }

  #end(): void {
    this.node = undefined;
    this.#process?.die();
    this.#locks.kill();
    this.http.kill();
    this.cni.kill();
    void this.kernel[Symbol.asyncDispose]();
  }
}

/** Requests that must not fail. */
export function change(kernel: MemoryKernel, ...requests: readonly Request[]): void {
  for (const request of requests) {
    const error = kernel.change(request);
    if (error !== undefined) throw error;
  }
}
