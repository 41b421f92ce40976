// The documents that somebody means to apply or to delete: read, and put over the objects that there are.
import {
  collections,
  formatProblem,
  type Identity,
  identityText,
  keyOf,
  type Problem,
  type Resource,
  type ResourceMaps,
  type Resources,
  type TextDocument,
} from '#api';

/** apply: the objects take the place of those of their names; delete: those of their names go. */
export type Deed = 'apply' | 'delete';

export interface MeantFile {
  /** For messages. */
  readonly file: string;
  readonly text: string;
  readonly deed: Deed;
}

/** A document; to delete its object only the name counts. */
interface MeantObject {
  readonly identity: Identity;
  /** Absent: of one to delete something else is wrong. */
  readonly resource?: Resource;
}

export interface MeantObjects {
  readonly objects: readonly MeantObject[];
  /** As in problems: 'BGPPeer tor-a'. */
  readonly names: readonly string[];
  /** What is no error. */
  readonly problems: readonly Problem[];
}

/** @throws RangeError naming what is wrong with the documents; what is to be deleted may be so, as long as it can be named */
export function meantObjects(documents: readonly TextDocument[], deed: Deed): MeantObjects {
  const isNamed = ({ identity }: TextDocument) => deed === 'delete' && identity !== undefined;
  const problems = documents.flatMap((document) => (isNamed(document) ? [] : document.problems));
  const errors = problems.filter(({ severity }) => severity !== 'warning');
  if (errors.length > 0) throw new RangeError(errors.map(formatProblem).join('\n'));
  const objects = documents.flatMap((document): MeantObject[] => {
    const { identity, resource } = document;
    if (identity === undefined || (resource === undefined && !isNamed(document))) return [];
    return [{ identity, ...(resource === undefined ? {} : { resource }) }];
  });
  if (objects.length === 0) throw new RangeError('there is no object in it that podroute reads');
  return { objects, names: objects.map(({ identity }) => identityText(identity)), problems };
}

/** The objects as they would be, and what of the deed cannot be done. */
export function withDeed(
  resources: Resources,
  objects: readonly MeantObject[],
  deed: Deed,
): { readonly resources: Resources; readonly problems: readonly Problem[] } {
  const maps: ResourceMaps = { ...resources } as ResourceMaps;
  const problems: Problem[] = [];
  for (const { identity, resource } of objects) {
    const name = collections[identity.kind];
    const map = new Map<string, Resource>(maps[name]);
    const key = keyOf(identity);
    if (deed === 'apply' && resource !== undefined) map.set(key, resource);
    else if (!map.delete(key))
      problems.push({
        object: identityText(identity),
        field: '',
        message: 'cannot be deleted: there is none in force',
      });
    Object.assign(maps, { [name]: map });
  }
  return { resources: maps, problems };
}
