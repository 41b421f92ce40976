// Hosts for tests, the bench and the lab: each is a network namespace, joined to others by veth pairs.
// All setup is synchronous `ip` commands. Whatever is created here is removed again: by `await using`, and
// also when the process ends early (exception, process.exit, SIGINT, SIGTERM, SIGHUP). What a SIGKILL leaves
// behind is swept by the next run of the same group, which knows the dead owner by the pid in the name.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';

/** How many characters of a process's output are kept for messages. */
const OUTPUT_TAIL = 64 * 1024;
/** How long a process that has ended is waited for with what it has printed: a child of it may hold the pipe. */
const LAST_WORDS_MS = 1000;
const NETNS_FOLDER = '/run/netns';

export interface HostOptions {
  /** First part of the namespace's name, `pr-<group>-<pid>-<name>`. Default 'lab'. */
  readonly group?: string;
  /** Exact name of the namespace instead (for a lab that stays up). */
  readonly netns?: string;
  /** Leave the namespace and its processes when this process ends; only dispose() removes them. */
  readonly keep?: boolean;
  /** Route between interfaces, both families. Default false. */
  readonly forwarding?: boolean;
}

export interface LinkOptions {
  /** Interface names on the first and the second host; default 'to-<other host>' (15 characters at most). */
  readonly devices?: readonly [string, string];
  /** Addresses with prefix length on the first and the second host: [['10.0.0.1/24'], ['10.0.0.2/24', 'fd00::2/64']]. */
  readonly addresses?: readonly [readonly string[], readonly string[]];
  readonly mtu?: number;
}

export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** 'tail' keeps the last 64 KB of stdout and stderr in `output`; a path appends both to that file;
   *  'pipe' leaves stdin and stdout to the caller and keeps stderr in `output`. Default 'tail'. */
  readonly stdio?: 'tail' | 'pipe' | { readonly file: string };
}

/** A process inside a host; `pid` is the process itself, not a wrapper. */
export class HostProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly command: string;
  readonly #exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #output = '';
  readonly #unread: Promise<void>[] = [];

  constructor(child: ChildProcess, command: string) {
    this.child = child;
    this.command = command;
    this.pid = child.pid ?? -1;
    this.#exited = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#keep(`${error.message}\n`);
        resolve({ code: 127, signal: null });
      });
      child.once('exit', (code, signal) => {
        const lastWords = setTimeout(() => resolve({ code, signal }), LAST_WORDS_MS);
        void Promise.all(this.#unread).then(() => {
          clearTimeout(lastWords);
          resolve({ code, signal });
        });
      });
    });
  }

  /**
   * Resolves when it is gone and all that it printed is in `output`. Who asks waits for it: in a lab that stays up children do
   * not keep this process alive by themselves.
   */
  get exited(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    if (this.running) this.child.ref();
    return this.#exited;
  }

  /** Last 64 KB of what was printed. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.pid > 0 && this.child.exitCode === null && this.child.signalCode === null;
  }

  collect(stream: NodeJS.ReadableStream | null | undefined): void {
    stream?.on('data', (chunk: Buffer) => this.#keep(chunk.toString()));
    if (stream) this.#unread.push(new Promise((resolve) => stream.once('close', resolve)));
  }

  #keep(text: string): void {
    this.#output = (this.#output + text).slice(-OUTPUT_TAIL);
  }

  kill(signal: NodeJS.Signals): void {
    if (this.running) this.child.kill(signal);
  }

  /** SIGTERM, and SIGKILL when it still runs after graceMs. Resolves when it is gone. */
  async stop(graceMs = 3000): Promise<void> {
    if (!this.running) return;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.kill('SIGKILL'), graceMs);
    await this.exited;
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** One namespace with its processes. */
export class Host implements AsyncDisposable {
  readonly name: string;
  readonly netns: string;
  readonly keep: boolean;
  readonly processes = new Set<HostProcess>();

  constructor(name: string, netns: string, keep: boolean) {
    this.name = name;
    this.netns = netns;
    this.keep = keep;
  }

  /** Path of the namespace, for setns or a CNI_NETNS variable. */
  get path(): string {
    return `${NETNS_FOLDER}/${this.netns}`;
  }

  /** Runs to the end and returns stdout; throws with stderr when it fails (unless `check: false`). */
  run(
    command: readonly string[],
    options: { input?: string; env?: Record<string, string>; check?: boolean; timeoutMs?: number } = {},
  ): string {
    return runSync(['nsenter', `--net=${this.path}`, '--', ...command], `${this.name}: `, options);
  }

  /** `ip` inside this namespace: host.ip('route', 'show'). */
  ip(...args: string[]): string {
    return runSync(['ip', '-n', this.netns, ...args], `${this.name}: `);
  }

  spawn(command: readonly string[], options: SpawnOptions = {}): HostProcess {
    const inside = ['nsenter', `--net=${this.path}`, '--', ...command];
    const started = startProcess(inside, { ...options, detached: this.keep });
    this.processes.add(started);
    void started.exited.then(() => this.processes.delete(started));
    if (this.keep) started.child.unref();
    return started;
  }

  /** Ends the processes started here, then removes the namespace (and with it its links). */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.processes].map((p) => p.stop()));
    this.removeNow();
  }

  /** The same without waiting, for the process's exit handler. */
  removeNow(): void {
    for (const p of this.processes) p.kill('SIGKILL');
    deleteNetns(this.netns);
    alive.delete(this);
  }
}

/** In the namespace that this process runs in; whoever starts it stops it. */
export function startProcess(
  command: readonly string[],
  { stdio = 'tail', env, cwd, detached = false }: SpawnOptions & { readonly detached?: boolean } = {},
): HostProcess {
  const file = typeof stdio === 'object' ? openSync(stdio.file, 'a') : undefined;
  const child = spawn(command[0] as string, command.slice(1), {
    stdio:
      file !== undefined ? ['ignore', file, file] : [stdio === 'pipe' ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    env: environment(env),
    ...(cwd === undefined ? {} : { cwd }),
    detached,
  });
  if (file !== undefined) closeSync(file);
  const started = new HostProcess(child, command.join(' '));
  if (stdio === 'tail') started.collect(child.stdout);
  if (file === undefined) started.collect(child.stderr);
  return started;
}

const alive = new Set<Host>();
const sweptGroups = new Set<string>();

/** Makes a namespace with `lo` up. Needs root (CAP_SYS_ADMIN, CAP_NET_ADMIN). */
export function createHost(name: string, options: HostOptions = {}): Host {
  const group = options.group ?? 'lab';
  const netns = options.netns ?? `pr-${group}-${process.pid}-${name}`;
  if (options.netns === undefined) sweep(group);
  cleanUpOnExit();
  runSync(['ip', 'netns', 'add', netns]);
  const host = new Host(name, netns, options.keep ?? false);
  alive.add(host);
  const forwarding = options.forwarding === true ? '1' : '0';
  const switches = [`net.ipv4.ip_forward=${forwarding}`, `net.ipv6.conf.all.forwarding=${forwarding}`];
  try {
    host.ip('link', 'set', 'lo', 'up');
    host.run(['sysctl', '-qw', ...switches]);
  } catch (error) {
    host.removeNow(); // the caller has nothing to dispose of
    throw error;
  }
  return host;
}

/** A host that another process made (a lab that was left up). Nothing is created; dispose() removes it. */
export function openHost(name: string, netns: string): Host {
  if (!existsSync(`${NETNS_FOLDER}/${netns}`)) throw new Error(`host ${name}: no namespace ${netns}`);
  return new Host(name, netns, true);
}

/** Joins two hosts by a veth pair, both ends up, addresses set without duplicate detection. */
export function connect(a: Host, b: Host, options: LinkOptions = {}): { devices: readonly [string, string] } {
  const devices = options.devices ?? [`to-${b.name}`.slice(0, 15), `to-${a.name}`.slice(0, 15)];
  const mtu = options.mtu === undefined ? [] : ['mtu', String(options.mtu)];
  a.ip(
    'link',
    'add',
    devices[0],
    ...mtu,
    'type',
    'veth',
    'peer',
    'name',
    devices[1],
    ...mtu,
    'netns',
    b.netns,
  );
  const ends = [
    { host: a, device: devices[0], addresses: options.addresses?.[0] ?? [] },
    { host: b, device: devices[1], addresses: options.addresses?.[1] ?? [] },
  ];
  // Link-local addresses are usable at once: nobody else is on this wire.
  for (const e of ends) e.host.run(['sysctl', '-qw', `net/ipv6/conf/${e.device}/accept_dad=0`]);
  for (const e of ends) e.host.ip('link', 'set', e.device, 'up');
  // After both ends are up: an IPv6 address given to a device without carrier misses its first solicitation.
  for (const e of ends) addAddresses(e.host, e.device, e.addresses);
  return { devices };
}

/** Many addresses in one `ip -batch` (a thousand take 20 ms). */
export function addAddresses(host: Host, device: string, addresses: readonly string[]): void {
  const lines = addresses
    .map((a) => `addr add ${a} dev ${device}${a.includes(':') ? ' nodad' : ''}\n`)
    .join('');
  if (lines !== '') runSync(['ip', '-n', host.netns, '-batch', '-'], `${host.name}: `, { input: lines });
}

/**
 * Permanent neighbour entries for what `b` has on its end of the wire, so that nobody is asked: the kernel's table has
 * one limit for the whole machine (gc_thresh3, 1,024 entries), and permanent ones do not count.
 */
export function addNeighbours(
  a: Host,
  aDevice: string,
  b: Host,
  bDevice: string,
  addresses: readonly string[],
): void {
  const [link] = JSON.parse(b.ip('-j', 'link', 'show', 'dev', bDevice)) as { address: string }[];
  const lines = addresses.map(
    (to) => `neigh replace ${to} lladdr ${link?.address} dev ${aDevice} nud permanent\n`,
  );
  runSync(['ip', '-n', a.netns, '-batch', '-'], `${a.name}: `, { input: lines.join('') });
}

function runSync(
  command: readonly string[],
  where = '',
  options: { input?: string; env?: Record<string, string>; check?: boolean; timeoutMs?: number } = {},
): string {
  const result = spawnSync(command[0] as string, command.slice(1), {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    env: environment(options.env),
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
  });
  if (options.check !== false && (result.error !== undefined || result.status !== 0)) {
    const why = result.error?.message ?? `exit ${result.status ?? result.signal}: ${result.stderr.trim()}`;
    throw new Error(`${where}${command.join(' ')}: ${why}`);
  }
  return result.stdout;
}

/** `ip`, `sysctl`, routers are where an ordinary user's PATH, and that of a plain `su`, does not look. */
function environment(more: Readonly<Record<string, string>> = {}): Record<string, string | undefined> {
  const { PATH = '' } = process.env;
  return { ...process.env, PATH: `${PATH}:/usr/local/sbin:/usr/sbin:/sbin`, ...more };
}

function deleteNetns(netns: string): void {
  spawnSync('ip', ['netns', 'del', netns], { stdio: 'ignore', env: environment() });
}

/** Removes namespaces of this group whose owner is dead, with the processes still inside them. */
function sweep(group: string): void {
  if (sweptGroups.has(group) || !existsSync(NETNS_FOLDER)) return;
  sweptGroups.add(group);
  for (const netns of readdirSync(NETNS_FOLDER)) {
    const match = /^pr-(.+?)-(\d+)-/.exec(netns);
    if (match === null || match[1] !== group || existsSync(`/proc/${match[2]}`)) continue;
    for (const pid of runSync(['ip', 'netns', 'pids', netns], '', { check: false }).split('\n')) {
      if (pid !== '') process.kill(Number(pid), 'SIGKILL');
    }
    deleteNetns(netns);
  }
}

let exitHandlersInstalled = false;

function cleanUpOnExit(): void {
  if (exitHandlersInstalled) return;
  exitHandlersInstalled = true;
  process.on('exit', () => {
    for (const host of alive) if (!host.keep) host.removeNow();
  });
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => process.exit(code));
  }
}
