// What is wrong with a document, told so that the operator can mend it: file, line, object, field, value.

/** Of problems that programs are told of by a word. */
export type ProblemCause = 'SecretMissing' | 'Conflict' | 'OwnBlockHeard';

export interface Problem {
  readonly file?: string;
  /** Counted from 1. */
  readonly line?: number;
  /** Of a text that makes no sense; counted from 1. */
  readonly column?: number;
  /** 'BGPPeer tor-a' */
  readonly object: string;
  /** 'spec.peerIP', 'spec.filters[2]'; empty when the whole object is meant. */
  readonly field: string;
  readonly value?: unknown;
  /** Reads on after the value when there is one: 'is not an IP address'. */
  readonly message: string;
  /** What would have been right: 'an IPv4 or IPv6 address'. */
  readonly allowed?: string;
  /** Absent: an error, the object is not used as it stands. */
  readonly severity?: 'warning';
  readonly cause?: ProblemCause;
  /** Of an error: the last good version of the object stays in force. */
  readonly isEarlierInForce?: true;
}

/** One line: `peers.yaml:12: BGPPeer tor-a: spec.peerIP: "10.0.0.300" is not an IP address (expected …)`. */
export function formatProblem(problem: Problem): string {
  const place =
    problem.file === undefined
      ? undefined
      : problem.line === undefined
        ? problem.file
        : `${problem.file}:${problem.line}${problem.column === undefined ? '' : `:${problem.column}`}`;
  const message = [
    problem.value === undefined ? undefined : formatValue(problem.value),
    problem.message,
    problem.allowed === undefined ? undefined : `(expected ${problem.allowed})`,
  ];
  const line = [
    place,
    problem.severity,
    problem.object || undefined,
    problem.field || undefined,
    message.filter((part) => part !== undefined).join(' '),
  ];
  const text = line.filter((part) => part !== undefined).join(': ');
  return problem.isEarlierInForce ? `${text}; the last good version stays in force` : text;
}

const longestValue = 80;

function formatValue(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= longestValue ? text : `${text.slice(0, longestValue - 1)}…`;
}
