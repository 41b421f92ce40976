// A cluster in one process: machines on one switch, a ToR router that is a machine with an agent of its own, pods. Kernels
// decide where a TCP segment goes, as where a pod's packet goes.
import { MemoryNetwork } from '#bgp';
import { MemoryKernel, walk, walkText } from '#linux';
import { MemoryStore } from '#store';
import { nodeYaml, objectYaml, resourcesFromYaml } from '../plan/testing/cluster-yaml.ts';
import { Kubelet, type RunningPod } from './kubelet.ts';
import { change, Machine } from './machine.ts';
import { Simulation } from './simulation.ts';

const TOR = '10.0.0.254';
const LATENCY_MS = 0.2;

export class SimulatedCluster {
  readonly simulation: Simulation;
  readonly store: MemoryStore;
  readonly tor: Machine;
  readonly machines: Machine[] = [];
  readonly kubelets: Kubelet[] = [];
  readonly #network: MemoryNetwork;
  readonly #switch = new MemoryKernel('switch');

  constructor(simulation: Simulation, size: number) {
    this.simulation = simulation;
    this.store = new MemoryStore(simulation.clock);
    const torStore = new MemoryStore(simulation.clock);
    this.#network = new MemoryNetwork(simulation.clock);
    this.#network.latencyMs = LATENCY_MS;
    change(this.#switch, { type: 'addLink', kind: 'bridge', name: 'br0', up: true });
    const plugIn = (kernel: MemoryKernel, machine: Machine) => this.#plugIn(kernel, machine);
    const parts = { simulation, network: this.#network, plugIn };
    apply(
      torStore,
      nodeYaml('tor', [TOR], 'annotations: { podroute.io/ASNumber: "65000" }'),
      objectYaml('BGPConfiguration', 'default', '{ nodeToNodeMeshEnabled: false }'),
      objectYaml('BGPPeer', 'nodes', '{ peerRange: 10.0.0.0/24, asNumber: 64512, import: All }'),
    );
    this.tor = new Machine('tor', TOR, { ...parts, store: torStore });
    apply(
      this.store,
      objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }'),
      objectYaml('BGPPeer', 'tor', `{ peerIP: ${TOR}, asNumber: 65000 }`),
    );
    for (let n = 1; n <= size; n++) {
      const address = `10.0.0.${n}`;
      apply(this.store, nodeYaml(`n${n}`, [address]));
      const machine = new Machine(`n${n}`, address, { ...parts, store: this.store });
      this.machines.push(machine);
      this.kubelets.push(new Kubelet(simulation, machine));
    }
    const machineOf = new Map([this.tor, ...this.machines].map((machine) => [machine.host, machine]));
    const all = [...machineOf.values()];
    this.#network.paths = {
      routersTo: (from, address) => {
        const { end, at, hops } = walk(machineOf.get(from)!.kernel, address);
        const isThere = end.kind === 'arrived' && all.some((m) => m.kernel === at && m.address === address);
        return isThere ? Math.max(0, hops.length - 1) : undefined;
      },
    };
  }

  /** A port of the switch, an address, and what an operator gives a host: a default route. */
  #plugIn(kernel: MemoryKernel, { name, address }: Machine): void {
    const error = kernel.addPair(
      { type: 'addLink', kind: 'veth', name: 'eth0', up: true, peer: { name } },
      this.#switch,
    );
    if (error !== undefined) throw error;
    change(this.#switch, { type: 'setLink', device: name, up: true, master: this.#switch.indexOf('br0') });
    change(kernel, { type: 'addAddress', device: 'eth0', address: `${address}/24` });
    if (address === TOR) return;
    const route = { destination: '0.0.0.0/0', nextHops: [{ gateway: TOR }], protocol: 3 };
    change(kernel, { type: 'addRoute', route });
  }

  /** Powers everything on. */
  start(): void {
    for (const machine of [this.tor, ...this.machines]) {
      machine.boot();
      void machine.startAgent();
    }
  }

  crash(n: number): void {
    this.machines[n]!.crash();
    this.kubelets[n]!.poweredOff();
  }

  restart(n: number): void {
    this.machines[n]!.boot();
    void this.machines[n]!.startAgent();
    this.kubelets[n]!.booted();
  }

  pods(): RunningPod[] {
    return this.kubelets.flatMap((kubelet) => kubelet.running());
  }

  /** Throws when two pods that run have the same address. */
  checkAddresses(): void {
    const owners = new Map<string, string>();
    for (const { name, addresses } of this.pods()) {
      for (const address of addresses) {
        const other = owners.get(address);
        if (other !== undefined)
          throw this.simulation.failure(`${address} is given to ${other} and to ${name}`);
        owners.set(address, name);
      }
    }
  }

  /** Once the network is quiet: every pod reaches every other, and the ToR every pod. Throws with the packet's way. */
  checkReachability(): void {
    const pods = this.pods();
    const from = [
      ...pods.map(({ name, kernel }) => ({ name, kernel })),
      { name: 'tor', kernel: this.tor.kernel },
    ];
    for (const sender of from) {
      for (const { name, addresses, kernel } of pods) {
        for (const address of addresses) {
          const way = walk(sender.kernel, address);
          if (way.end.kind === 'arrived' && way.at === kernel) continue;
          throw this.simulation.failure(
            `${sender.name} does not reach ${name} (${address}): ${walkText(way)}`,
          );
        }
      }
    }
  }
}

function apply(store: MemoryStore, ...yaml: readonly string[]): void {
  for (const objects of Object.values(resourcesFromYaml(...yaml))) store.apply(...objects.values());
}
