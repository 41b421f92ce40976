// What the container runtime asked and what became of it, counted since the agent started. Bound: the verbs of CNI and
// the codes of our errors.
import type { CniCode, CniServerIo } from '#cni-plugin';
import { Histogram } from '../histogram.ts';

type Verb = Parameters<NonNullable<CniServerIo['called']>>[0];

export interface CallErrors {
  readonly verb: Verb;
  readonly code: CniCode;
  count: number;
}

export class CallFigures {
  /** Of all calls, those that failed too. */
  readonly durations = new Map<Verb, Histogram>();
  readonly #errors = new Map<string, CallErrors>();

  readonly called = (verb: Verb, code: CniCode | undefined, tookMs: number): void => {
    let durations = this.durations.get(verb);
    if (durations === undefined) this.durations.set(verb, (durations = new Histogram()));
    durations.observe(tookMs / 1000);
    if (code === undefined) return;
    const key = `${verb} ${code}`;
    const errors = this.#errors.get(key) ?? { verb, code, count: 0 };
    errors.count++;
    this.#errors.set(key, errors);
  };

  get errors(): Iterable<Readonly<CallErrors>> {
    return this.#errors.values();
  }
}
