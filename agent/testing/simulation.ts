// Simulated time, chance from one seed, and the log of all that happened: the same seed gives the same log to the byte.
// Nothing in a simulation may wait for real; time jumps to the next timer when no promise is left.
import { createHash } from 'node:crypto';
import { FakeClock } from '#world/testing';
import { type Clock, type Random, type Scheduler, SeededRandom, type Timer } from '#world';
import type { Log, LogFields } from '../log.ts';

/** PODROUTE_SEED=7 in the environment replays a failure. */
const SEED = 'PODROUTE_SEED';

export class Simulation {
  readonly clock = new FakeClock();
  readonly seed: number;
  readonly random: SeededRandom;
  readonly events: string[] = [];
  readonly #startMs = this.clock.now();

  constructor(seed = Number(process.env[SEED] ?? 1)) {
    this.seed = seed;
    this.random = new SeededRandom(seed);
  }

  get nowMs(): number {
    return this.clock.now() - this.#startMs;
  }

  note(who: string, what: string): void {
    this.events.push(`${this.nowMs.toFixed(3)} ${who} ${what}`);
  }

  run(ms: number): Promise<void> {
    return this.clock.run(ms);
  }

  /** Lets time pass until it is true; looks every `stepMs`. Rejects after limitMs of simulated time. */
  async until(
    what: string,
    isTrue: () => boolean | Promise<boolean>,
    limitMs = 60_000,
    stepMs = 50,
  ): Promise<void> {
    const end = this.nowMs + limitMs;
    while (!(await isTrue())) {
      if (this.nowMs >= end) throw this.failure(`never: ${what}`);
      await this.run(stepMs);
    }
  }

  /** Words with what is needed to see it again. */
  failure(message: string): Error {
    return new Error(`${message} (${SEED}=${this.seed}, after ${Math.round(this.nowMs)} simulated ms)`);
  }

  logHash(): string {
    return createHash('sha256').update(this.events.join('\n')).digest('hex');
  }
}

/** What a process has of the simulation, until it dies: from then on no timer of it fires and nothing is logged. */
export class SimulatedProcess implements Clock, Scheduler, Random, Log {
  readonly #simulation: Simulation;
  readonly #name: string;
  readonly #random: SeededRandom;
  readonly #dying: (() => void)[] = [];
  isAlive = true;

  constructor(simulation: Simulation, name: string) {
    this.#simulation = simulation;
    this.#name = name;
    this.#random = new SeededRandom(simulation.random.below(2 ** 31));
  }

  onDeath(act: () => void): void {
    this.#dying.push(act);
  }

  die(): void {
    this.isAlive = false;
    for (const act of this.#dying.splice(0)) act();
  }

  now(): number {
    return this.#simulation.clock.now();
  }
  wall(): number {
    return this.#simulation.clock.wall();
  }
  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#simulation.clock.setTimer(delayMs, () => {
      if (this.isAlive) callback();
    });
  }
  soon(callback: () => void): void {
    this.setTimer(0, callback);
  }
  next(): number {
    return this.#random.next();
  }

  debug(): void {}
  info(fields: LogFields, message: string): void {
    this.#note('info', fields, message);
  }
  warn(fields: LogFields, message: string): void {
    this.#note('warn', fields, message);
  }
  error(fields: LogFields, message: string): void {
    this.#note('error', fields, message);
  }
  #note(level: string, fields: LogFields, message: string): void {
    if (this.isAlive) this.#simulation.note(this.#name, `${level} ${message} ${JSON.stringify(fields)}`);
  }
}
