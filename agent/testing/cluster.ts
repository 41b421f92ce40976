// For tests of what agents tell one another: they share a network and a store in memory, in simulated time, and hold
// the blocks that the test says. Whole nodes, with pods, are in simulated-cluster.ts.
import assert from 'node:assert/strict';
import { nothingRefused, type Problem, type Refused, type Resources } from '#api';
import { MemoryNetwork } from '#bgp';
import { contains, familyOf, parsePrefix } from '#ip';
import { MemoryKernel, MemoryRouterDiscovery, type Request } from '#linux';
import { Agent, type AgentIpam, type AgentStore } from '../agent.ts';
import { resourcesFromYaml } from '../plan/testing/cluster-yaml.ts';
import { LinkWatch } from '../speaker/link-watch.ts';
import { RouterWatch } from '../speaker/router-watch.ts';
import { AgentStatusSource } from '../status-source.ts';
import { NO_PROCESS } from './machine.ts';
import { SimulatedProcess, Simulation } from './simulation.ts';

/** What the last words of a session need to be heard. */
const FAREWELL_MS = 1_000;

/** What the agents of a test share: a store and a network. */
export class TestCluster implements AgentStore {
  readonly simulation = new Simulation();
  readonly network = new MemoryNetwork(this.simulation.clock);
  #resources: Resources = resourcesFromYaml();
  readonly #listeners = new Set<() => void>();
  set(...yaml: string[]): void {
    this.#resources = resourcesFromYaml(...yaml);
    for (const listener of this.#listeners) listener();
  }
  /** Lets time pass until it is true. */
  until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
    return this.simulation.until(what, isTrue);
  }
  snapshot(): Resources {
    return this.#resources;
  }
  refused(): Refused {
    return nothingRefused;
  }
  problems(): readonly Problem[] {
    return [];
  }
  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }
}

const POD = {
  owner: { containerId: 'c1', ifname: 'eth0', network: 'podroute', podNamespace: 'default', podName: 'one' },
  addresses: { ipv4: '10.244.3.9' },
  allocatedAtMs: 0,
};

/** Holds blocks, of the pools that they lie in, and no pod unless a test says so. */
class HeldBlocks implements AgentIpam {
  readonly #cidrs: readonly string[];
  readonly #store: Pick<AgentStore, 'snapshot'>;
  hasPod = false;
  constructor(cidrs: readonly string[], store: Pick<AgentStore, 'snapshot'>) {
    this.#cidrs = cidrs;
    this.#store = store;
  }
  setInputs(): void {}
  blocks(): ReturnType<AgentIpam['blocks']> {
    const pools = [...this.#store.snapshot().ipPools.values()];
    return this.#cidrs.map((cidr) => {
      const pool = pools.find(({ spec }) => contains(parsePrefix(spec.cidr)!, parsePrefix(cidr)!));
      return { family: familyOf(cidr), cidr, ...(pool && { pool: pool.metadata.name }) };
    });
  }
  subscribe(): () => void {
    return () => undefined;
  }
  usage(): ReturnType<AgentIpam['usage']> {
    const allocations = this.hasPod ? [POD] : [];
    return { pools: [], blocks: [], allocations, adopted: [], problems: [] };
  }
}

export interface TestNode extends AsyncDisposable {
  readonly agent: Agent;
  readonly kernel: MemoryKernel;
  readonly source: AgentStatusSource;
  /** Its process ends between two instructions: its connections are closed, as by the kernel, and nothing is said. */
  crash(): void;
  readonly ipam: HeldBlocks;
}

/**
 * Starts the agent of node nN at 10.0.0.N.
 *
 * @param blocks that it holds; default 10.244.N.0/26
 * @param objects what it reads; default: what the cluster shares
 * @param left in the kernel by an earlier run
 * @param bare without a kernel of its own (--fib none)
 */
export async function startNode(
  n: number,
  store: TestCluster,
  blocks: readonly string[] = [`10.244.${n}.0/26`],
  objects: AgentStore = store,
  left: readonly Request[] = [],
  bare?: { readonly hasRunBefore: boolean },
): Promise<TestNode> {
  const address = `10.0.0.${n}`;
  const kernel = new MemoryKernel();
  await kernel.apply([
    { type: 'setLink', device: 'lo', up: true },
    { type: 'addLink', kind: 'veth', name: 'eth0', up: true, peer: { name: 'far' } },
    { type: 'setLink', device: 'far', up: true },
    { type: 'addAddress', device: 'eth0', address: `${address}/24` },
    ...left,
  ]);
  const sysctl = { read: () => '1', write: () => assert.fail('forwarding was on') };
  const life = new SimulatedProcess(store.simulation, `n${n}`);
  const links = new LinkWatch(kernel, life);
  await links.start();
  const discovery = new MemoryRouterDiscovery(kernel);
  const routers = new RouterWatch({ links, discovery, clock: life, random: life, log: life });
  const host = store.network.host(address);
  const ipam = new HeldBlocks(blocks, objects);
  const agent = new Agent(
    { nodeName: `n${n}`, table: 254 },
    {
      clock: life,
      random: life,
      scheduler: life,
      transport: host,
      log: life,
      store: objects,
      ...(bare ?? { host: { kernel, sysctl, ipam, routers } }),
    },
  );
  await agent.start();
  const source = new AgentStatusSource(agent, {
    version: '0',
    pid: 1,
    runtime: 'v24',
    startedAtMs: life.wall(),
    uptimeMs: () => life.now(),
    process: () => ({ rssBytes: 0, heapUsedBytes: 0, eventLoopDelayP99Ms: 0, eventLoopDelayMaxMs: 0 }),
    processFigures: async () => NO_PROCESS,
    calls: undefined,
    scheduler: life,
    now: () => life.wall(),
    whyNoPods: () => undefined,
    podPacketsDropped: () => undefined,
  });
  return {
    ipam,
    agent,
    kernel,
    source,
    crash: () => {
      life.die();
      host.kill();
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([agent[Symbol.asyncDispose](), store.simulation.run(FAREWELL_MS)]);
      routers[Symbol.dispose]();
      links[Symbol.dispose]();
      life.die();
      await kernel[Symbol.asyncDispose]();
    },
  };
}
