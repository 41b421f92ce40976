// What signed TCP lost in the last minute, read from the kernel's counters every few seconds: the only trace that a
// wrong password leaves.
import { readSignatureDrops, type SignatureDrops } from '#linux';

const EVERY_MS = 5_000;
/** Of the last minute, and the one before. */
const MOST_READINGS = 13;

export interface SignatureWatch extends Disposable {
  /** Of the last minute. Undefined: this kernel does not count them. */
  recent(): SignatureDrops | undefined;
}

export function watchSignatures(): SignatureWatch {
  const readings: SignatureDrops[] = [];
  const read = async (): Promise<void> => {
    const drops = await readSignatureDrops().catch(() => undefined);
    if (drops !== undefined) readings.push(drops);
    if (readings.length > MOST_READINGS) readings.shift();
  };
  void read();
  const timer = setInterval(() => void read(), EVERY_MS);
  timer.unref();
  return {
    recent() {
      const [first, last] = [readings[0], readings.at(-1)];
      if (first === undefined || last === undefined) return undefined;
      return {
        unsigned: last.unsigned - first.unsigned,
        unexpected: last.unexpected - first.unexpected,
        wrong: last.wrong - first.wrong,
      };
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
