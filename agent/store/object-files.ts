// The objects that agents write: one file an object below PATH/.podroute/KIND/NAME.yaml. Many agents on one machine
// write the same folder, so every change is compare-and-swap on metadata.resourceVersion under a lock file, and every
// file is replaced as a whole: a reader sees the old one or the new one.
import { collections, type Kind, type KindMap, parseText } from '#api';
import { stringify } from 'yaml';
import type { StoreDisk } from './disk.ts';

export const OWN_FOLDER = '.podroute';

export class ObjectFiles {
  readonly #root: string;
  readonly #disk: StoreDisk;

  constructor(root: string, disk: StoreDisk) {
    this.#root = `${root}/${OWN_FOLDER}`;
    this.#disk = disk;
  }

  async get<K extends Kind>(kind: K, name: string): Promise<KindMap[K] | undefined> {
    const text = await this.#disk.readText(this.#path(kind, name));
    return text === undefined ? undefined : readObject(kind, text, this.#path(kind, name));
  }

  async list<K extends Kind>(kind: K): Promise<KindMap[K][]> {
    const objects: KindMap[K][] = [];
    const folder = `${this.#root}/${collections[kind]}`;
    for (const file of (await this.#disk.list(folder)) ?? []) {
      if (!file.endsWith('.yaml')) continue;
      const text = await this.#disk.readText(`${folder}/${file}`);
      if (text !== undefined) objects.push(readObject(kind, text, `${folder}/${file}`));
    }
    return objects;
  }

  create<K extends Kind>(object: KindMap[K]): Promise<KindMap[K] | 'exists'> {
    const { kind, name } = identity(object);
    return this.#change(async () => {
      if ((await this.get(kind, name)) !== undefined) return 'exists';
      return this.#write(object, 1);
    });
  }

  update<K extends Kind>(object: KindMap[K]): Promise<KindMap[K] | 'conflict' | 'notFound'> {
    const { kind, name } = identity(object);
    return this.#change(async () => {
      const stored = await this.get(kind, name);
      if (stored === undefined) return 'notFound';
      const version = stored.metadata.resourceVersion;
      if (version !== object.metadata.resourceVersion) return 'conflict';
      return this.#write(object, Number(version) + 1);
    });
  }

  delete(kind: Kind, name: string, resourceVersion: string): Promise<'deleted' | 'conflict' | 'notFound'> {
    return this.#change(async () => {
      const stored = await this.get(kind, name);
      if (stored === undefined) return 'notFound';
      if (stored.metadata.resourceVersion !== resourceVersion) return 'conflict';
      await this.#disk.remove(this.#path(kind, name));
      return 'deleted';
    });
  }

  #change<T>(action: () => Promise<T>): Promise<T> {
    return this.#disk.locked(`${this.#root}/lock`, action);
  }

  async #write<O extends KindMap[Kind]>(object: O, version: number): Promise<O> {
    const { kind, name } = identity(object);
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    await this.#disk.replace(this.#path(kind, name), stringify(stored));
    return stored;
  }

  #path(kind: Kind, name: string): string {
    if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)) {
      throw new Error(`${kind} ${JSON.stringify(name)}: not a name that an object can have`);
    }
    return `${this.#root}/${collections[kind]}/${name}.yaml`;
  }
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
