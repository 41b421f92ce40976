// The door of the stores.
export { openDirectoryStore } from './directory/directory-store.ts';
export type { FileEntry, StoreDisk } from './directory/store-disk.ts';
export type { Store } from './store.ts';
