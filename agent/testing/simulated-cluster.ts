// A cluster in one process: machines on one switch, a ToR router that is a machine with an agent of its own, pods, IPv4 and
// IPv6. Kernels decide where a TCP segment goes, as where a pod's packet goes; cables can be pulled out of the switch.
import { MemoryNetwork } from '#bgp';
import { MemoryKernel, walk, walkText } from '#linux';
import { MemoryStore } from '#store';
import { nodeYaml, objectYaml, resourcesFromYaml } from '../plan/testing/cluster-yaml.ts';
import { Kubelet, type RunningPod } from './kubelet.ts';
import { change, Machine } from './machine.ts';
import { Simulation } from './simulation.ts';

const TOR = ['10.0.0.254', 'fd10::fe'];
const CARD_LENGTHS = [24, 64];
const LATENCY_MS = 0.2;

export class SimulatedCluster {
  readonly simulation: Simulation;
  readonly store: MemoryStore;
  readonly tor: Machine;
  readonly machines: Machine[] = [];
  readonly kubelets: Kubelet[] = [];
  readonly #network: MemoryNetwork;
  readonly #switch = new MemoryKernel('switch');
  /** Machines whose cable is out. */
  readonly #cut = new Set<Machine>();
  /** 'machine address' -> routers on the way, until a kernel changes: each segment of each session asks. */
  readonly #ways = new Map<string, number | undefined>();

  constructor(simulation: Simulation, size: number) {
    this.simulation = simulation;
    this.store = new MemoryStore(simulation.clock);
    const torStore = new MemoryStore(simulation.clock);
    this.#network = new MemoryNetwork(simulation.clock);
    this.#network.latencyMs = LATENCY_MS;
    change(this.#switch, { type: 'addLink', kind: 'bridge', name: 'br0', up: true });
    this.#switch.watch(() => this.#ways.clear());
    const plugIn = (kernel: MemoryKernel, machine: Machine) => this.#plugIn(kernel, machine);
    const parts = { simulation, network: this.#network, plugIn };
    apply(
      torStore,
      nodeYaml('tor', TOR, 'annotations: { podroute.io/ASNumber: "65000" }'),
      objectYaml('BGPConfiguration', 'default', '{ nodeToNodeMeshEnabled: false }'),
      objectYaml('BGPPeer', 'nodes', '{ peerRange: 10.0.0.0/24, asNumber: 64512, import: All }'),
      objectYaml('BGPPeer', 'nodes6', '{ peerRange: "fd10::/64", asNumber: 64512, import: All }'),
    );
    this.tor = new Machine('tor', TOR, { ...parts, store: torStore });
    apply(
      this.store,
      objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }'),
      objectYaml('IPPool', 'pods6', '{ cidr: "fd44::/112" }'),
      ...TOR.map((address, i) =>
        objectYaml('BGPPeer', `tor${i}`, `{ peerIP: "${address}", asNumber: 65000 }`),
      ),
    );
    for (let n = 1; n <= size; n++) {
      const addresses = [`10.0.0.${n}`, `fd10::${n.toString(16)}`];
      apply(this.store, nodeYaml(`n${n}`, addresses));
      const machine = new Machine(`n${n}`, addresses, { ...parts, store: this.store });
      this.machines.push(machine);
      this.kubelets.push(new Kubelet(simulation, machine));
    }
    const machineOf = new Map([this.tor, ...this.machines].map((machine) => [machine.host, machine]));
    const ownerOf = new Map(
      [...machineOf.values()].flatMap((machine) => machine.addresses.map((address) => [address, machine])),
    );
    this.#network.paths = {
      routersTo: (from, address) => {
        const { name, kernel } = machineOf.get(from)!;
        const key = `${name} ${address}`;
        if (this.#ways.has(key)) return this.#ways.get(key);
        const { end, at, hops } = walk(kernel, address);
        const isThere = end.kind === 'arrived' && ownerOf.get(address)?.kernel === at;
        const routers = isThere ? Math.max(0, hops.length - 1) : undefined;
        this.#ways.set(key, routers);
        return routers;
      },
    };
  }

  /** A port of the switch, addresses, and what an operator gives a host: default routes. */
  #plugIn(kernel: MemoryKernel, machine: Machine): void {
    const { name, addresses } = machine;
    kernel.watch(() => this.#ways.clear());
    const error = kernel.addPair(
      { type: 'addLink', kind: 'veth', name: 'eth0', up: true, peer: { name } },
      this.#switch,
    );
    if (error !== undefined) throw error;
    const isIn = !this.#cut.has(machine);
    change(this.#switch, { type: 'setLink', device: name, up: isIn, master: this.#switch.indexOf('br0') });
    for (const [i, address] of addresses.entries()) {
      change(kernel, {
        type: 'addAddress',
        device: 'eth0',
        address: `${address}/${CARD_LENGTHS[i]}`,
        noDad: true,
      });
      if (name === 'tor') continue;
      const route = { destination: ['0.0.0.0/0', '::/0'][i]!, nextHops: [{ gateway: TOR[i]! }], protocol: 3 };
      change(kernel, { type: 'addRoute', route });
    }
  }

  /** Pulls a machine's cable out of the switch, or puts it back: the machine's card loses its carrier. */
  cable(machine: Machine, isIn: boolean): void {
    this.simulation.note(machine.name, isIn ? 'its cable is back' : 'its cable is pulled');
    if (isIn) this.#cut.delete(machine);
    else this.#cut.add(machine);
    this.#ways.clear();
    if (machine.isUp) change(this.#switch, { type: 'setLink', device: machine.name, up: isIn });
  }

  /** Powers everything on. */
  start(): void {
    for (const machine of [this.tor, ...this.machines]) {
      machine.start();
    }
  }

  crash(n: number): void {
    this.machines[n]!.crash();
    this.kubelets[n]!.poweredOff();
  }

  restart(n: number): void {
    this.machines[n]!.start();
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

  /** Once the network is quiet: no pod can send from another's address. Throws with the packet's way. */
  checkSources(): void {
    const pods = this.pods();
    for (const [i, { name, kernel }] of pods.entries()) {
      const other = pods[(i + 1) % pods.length]!;
      for (const [family, address] of other.addresses.entries()) {
        const way = walk(kernel, this.tor.addresses[family]!, address);
        if (way.end.kind !== 'arrived') continue;
        throw this.simulation.failure(`${name} sends from ${address} of ${other.name}: ${walkText(way)}`);
      }
    }
  }
}

function apply(store: MemoryStore, ...yaml: readonly string[]): void {
  for (const objects of Object.values(resourcesFromYaml(...yaml))) store.apply(...objects.values());
}
