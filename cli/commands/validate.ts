// podroute validate FILE…: reads documents as the agents would, alone, together and for every Node among them, and says
// what is wrong before they are applied.
import { formatProblem } from '#api';
import { validateOffline } from '#agent';
import { EXIT } from '../exit.ts';
import { readFilesBelow } from '../files.ts';
import { type OutputFormat, print } from '../output-format.ts';

export async function validate(paths: readonly string[], options: { output: OutputFormat }): Promise<void> {
  const files = readFilesBelow(paths, 'validate');
  const { documents, unread, problems } = await validateOffline(files);
  const errors = problems.filter(({ severity }) => severity !== 'warning').length;
  const counts = [count(errors, 'error'), count(problems.length - errors, 'warning')].filter(
    (text) => text !== '',
  );
  print(problems, options.output, (all) =>
    [
      ...all.map(formatProblem),
      ...unread.map((what) => `note: ${what}`),
      `${count(documents, 'document') || 'no documents'} in ${count(files.length, 'file') || 'no files'}: ${counts.join(', ') || allGood(unread)}`,
    ].join('\n'),
  );
  if (errors > 0) process.exitCode = EXIT.badNews;
}

/** Of a document that nobody read nothing is known. */
const allGood = (unread: readonly string[]): string =>
  unread.length === 0 ? 'all good' : 'all good of what was read';

const count = (n: number, word: string): string => (n === 0 ? '' : `${n} ${word}${n === 1 ? '' : 's'}`);
