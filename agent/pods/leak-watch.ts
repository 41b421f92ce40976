// Looks for addresses of Pods that are gone, and has those given back that nobody uses any more, as their DEL would have.
// Where the store has no Pods (a folder) there is nothing to look for. Bounds: one look at a time, MOST_A_LOOK collected by
// each; what is told of is counted, and the first few are named.
import type { LeakedAddress, LeaksStatus } from '#agent-api';
import type { CniServer } from '#cni-plugin';
import type { Allocation, Ipam } from '#ipam';
import type { Store } from '#store';
import type { Clock, Timer } from '#world';
import type { Log } from '../log.ts';
import { judgeLeaks, type Leak, type LeakFacts, type LeakVerdict } from './leaks.ts';

const LOOK_EVERY_MS = 10_000;
/** No ADD goes on meanwhile. */
const MOST_A_LOOK = 32;
const MOST_NAMED = 10;

export interface LeakWatchIo {
  readonly clock: Clock;
  readonly log: Log;
  readonly ipam: Pick<Ipam, 'usage'>;
  readonly cni: Pick<CniServer, 'collect'>;
  readonly ownPods: NonNullable<Store['ownPods']>;
  /** The CNI network by which the cluster's Pods are attached. */
  readonly network: () => Promise<string>;
}

export class LeakWatch implements AsyncDisposable {
  readonly #graceMs: number;
  readonly #io: LeakWatchIo;
  #absent: ReadonlyMap<Allocation, number> = new Map();
  #found: readonly Leak[] = [];
  #collected = 0;
  #newest: string | undefined;
  /** What was last complained of: said once, and again when it is another. */
  #complaint: string | undefined;
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #isClosed = false;

  /** @param graceMs how long a Pod must have been gone */
  constructor(graceMs: number, io: LeakWatchIo) {
    this.#graceMs = graceMs;
    this.#io = io;
  }

  start(): void {
    this.#timer = this.#io.clock.setTimer(Math.min(LOOK_EVERY_MS, this.#graceMs / 4), () => {
      this.#looking = this.#look().finally(() => {
        if (!this.#isClosed) this.start();
      });
    });
  }

  /** Undefined: there are none, and there were none. */
  status(): LeaksStatus | undefined {
    const { length } = this.#found;
    if (length === 0 && this.#collected === 0) return undefined;
    return {
      count: length,
      first: this.#found.slice(0, MOST_NAMED).map((leak) => this.#told(leak)),
      collected: this.#collected,
      ...(this.#newest !== undefined && { newest: this.#newest }),
    };
  }

  /** All that are not given back yet. */
  addresses(): string[] {
    return this.#found.flatMap(({ allocation }) => Object.values(allocation.addresses));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { cni } = this.#io;
    try {
      const network = await this.#io.network();
      const first = this.#judge(network, undefined);
      if (first.report.length === 0) {
        this.#found = [];
        this.#complain(undefined);
        return;
      }
      let leaks: readonly Leak[] = [];
      let verdict: LeakVerdict = first;
      const outcomes = await cni.collect((links) => {
        verdict = this.#judge(network, links);
        leaks = verdict.collect.slice(0, MOST_A_LOOK);
        return leaks.map(({ allocation }) => allocation.owner);
      });
      const freed = leaks.filter((_, i) => outcomes[i] === undefined);
      for (const leak of freed) this.#noteFreed(leak);
      const whyNot = outcomes.find((error) => error !== undefined);
      this.#complain(whyNot && `cannot be given back: ${whyNot.message}; trying again`);
      this.#found = [...verdict.collect.filter((leak) => !freed.includes(leak)), ...verdict.report];
    } catch (error) {
      this.#complain(`cannot be looked at: ${String(error)}; trying again`);
    }
  }

  #complain(text: string | undefined): void {
    const { log } = this.#io;
    if (text === this.#complaint) return;
    this.#complaint = text;
    if (text === undefined) log.info({ subject: 'leaked addresses' }, 'are looked at and given back again');
    else log.warn({ subject: 'leaked addresses' }, text);
  }

  #judge(network: string, links: ReadonlySet<string> | undefined): LeakVerdict {
    const { clock, ipam, ownPods } = this.#io;
    const facts: LeakFacts = {
      ...{ nowMs: clock.now(), graceMs: this.#graceMs, network, links, pods: ownPods() },
      allocations: ipam.usage().allocations,
    };
    const verdict = judgeLeaks(this.#absent, facts);
    this.#absent = verdict.absent;
    return verdict;
  }

  #noteFreed(leak: Leak): void {
    this.#collected++;
    const { address, pod, since } = this.#told(leak);
    this.#newest = `${address} of Pod ${pod}`;
    const why = `collected: its Pod is gone since ${since} or longer, and so is its network namespace`;
    this.#io.log.info({ subject: `pod ${pod}` }, `${address} ${why}`);
  }

  #told({ allocation: { owner, addresses }, sinceMs }: Leak): LeakedAddress {
    const { clock } = this.#io;
    const { podNamespace = '', podName = '' } = owner;
    return {
      address: Object.values(addresses).join(' and '),
      pod: `${podNamespace}/${podName}`,
      since: new Date(clock.wall() - (clock.now() - sinceMs)).toISOString(),
    };
  }
}
