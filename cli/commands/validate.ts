// podroute validate FILE…: reads documents as the agent would, alone and together, and says what is wrong before they
// are applied.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatProblem, validateTexts } from '#api';
import { CommandError, EXIT } from '../exit.ts';
import { type OutputFormat, print } from '../output.ts';

export function validate(paths: readonly string[], options: { output: OutputFormat }): void {
  const files = paths.flatMap(filesBelow);
  const { documents, problems } = validateTexts(
    files.map((file) => ({ file, text: readFileSync(file, 'utf8') })),
  );
  const errors = problems.filter(({ severity }) => severity !== 'warning').length;
  const counts = [count(errors, 'error'), count(problems.length - errors, 'warning')].filter(
    (text) => text !== '',
  );
  print(problems, options.output, (all) =>
    [
      ...all.map(formatProblem),
      `${documents} documents in ${files.length} files: ${counts.join(', ') || 'all good'}`,
    ].join('\n'),
  );
  if (errors > 0) process.exitCode = EXIT.badNews;
}

const count = (n: number, word: string): string => (n === 0 ? '' : `${n} ${word}${n === 1 ? '' : 's'}`);

function filesBelow(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ya?ml|json)$/.test(name))
      .sort()
      .map((name) => join(path, name));
  } catch (error) {
    throw new CommandError(`validate: ${path}: ${(error as Error).message}`, EXIT.wrongUse);
  }
}
