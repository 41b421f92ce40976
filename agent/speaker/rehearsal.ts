// Decides whether this process prepares for large tables (bgp/rehearsal), and sees that it does so once at most: a
// node of a mesh never gets one, and its memory and CPU time are better spent elsewhere.
import { NO_LIMIT } from '#api';
import type { PeerConfig } from '#bgp';
import type { Clock } from '#world';
import type { Log } from '../log.ts';
import type { Plan } from '../plan/index.ts';

/** A neighbour that may announce so many prefixes is worth it; that there is no limit says nothing of how many come. */
const LARGE_TABLE = 100_000;

/** @returns octets of made-up routes that were sent */
export type Rehearse = (like: PeerConfig, signal: AbortSignal) => Promise<number>;

export class Rehearsal implements Disposable {
  readonly #rehearse: Rehearse | undefined;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #abort = new AbortController();
  #isBegun = false;

  constructor(io: { readonly rehearse?: Rehearse; readonly clock: Clock; readonly log: Log }) {
    this.#rehearse = io.rehearse;
    this.#clock = io.clock;
    this.#log = io.log;
  }

  /** Begins in the background when the plan has a neighbour with a large `maxPrefixes.limit`. */
  consider(plan: Plan): void {
    if (this.#isBegun || this.#rehearse === undefined) return;
    const isLarge = (limit: number) => limit >= LARGE_TABLE && limit < NO_LIMIT;
    const like = plan.peers.find(({ config }) => isLarge(config.maxPrefixes.limit))?.config;
    if (like === undefined) return;
    this.#isBegun = true;
    const start = this.#clock.now();
    this.#rehearse(like, this.#abort.signal).then(
      (octets) => {
        const ms = Math.round(this.#clock.now() - start);
        this.#log.info({ ms, octets }, 'rehearsed large tables: they will be taken in faster');
      },
      (error: unknown) => this.#log.warn({ error: String(error) }, 'the rehearsal of large tables failed'),
    );
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
  }
}
