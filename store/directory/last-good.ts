// Which version of each object is in force, given what all files hold now and what was in force before. Pure.
import {
  collections,
  doubledObject,
  emptyResources,
  type Identity,
  identityOf,
  identityText,
  keyOf,
  objectName,
  type Problem,
  type Resource,
  type Resources,
  type TextDocument,
} from '#api';

export interface FileContent {
  /** Relative to the store's folder. */
  readonly path: string;
  readonly documents: readonly TextDocument[];
}

export interface Selected {
  readonly resources: Resources;
  readonly problems: readonly Problem[];
  /** In which file each object in force was last seen: identityText → path. */
  readonly origins: ReadonlyMap<string, string>;
}

export const nothingSelected: Selected = { resources: emptyResources(), problems: [], origins: new Map() };

/**
 * Files are taken in the given order; of two documents for one object the first wins and the other is a Problem. An
 * object whose document is wrong now keeps its version from `before`. When a document is so wrong that nobody knows
 * which object it is, every object that its file held stays. An object without any document is gone.
 */
export function selectObjects(files: readonly FileContent[], before: Selected): Selected {
  const resources = emptyResources();
  const origins = new Map<string, string>();
  const problems: Problem[] = [];
  const put = (object: Resource) => {
    const key = keyOf(identityOf(object.kind, object.metadata));
    (resources[collections[object.kind]] as Map<string, Resource>).set(key, object);
  };
  for (const { path, documents } of files) {
    for (const document of documents) {
      problems.push(...document.problems);
      const { resource, identity } = document;
      if (identity === undefined) continue;
      const name = identityText(identity);
      const first = origins.get(name);
      if (first !== undefined) {
        problems.push(doubledObject(name, document, first));
        continue;
      }
      origins.set(name, path);
      const object = resource ?? lastGood(before, identity);
      if (object !== undefined) put(object);
    }
  }
  // After all files: an object that stands elsewhere now has moved.
  const damaged = new Set(files.filter(({ documents }) => documents.some(isNobody)).map(({ path }) => path));
  for (const object of damaged.size === 0 ? [] : objectsOf(before, damaged)) {
    const name = objectName(object);
    if (origins.has(name)) continue;
    const path = before.origins.get(name)!;
    origins.set(name, path);
    put(object);
  }
  return { resources, problems, origins };
}

/** A document of ours that does not say, or not rightly, which object it is. */
const isNobody = ({ identity, problems }: TextDocument): boolean =>
  identity === undefined && problems.length > 0;

function lastGood(before: Selected, identity: Identity): Resource | undefined {
  const map = before.resources[collections[identity.kind]] as ReadonlyMap<string, Resource>;
  return map.get(keyOf(identity));
}

function objectsOf(before: Selected, paths: ReadonlySet<string>): Resource[] {
  return Object.values(before.resources)
    .flatMap((map) => [...(map as ReadonlyMap<string, Resource>).values()])
    .filter((object) => paths.has(before.origins.get(objectName(object)) ?? ''));
}
