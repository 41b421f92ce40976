// All problems of the node in one list, whoever found them, and one log line when each appears or goes.
import { formatProblem, type Problem } from '#api';
import type { Log } from '../log.ts';
import { statusProblem } from './collect.ts';
import type { StatusProblem } from '#agent-api';

export class ProblemBoard {
  readonly #log: Log;
  readonly #bySource = new Map<StatusProblem['from'], readonly Problem[]>();
  #current = new Map<string, StatusProblem>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Replaces what one source has found. */
  set(from: StatusProblem['from'], problems: readonly Problem[]): void {
    this.#bySource.set(from, problems);
    const next = new Map<string, StatusProblem>();
    for (const [source, found] of this.#bySource) {
      for (const problem of found) next.set(formatProblem(problem), statusProblem(problem, source));
    }
    for (const [text, problem] of next) {
      const { object, field } = problem;
      if (!this.#current.has(text)) this.#log.warn({ object, field, from: problem.from }, `problem: ${text}`);
    }
    for (const [text, { object, field }] of this.#current) {
      if (!next.has(text)) this.#log.info({ object, field }, `no longer a problem: ${text}`);
    }
    this.#current = next;
  }

  all(): readonly StatusProblem[] {
    return [...this.#current.values()];
  }
}
