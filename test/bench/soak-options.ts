// The soak's options, checked: every value that cannot be run is said with its name and what is allowed.

export interface SoakSize {
  readonly minutes: number;
  readonly peers: number;
  readonly prefixes: number;
  /** Prefixes changed a second. */
  readonly rate: number;
  /** Seconds between two readers of the whole table; 0 = none. */
  readonly joins: number;
  /** Bytes a second of the reader that never gets all; 0 = none. */
  readonly slowReader: number;
}

/** Texts as they come from the command line, by option name. */
export type SoakTexts = Readonly<
  Record<'minutes' | 'peers' | 'prefixes' | 'rate' | 'joins' | 'slow-reader', string>
>;

/** The addresses of a /24 from .100 on: peers and four more. */
const MOST_PEERS = 150;

/** @throws RangeError with the option, its value and what is allowed */
export function soakSize(texts: SoakTexts): SoakSize {
  return {
    minutes: number(texts, 'minutes', 0.1, 1440, false),
    peers: number(texts, 'peers', 1, MOST_PEERS, true),
    prefixes: number(texts, 'prefixes', 8, 4_000_000, true),
    rate: number(texts, 'rate', 1, 10_000_000, true),
    joins: number(texts, 'joins', 0, 86_400, true),
    slowReader: number(texts, 'slow-reader', 0, 1e9, true),
  };
}

function number(
  texts: SoakTexts,
  name: keyof SoakTexts,
  least: number,
  most: number,
  isWhole: boolean,
): number {
  const text = texts[name];
  const value = text.trim() === '' ? NaN : Number(text);
  if (value >= least && value <= most && (!isWhole || Number.isInteger(value))) return value;
  const kind = isWhole ? 'a whole number' : 'a number';
  throw new RangeError(`--${name} '${text}': ${kind} from ${least} to ${most} expected`);
}

/** Seconds between two session resets: one in ten seconds, more often in a short run so that it has some. */
export function resetEvery(size: SoakSize): number {
  return Math.min(10, Math.max(2, Math.round((size.minutes * 60) / 20)));
}

/** Seconds between two joins: in a short run as often as to have three. */
export function joinEvery(size: SoakSize): number {
  return size.joins === 0 ? 0 : Math.max(2, Math.min(size.joins, Math.round((size.minutes * 60) / 4)));
}
