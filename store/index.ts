// The door of the stores.
export { openDirectoryStore } from './directory/directory-store.ts';
export type { Store } from './store.ts';
