// The door of the stores.
export { openDirectoryStore } from './directory-store.ts';
export type { FileEntry, StoreDisk } from './disk.ts';
export type { Store } from './store.ts';
