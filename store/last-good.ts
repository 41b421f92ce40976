// Which version of each object is in force, given what all files hold now and what was in force before. Pure.
import {
  collections,
  doubledObject,
  emptyResources,
  formerPools,
  type Identity,
  identityOf,
  identityText,
  isNobody,
  isOwnFile,
  keyOf,
  type Kind,
  nothingRefused,
  objectName,
  objectOfOwnFile,
  placed,
  type Problem,
  type Refused,
  type Resource,
  type ResourceMaps,
  type Resources,
  type TextDocument,
} from '#api';

export interface FileContent {
  /** Relative to the store's folder. */
  readonly path: string;
  readonly documents: readonly TextDocument[];
  /** It is there, and was never read: it may hold any object. */
  readonly isUnreadable?: true;
  /** All that can be in it; undefined: any. */
  readonly kind?: Kind;
}

export interface Origin {
  /** The file where it was last seen. */
  readonly path: string;
  /** The document that is in force; undefined: none. */
  readonly written?: unknown;
}

export interface Selected {
  readonly resources: Resources;
  readonly problems: readonly Problem[];
  /** Of each object in force or refused, by identityText. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** A document that is there and wrong is not an absent one: those of which no version was ever good. */
  readonly refused: Refused;
  /** Nothing is known of before: neither what was in force nor what was absent. */
  readonly isFirst?: true;
}

export const nothingSelected: Selected = {
  resources: emptyResources(),
  problems: [],
  origins: new Map(),
  refused: nothingRefused,
  isFirst: true,
};

/**
 * Files are taken in the given order; of two documents for one object the first wins and the other is a Problem. An
 * object whose document is wrong now keeps its version from `before`. When a document is so wrong that nobody knows
 * which object it is, every object that its file held stays. An object without any document is gone. An object that
 * was absent and comes with a wrong document stays absent; what the first reading refuses stays refused until it is
 * right or gone.
 *
 * @param ownOnly kinds of which `files` have no others than this node's
 */
export function selectObjects(
  files: readonly FileContent[],
  before: Selected,
  ownOnly?: ReadonlySet<Kind>,
): Selected {
  const resources = emptyResources();
  const origins = new Map<string, Origin>();
  const refused = new Set<string>();
  const problems: Problem[] = [];
  const put = (object: Resource) => {
    const key = keyOf(identityOf(object.kind, object.metadata));
    (resources[collections[object.kind]] as Map<string, Resource>).set(key, object);
  };
  for (const { path, documents, isUnreadable } of files) {
    // Agents write one object a file: one without any is a file that something else has emptied.
    if (documents.length === 0 && isOwnFile(path) && !isUnreadable) problems.push(emptied(path));
    for (const document of documents) {
      const { resource, identity } = document;
      const keeps =
        identity !== undefined && resource === undefined && inForce(before, identity) !== undefined;
      problems.push(...document.problems.map((problem) => (keeps ? kept(problem) : problem)));
      if (identity === undefined) continue;
      const name = identityText(identity);
      const first = origins.get(name);
      if (first !== undefined) {
        problems.push(doubledObject(name, document, first.path));
        continue;
      }
      const written = resource === undefined ? before.origins.get(name)?.written : document.written;
      origins.set(name, { path, written });
      const object = resource ?? inForce(before, identity);
      if (object !== undefined) put(object);
      else if (before.isFirst || before.refused.objects.has(name)) {
        refused.add(name);
        problems.push(placed(noVersion(name), document));
      }
    }
  }
  // After all files: an object that stands elsewhere now has moved.
  const damaged = new Set(files.filter(isDamaged).map(({ path }) => path));
  for (const object of damaged.size === 0 ? [] : objectsOf(before, damaged)) {
    const name = objectName(object);
    if (origins.has(name)) continue;
    origins.set(name, before.origins.get(name)!);
    put(object);
  }
  problems.push(...keepPoolsInUse(resources, origins, before));
  const former = formerPools(
    { ipPools: before.resources.ipPools, former: before.refused.formerPools },
    resources,
    !ownOnly?.has('IPAMBlock') && !files.some(mayHideBlocks),
  );
  return {
    ...{ resources, problems, origins },
    refused: {
      objects: refused,
      ...unknownIn(files, before),
      ...(former.length > 0 && { formerPools: former }),
    },
  };
}

/** Files and lists that may hold what nobody was ever told of. */
function unknownIn(files: readonly FileContent[], { isFirst, refused }: Selected): Omit<Refused, 'objects'> {
  // What was refused before may be the document that cannot even be told any more.
  const mayBeAny = isFirst || refused.objects.size > 0;
  const damaged = files.filter(isDamaged);
  // Of the agents' own files each can hold its one object only.
  const any = damaged.filter(
    ({ kind, path }) => kind === undefined && !isOwnFile(path) && (mayBeAny || refused.files.has(path)),
  );
  const kinds = damaged.flatMap(({ kind }) => (kind === undefined ? [] : [kind]));
  return {
    files: new Set(any.map(({ path }) => path)),
    kinds: new Set(kinds.filter((kind) => isFirst || refused.kinds.has(kind))),
  };
}

function emptied(path: string): Problem {
  const { kind, name } = objectOfOwnFile(path) ?? { kind: 'file', name: path };
  return {
    file: path,
    object: `${kind} ${name}`,
    field: '',
    message: 'the file is empty, so nobody knows what it said: delete it, its node writes it anew',
  };
}

const isDamaged = ({ documents, isUnreadable }: FileContent): boolean =>
  isUnreadable === true || documents.some(isNobody);

const mayHideBlocks = (file: FileContent): boolean =>
  isDamaged(file) && (file.kind ?? 'IPAMBlock') === 'IPAMBlock';

function inForce(before: Selected, identity: Identity): Resource | undefined {
  const map = before.resources[collections[identity.kind]] as ReadonlyMap<string, Resource>;
  return map.get(keyOf(identity));
}

function objectsOf(before: Selected, paths: ReadonlySet<string>): Resource[] {
  return Object.values(before.resources)
    .flatMap((map) => [...(map as ReadonlyMap<string, Resource>).values()])
    .filter((object) => paths.has(before.origins.get(objectName(object))?.path ?? ''));
}

/** Of a wrong document: it changed nothing. */
function kept(problem: Problem): Problem {
  return problem.severity === 'warning' ? problem : { ...problem, isEarlierInForce: true };
}

function noVersion(object: string): Problem {
  const message = 'is not in force: its document is wrong, and no earlier version of it is known';
  return { object, field: '', message };
}

/**
 * A pool that blocks were cut from keeps its CIDR and block size, as the CRD has it: other nodes reckon with both, and
 * its pods run on.
 */
function keepPoolsInUse(
  { ipPools, ipamBlocks }: ResourceMaps,
  origins: Map<string, Origin>,
  before: Selected,
): Problem[] {
  const inUse = new Set([...ipamBlocks.values()].map(({ spec }) => spec.pool));
  return [...before.resources.ipPools].flatMap(([name, earlier]): Problem[] => {
    const now = ipPools.get(name);
    if (now === undefined || !inUse.has(name)) return [];
    const field = IMMUTABLE.find((one) => earlier.spec[one] !== now.spec[one]);
    if (field === undefined) return [];
    ipPools.set(name, earlier);
    const object = objectName(now);
    origins.set(object, { ...origins.get(object)!, written: before.origins.get(object)?.written });
    return [
      {
        object,
        field: `spec.${field}`,
        value: now.spec[field],
        message: `cannot be changed while blocks of the pool are in use: ${earlier.spec[field]} stays in force; make a new pool and disable this one`,
      },
    ];
  });
}

const IMMUTABLE = ['cidr', 'blockSize'] as const;
