// Which version of each object is in force, given what all files hold now and what was in force before. Pure.
import {
  collections,
  emptyResources,
  type Kind,
  objectName,
  type Problem,
  type Resource,
  type Resources,
} from '#api';
import type { TextDocument } from '#api';

export interface FileContent {
  /** Relative to the store's folder. */
  readonly path: string;
  readonly documents: readonly TextDocument[];
}

export interface Selected {
  readonly resources: Resources;
  readonly problems: readonly Problem[];
  /** In which file each object in force was last seen: 'Kind name' → path. */
  readonly origins: ReadonlyMap<string, string>;
}

/**
 * Files are taken in the given (sorted) order; of two documents for one object the first wins and the other is a
 * Problem. An object whose document is wrong now keeps its version from `before`; so do all objects of a file that
 * cannot be read as YAML. An object without any document is gone.
 */
export function selectObjects(files: readonly FileContent[], before: Selected): Selected {
  const resources = emptyResources();
  const origins = new Map<string, string>();
  const problems: Problem[] = [];
  const put = (object: Resource, path: string) => {
    (resources[collections[object.kind]] as Map<string, Resource>).set(object.metadata.name, object);
    origins.set(objectName(object), path);
  };
  for (const { path, documents } of files) {
    for (const document of documents) {
      problems.push(...document.problems);
      const { resource, identity } = document;
      if (identity === undefined) {
        if (document.unreadable)
          for (const object of objectsOf(before, path))
            if (!origins.has(objectName(object))) put(object, path);
        continue;
      }
      const name = `${identity.kind} ${identity.name}`;
      const first = origins.get(name);
      if (first !== undefined && !(document.unreadable ?? false)) {
        problems.push(doubled(path, first, name, document));
        continue;
      }
      const object = resource ?? lastGood(before, identity.kind, identity.name);
      if (object !== undefined) put(object, path);
    }
  }
  return { resources, problems, origins };
}

export const nothingSelected: Selected = { resources: emptyResources(), problems: [], origins: new Map() };

function lastGood(before: Selected, kind: Kind, name: string): Resource | undefined {
  return (before.resources[collections[kind]] as ReadonlyMap<string, Resource>).get(name);
}

function objectsOf(before: Selected, path: string): Resource[] {
  return Object.values(before.resources)
    .flatMap((map) => [...(map as ReadonlyMap<string, Resource>).values()])
    .filter((object) => before.origins.get(objectName(object)) === path);
}

function doubled(path: string, first: string, object: string, document: TextDocument): Problem {
  const line = document.lineOf('metadata.name');
  return {
    file: path,
    ...(line === undefined ? {} : { line }),
    object,
    field: 'metadata.name',
    message: `stands in ${first} already, and that one is in force; delete one of them`,
  };
}
