// The documents that somebody means to apply or to delete: read, and put over the objects that there are.
import {
  collections,
  formatProblem,
  identityOf,
  keyOf,
  objectName,
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

export interface MeantObjects {
  readonly objects: readonly Resource[];
  /** What is no error. */
  readonly problems: readonly Problem[];
}

/** @throws RangeError naming what is wrong with them */
export function meantObjects(documents: readonly TextDocument[]): MeantObjects {
  const problems = documents.flatMap((document) => document.problems);
  const errors = problems.filter(({ severity }) => severity !== 'warning');
  if (errors.length > 0) throw new RangeError(errors.map(formatProblem).join('\n'));
  const objects = documents.flatMap(({ resource }) => resource ?? []);
  if (objects.length === 0) throw new RangeError('there is no object in it that podroute reads');
  return { objects, problems };
}

/** The objects as they would be, and what of the deed cannot be done. */
export function withDeed(
  resources: Resources,
  objects: readonly Resource[],
  deed: Deed,
): { readonly resources: Resources; readonly problems: readonly Problem[] } {
  const maps: ResourceMaps = { ...resources } as ResourceMaps;
  const problems: Problem[] = [];
  for (const object of objects) {
    const name = collections[object.kind];
    const map = new Map<string, Resource>(maps[name]);
    const key = keyOf(identityOf(object.kind, object.metadata));
    if (deed === 'apply') map.set(key, object);
    else if (!map.delete(key))
      problems.push({
        object: objectName(object),
        field: '',
        message: 'cannot be deleted: there is none in force',
      });
    Object.assign(maps, { [name]: map });
  }
  return { resources: maps, problems };
}
