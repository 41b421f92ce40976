// Starts processes for tests and gives them orders; one that does not answer in time is killed and replaced.
import { type ChildProcess, fork } from 'node:child_process';
import type { Order, Reply, Setup } from './child.ts';

export type Outcome = { readonly kind: 'killed'; readonly by: string } | { readonly kind: 'survived' };

const CHILD = new URL('./child.ts', import.meta.url).pathname;
const LOAD_MS = 120_000;
/** A process that has seen many broken runs is let go: its memory is full of what they left. */
const MOST_ORDERS = 400;
/** Property tests try few cases, the same ones in each run. */
const ENV = { PODROUTE_SEED: '1', PODROUTE_FUZZ_RUNS: '20', IPAM_RUNS: '40' };

export class Runner {
  readonly #setup: Setup;
  #child: ChildProcess | undefined;
  #orders = 0;

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  /** Only for `cover`. */
  async cover(): Promise<Extract<Reply, { kind: 'covered' }>> {
    const covered = await this.#start(10 * LOAD_MS);
    if (covered?.kind === 'covered') return covered;
    throw new Error(
      `the tests cannot be run: ${covered === undefined ? 'no answer' : JSON.stringify(covered)}`,
    );
  }

  async try(order: Order, limitMs: number): Promise<Outcome> {
    for (let attempt = 1; ; attempt++) {
      if (this.#child === undefined || this.#orders >= MOST_ORDERS) {
        const reply = await this.#start(LOAD_MS);
        if (reply === undefined) return { kind: 'killed', by: 'never loaded' };
        if (reply.kind === 'broken on load') return { kind: 'killed', by: reply.error };
      }
      const isFresh = this.#orders++ === 0;
      const reply = await this.#ask(order, limitMs);
      if (reply?.kind === 'tried') {
        if (reply.killer === undefined) return { kind: 'survived' };
        if (reply.isClean || isFresh || attempt > 1) {
          if (!reply.isClean) this.#stop();
          return { kind: 'killed', by: reply.killer };
        }
        // Perhaps the run before it left something behind: once more, in a new process.
        this.#stop();
        continue;
      }
      this.#stop();
      if (isFresh || attempt > 1) return { kind: 'killed', by: 'time' };
    }
  }

  #start(limitMs: number): Promise<Reply | undefined> {
    this.#stop();
    this.#orders = 0;
    this.#child = fork(CHILD, {
      env: { ...process.env, ...ENV },
      stdio: ['ignore', 'ignore', process.env['MUTATE_DEBUG'] ? 'inherit' : 'ignore', 'ipc'],
      execArgv: ['--no-warnings'],
    });
    return this.#ask(this.#setup, limitMs);
  }

  #ask(message: Order | Setup, limitMs: number): Promise<Reply | undefined> {
    const child = this.#child!;
    return new Promise((done) => {
      const end = (reply: Reply | undefined): void => {
        clearTimeout(timer);
        child.removeAllListeners();
        done(reply);
      };
      const timer = setTimeout(() => end(undefined), limitMs);
      child.once('message', (reply: Reply) => end(reply));
      child.once('exit', () => end(undefined));
      child.once('error', () => end(undefined));
      child.send(message, (error) => error !== null && end(undefined));
    });
  }

  #stop(): void {
    this.#child?.on('error', () => undefined);
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }

  [Symbol.dispose](): void {
    this.#stop();
  }
}
