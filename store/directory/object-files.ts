// The objects that agents write: one file an object below PATH/.podroute/KIND/. Many agents on one machine write the
// same folder, so every change is compare-and-swap on metadata.resourceVersion under one lock, which the kernel lets go
// when its holder dies (flock), and every file is replaced as a whole: a reader sees the old one or the new one, and so
// does whoever comes after a crash.
import { createHash } from 'node:crypto';
import { type Kind, type KindMap, OWN_FOLDER, parseText } from '#api';
import { type Disk, textOf } from '#world';
import { parse, stringify } from 'yaml';
import type { Lease } from '../store.ts';
import {
  type CreateResult,
  type DeleteResult,
  keyOfObject,
  type ObjectKey,
  type StoredKind,
  type StoredMap,
  type StoredObject,
  type UpdateResult,
  withStatusOf,
} from '../store.ts';

/** With quotes around whatever kubectl, and so parseText, would not take for a text. */
const WRITING = { schema: 'yaml-1.1' } as const;

export class ObjectFiles {
  readonly #root: string;
  readonly #disk: Disk;

  constructor(root: string, disk: Disk) {
    this.#root = `${root}/${OWN_FOLDER}`;
    this.#disk = disk;
  }

  async get<K extends StoredKind>(key: ObjectKey<K>): Promise<StoredMap[K] | undefined> {
    const object = await this.#read(key);
    if (object instanceof UnreadableError) throw object;
    return object;
  }

  async #read<K extends StoredKind>(key: ObjectKey<K>): Promise<StoredMap[K] | UnreadableError | undefined> {
    const path = this.#path(key);
    const text = textOf(await this.#disk.read(path));
    return text === undefined ? undefined : readObject(key.kind, text, path);
  }

  async list<K extends StoredKind>(kind: K): Promise<StoredMap[K][]> {
    const objects: StoredMap[K][] = [];
    const folder = `${this.#root}/${kind}`;
    for (const { path } of (await this.#disk.list(folder)) ?? []) {
      if (!path.endsWith(extensionOf(kind))) continue;
      const text = textOf(await this.#disk.read(`${folder}/${path}`));
      const object = text === undefined ? undefined : readObject(kind, text, `${folder}/${path}`);
      // One that cannot be read harms nobody else's.
      if (object !== undefined && !(object instanceof UnreadableError)) objects.push(object);
    }
    return objects;
  }

  create<T extends StoredObject>(object: T): Promise<CreateResult<T>> {
    const key = keyOfObject(object);
    return this.#change(async () => {
      const stored = await this.#read(key);
      if (stored instanceof UnreadableError) return { kind: 'unreadable', why: stored.message };
      if (stored !== undefined) return { kind: 'conflict', newest: stored as T };
      return { kind: 'stored', object: await this.#write(key, withStatusOf(object, undefined), undefined) };
    });
  }

  /** @param next what is to be stored, of what is */
  update<T extends StoredObject>(object: T, next: (stored: T) => T): Promise<UpdateResult<T>> {
    const key = keyOfObject(object);
    return this.#change(async () => {
      const stored = (await this.get(key)) as T | undefined;
      if (stored === undefined) return { kind: 'notFound' };
      const version = stored.metadata.resourceVersion;
      if (version !== object.metadata.resourceVersion) return { kind: 'conflict', newest: stored };
      return { kind: 'stored', object: await this.#write(key, next(stored), version) };
    });
  }

  delete<K extends StoredKind>(
    key: ObjectKey<K>,
    resourceVersion: string,
  ): Promise<DeleteResult<StoredMap[K]>> {
    return this.#change(async () => {
      const stored = await this.get(key);
      if (stored === undefined) return { kind: 'notFound' };
      if (stored.metadata.resourceVersion !== resourceVersion) return { kind: 'conflict', newest: stored };
      const path = this.#path(key);
      await this.#disk.remove(path);
      await this.#disk.syncFolder(path.slice(0, path.lastIndexOf('/')));
      return { kind: 'deleted' };
    });
  }

  #change<T>(action: () => Promise<T>): Promise<T> {
    return this.#disk.locked(`${this.#root}/lock`, action);
  }

  async #write<T extends StoredObject>(key: ObjectKey, object: T, before: string | undefined): Promise<T> {
    const resourceVersion = versionAfter(before, object);
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion } };
    await this.#disk.replace(this.#path(key), Buffer.from(stringify(stored, WRITING)));
    return stored;
  }

  #path({ kind, namespace, name }: ObjectKey): string {
    for (const part of [name, namespace]) {
      if (part !== undefined && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(part)) {
        throw new Error(`${kind} ${JSON.stringify(part)}: not a name that an object can have`);
      }
    }
    const folder = namespace === undefined ? kind : `${kind}/${namespace}`;
    return `${this.#root}/${folder}/${name}${extensionOf(kind)}`;
  }
}

/** Leases are no documents that the store's readers follow: they change every few seconds, and nobody plans by them. */
const extensionOf = (kind: StoredKind): string => (kind === 'Lease' ? '.lease' : '.yaml');

/**
 * How often the object was written, and a digest of what it says. The digest tells an object from another that was
 * made under its name after it was deleted: who still holds the version of the first must not change the second.
 */
function versionAfter(before: string | undefined, object: StoredObject): string {
  const { resourceVersion: _, ...metadata } = object.metadata;
  const digest = createHash('sha256')
    .update(JSON.stringify({ ...object, metadata }))
    .digest('hex');
  return `${Number(before?.split('.')[0] ?? 0) + 1}.${digest.slice(0, 12)}`;
}

/** The document of one object is wrong. */
class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
}

function readObject<K extends StoredKind>(
  kind: K,
  text: string,
  path: string,
): StoredMap[K] | UnreadableError {
  const object = kind === 'Lease' ? readLease(text, path) : readResource(kind as Kind, text, path);
  return object as StoredMap[K] | UnreadableError;
}

function readResource(kind: Kind, text: string, path: string): KindMap[Kind] | UnreadableError {
  const [document] = parseText(text, path);
  if (document?.resource?.kind === kind) return document.resource;
  const why = document?.problems.map((problem) => problem.message).join('; ') || 'it holds no such object';
  return new UnreadableError(`${path}: not a readable ${kind}: ${why}`);
}

function readLease(text: string, path: string): Lease | UnreadableError {
  const lease = parsed(text) as Partial<Lease> | null;
  const { holderIdentity, leaseDurationSeconds } = lease?.spec ?? {};
  if (typeof holderIdentity === 'string' && typeof leaseDurationSeconds === 'number' && lease?.metadata) {
    return lease as Lease;
  }
  return new UnreadableError(
    `${path}: not a readable Lease: it has no holderIdentity or leaseDurationSeconds`,
  );
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return null;
  }
}
