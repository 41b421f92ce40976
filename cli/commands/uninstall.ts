// podroute uninstall: what podroute has left on a node, and with --yes without it. With --stay it is a DaemonSet's process,
// which would be started anew if it ended: it tries until all is gone, and then waits to be ended.
import { setTimeout as wait } from 'node:timers/promises';
import { type Fate, type InstalledPlaces, uninstallHere } from '#agent';
import { CommandError, EXIT, tell } from '../exit.ts';
import { type OutputFormat, print, table } from '../output-format.ts';

type UninstallOptions = InstalledPlaces & {
  readonly yes?: true;
  readonly stay?: true;
  readonly output: OutputFormat;
};

/** Pods go, and an agent is stopped, at a pace of people. */
const AGAIN_MS = 5_000;
const DAY_MS = 86_400_000;

export async function uninstall({ yes, stay, output, ...places }: UninstallOptions): Promise<void> {
  if (stay === true && yes !== true)
    throw new CommandError('uninstall --stay: what would go is said once; it needs --yes', EXIT.wrongUse);
  if (stay === true) return untilEnded(places, output);
  const fates = await uninstallHere(places, yes === true).catch((error: unknown) => {
    throw new CommandError(`uninstall: ${(error as Error).message}`, EXIT.badNews);
  });
  print(fates, output, fateTable);
  process.exitCode = isClean(fates) ? EXIT.good : EXIT.badNews;
}

async function untilEnded(places: InstalledPlaces, output: OutputFormat): Promise<void> {
  const ended = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ended.abort());
  const pause = (ms: number) => wait(ms, undefined, { signal: ended.signal }).catch(() => undefined);
  process.exitCode = EXIT.badNews;
  let before = '';
  while (!ended.signal.aborted) {
    const outcome = await uninstallHere(places, true).catch((error: unknown) => (error as Error).message);
    const said = JSON.stringify(outcome);
    if (said !== before) {
      if (typeof outcome === 'string') tell(`uninstall: ${outcome}; trying again until that is over`);
      else print(outcome, output, fateTable);
    }
    before = said;
    if (typeof outcome === 'string' || !isClean(outcome)) {
      await pause(AGAIN_MS);
      continue;
    }
    tell('nothing of podroute is on this node any more; waiting to be ended');
    process.exitCode = EXIT.good;
    while (!ended.signal.aborted) await pause(DAY_MS);
  }
}

const isClean = (fates: readonly Fate[]): boolean => fates.every(({ fate }) => fate === 'gone');

const WORDS = { goes: 'would go (--yes)', gone: 'gone', stays: 'stays', failed: 'failed' } as const;

export function fateTable(fates: readonly Fate[]): string {
  if (fates.length === 0) return 'nothing of podroute is on this node';
  const rows = fates.map(({ what, where, fate, why }) => [
    what,
    where,
    why === undefined ? WORDS[fate] : `${WORDS[fate]}: ${why}`,
  ]);
  return table(['WHAT', 'WHERE', 'STATE'], rows);
}
