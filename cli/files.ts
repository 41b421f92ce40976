// What commands are told by their options to read and to serve: files and folders, a store, an address. What is wrong with
// one is wrong use.
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inReadingOrder, isDocumentFile, MOST_FILE_BYTES } from '#api';
import { parseEndpoint } from '#ip';
import { parseStorePlace, type StorePlace } from '#store';
import { CommandError, EXIT } from './exit.ts';

/**
 * The YAML and JSON files at or below each path, in the store's order. Throws CommandError (2) for one that is not there.
 *
 * @param command for the message
 */
export function readFilesBelow(
  paths: readonly string[],
  command: string,
): { readonly file: string; readonly text: string }[] {
  return paths.flatMap((path) => {
    try {
      return filesBelow(path).map((file) => ({ file, text: textOf(file) }));
    } catch (error) {
      throw new CommandError(`${command}: ${path}: ${(error as Error).message}`, EXIT.wrongUse);
    }
  });
}

function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter(isDocumentFile);
  return inReadingOrder(names)
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile());
}

/** Of a file that is larger than the agent reads, no more than shows that it is. */
function textOf(file: string): string {
  if (statSync(file).size <= MOST_FILE_BYTES) return readFileSync(file, 'utf8');
  const start = Buffer.alloc(MOST_FILE_BYTES + 1);
  const opened = openSync(file, 'r');
  try {
    readSync(opened, start);
    return start.toString('latin1');
  } finally {
    closeSync(opened);
  }
}

/** Throws CommandError. */
export function storeOption(command: string, text: string): StorePlace {
  const place = parseStorePlace(text, process.env);
  if (place !== undefined) return place;
  throw new CommandError(
    `${command}: --store ${text}: expected kubernetes, kubernetes:KUBECONFIG or dir:PATH`,
    EXIT.wrongUse,
  );
}

/** Throws CommandError. */
export function httpOption(command: string, text: string | undefined): { readonly http?: string } {
  if (text === undefined) return {};
  if (parseEndpoint(text) !== undefined) return { http: text };
  throw new CommandError(
    `${command}: --http ${text}: expected ADDR:PORT, such as 127.0.0.1:9179 or [::1]:9179`,
    EXIT.wrongUse,
  );
}
