// The wire between who dies and those who find out: a bridge in a host of its own that forwards nothing from a second on
// that is set before, so that when the neighbour died is known exactly and nobody's own kernel knows it. And when a route
// went: from the netlink messages of the finder's kernel.
import { createInterface } from 'node:readline';
import { connect, createHost, type Host } from '#lab';

/** Between the setting and the second that is set. */
const AHEAD_MS = 150;

export class Wire implements AsyncDisposable {
  readonly #host: Host;

  constructor(group: string) {
    this.#host = createHost('wire', { group });
    this.#host.ip('link', 'add', 'lan', 'type', 'bridge');
    this.#host.ip('link', 'set', 'lan', 'up');
  }

  /** @param address with its length, on eth0 of the host */
  join(host: Host, address: string): void {
    const device = `to-${host.name}`;
    connect(host, this.#host, { devices: ['eth0', device], addresses: [[address], []] });
    this.#host.ip('link', 'set', device, 'master', 'lan');
  }

  /** @returns when it is cut: milliseconds since 1970, soon */
  cut(): number {
    for (;;) {
      const second = Math.ceil((Date.now() + AHEAD_MS) / 1000);
      const chain = `chain forward { type filter hook forward priority 0; meta time >= ${second} drop; }`;
      this.#host.run(['nft', `table bridge cut { ${chain}; }`]);
      if (Date.now() < second * 1000) return second * 1000;
      // Too late, on a machine that is busy: nobody knows when it was cut.
      this.mend();
    }
  }

  mend(): void {
    this.#host.run(['nft', 'delete table bridge cut']);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#host[Symbol.asyncDispose]();
  }
}

/** Whether one route is in a kernel, and since when. */
export class RouteWatch {
  isThere = false;
  /** Milliseconds since 1970, with microseconds behind the point: when `ip monitor` read it. */
  changedAt = 0;

  constructor(host: Host, prefix: string) {
    const monitor = host.spawn(['ip', '-4', '-ts', 'monitor', 'route'], {
      stdio: 'pipe',
      env: { TZ: 'UTC' },
    });
    createInterface({ input: monitor.child.stdout! }).on('line', (line) => {
      const [, at, micros, deleted, what] =
        /^\[(\S+)\.(\d{6})\] (Deleted )?(?:\w+ )?(\d\S*)/.exec(line) ?? [];
      if (what !== prefix) return;
      this.isThere = deleted === undefined;
      this.changedAt = Date.parse(`${at}Z`) + Number(micros) / 1000;
    });
  }
}
