// Durations as operators write them: Go's text ('90s', '1m30s', '500ms') or a number of seconds.

/** A length of time in seconds, not negative, maybe with a fraction. */
export type Seconds = number;

const secondsPerUnit: Readonly<Record<string, number>> = {
  h: 3600,
  m: 60,
  s: 1,
  ms: 1e-3,
  us: 1e-6,
  µs: 1e-6,
  ns: 1e-9,
};
const part = /([0-9]+(?:\.[0-9]+)?)(h|ms|m|s|us|µs|ns)/y;

/** Seconds of a duration, or undefined when it is none (negative numbers are none). */
export function parseDuration(input: unknown): Seconds | undefined {
  if (typeof input === 'number') return Number.isFinite(input) && input >= 0 ? input : undefined;
  if (typeof input !== 'string') return undefined;
  if (/^[0-9]+(\.[0-9]+)?$/.test(input)) return Number(input);
  let seconds = 0;
  part.lastIndex = 0;
  while (part.lastIndex < input.length) {
    const match = part.exec(input);
    if (!match) return undefined;
    seconds += Number(match[1]) * secondsPerUnit[match[2]!]!;
  }
  return input === '' ? undefined : Math.round(seconds * 1e9) / 1e9;
}

/** '1m30s', '90s' is written '1m30s'. */
export function formatDuration(seconds: Seconds): string {
  const whole = Math.floor(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = Math.round((seconds - hours * 3600 - minutes * 60) * 1e9) / 1e9;
  return `${hours ? `${hours}h` : ''}${minutes ? `${minutes}m` : ''}${rest || seconds < 60 ? `${rest}s` : ''}`;
}
