// What agents write, as requests: compare and swap on metadata.resourceVersion. A change keeps what others wrote into the
// object (finalizers, owners), of which our types know nothing.
import { type Labels, parseDocument } from '#api';
import { type ApiServer, isStatus } from './api-server.ts';
import { listPages } from './list-pages.ts';
import { labelSelectorOf, listPath, RESOURCE_PATHS } from './resource-paths.ts';
import {
  type CreateResult,
  type DeleteResult,
  keyOfObject,
  type Lease,
  type ObjectKey,
  type StoredKind,
  type StoredMap,
  type StoredObject,
  type UpdateResult,
} from '../store.ts';

const PAGE = 500;

interface Raw {
  readonly apiVersion?: string;
  readonly metadata: Readonly<Record<string, unknown>> & { readonly resourceVersion: string };
  readonly spec?: unknown;
  readonly status?: unknown;
}

export class ObjectRequests {
  readonly #api: ApiServer;

  constructor(api: ApiServer) {
    this.#api = api;
  }

  /** Rejects when the object cannot be read. */
  async get<K extends StoredKind>(key: ObjectKey<K>): Promise<StoredMap[K] | undefined> {
    const raw = await this.#find(key);
    return raw && readAs(key.kind, raw);
  }

  async list<K extends StoredKind>(kind: K, labels: Labels = {}): Promise<readonly StoredMap[K][]> {
    const objects: StoredMap[K][] = [];
    const labelSelector = labelSelectorOf(labels);
    const path = (query: Readonly<Record<string, string>>) =>
      `${listPath(RESOURCE_PATHS[kind])}?${new URLSearchParams({ ...query, ...(labelSelector !== '' && { labelSelector }) }).toString()}`;
    for await (const { items, apiVersion } of listPages(this.#api, path, PAGE)) {
      for (const item of items) {
        const object = tryRead(kind, { ...(item as Raw), apiVersion, kind });
        if (object !== undefined) objects.push(object);
      }
    }
    return objects;
  }

  async create<T extends StoredObject>(object: T): Promise<CreateResult<T>> {
    const key = keyOfObject(object);
    const path = listPath(RESOURCE_PATHS[key.kind], key.namespace);
    const { status: _, metadata, ...rest } = object as StoredObject & { readonly status?: unknown };
    const { resourceVersion: _version, ...named } = metadata;
    for (;;) {
      try {
        const body = toWire({ ...rest, metadata: named } as StoredObject);
        const stored = await this.#api.ask({ method: 'POST', path, body });
        return { kind: 'stored', object: readAs(key.kind, stored) as T };
      } catch (error) {
        if (!isStatus(error, 409)) throw error;
      }
      const newest = await this.#find(key);
      // Deleted since: its name is free again.
      if (newest === undefined) continue;
      const object = tryRead(key.kind, newest);
      if (object !== undefined) return { kind: 'conflict', newest: object as T };
      return { kind: 'unreadable', why: whyUnreadable(key.kind, newest) };
    }
  }

  async update<T extends StoredObject>(object: T): Promise<UpdateResult<T>> {
    const key = keyOfObject(object);
    const found = await this.#find(key);
    if (found === undefined) return { kind: 'notFound' };
    if (found.metadata.resourceVersion !== object.metadata.resourceVersion) {
      return { kind: 'conflict', newest: readAs(key.kind, found) as T };
    }
    const { labels = {}, annotations = {} } = object.metadata;
    const { spec } = toWire(object) as Raw;
    const body = { ...found, metadata: { ...found.metadata, labels, annotations }, spec };
    return this.#put(key, this.#path(key), body);
  }

  /** The server takes the status of it and nothing else. */
  updateStatus<T extends StoredObject>(object: T): Promise<UpdateResult<T>> {
    const key = keyOfObject(object);
    return this.#put(key, `${this.#path(key)}/status`, object);
  }

  /** Of the version that the caller has seen. */
  async updateFinalizers<T extends StoredObject>(
    object: T,
    finalizers: readonly string[],
  ): Promise<UpdateResult<T>> {
    const key = keyOfObject(object);
    const found = await this.#find(key);
    if (found === undefined) return { kind: 'notFound' };
    if (found.metadata.resourceVersion !== object.metadata.resourceVersion) {
      return { kind: 'conflict', newest: readAs(key.kind, found) as T };
    }
    const body = { ...found, metadata: { ...found.metadata, finalizers } };
    return this.#put(key, this.#path(key), body);
  }

  async #put<T extends StoredObject>(key: ObjectKey, path: string, body: unknown): Promise<UpdateResult<T>> {
    try {
      const stored = await this.#api.ask({ method: 'PUT', path, body });
      return { kind: 'stored', object: readAs(key.kind, stored) as T };
    } catch (error) {
      if (isStatus(error, 404)) return { kind: 'notFound' };
      if (!isStatus(error, 409)) throw error;
      const newest = await this.get(key);
      return newest === undefined ? { kind: 'notFound' } : { kind: 'conflict', newest: newest as T };
    }
  }

  async delete<K extends StoredKind>(
    key: ObjectKey<K>,
    resourceVersion: string,
  ): Promise<DeleteResult<StoredMap[K]>> {
    try {
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { resourceVersion } };
      await this.#api.ask({ method: 'DELETE', path: this.#path(key), body });
      return { kind: 'deleted' };
    } catch (error) {
      if (isStatus(error, 404)) return { kind: 'notFound' };
      if (!isStatus(error, 409)) throw error;
      const newest = await this.get(key);
      return newest === undefined ? { kind: 'notFound' } : { kind: 'conflict', newest };
    }
  }

  async #find(key: ObjectKey): Promise<Raw | undefined> {
    try {
      return (await this.#api.ask({ method: 'GET', path: this.#path(key) })) as Raw;
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  #path({ kind, namespace, name }: ObjectKey): string {
    return `${listPath(RESOURCE_PATHS[kind], namespace)}/${encodeURIComponent(name)}`;
  }
}

function tryRead<K extends StoredKind>(kind: K, raw: unknown): StoredMap[K] | undefined {
  if (kind === 'Lease') return leaseFrom(raw as WireLease) as StoredMap[K] | undefined;
  return parseDocument(raw).resource as StoredMap[K] | undefined;
}

/** Throws when it is no such object. */
function readAs<K extends StoredKind>(kind: K, raw: unknown): StoredMap[K] {
  const object = tryRead(kind, raw);
  if (object === undefined) throw new Error(whyUnreadable(kind, raw as Raw));
  return object;
}

function whyUnreadable(kind: StoredKind, raw: Raw): string {
  const problems = kind === 'Lease' ? ['it has no holder'] : parseDocument(raw).problems.map(problemText);
  return `${kind} ${String(raw.metadata['name'])} cannot be read: ${problems.join('; ')}`;
}

const problemText = ({ field, message }: { readonly field: string; readonly message: string }): string =>
  `${field} ${message}`.trim();

/** As the server has it: what is empty with us is absent there, and times have microseconds. */
interface WireLease {
  readonly apiVersion: 'coordination.k8s.io/v1';
  readonly kind: 'Lease';
  readonly metadata: Lease['metadata'];
  readonly spec?: Partial<Lease['spec']>;
}

function leaseFrom({ metadata, spec = {} }: WireLease): Lease | undefined {
  const { name, namespace, resourceVersion } = metadata;
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(resourceVersion !== undefined && { resourceVersion }),
    },
    spec: {
      holderIdentity: spec.holderIdentity ?? '',
      leaseDurationSeconds: spec.leaseDurationSeconds ?? 0,
      acquireTime: spec.acquireTime ?? '',
      renewTime: spec.renewTime ?? '',
      leaseTransitions: spec.leaseTransitions ?? 0,
    },
  };
}

function toWire(object: StoredObject): unknown {
  if (object.kind !== 'Lease') return object;
  const { acquireTime, renewTime, ...rest } = object.spec;
  const spec = { ...rest, acquireTime: micros(acquireTime), renewTime: micros(renewTime) };
  return { ...object, spec: Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== '')) };
}

/** '2026-01-01T00:00:00.000Z' → '2026-01-01T00:00:00.000000Z', which alone the server takes. */
const micros = (time: string): string =>
  time.replace(/\.(\d{1,6})Z$/, (_, digits: string) => `.${digits.padEnd(6, '0')}Z`);
