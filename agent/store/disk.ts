// What the directory store needs of a file system.

export interface StoreDisk {
  /** Regular files below a folder, as paths relative to it, sorted; undefined when there is no such folder. */
  list(folder: string): Promise<string[] | undefined>;
  /** Undefined when there is no such file (any more). */
  readText(path: string): Promise<string | undefined>;
  /** Writes beside `path`, syncs, renames over it, syncs the folder (made when missing): all of it or nothing. */
  replace(path: string, text: string): Promise<void>;
  /** False when there is no such file. */
  remove(path: string): Promise<boolean>;
  /** Runs the action while no other process holds the lock of this file. */
  locked<T>(lockPath: string, action: () => Promise<T>): Promise<T>;
  /** Calls back soon after anything below the folder changed; may call for nothing, and more than once. */
  watch(folder: string, changed: () => void): Disposable;
}
