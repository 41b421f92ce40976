// What the exit code of a command tells a script, and how it speaks on stderr.

export const EXIT = {
  good: 0,
  /** The question was answered, and the answer is bad news: a session is down, a document is wrong. */
  badNews: 1,
  wrongUse: 2,
  agentUnreachable: 3,
} as const;

/** For help and docs/cli.md. */
export const EXIT_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT.good, 'good'],
  [EXIT.badNews, 'answered, and it is bad news'],
  [EXIT.wrongUse, 'wrong use: a command, option, value, file or session that there is not'],
  [EXIT.agentUnreachable, 'no agent answers, or no API server'],
];

/** Ends a command with a message on stderr and an exit code; thrown by commands, caught at the top. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A line on stderr: an error, or a note beside what stdout has. */
export function tell(text: string): void {
  process.stderr.write(`podroute: ${text}\n`);
}
