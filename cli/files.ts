// Files that a command is given, as the directory store would find them.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, EXIT } from './exit.ts';

/**
 * The YAML and JSON files at or below each path, in order of name. Throws CommandError (2) for one that is not there.
 *
 * @param command for the message
 */
export function readFilesBelow(
  paths: readonly string[],
  command: string,
): { readonly file: string; readonly text: string }[] {
  return paths.flatMap((path) => {
    try {
      return filesBelow(path).map((file) => ({ file, text: readFileSync(file, 'utf8') }));
    } catch (error) {
      throw new CommandError(`${command}: ${path}: ${(error as Error).message}`, EXIT.wrongUse);
    }
  });
}

function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ya?ml|json)$/.test(name))
    .sort()
    .map((name) => join(path, name));
}
