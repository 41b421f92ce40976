// The door of the stores.
export { openDirectoryStore } from './directory/directory-store.ts';
export type { ParseAside } from './directory/file-cache.ts';
export { type CandidateOptions, LeaseCandidate, type LeaseState } from './lease.ts';
export { MemoryStore, type MemoryStoreView } from './memory-store.ts';
export type { ClusterEvent, ClusterNotes, NodeMarks } from './cluster-notes.ts';
export {
  type ClusterPlace,
  parseStorePlace,
  type StorePlace,
  StorePlaceError,
  storePlaceText,
} from './store-place.ts';
export type {
  Conflict,
  CreateResult,
  DeleteResult,
  ObjectKey,
  OwnPods,
  Store,
  StoreContact,
  Stored,
  StoredKind,
  StoredMap,
  StoredObject,
  UpdateResult,
} from './store.ts';
