// Every line of the log that a neighbour can cause goes through here, and each kind has its rate: who makes one happen a
// thousand times a second fills no disk. A line says how many of its kind and neighbour were left out before it.
// What an operator or the configuration causes is not limited.
import type { Clock } from '#world';
import { LogLimit } from './log-limit.ts';

/** Fields first, text second, as pino takes them. */
export interface SpeakerLog {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

interface Rate {
  readonly level: keyof SpeakerLog;
  /** Lines at once about one neighbour, then one more after each such time. */
  readonly burst: number;
  readonly everyMs: number;
}

const ONE_A_MINUTE = { level: 'warn', burst: 1, everyMs: 60_000 } as const;

const RATES = {
  /** A neighbour that comes and goes tells its story for a while. */
  transition: { level: 'info', burst: 30, everyMs: 2000 },
  bfd: { level: 'info', burst: 30, everyMs: 2000 },
  routes: { level: 'debug', burst: 30, everyMs: 2000 },
  refused: { level: 'info', burst: 1, everyMs: 60_000 },
  /** Two a session, and those after a ROUTE-REFRESH. */
  'end of rib': { level: 'info', burst: 8, everyMs: 60_000 },
  malformed: ONE_A_MINUTE,
  'ignored family': ONE_A_MINUTE,
  'ignored prefix': ONE_A_MINUTE,
  'too large': ONE_A_MINUTE,
  'near limit': { level: 'warn', burst: 4, everyMs: 60_000 },
  'over limit': { level: 'warn', burst: 4, everyMs: 60_000 },
  fault: { level: 'warn', burst: 4, everyMs: 60_000 },
} as const satisfies Readonly<Record<string, Rate>>;

export type LineKind = keyof typeof RATES;

export class LimitedLog {
  readonly #log: SpeakerLog | undefined;
  readonly #limits: ReadonlyMap<LineKind, LogLimit>;
  #leftOut = 0;

  constructor(log: SpeakerLog | undefined, clock: Clock) {
    this.#log = log;
    this.#limits = new Map(
      (Object.keys(RATES) as LineKind[]).map((kind) => {
        const { burst, everyMs } = RATES[kind];
        return [kind, new LogLimit(clock, burst, everyMs)];
      }),
    );
  }

  /** Lines that were left out, of all kinds. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /**
   * @param subject the neighbour (or range) that caused it
   * @param say makes the line, only when it is said
   */
  line(kind: LineKind, subject: string, say: () => readonly [fields: object, text: string]): void {
    const before = this.#limits.get(kind)!.take(subject);
    if (before === undefined) {
      this.#leftOut++;
      return;
    }
    if (this.#log === undefined) return;
    const [fields, text] = say();
    this.#log[RATES[kind].level](before === 0 ? fields : { ...fields, leftOut: before }, text);
  }
}
