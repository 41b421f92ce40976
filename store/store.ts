// What the agent reads its objects from and claims blocks in, whatever is behind it.
import type { KindMap, Kind, Problem, Resources } from '#api';

export interface Store extends AsyncDisposable {
  /** Resolves when the first snapshot is there. Throws when the store cannot be read at all. */
  start(): Promise<void>;
  /** Every object in force: the last good version of each. */
  snapshot(): Resources;
  /** What is wrong with documents as they are now. */
  problems(): readonly Problem[];
  /** Adds file and line to a Problem about an object in force, where the store knows them. */
  locate(problem: Problem): Problem;
  /** Called after snapshot or problems changed; many changes together give one call. Returns the unsubscriber. */
  subscribe(changed: () => void): () => void;

  get<K extends Kind>(kind: K, name: string): Promise<KindMap[K] | undefined>;
  list<K extends Kind>(kind: K): Promise<readonly KindMap[K][]>;
  /** The stored object, with its resourceVersion. */
  create<K extends Kind>(object: KindMap[K]): Promise<KindMap[K] | 'exists'>;
  /** Compare and swap on metadata.resourceVersion. */
  update<K extends Kind>(object: KindMap[K]): Promise<KindMap[K] | 'conflict' | 'notFound'>;
  delete(kind: Kind, name: string, resourceVersion: string): Promise<'deleted' | 'conflict' | 'notFound'>;
}
