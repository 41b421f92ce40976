// A machine as a reader of the pages has it: a network namespace with a /run, /etc, /var and /opt of its own, and one
// shell of root that stays open. Nothing of what is done in it reaches the real machine's files.
import { dirname, resolve } from 'node:path';
import { connect, createHost, endProcess, type Host, type HostProcess, recordOf } from '#lab';
import { waitUntil } from '#world';
import { type Step, promisedPattern } from './page.ts';

const PROJECT = resolve(import.meta.dirname, '../../..');
/** Names of the namespaces begin so. */
const GROUP = 'docs';
/** How long a promise may take to come true: sessions, routes. */
const PATIENCE_MS = 15_000;
/** Commands that change nothing, and may be typed again until the promise is true. */
const READS =
  /^(podroute (?!agent|session)|ping |ip (-\S+ )*(netns exec \S+ ping|route|address|addr)|birdc |vtysh |curl |ls |cat )/;

/** Ends a command's output; its exit code follows. */
const END = '\u001e';

const SETUP = `
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/netns
for folder in etc var opt usr/local; do
  mkdir -p /run/overlay/$folder/upper /run/overlay/$folder/work
  mount -t overlay overlay -o "lowerdir=/$folder,upperdir=/run/overlay/$folder/upper,workdir=/run/overlay/$folder/work" /$folder
done
rm -rf /var/lib/podroute /etc/podroute /etc/cni /opt/cni /usr/local/bin/podroute
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /run/bird
mkdir /run/home && cd /run/home && ln -s "${PROJECT}" podroute
`;

/** What docs/operations.md has an operator do, in short. */
const INSTALLED = `
mkdir -p /usr/local/bin /opt/cni/bin
ln -s "${PROJECT}/bin/podroute" /usr/local/bin/podroute
cp "${PROJECT}/build/podroute-cni" /opt/cni/bin/podroute
`;

export class Machine implements AsyncDisposable {
  readonly name: string;
  readonly host: Host;
  readonly #shell: HostProcess;
  #said = '';

  /** Forwarding is off, as after an installation of Linux. */
  constructor(name: string) {
    this.name = name;
    this.host = createHost(name, { group: GROUP });
    this.#shell = this.host.spawn(['unshare', '--mount', '--uts', 'bash', '--norc'], { stdio: 'pipe' });
    this.#shell.child.stdout?.on('data', (chunk: Buffer) => (this.#said += chunk.toString()));
  }

  /** A bare machine has podroute's built clone in ~/podroute, and nothing of it installed. */
  async setUp(options: { bare?: boolean } = {}): Promise<void> {
    const install = options.bare === true ? '' : INSTALLED;
    const { code, said } = await this.type(`set -e\nhostname ${this.name}\n${SETUP}\n${install}\nset +e`);
    if (code !== 0) throw new Error(`${this.name}: cannot be set up: ${said}`);
  }

  /** Types a command and waits for its end: what it printed, and its exit code. */
  async type(command: string, timeoutMs = PATIENCE_MS): Promise<{ said: string; code: number }> {
    this.#said = '';
    this.#shell.child.stdin?.write(`{ ${command}\n} 2>&1 </dev/null; printf '${END}%d${END}' $?\n`);
    await waitUntil(`${this.name} to finish: ${command}`, timeoutMs, () => {
      if (!this.#shell.running)
        throw new Error(`${this.name}: the shell ended: ${this.#said}${this.#shell.output}`);
      return this.#said.split(END).length === 3;
    });
    const [said = '', code = ''] = this.#said.split(END);
    return { said, code: Number(code) };
  }

  /** Ends what still runs on the machine, daemons too. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of this.host.ip('netns', 'pids', this.host.netns).split('\n'))
      if (pid !== '' && Number(pid) !== this.#shell.pid) await endProcess(recordOf(Number(pid)), 'SIGTERM');
    this.#shell.child.stdin?.end('exit\n');
    await this.host[Symbol.asyncDispose]();
  }
}

/** Machines on one bridge, set up, each with the address (and prefix length) that the page gives it. */
export async function machinesOnOneSegment(
  addresses: readonly (readonly [string, string])[],
  stack: AsyncDisposableStack,
): Promise<Map<string, Machine>> {
  const lan = stack.use(createHost('lan', { group: GROUP }));
  lan.ip('link', 'add', 'lan', 'type', 'bridge');
  lan.ip('link', 'set', 'lan', 'up');
  const machines = new Map<string, Machine>();
  for (const [name, address] of addresses) {
    const machine = stack.use(new Machine(name));
    connect(machine.host, lan, { devices: ['eth0', name], addresses: [[address], []] });
    lan.ip('link', 'set', name, 'master', 'lan');
    await machine.setUp();
    machines.set(name, machine);
  }
  return machines;
}

/** Follows the steps of a page on its machines. Throws with the page's line when what is seen is not what it promises. */
export async function follow(
  page: string,
  steps: readonly Step[],
  machines: ReadonlyMap<string, Machine>,
): Promise<void> {
  const machineOf = (name: string, line: number) => {
    const machine = machines.get(name);
    if (machine === undefined) throw new Error(`${page}:${line}: no machine ${name}`);
    return machine;
  };
  for (const step of steps) {
    switch (step.kind) {
      case 'file':
        for (const name of step.machines) {
          const end = 'END-OF-FILE';
          const text = `cat > ${step.path} <<'${end}'\n${step.text}${end}`;
          await machineOf(name, step.line).type(`mkdir -p ${dirname(step.path)} && ${text}`);
        }
        break;
      case 'command':
        await keepsPromise(
          `${page}:${step.line}`,
          machineOf(step.machine, step.line),
          step.command,
          step.promised,
        );
    }
  }
}

async function keepsPromise(
  where: string,
  machine: Machine,
  command: string,
  promised: string,
): Promise<void> {
  const wanted = promised.trim() === '' ? undefined : promisedPattern(promised);
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const { said, code } = await machine.type(command);
    // A page may show a command that answers with bad news, but then it shows the answer.
    if (wanted === undefined ? code === 0 : wanted.test(said)) return;
    if (!READS.test(command) || performance.now() > deadline) {
      throw new Error(
        `${where}: ${machine.name}# ${command}\nexit code ${code}, and it prints:\n${said}\nThe page promises:\n${promised}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
