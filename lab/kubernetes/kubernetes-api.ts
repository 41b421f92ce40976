// A real API server with its etcd, for tests and the demo: own folder, own certificates, ports of its own choice. It can be
// stopped and started, so that a cluster without one can be seen.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { waitUntil } from '#world';
import {
  addAddresses,
  connect,
  type Host,
  type HostProcess,
  type SpawnOptions,
  startProcess,
} from '../hosts.ts';
import { kubernetesPrograms, type Programs } from './programs.ts';

const PROJECT = resolve(import.meta.dirname, '..', '..');
const ADMIN_TOKEN = 'admin-token';
const READY_MS = 60_000;
const IN_FORCE_MS = 90_000;
/** Of manifests/kubernetes. */
const NAMESPACE = 'podroute-system';
const AGENT = 'podroute-agent';
/** In a namespace of its own nobody else has them. */
const OWN_PORTS = [6443, 2379, 2380];

export interface ApiServerOptions {
  /** For its files; is made. */
  readonly folder: string;
  /** Where it listens, and what its certificate is for. */
  readonly address: string;
  /** Where it runs; undefined: beside this process. */
  readonly host?: Host;
  readonly say?: (text: string) => void;
}

export class KubernetesApi implements AsyncDisposable {
  readonly #options: ApiServerOptions;
  readonly #programs: Programs;
  readonly #ports: { readonly server: number; readonly etcd: number; readonly peer: number };
  #etcd: HostProcess | undefined;
  #server: HostProcess | undefined;

  private constructor(options: ApiServerOptions, programs: Programs, ports: readonly number[]) {
    this.#options = options;
    this.#programs = programs;
    const [server = 0, etcd = 0, peer = 0] = ports;
    this.#ports = { server, etcd, peer };
  }

  /** Resolves when it is ready. Leaves no process when it fails. */
  static async start(options: ApiServerOptions): Promise<KubernetesApi> {
    const programs = kubernetesPrograms(options.say);
    mkdirSync(options.folder, { recursive: true });
    makeCertificates(options.folder, options.address);
    writeFileSync(join(options.folder, 'tokens.csv'), `${ADMIN_TOKEN},admin,admin,system:masters\n`, {
      mode: 0o600,
    });
    const api = new KubernetesApi(
      options,
      programs,
      options.host === undefined ? await freePorts(3) : OWN_PORTS,
    );
    writeFileSync(api.kubeconfig, api.kubeconfigFor(ADMIN_TOKEN), { mode: 0o600 });
    try {
      api.#startEtcd();
      await api.resume();
      return api;
    } catch (error) {
      await api[Symbol.asyncDispose]();
      throw error;
    }
  }

  get url(): string {
    const { address } = this.#options;
    return `https://${address.includes(':') ? `[${address}]` : address}:${this.#ports.server}`;
  }

  /** Path of a kubeconfig whose user may do everything. */
  get kubeconfig(): string {
    return this.#file('admin.kubeconfig');
  }

  kubeconfigFor(token: string, namespace = 'default'): string {
    const ca = readFileSync(this.#file('ca.crt')).toString('base64');
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'lab', cluster: { server: this.url, 'certificate-authority-data': ca } }],
      users: [{ name: 'user', user: { token } }],
      contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'user', namespace } }],
      'current-context': 'lab',
    });
  }

  /** kubectl as administrator, where the server is: arguments come behind it. */
  get kubectlCommand(): readonly string[] {
    return this.#inside([this.#programs.kubectl, '--kubeconfig', this.kubeconfig]);
  }

  /** Runs kubectl as administrator and returns what it printed. Throws with what it complained of. */
  kubectl(args: readonly string[], input?: string): string {
    const [program = '', ...first] = this.kubectlCommand;
    const { status, stdout, stderr } = spawnSync(program, [...first, ...args], {
      encoding: 'utf8',
      ...(input !== undefined && { input }),
      env: { ...process.env, HOME: this.#options.folder },
      maxBuffer: 1 << 28,
    });
    if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`);
    return stdout;
  }

  /** podroute and these objects: as an operator would, the status of Nodes as kubelets would. */
  install(documents: string): void {
    this.kubectl(['apply', '-f', join(PROJECT, 'manifests', 'crds')]);
    this.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
    this.kubectl(['apply', '-k', join(PROJECT, 'manifests', 'kubernetes', 'base')]);
    this.untilPoliciesKnowPools();
    if (documents === '') return;
    this.kubectl(['apply', '-f', '-'], documents);
    for (const document of parseAllDocuments(documents)) {
      const { kind, metadata, status } = document.toJS() as {
        readonly kind: string;
        readonly metadata: { readonly name: string };
        readonly status?: object;
      };
      if (kind !== 'Node') continue;
      const patch = JSON.stringify({ status });
      this.kubectl(['patch', 'node', metadata.name, '--subresource=status', '--type=merge', '-p', patch]);
    }
  }

  /**
   * A policy that asks IPPools is not in force at first, and then, also after each start of the server, refuses every block
   * until that knows the kind and has read the pools, for half a minute at worst: done when it refuses an agent's block for
   * its size.
   */
  untilPoliciesKnowPools(): void {
    const ours = (kind: string, name: string, spec: object) =>
      JSON.stringify({ apiVersion: 'podroute.io/v1', kind, metadata: { name }, spec });
    const block = ours('IPAMBlock', '192-0-2-0-27', { cidr: '192.0.2.0/27', node: 'nobody', pool: 'probe' });
    this.kubectl(['create', '-f', '-'], ours('IPPool', 'probe', { cidr: '192.0.2.0/24', blockSize: 26 }));
    const end = performance.now() + IN_FORCE_MS;
    while (!this.#isRefusedByPool(block)) {
      if (performance.now() < end) continue;
      throw new Error('the policy podroute-blocks-of-pools does not come into force');
    }
    this.kubectl(['delete', 'ippools.podroute.io', 'probe']);
  }

  #isRefusedByPool(block: string): boolean {
    try {
      const agent = `--as=system:serviceaccount:${NAMESPACE}:${AGENT}`;
      const itsNode = '--as-user-extra=authentication.kubernetes.io/node-name=nobody';
      this.kubectl(['create', agent, itsNode, '--dry-run=server', '-f', '-'], block);
      return false;
    } catch (error) {
      const text = String(error);
      if (!text.includes('podroute-blocks-of-pools')) throw error;
      return !text.includes('failed to configure');
    }
  }

  /**
   * What a node's agent reaches the server with: the token of a pod of the DaemonSet on that node, as kubelet would mount
   * it. install() must have been called, and there must be such a Node.
   */
  nodeKubeconfig(node: string): string {
    const daemon = JSON.parse(this.kubectl(['get', 'daemonset', AGENT, '-n', NAMESPACE, '-o', 'json'])) as {
      readonly spec: { readonly template: { readonly metadata: object; readonly spec: object } };
    };
    const { metadata, spec } = daemon.spec.template;
    const name = `${AGENT}-${node}`;
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, name, namespace: NAMESPACE },
      spec: { ...spec, nodeName: node },
    };
    this.kubectl(['apply', '-f', '-'], JSON.stringify(pod));
    const bound = ['--bound-object-kind=Pod', `--bound-object-name=${name}`];
    const token = this.kubectl(['create', 'token', AGENT, '-n', NAMESPACE, '--duration=48h', ...bound]);
    return this.kubeconfigFor(token.trim(), NAMESPACE);
  }

  /** The server ends, etcd goes on. SIGKILL: connections are cut. */
  async pause(): Promise<void> {
    this.#server?.kill('SIGKILL');
    await this.#server?.exited;
    this.#server = undefined;
  }

  /** The same server on the same port. */
  async resume(): Promise<void> {
    const { folder, address } = this.#options;
    const log = join(folder, 'kube-apiserver.log');
    const server = this.#spawn([this.#programs['kube-apiserver'], ...this.#flags(address)], {
      stdio: { file: log },
    });
    this.#server = server;
    await waitUntil('the API server to be ready', READY_MS, () => {
      if (!server.running) throw new Error(`kube-apiserver ended:\n${tail(log)}`);
      return this.#answers('/readyz');
    });
  }

  /** Forgets all versions but the newest: watches from before have expired. */
  compact(): void {
    const range = this.#etcdCall('/v3/kv/range', { key: Buffer.from('/').toString('base64') });
    const { revision } = (JSON.parse(range) as { header: { revision: string } }).header;
    this.#etcdCall('/v3/kv/compaction', { revision, physical: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing of it is kept: what it would do in order before it ends is for nobody.
    await this.pause();
    await this.#etcd?.stop();
  }

  #startEtcd(): void {
    const { folder } = this.#options;
    const client = `http://127.0.0.1:${this.#ports.etcd}`;
    const peer = `http://127.0.0.1:${this.#ports.peer}`;
    const command = [
      this.#programs.etcd,
      ...['--data-dir', join(folder, 'etcd'), '--unsafe-no-fsync', '--name', 'lab'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...[
        '--listen-peer-urls',
        peer,
        '--initial-advertise-peer-urls',
        peer,
        '--initial-cluster',
        `lab=${peer}`,
      ],
    ];
    this.#etcd = this.#spawn(command, { stdio: { file: join(folder, 'etcd.log') } });
  }

  #flags(address: string): string[] {
    return [
      `--etcd-servers=http://127.0.0.1:${this.#ports.etcd}`,
      `--bind-address=${address}`,
      `--advertise-address=${address}`,
      `--secure-port=${this.#ports.server}`,
      `--cert-dir=${this.#file('server')}`,
      `--tls-cert-file=${this.#file('server.crt')}`,
      `--tls-private-key-file=${this.#file('server.key')}`,
      `--token-auth-file=${this.#file('tokens.csv')}`,
      '--authorization-mode=Node,RBAC',
      `--client-ca-file=${this.#file('ca.crt')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${this.#file('accounts.key')}`,
      `--service-account-signing-key-file=${this.#file('accounts.key')}`,
      '--service-cluster-ip-range=10.96.0.0/16,fd00:96::/112',
      '--disable-admission-plugins=ServiceAccount',
      '--endpoint-reconciler-type=none',
    ];
  }

  #spawn(command: readonly string[], options: SpawnOptions): HostProcess {
    const { host } = this.#options;
    return host === undefined ? startProcess(command, options) : host.spawn(command, options);
  }

  #inside(command: readonly string[]): readonly string[] {
    const { host } = this.#options;
    return host === undefined ? command : ['nsenter', `--net=${host.path}`, '--', ...command];
  }

  /** Process ids by name, for who outlives this process. */
  get pids(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      Object.entries({ etcd: this.#etcd, 'kube-apiserver': this.#server }).flatMap(([name, process]) =>
        process === undefined ? [] : [[name, process.pid]],
      ),
    );
  }

  #file(name: string): string {
    return join(this.#options.folder, name);
  }

  #answers(path: string): boolean {
    const [program = '', ...first] = this.kubectlCommand;
    return spawnSync(program, [...first, 'get', '--raw', path], { timeout: 5_000 }).status === 0;
  }

  #etcdCall(path: string, body: object): string {
    const url = `http://127.0.0.1:${this.#ports.etcd}${path}`;
    const curl = ['curl', '-sS', '--max-time', '10', '-d', JSON.stringify(body), url];
    const [program = '', ...args] = this.#inside(curl);
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`etcd ${path}: ${stderr}`);
    return stdout;
  }
}

/** Of the API server, which every node has a link of its own to: not a part of the fabric. */
const API_ADDRESS = '172.31.255.1';

/** On a host of its own, with a link to each node. */
export async function startApiHost(
  host: Host,
  nodes: readonly Host[],
  folder: string,
): Promise<KubernetesApi> {
  addAddresses(host, 'lo', [`${API_ADDRESS}/32`]);
  for (const [i, node] of nodes.entries()) {
    const [near, far] = [`172.31.0.${2 * i}`, `172.31.0.${2 * i + 1}`];
    connect(host, node, { devices: [node.name, 'api'], addresses: [[`${near}/31`], [`${far}/31`]] });
    node.ip('route', 'add', API_ADDRESS, 'via', near, 'src', far);
  }
  return KubernetesApi.start({ folder, address: API_ADDRESS, host });
}

function makeCertificates(folder: string, address: string): void {
  const openssl = (...args: string[]) => {
    const { status, stderr, error } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${error?.message ?? stderr}`);
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '7'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=lab-ca');
  openssl(
    'req',
    ...key.slice(0, 4),
    '-nodes',
    '-keyout',
    'server.key',
    '-out',
    'server.csr',
    '-subj',
    '/CN=kube-apiserver',
  );
  const names = `subjectAltName=IP:${address},IP:10.96.0.1,DNS:kubernetes.default.svc`;
  writeFileSync(join(folder, 'server.ext'), names);
  openssl(
    ...['x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'],
    ...['-days', '7', '-extfile', 'server.ext', '-out', 'server.crt'],
  );
  openssl('genrsa', '-out', 'accounts.key', '2048');
}

/** Free now; another process may take one before it is used. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise<typeof server>((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

function tail(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(-15).join('\n') : '';
}
