// Scenarios with the foreign daemons as mocha tests. Most of a scenario is waiting (for timers, mostly the daemons'),
// so tracks run at the same time, each on a stage of its own; a track's scenarios run one after the other.
import type { DaemonKind, Feature } from '../daemons/daemon.ts';
import { obstacle } from './installed.ts';
import type { Matrix } from './matrix.ts';

/** How many stages stand at once: a stage is two daemons or more, on two cores, that mostly wait. */
const AT_ONCE = 8;
/** Of those whose scenarios wait for nothing but the daemons' work. */
export const BUSY_AT_ONCE = 3;
const LOG_TAIL = 3000;

interface Scenario<S> {
  readonly title: string;
  /** Not applicable to a daemon that lacks it. */
  readonly needs?: Feature;
  /** May return the text of its cell; 'pass' otherwise. */
  readonly body: (stage: S) => Promise<void | Cell>;
}

export interface Cell {
  readonly text: string;
  /** A note below the table. */
  readonly reason?: string;
}

export interface Track<S extends AsyncDisposable & { logs(): string }> {
  readonly kind: DaemonKind;
  /** 'eBGP': stands before each title in the matrix, unless it is empty. */
  readonly name: string;
  readonly set: () => Promise<S>;
  readonly scenarios: readonly Scenario<S>[];
}

type Outcome = { readonly error?: Error };

/**
 * Makes a `describe` for each track and an `it` for each scenario, and keeps the outcomes in the matrix. A daemon that
 * is not installed is skipped with what to install, and fails under CI=true.
 */
export function describeTracks<S extends AsyncDisposable & { logs(): string }>(
  tracks: readonly Track<S>[],
  matrix: Matrix,
  atOnce = AT_ONCE,
): void {
  const wanted = tracks.filter((track) => isWanted(track.kind));
  const running = wanted.map((track) => new RunningTrack(track, matrix));
  let all: Promise<unknown> | undefined;

  before(() => {
    const queue = running.filter((track) => track.obstacle === undefined);
    const worker = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await next.run();
    };
    all = Promise.all(Array.from({ length: atOnce }, worker));
  });
  after(async function () {
    this.timeout(60_000);
    await all;
  });

  for (const track of running) {
    describe([track.kind.title, track.name].filter((part) => part !== '').join(', '), () => {
      before(function () {
        if (track.obstacle === undefined) return;
        if (track.obstacle.isFailure) throw new Error(track.obstacle.text);
        console.log(`      ${track.obstacle.text}`);
        this.skip();
      });
      // What it cannot do is in the table of docs/bgp.md, and no test.
      const able = track.scenarios.filter(({ needs }) => needs === undefined || !(needs in track.kind.lacks));
      for (const { title } of able) {
        it(title, async () => {
          const { error } = await track.outcome(title);
          if (error !== undefined) throw error;
        });
      }
    });
  }
}

class RunningTrack<S extends AsyncDisposable & { logs(): string }> {
  readonly kind: DaemonKind;
  readonly name: string;
  readonly scenarios: readonly Scenario<S>[];
  readonly obstacle: ReturnType<typeof obstacle>;
  readonly #track: Track<S>;
  readonly #matrix: Matrix;
  readonly #outcomes = new Map<string, PromiseWithResolvers<Outcome>>();

  constructor(track: Track<S>, matrix: Matrix) {
    this.kind = track.kind;
    this.name = track.name;
    this.scenarios = track.scenarios;
    this.obstacle = obstacle(track.kind);
    this.#track = track;
    this.#matrix = matrix;
    for (const { title, needs } of track.scenarios) {
      this.#outcomes.set(title, Promise.withResolvers());
      const reason = needs === undefined ? undefined : track.kind.lacks[needs];
      if (reason !== undefined) matrix.set(this.#row(title), track.kind, 'n/a', reason);
      else matrix.set(this.#row(title), track.kind, this.obstacle === undefined ? 'FAIL' : 'not tried');
    }
  }

  outcome(title: string): Promise<Outcome> {
    return this.#outcomes.get(title)?.promise ?? Promise.reject(new Error(`no scenario '${title}'`));
  }

  /** Never throws: every scenario gets an outcome. */
  async run(): Promise<void> {
    const isAble = ({ needs }: Scenario<S>) => needs === undefined || this.kind.lacks[needs] === undefined;
    if (!this.scenarios.some(isAble)) return;
    try {
      await using stage = await this.#track.set();
      for (const scenario of this.scenarios) await this.#runOne(scenario, stage);
    } catch (error) {
      for (const { resolve } of this.#outcomes.values()) resolve({ error: asError(error) });
    }
  }

  async #runOne({ title, needs, body }: Scenario<S>, stage: S): Promise<void> {
    if (needs !== undefined && this.kind.lacks[needs] !== undefined) return;
    try {
      const { text, reason } = (await body(stage)) ?? { text: 'pass' };
      this.#matrix.set(this.#row(title), this.kind, text, reason);
      this.#outcomes.get(title)?.resolve({});
    } catch (thrown) {
      const error = asError(thrown);
      error.message += `\n\n${stage.logs().slice(-LOG_TAIL)}\n`;
      this.#outcomes.get(title)?.resolve({ error });
    }
  }

  #row(title: string): string {
    return this.name === '' ? title : `${this.name}: ${title}`;
  }
}

/** INTEROP_DAEMONS=bird,frr tries only these. */
function isWanted({ name }: DaemonKind): boolean {
  const list = process.env['INTEROP_DAEMONS'];
  return list === undefined || list.split(',').includes(name);
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
