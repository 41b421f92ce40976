// Which files of a folder have documents, and which of two goes before the other.

/** Below a store's folder: what agents write. */
export const OWN_FOLDER = '.podroute';

export const isOwnFile = (path: string): boolean => path.startsWith(`${OWN_FOLDER}/`);

/** .podroute/KIND/NAME.yaml, or .podroute/KIND/NAMESPACE/NAME.yaml; undefined: no such file. */
export function objectOfOwnFile(
  path: string,
): { kind: string; name: string; namespace?: string } | undefined {
  const match = /(?:^|\/)\.podroute\/([^/]+)\/(?:([^/]+)\/)?([^/]+)\.\w+$/.exec(path);
  const [, kind = '', namespace, name = ''] = match ?? [];
  return match ? { kind, name, ...(namespace !== undefined && { namespace }) } : undefined;
}

/** YAML and JSON; hidden files and folders are an editor's or a mounted volume's own. */
export const isDocumentFile = (path: string): boolean =>
  /\.(ya?ml|json)$/.test(path) && (isOwnFile(path) || !/(^|\/)\./.test(path));

/** Sorted, with the agents' own files last: what an operator wrote comes first. */
export function inReadingOrder(paths: Iterable<string>): string[] {
  const sorted = [...paths].sort();
  return [...sorted.filter((path) => !isOwnFile(path)), ...sorted.filter(isOwnFile)];
}
