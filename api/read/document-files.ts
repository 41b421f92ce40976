// Which files of a folder have documents, and which of two goes before the other.

/** Below a store's folder: what agents write. */
export const OWN_FOLDER = '.podroute';

export const isOwnFile = (path: string): boolean => path.startsWith(`${OWN_FOLDER}/`);

/** YAML and JSON; hidden files and folders are an editor's or a mounted volume's own. */
export const isDocumentFile = (path: string): boolean =>
  /\.(ya?ml|json)$/.test(path) && (isOwnFile(path) || !/(^|\/)\./.test(path));

/** Sorted, with the agents' own files last: what an operator wrote comes first. */
export function inReadingOrder(paths: Iterable<string>): string[] {
  const sorted = [...paths].sort();
  return [...sorted.filter((path) => !isOwnFile(path)), ...sorted.filter(isOwnFile)];
}
