// What the agent reads its objects from and claims blocks in, whatever is behind it. directory/ and memory/ pass one
// contract test. Writers never wait for one another: a write that was made from an old version changes nothing and gets
// the newest one.
import {
  type Identity,
  identityOf,
  type KindMap,
  type Labels,
  type Metadata,
  type Problem,
  type Refused,
  type Resource,
  type Resources,
} from '#api';

import type { ClusterNotes } from './cluster-notes.ts';

export interface Lease {
  readonly apiVersion: 'coordination.k8s.io/v1';
  readonly kind: 'Lease';
  readonly metadata: Metadata;
  readonly spec: {
    /** Empty: nobody. */
    readonly holderIdentity: string;
    readonly leaseDurationSeconds: number;
    /** RFC 3339, as are renewals; only for people. */
    readonly acquireTime: string;
    readonly renewTime: string;
    /** How often it went from one holder to another. */
    readonly leaseTransitions: number;
  };
}

/** What can be stored: the kinds, and leases, which no snapshot has. */
export type StoredMap = KindMap & { readonly Lease: Lease };
export type StoredKind = keyof StoredMap;
export type StoredObject = StoredMap[StoredKind];

/** Which object: podroute's own kinds and Nodes have no namespace. */
export type ObjectKey<K extends StoredKind = StoredKind> = Omit<Identity, 'kind'> & { readonly kind: K };

/** The version that is in the store instead of the one that the writer had seen. */
export interface Conflict<T> {
  readonly kind: 'conflict';
  readonly newest: T;
}

/** What was stored, with its resourceVersion. */
export interface Stored<T> {
  readonly kind: 'stored';
  readonly object: T;
}

/** There is an object of that key, and its document is so wrong that nobody knows what it says. */
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly why: string;
}

export type CreateResult<T> = Stored<T> | Conflict<T> | Unreadable;
export type UpdateResult<T> = Stored<T> | Conflict<T> | { readonly kind: 'notFound' };
export type DeleteResult<T> = { readonly kind: 'deleted' } | Conflict<T> | { readonly kind: 'notFound' };

/** With a server that may be away. */
export interface StoreContact {
  /** Everything that is followed is heard; the node's Pods aside. */
  readonly isConnected: boolean;
  /** Since anything was heard from it, a sign of life too; undefined: nothing ever was. */
  readonly silentMs?: number;
}

/** The Pods of one node, as the API server tells of them at this moment. */
export interface OwnPods {
  /** By the clock: since then every change was heard. */
  readonly heardSinceMs: number;
  /** @param uid as the runtime was told it; undefined: whichever has that name */
  has(namespace: string, name: string, uid: string | undefined): boolean;
}

export interface Store extends AsyncDisposable {
  /** Resolves when the first snapshot is there. Throws when the store cannot be read at all. */
  start(): Promise<void>;
  /** Every object in force: the last good version of each. */
  snapshot(): Resources;
  /** Objects that are written somewhere, wrongly, and of which no version is in force. */
  refused(): Refused;
  /** What is wrong with documents as they are now. */
  problems(): readonly Problem[];
  /** Absent: there is no server. */
  contact?(): StoreContact;
  /** Of the store's own node; undefined: they are not known now. Absent: the store has no Pods. */
  ownPods?(): OwnPods | undefined;
  /** Adds file and line to a Problem about an object in force, where the store knows them. */
  locate(problem: Problem): Problem;
  /** Called after snapshot or problems changed; many changes together give one call. Returns the unsubscriber. */
  subscribe(changed: () => void): () => void;

  // These ask the store itself, which may be ahead of the snapshot, for objects that agents write. They reject when it
  // does not answer.
  get<K extends StoredKind>(key: ObjectKey<K>): Promise<StoredMap[K] | undefined>;
  /**
   * Objects that cannot be read are left out; problems() names them.
   *
   * @param labels only those that have all of these
   */
  list<K extends StoredKind>(kind: K, labels?: Labels): Promise<readonly StoredMap[K][]>;
  /** A conflict is an object of the same key. The status of the given one is left out. */
  create<T extends StoredObject>(object: T): Promise<CreateResult<T>>;
  /** Compare and swap on metadata.resourceVersion, of everything but the status. */
  update<T extends StoredObject>(object: T): Promise<UpdateResult<T>>;
  /** The same of nothing but the status. */
  updateStatus<T extends Resource>(object: T): Promise<UpdateResult<T>>;
  /**
   * The same of nothing but what keeps the object there after somebody deleted it. Without the last one it goes, and the
   * result is what it was.
   */
  updateFinalizers<T extends Resource>(object: T, finalizers: readonly string[]): Promise<UpdateResult<T>>;
  delete<K extends StoredKind>(
    key: ObjectKey<K>,
    resourceVersion: string,
  ): Promise<DeleteResult<StoredMap[K]>>;
  /** Absent: it has no place for them. */
  readonly notes?: ClusterNotes;
}

/** Which object this is. */
export function keyOfObject({ kind, metadata }: StoredObject): ObjectKey {
  if (kind !== 'Lease') return identityOf(kind, metadata);
  const { name, namespace } = metadata;
  return namespace === undefined ? { kind, name } : { kind, name, namespace };
}

/** The object with these finalizers instead of its own. */
export function withFinalizers<T extends StoredObject>(object: T, finalizers: readonly string[]): T {
  const { finalizers: _, ...metadata } = object.metadata;
  return { ...object, metadata: finalizers.length === 0 ? metadata : { ...metadata, finalizers } };
}

export const hasLabels = ({ metadata }: StoredObject, labels: Labels = {}): boolean =>
  Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value);

/** The object with another object's status, or without any. */
export function withStatusOf<T extends StoredObject>(object: T, other: T | undefined): T {
  const { status: _, ...rest } = object as T & { status?: unknown };
  const { status } = (other ?? {}) as { status?: unknown };
  return (status === undefined ? rest : { ...rest, status }) as T;
}
