// A thousand packets a second between two hosts, and how many of them were lost: what a user of the network would see.
import type { Host, HostProcess } from './hosts.ts';

/** RFC 792 echoes: as many as a second has milliseconds. */
const EVERY_S = '0.001';

export interface FloodResult {
  readonly sent: number;
  readonly lost: number;
  /** That nothing came, were all lost in a row. */
  readonly lostMs: number;
}

export class Flood {
  readonly what: string;
  readonly #ping: HostProcess;
  readonly #begun = performance.now();

  constructor(from: Host, to: string) {
    this.what = `${from.name} -> ${to}`;
    this.#ping = from.spawn(['ping', '-n', '-q', '-i', EVERY_S, '-W', '1', to]);
  }

  /** Ends it. @throws Error when ping says nothing that can be read */
  async stop(): Promise<FloodResult> {
    const elapsedMs = performance.now() - this.#begun;
    this.#ping.kill('SIGINT');
    await this.#ping.exited;
    const found = /(\d+) packets transmitted, (\d+) received/.exec(this.#ping.output);
    if (found === null) throw new Error(`ping ${this.what}: ${this.#ping.output}`);
    const [sent, received] = [Number(found[1]), Number(found[2])];
    // The last one may still have been on its way.
    const lost = Math.max(0, sent - received - 1);
    return { sent, lost, lostMs: (lost / sent) * elapsedMs };
  }
}
