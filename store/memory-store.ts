// Objects in memory, shared by the nodes of a simulation or a test as an API server is. Each node has a view of its own,
// which can be late, or get no answers. All time is the clock's, so the same calls give the same run.
import {
  collections,
  emptyResources,
  keyOf,
  nothingRefused,
  type Problem,
  type Refused,
  type Resource,
  type Resources,
  type Labels,
} from '#api';
import type { Clock, Timer } from '#world';
import {
  type CreateResult,
  type DeleteResult,
  hasLabels,
  keyOfObject,
  type ObjectKey,
  type OwnPods,
  type Store,
  type StoredKind,
  type StoredMap,
  type StoredObject,
  type UpdateResult,
  withFinalizers,
  withStatusOf,
} from './store.ts';

export class MemoryStore {
  readonly #clock: Clock;
  readonly #kinds = new Map<StoredKind, Map<string, StoredObject>>();
  readonly #views = new Set<MemoryStoreView>();
  #version = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A store of one node; to be started and disposed of. */
  view(): MemoryStoreView {
    const view = new MemoryStoreView(this, this.#clock);
    this.#views.add(view);
    return view;
  }

  /** As an operator does: whatever was there is replaced. */
  apply(...objects: readonly StoredObject[]): void {
    for (const object of objects) this.put(object);
  }

  /** As an operator does; nothing when it is gone. With finalizers it stays, and says that it is deleted. */
  remove(key: ObjectKey): void {
    const object = this.get(key);
    if (object === undefined) return;
    const { finalizers = [], deletionTimestamp } = object.metadata;
    if (finalizers.length > 0 && deletionTimestamp === undefined) {
      const now = new Date(this.#clock.wall()).toISOString();
      this.put({ ...object, metadata: { ...object.metadata, deletionTimestamp: now } });
    } else if (finalizers.length === 0) {
      this.#kinds.get(key.kind)?.delete(keyOf(key));
      this.#tell(key.kind);
    }
  }

  get<K extends StoredKind>(key: ObjectKey<K>): StoredMap[K] | undefined {
    return this.#kinds.get(key.kind)?.get(keyOf(key)) as StoredMap[K] | undefined;
  }

  /** Sorted by key. */
  list<K extends StoredKind>(kind: K): readonly StoredMap[K][] {
    const entries = [...(this.#kinds.get(kind) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.map(([, object]) => object as StoredMap[K]);
  }

  put<T extends StoredObject>(object: T): T {
    const key = keyOfObject(object);
    const resourceVersion = String(++this.#version);
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion } };
    let objects = this.#kinds.get(key.kind);
    if (objects === undefined) this.#kinds.set(key.kind, (objects = new Map()));
    objects.set(keyOf(key), stored);
    this.#tell(key.kind);
    return stored;
  }

  forget(view: MemoryStoreView): void {
    this.#views.delete(view);
  }

  resources(): Resources {
    const resources = emptyResources();
    for (const [kind, objects] of this.#kinds) {
      if (kind === 'Lease') continue;
      const map = resources[collections[kind]] as Map<string, Resource>;
      for (const key of [...objects.keys()].sort()) map.set(key, objects.get(key) as Resource);
    }
    return resources;
  }

  #tell(kind: StoredKind): void {
    if (kind !== 'Lease') for (const view of this.#views) view.changesCome();
  }
}

/** The store as one node sees it. */
export class MemoryStoreView implements Store {
  readonly #shared: MemoryStore;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #snapshot: Resources = emptyResources();
  #telling: Timer | undefined;
  #isClosed = false;
  /** Answers and changes come so much later. */
  delayMs = 0;
  /** Set to make every question reject with these words; changes are not told then, but after it is unset. */
  failure: string | undefined;
  /** Of the view's node, for tests that have Pods. */
  ownPods?: () => OwnPods | undefined;

  constructor(shared: MemoryStore, clock: Clock) {
    this.#shared = shared;
    this.#clock = clock;
  }

  async start(): Promise<void> {
    this.#snapshot = await this.#ask(() => this.#shared.resources());
  }

  snapshot(): Resources {
    return this.#snapshot;
  }

  refused(): Refused {
    return nothingRefused;
  }

  /** Whoever applied an object has seen to it that it is right. */
  problems(): readonly Problem[] {
    return [];
  }

  locate(problem: Problem): Problem {
    return problem;
  }

  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  get<K extends StoredKind>(key: ObjectKey<K>): Promise<StoredMap[K] | undefined> {
    return this.#ask(() => this.#shared.get(key));
  }

  list<K extends StoredKind>(kind: K, labels?: Labels): Promise<readonly StoredMap[K][]> {
    return this.#ask(() => this.#shared.list(kind).filter((object) => hasLabels(object, labels)));
  }

  create<T extends StoredObject>(object: T): Promise<CreateResult<T>> {
    return this.#ask(() => {
      const newest = this.#shared.get(keyOfObject(object)) as T | undefined;
      if (newest !== undefined) return { kind: 'conflict', newest };
      return { kind: 'stored', object: this.#shared.put(withStatusOf(object, undefined)) };
    });
  }

  update<T extends StoredObject>(object: T): Promise<UpdateResult<T>> {
    return this.#swap(object, (stored) => withStatusOf(object, stored));
  }

  updateStatus<T extends Resource>(object: T): Promise<UpdateResult<T>> {
    return this.#swap(object, (stored) => withStatusOf(stored, object));
  }

  async updateFinalizers<T extends Resource>(
    object: T,
    finalizers: readonly string[],
  ): Promise<UpdateResult<T>> {
    const result = await this.#swap(object, (stored) => withFinalizers(stored, finalizers));
    if (finalizers.length === 0 && object.metadata.deletionTimestamp !== undefined) {
      this.#shared.remove(keyOfObject(object));
    }
    return result;
  }

  delete<K extends StoredKind>(
    key: ObjectKey<K>,
    resourceVersion: string,
  ): Promise<DeleteResult<StoredMap[K]>> {
    return this.#ask(() => {
      const newest = this.#shared.get(key);
      if (newest === undefined) return { kind: 'notFound' };
      if (newest.metadata.resourceVersion !== resourceVersion) return { kind: 'conflict', newest };
      this.#shared.remove(key);
      return { kind: 'deleted' };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#telling?.cancel();
    this.#listeners.clear();
    this.#shared.forget(this);
  }

  /** Called by the shared store at every change; one telling is for all that came until then. */
  changesCome(): void {
    if (this.#isClosed) return;
    this.#telling ??= this.#clock.setTimer(this.delayMs, () => {
      this.#telling = undefined;
      if (this.failure !== undefined) {
        this.#laterAgain();
        return;
      }
      this.#snapshot = this.#shared.resources();
      for (const listener of this.#listeners) listener();
    });
  }

  /** As a client that lost its watch: it looks again, and sees all that it missed. */
  #laterAgain(): void {
    this.#telling = this.#clock.setTimer(RECONNECT_MS, () => {
      this.#telling = undefined;
      this.changesCome();
    });
  }

  #swap<T extends StoredObject>(object: T, next: (stored: T) => T): Promise<UpdateResult<T>> {
    return this.#ask(() => {
      const newest = this.#shared.get(keyOfObject(object)) as T | undefined;
      if (newest === undefined) return { kind: 'notFound' };
      if (newest.metadata.resourceVersion !== object.metadata.resourceVersion) {
        return { kind: 'conflict', newest };
      }
      return { kind: 'stored', object: this.#shared.put(next(newest)) };
    });
  }

  /** The question is on its way for half of the delay, and so is the answer. */
  async #ask<T>(question: () => T): Promise<T> {
    await this.#travel();
    if (this.failure !== undefined) throw new Error(this.failure);
    const answer = question();
    await this.#travel();
    return answer;
  }

  #travel(): Promise<void> {
    if (this.delayMs === 0) return Promise.resolve();
    return new Promise((arrive) => void this.#clock.setTimer(this.delayMs / 2, arrive));
  }
}

const RECONNECT_MS = 1000;
