// podroute uninstall: what podroute has left on a node, and with --yes without it.
import { type Fate, type InstalledPlaces, uninstallHere } from '#agent';
import { CommandError, EXIT } from '../exit.ts';
import { type OutputFormat, print, table } from '../output-format.ts';

type UninstallOptions = InstalledPlaces & { readonly yes?: true; readonly output: OutputFormat };

export async function uninstall({ yes, output, ...places }: UninstallOptions): Promise<void> {
  const fates = await uninstallHere(places, yes === true).catch((error: unknown) => {
    throw new CommandError(`uninstall: ${(error as Error).message}`, EXIT.badNews);
  });
  print(fates, output, fateTable);
  process.exitCode = fates.every(({ fate }) => fate === 'gone') ? EXIT.good : EXIT.badNews;
}

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
