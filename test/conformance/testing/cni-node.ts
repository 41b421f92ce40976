// A node for CNI tests: a network namespace, the agent's CNI server in this process, and the real executable called in
// that namespace as a runtime calls it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type CniServer, serveCni, unixSocketListener } from '#cni-plugin';
import { type BlockStore, Ipam } from '#ipam';
import {
  createNetns,
  deleteNetns,
  type Kernel,
  openKernel,
  openPodSources,
  openPodWirer,
  realDisk,
  type PodSources,
  type PodWirer,
  withNetns,
  writeSysctl,
} from '#linux';
import { systemClock } from '#world';

export const EXECUTABLE = join(import.meta.dirname, '..', '..', '..', 'build', 'podroute-cni');

export interface CniAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as JSON, when it is. */
  readonly json: Record<string, unknown> | undefined;
}

/** Addresses come from podCIDRs: no store is asked. */
const noStore: BlockStore = {
  create: () => Promise.reject(new Error('there is no store')),
  get: () => Promise.resolve(undefined),
  list: () => Promise.resolve([]),
  update: () => Promise.resolve({ kind: 'notFound' }),
  delete: () => Promise.resolve({ kind: 'notFound' }),
};

let counter = 0;

export interface CniNodeOptions {
  readonly podCidrs?: readonly string[];
}

export class CniNode implements AsyncDisposable {
  readonly name = `pr-cni-${process.pid}-${counter++}`;
  readonly folder = mkdtempSync(join(tmpdir(), 'podroute-cni-'));
  readonly log: string[] = [];
  readonly #options: CniNodeOptions;
  readonly #pods: string[] = [];
  readonly netns: string;
  #kernel: Kernel | undefined;
  #wirer: PodWirer | undefined;
  #sources: PodSources | undefined;
  #ipam: Ipam | undefined;
  #server: CniServer | undefined;

  private constructor(options: CniNodeOptions) {
    this.#options = options;
    this.netns = createNetns(this.name);
    withNetns(this.netns, () => {
      for (const name of ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding']) writeSysctl(name, 1);
    });
  }

  static async up(options: CniNodeOptions = {}): Promise<CniNode> {
    const node = new CniNode(options);
    try {
      await node.startAgent();
    } catch (error) {
      await node[Symbol.asyncDispose]();
      throw error;
    }
    return node;
  }

  get socketPath(): string {
    return join(this.folder, 'cni.sock');
  }
  get stateDir(): string {
    return join(this.folder, 'state');
  }
  get ipam(): Ipam {
    return this.#ipam!;
  }
  get kernel(): Kernel {
    return this.#kernel!;
  }
  get server(): CniServer {
    return this.#server!;
  }

  async startAgent(): Promise<void> {
    const write = (subject: string, message: string): void => void this.log.push(`${subject}: ${message}`);
    const log = { debug: write, info: write, warn: write, error: write };
    this.#kernel = await openKernel({ netns: this.netns });
    this.#wirer = openPodWirer({ netns: this.netns });
    this.#sources = openPodSources(this.netns);
    this.#ipam = new Ipam(
      { node: this.name, stateDir: this.stateDir },
      { clock: systemClock, disk: realDisk, store: noStore, log },
    );
    await this.#ipam.start();
    const podCidrs = this.#options.podCidrs ?? ['10.77.0.0/24', 'fd77::/120'];
    this.#ipam.setInputs({ pools: [], podCidrs, reservations: [] });
    this.#server = await serveCni(
      { socketPath: this.socketPath, stateDir: this.stateDir },
      {
        clock: systemClock,
        disk: realDisk,
        listener: unixSocketListener,
        ipam: this.#ipam,
        kernel: this.#kernel,
        wirer: this.#wirer,
        sources: this.#sources,
        openPodKernel: (netns) => openKernel({ netns }),
        log,
      },
    );
  }

  async stopAgent(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = undefined;
    await this.#ipam?.[Symbol.asyncDispose]();
    await this.#sources?.[Symbol.asyncDispose]();
    await this.#wirer?.[Symbol.asyncDispose]();
    await this.#kernel?.[Symbol.asyncDispose]();
  }

  /** Path of a new network namespace for a pod. */
  addNetns(): string {
    const name = `${this.name}-p${this.#pods.length}`;
    this.#pods.push(name);
    return createNetns(name);
  }

  removeNetns(path: string): void {
    deleteNetns(path.slice(path.lastIndexOf('/') + 1));
  }

  config(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    return {
      cniVersion: '1.1.0',
      name: 'podroute',
      type: 'podroute',
      socketPath: this.socketPath,
      stateDir: this.stateDir,
      ...more,
    };
  }

  /** Calls the executable in the node's namespace with exactly these variables, and these bytes on stdin. */
  async exec(environment: Readonly<Record<string, string>>, input: string): Promise<CniAnswer> {
    // A child is born in the namespace of the thread that forks it.
    const child = withNetns(this.netns, () => spawn(EXECUTABLE, [], { env: environment, stdio: 'pipe' }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? -1));
    });
    const stdout = Buffer.concat(out).toString();
    let json: Record<string, unknown> | undefined;
    try {
      json = JSON.parse(stdout) as Record<string, unknown>;
    } catch {
      json = undefined;
    }
    return { exitCode, stdout, stderr: Buffer.concat(err).toString(), json };
  }

  /** A verb for one container, as libcni calls it. */
  call(
    command: 'ADD' | 'DEL' | 'CHECK' | 'STATUS' | 'GC' | 'VERSION',
    containerId: string,
    netns: string,
    config: Readonly<Record<string, unknown>> = {},
    environment: Readonly<Record<string, string>> = {},
  ): Promise<CniAnswer> {
    return this.exec(
      {
        CNI_COMMAND: command,
        CNI_CONTAINERID: containerId,
        CNI_NETNS: netns,
        CNI_IFNAME: 'eth0',
        CNI_PATH: dirname(EXECUTABLE),
        CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${containerId}`,
        ...environment,
      },
      JSON.stringify(this.config(config)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAgent();
    for (const pod of this.#pods) {
      try {
        deleteNetns(pod);
      } catch {
        // A test removed it itself.
      }
    }
    deleteNetns(this.name);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
