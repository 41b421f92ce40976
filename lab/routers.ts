// The routers of a lab, which are real ones: how BIRD and FRR are started in their host, and what they tell.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from '#world';
import type { Host, HostProcess } from './hosts.ts';
import type { RouterPlan } from './topology.ts';

/** Where Debian keeps FRR's daemons. */
export const FRR_FOLDER = '/usr/lib/frr';

export class Router {
  readonly host: Host;
  readonly plan: RouterPlan;
  readonly #folder: string;

  /** @param folder holds the router's configuration and sockets */
  constructor(host: Host, plan: RouterPlan, folder: string) {
    this.host = host;
    this.plan = plan;
    this.#folder = folder;
  }

  get name(): string {
    return this.plan.host;
  }

  /**
   * @param again it ran before, and goes on with the routes that the kernel still has (RFC 4724)
   * @returns the pid of each process, by a name of its own; throws when the program is not installed
   */
  async start(log: string, again = false): Promise<Record<string, number>> {
    mkdirSync(this.#folder, { recursive: true });
    for (const socket of ['bird.ctl', 'zserv.api', 'bgpd.vty']) rmSync(this.#file(socket), { force: true });
    switch (this.plan.software) {
      case 'BIRD':
        return this.#startBird(log, again);
      case 'FRR':
        return this.#startFrr(log, again);
    }
  }

  /** What it says of its BGP sessions. */
  sessions(): string {
    switch (this.plan.software) {
      case 'BIRD':
        return this.ask('show', 'protocols')
          .split('\n')
          .filter((line) => / BGP /.test(line))
          .join('\n');
      case 'FRR':
        return this.ask('show bgp summary');
    }
  }

  /** Its answer to one command: `birdc -r WORD…`, or `vtysh -c COMMAND…`. */
  ask(...command: string[]): string {
    return this.host.run([
      ...this.shell(),
      ...(this.plan.software === 'FRR' ? eachAsOption(command) : command),
    ]);
  }

  /** The command that speaks with it. */
  shell(): string[] {
    switch (this.plan.software) {
      case 'BIRD':
        return ['birdc', '-r', '-s', this.#file('bird.ctl')];
      case 'FRR':
        return ['vtysh', '--vty_socket', this.#folder, '--config_dir', this.#file('vtysh'), '-d', 'bgpd'];
    }
  }

  async #startBird(log: string, again: boolean): Promise<Record<string, number>> {
    writeFileSync(this.#file('bird.conf'), this.plan.config);
    const files = ['-c', this.#file('bird.conf'), '-s', this.#file('bird.ctl'), '-P', this.#file('pid')];
    const bird = this.host.spawn(['bird', '-f', ...(again ? ['-R'] : []), ...files], {
      stdio: { file: log },
    });
    await this.#started(bird, 'BIRD', 'bird.ctl', () => readFileSync(log, 'utf8'));
    return { [this.name]: bird.pid };
  }

  async #startFrr(log: string, again: boolean): Promise<Record<string, number>> {
    if (!existsSync(`${FRR_FOLDER}/bgpd`)) {
      throw new Error(`lab: ${this.name} is FRR, which is not installed: apt-get install frr`);
    }
    if (hasOneUser()) {
      throw new Error(
        `lab: ${this.name} is FRR, which becomes user frr: it needs root, not a user namespace`,
      );
    }
    // vtysh wants a folder of its own configuration.
    mkdirSync(this.#file('vtysh'), { recursive: true });
    writeFileSync(this.#file('vtysh/vtysh.conf'), 'no service integrated-vtysh-config\n');
    writeFileSync(this.#file('zebra.conf'), '');
    writeFileSync(this.#file('bgpd.conf'), this.plan.config);
    // Both drop to this user before they open their sockets.
    this.host.run(['chown', '-R', 'frr:frr', this.#folder]);
    // No pipes: they would keep whoever starts a lab that stays up, and break when it ends.
    const stdio = { file: log };
    const said = () => readFileSync(log, 'utf8');
    const zebra = this.host.spawn([...frrCommand(this.#folder, 'zebra'), ...(again ? ['-K', '120'] : [])], {
      stdio,
    });
    // bgpd needs zebra's interfaces from its first session on: without, it refuses next hops that are link-local.
    await this.#started(zebra, 'zebra', 'zserv.api', said);
    const bgpd = this.host.spawn(frrCommand(this.#folder, 'bgpd'), { stdio });
    await this.#started(bgpd, 'bgpd', 'bgpd.vty', said);
    return { [`${this.name}-zebra`]: zebra.pid, [this.name]: bgpd.pid };
  }

  /** Waits for the socket that a program makes when it is ready. @throws with what it said when it ended instead */
  async #started(program: HostProcess, what: string, socket: string, said: () => string): Promise<void> {
    await waitUntil(`${what} of ${this.name}`, 10_000, () => {
      if (!program.running) throw new Error(`lab: ${what} of ${this.name} ended:\n${said().trimEnd()}`);
      return existsSync(this.#file(socket));
    });
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }
}

/** How a daemon of FRR is started with all its files in one folder. */
export function frrCommand(folder: string, daemon: 'zebra' | 'bgpd' | 'bfdd'): string[] {
  const at = (file: string) => join(folder, file);
  const files = ['-f', at(`${daemon}.conf`), '-i', at(`${daemon}.pid`), '-z', at('zserv.api')];
  const log = ['--log', `file:${at(`${daemon}.log`)}`];
  return [`${FRR_FOLDER}/${daemon}`, '-P', '0', '--vty_socket', folder, ...files, ...log];
}

function eachAsOption(commands: readonly string[]): string[] {
  return commands.flatMap((command) => ['-c', command]);
}

/** In a user namespace that an ordinary user made (scripts/as-root.sh) there is only root. */
export function hasOneUser(): boolean {
  const [, , count] = readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/);
  return count === '1';
}
