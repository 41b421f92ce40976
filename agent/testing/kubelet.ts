// The pods of one machine as a kubelet has them: for each a sandbox (a network namespace) that it makes by CNI ADD, tries
// again when that fails, and, when the machine has lost power, cleans up by DEL and makes anew.
import type { MemoryKernel } from '#linux';
import { type Machine, SETTINGS } from './machine.ts';
import type { Simulation } from './simulation.ts';

const RETRY_MS = 1_000;

interface Sandbox {
  readonly containerId: string;
  readonly netns: string;
  /** Once ADD has answered. */
  addresses: readonly string[];
}

interface Pod {
  readonly name: string;
  isWanted: boolean;
  sandbox: Sandbox | undefined;
}

/** A pod that runs. */
export interface RunningPod {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly kernel: MemoryKernel;
}

export class Kubelet {
  readonly #simulation: Simulation;
  readonly #machine: Machine;
  readonly #pods = new Map<string, Pod>();
  /** Counts power-ons: what was begun before the last one is void. */
  #boots = 0;
  #sandboxes = 0;

  constructor(simulation: Simulation, machine: Machine) {
    this.#simulation = simulation;
    this.#machine = machine;
  }

  /** Pods whose ADD was answered, and whose sandbox stands. */
  running(): RunningPod[] {
    return [...this.#pods.values()].flatMap(({ name, sandbox }) => {
      const kernel = sandbox === undefined ? undefined : this.#machine.namespaces.open(sandbox.netns);
      if (sandbox === undefined || sandbox.addresses.length === 0 || !isKernel(kernel)) return [];
      return [{ name, addresses: sandbox.addresses, kernel }];
    });
  }

  isSettled(): boolean {
    return [...this.#pods.values()].every((pod) => (pod.isWanted ? pod.sandbox?.addresses.length : 0) !== 0);
  }

  add(name: string): void {
    const pod: Pod = { name, isWanted: true, sandbox: undefined };
    this.#pods.set(name, pod);
    void this.#bringUp(pod, this.#boots);
  }

  remove(name: string): void {
    const pod = this.#pods.get(name);
    if (pod === undefined) return;
    pod.isWanted = false;
    void this.#takeDown(pod, this.#boots);
  }

  /** After the machine has started again. */
  booted(): void {
    this.#boots++;
    for (const pod of this.#pods.values()) {
      void this.#takeDown(pod, this.#boots).then(() =>
        pod.isWanted ? this.#bringUp(pod, this.#boots) : undefined,
      );
    }
  }

  /** What runs now, after the machine lost power. */
  poweredOff(): void {
    this.#boots++;
    for (const { sandbox } of this.#pods.values()) if (sandbox !== undefined) sandbox.addresses = [];
  }

  async #bringUp(pod: Pod, boot: number): Promise<void> {
    const containerId = `${pod.name}-${++this.#sandboxes}`;
    const netns = `/run/netns/${containerId}`;
    const sandbox: Sandbox = { containerId, netns, addresses: [] };
    pod.sandbox = sandbox;
    this.#machine.namespaces.create(netns);
    while (boot === this.#boots && pod.isWanted) {
      const { exitCode, output } = await this.#call('ADD', sandbox, pod);
      if (boot !== this.#boots) return;
      this.#simulation.note(this.#machine.name, `ADD ${containerId}: ${exitCode} ${output}`);
      if (exitCode === 0) {
        const { ips } = JSON.parse(output) as { ips: { address: string }[] };
        sandbox.addresses = ips.map(({ address }) => address.slice(0, address.indexOf('/')));
        return;
      }
      await this.#pause();
    }
  }

  async #takeDown(pod: Pod, boot: number): Promise<void> {
    const { sandbox } = pod;
    if (sandbox === undefined) return;
    sandbox.addresses = [];
    for (;;) {
      const { exitCode } = await this.#call('DEL', sandbox, pod);
      if (boot !== this.#boots) return;
      this.#simulation.note(this.#machine.name, `DEL ${sandbox.containerId}: ${exitCode}`);
      if (exitCode === 0) break;
      await this.#pause();
    }
    this.#machine.namespaces.delete(sandbox.netns);
    pod.sandbox = undefined;
    if (!pod.isWanted) this.#pods.delete(pod.name);
  }

  #call(command: 'ADD' | 'DEL', { containerId, netns }: Sandbox, { name }: Pod) {
    const { cniSocketPath: socketPath, stateDir } = SETTINGS;
    return this.#machine.cni.call({
      environment: new Map([
        ['CNI_COMMAND', command],
        ['CNI_CONTAINERID', containerId],
        ['CNI_NETNS', netns],
        ['CNI_IFNAME', 'eth0'],
        ['CNI_PATH', '/opt/cni/bin'],
        ['CNI_ARGS', `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${name}`],
      ]),
      input: JSON.stringify({
        cniVersion: '1.1.0',
        name: 'podroute',
        type: 'podroute',
        socketPath,
        stateDir,
      }),
    });
  }

  #pause(): Promise<void> {
    return new Promise((resume) => {
      this.#simulation.clock.setTimer(RETRY_MS, resume);
    });
  }
}

function isKernel(found: unknown): found is MemoryKernel {
  return found !== undefined && !(found instanceof Error);
}
