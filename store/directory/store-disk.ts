// What the directory store needs of a file system.

export interface StoreDisk {
  /** Files below a folder, sorted by path; undefined when there is no such folder. */
  list(folder: string): Promise<readonly FileEntry[] | undefined>;
  /** Undefined when there is no such file (any more). */
  readText(path: string): Promise<string | undefined>;
  /**
   * Writes beside `path`, syncs, renames over it, syncs the folder (made when missing): all of it or nothing, and for
   * good once the promise resolves. Only while the folder's lock is held.
   */
  replace(path: string, text: string): Promise<void>;
  /** For good once the promise resolves. False when there is no such file. */
  remove(path: string): Promise<boolean>;
  /** Runs the action while nobody else, in this process or another, holds the lock of this file. */
  locked<T>(lockPath: string, action: () => Promise<T>): Promise<T>;
  /**
   * Calls back soon after a file below the folder changed, with its path relative to the folder, or with undefined
   * when any file may have; may call for nothing, and more than once.
   */
  watch(folder: string, changed: (path: string | undefined) => void): Disposable;
}

export interface FileEntry {
  /** Relative to the folder. */
  readonly path: string;
  /** Differs when the file was written or replaced. */
  readonly stamp: string;
}
