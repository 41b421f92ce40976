// podroute validate FILE…: reads documents as the agent would, and says what is wrong before they are applied.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatProblem, parseText, type Problem } from '#api';
import { CommandError, EXIT } from '../exit.ts';
import { type OutputFormat, print } from '../output.ts';

export function validate(paths: readonly string[], options: { output: OutputFormat }): void {
  const files = paths.flatMap(filesBelow);
  const documents = files.flatMap((file) => parseText(readFileSync(file, 'utf8'), file));
  const problems: Problem[] = documents.flatMap((document) => document.problems);
  print(problems, options.output, (all) =>
    [
      ...all.map(formatProblem),
      `${documents.length} documents in ${files.length} files: ${all.length === 0 ? 'all good' : `${all.length} problem(s)`}`,
    ].join('\n'),
  );
  if (problems.length > 0) process.exitCode = EXIT.badNews;
}

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
