// Two hosts on one wire in simulated time: packets take a while, are lost when a test says so, and are all kept.
import { SeededRandom } from '#world';
import { FakeClock } from '#world/testing';
import type { BfdChange, BfdSessionConfig, BfdSessionStatus } from '../session-config.ts';
import { BfdSessions } from '../sessions.ts';
import { decoded, type Sent } from './lone-host.ts';
import { LOCAL, REMOTE, sessionConfig } from './wanted-session.ts';

export class HostOnWire {
  readonly changes: BfdChange[] = [];
  readonly sent: Sent[] = [];
  sessions: BfdSessions;
  /** Its packets do not arrive. */
  isCut = false;
  other: HostOnWire | undefined;
  readonly #clock: FakeClock;
  readonly #address: string;
  #seed: number;

  constructor(clock: FakeClock, address: string, seed: number) {
    this.#clock = clock;
    this.#address = address;
    this.#seed = seed;
    this.sessions = this.#start();
  }

  /** The process dies without a word, and another begins without sessions. */
  restart(): void {
    this.#seed++;
    this.sessions = this.#start();
  }

  status(): BfdSessionStatus {
    return this.sessions.status('tor')!;
  }

  #start(): BfdSessions {
    const sessions = new BfdSessions({
      clock: this.#clock,
      scheduler: this.#clock,
      random: new SeededRandom(this.#seed),
      open: ({ local, remote, hops }) => ({
        send: (bytes) => {
          if (this.sessions !== sessions) return;
          const copy = Uint8Array.from(bytes);
          this.sent.push({ ...decoded(copy), atMs: this.#clock.now(), bytes: copy });
          if (this.isCut) return;
          this.#clock.setTimer(1, () => this.other?.sessions.receive(hops, copy, local, remote, 'eth0', 255));
        },
        [Symbol.dispose]: () => undefined,
      }),
      changed: (change) => {
        if (this.sessions === sessions) this.changes.push(change);
      },
    });
    return sessions;
  }

  /** This host's end of a session between both. */
  config(more: Partial<BfdSessionConfig> = {}): BfdSessionConfig {
    const remote = this.#address === LOCAL ? REMOTE : LOCAL;
    return sessionConfig({ local: this.#address, remote, ...more });
  }
}

export function twoHosts(): { clock: FakeClock; a: HostOnWire; b: HostOnWire } {
  const clock = new FakeClock();
  const a = new HostOnWire(clock, LOCAL, 1);
  const b = new HostOnWire(clock, REMOTE, 1001);
  a.other = b;
  b.other = a;
  return { clock, a, b };
}
