// The objects that agents write: one file an object below PATH/.podroute/KIND/NAME.yaml. Many agents on one machine
// write the same folder, so every change is compare-and-swap on metadata.resourceVersion under one lock, which the
// kernel lets go when its holder dies (flock), and every file is replaced as a whole: a reader sees the old one or the
// new one, and so does whoever comes after a crash.
import { createHash } from 'node:crypto';
import { type Kind, type KindMap, parseText } from '#api';
import { stringify } from 'yaml';
import type { Disk } from '#world';

export const OWN_FOLDER = '.podroute';

export class ObjectFiles {
  readonly #root: string;
  readonly #disk: Disk;

  constructor(root: string, disk: Disk) {
    this.#root = `${root}/${OWN_FOLDER}`;
    this.#disk = disk;
  }

  async get<K extends Kind>(kind: K, name: string): Promise<KindMap[K] | undefined> {
    const path = this.#path(kind, name);
    const text = textOf(await this.#disk.read(path));
    return text === undefined ? undefined : readObject(kind, text, path);
  }

  async list<K extends Kind>(kind: K): Promise<KindMap[K][]> {
    const objects: KindMap[K][] = [];
    const folder = `${this.#root}/${kind}`;
    for (const { path } of (await this.#disk.list(folder)) ?? []) {
      if (!path.endsWith('.yaml')) continue;
      const text = textOf(await this.#disk.read(`${folder}/${path}`));
      if (text !== undefined) objects.push(readObject(kind, text, `${folder}/${path}`));
    }
    return objects;
  }

  create<K extends Kind>(object: KindMap[K]): Promise<KindMap[K] | 'exists'> {
    const { kind, name } = identity(object);
    return this.#change(async () => {
      if ((await this.get(kind, name)) !== undefined) return 'exists';
      return this.#write(object, undefined);
    });
  }

  update<K extends Kind>(object: KindMap[K]): Promise<KindMap[K] | 'conflict' | 'notFound'> {
    const { kind, name } = identity(object);
    return this.#change(async () => {
      const stored = await this.get(kind, name);
      if (stored === undefined) return 'notFound';
      const version = stored.metadata.resourceVersion;
      if (version !== object.metadata.resourceVersion) return 'conflict';
      return this.#write(object, version);
    });
  }

  delete(kind: Kind, name: string, resourceVersion: string): Promise<'deleted' | 'conflict' | 'notFound'> {
    return this.#change(async () => {
      const stored = await this.get(kind, name);
      if (stored === undefined) return 'notFound';
      if (stored.metadata.resourceVersion !== resourceVersion) return 'conflict';
      await this.#disk.remove(this.#path(kind, name));
      await this.#disk.syncFolder(`${this.#root}/${kind}`);
      return 'deleted';
    });
  }

  #change<T>(action: () => Promise<T>): Promise<T> {
    return this.#disk.locked(`${this.#root}/lock`, action);
  }

  async #write<O extends KindMap[Kind]>(object: O, before: string | undefined): Promise<O> {
    const { kind, name } = identity(object);
    const resourceVersion = versionAfter(before, object);
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion } };
    await this.#disk.replace(this.#path(kind, name), Buffer.from(stringify(stored)));
    return stored;
  }

  #path(kind: Kind, name: string): string {
    if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)) {
      throw new Error(`${kind} ${JSON.stringify(name)}: not a name that an object can have`);
    }
    return `${this.#root}/${kind}/${name}.yaml`;
  }
}

/** As Node reads UTF-8: a byte order mark stays. */
export const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();

/**
 * How often the object was written, and a digest of what it says. The digest tells an object from another that was
 * made under its name after it was deleted: who still holds the version of the first must not change the second.
 */
function versionAfter(before: string | undefined, object: KindMap[Kind]): string {
  const { resourceVersion: _, ...metadata } = object.metadata;
  const digest = createHash('sha256')
    .update(JSON.stringify({ ...object, metadata }))
    .digest('hex');
  return `${Number(before?.split('.')[0] ?? 0) + 1}.${digest.slice(0, 12)}`;
}

function identity<K extends Kind>(object: KindMap[K]): { kind: K; name: string } {
  return { kind: object.kind as K, name: object.metadata.name };
}

function readObject<K extends Kind>(kind: K, text: string, path: string): KindMap[K] {
  const [document] = parseText(text, path);
  if (document?.resource?.kind !== kind) {
    const why = document?.problems.map((problem) => problem.message).join('; ') ?? 'it is empty';
    throw new Error(`${path}: not a readable ${kind}: ${why}`);
  }
  return document.resource as KindMap[K];
}
