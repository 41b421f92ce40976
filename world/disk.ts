// The files of one machine, as a journal, a queue of files and a folder of documents need them. Every promise rejects
// with the system's error. "For good" is what a loss of power does not take away. linux/ has the real one, testing/ one
// in memory that can lose power.

export interface Disk {
  /** Undefined when there is no such file (any more); a folder or a pipe is none. */
  read(path: string, options?: ReadOptions): Promise<Uint8Array | undefined>;
  /** For writing at the end; made when missing; 'truncate' empties it first. */
  open(path: string, mode: 'append' | 'truncate'): Promise<DiskFile>;
  /** Over what had the name. For good after syncFolder. */
  rename(from: string, to: string): Promise<void>;
  /** False when there is no such file. For good after syncFolder. */
  remove(path: string): Promise<boolean>;
  /** With those above it. */
  makeFolder(path: string): Promise<void>;
  /** What was made, renamed and removed in the folder is for good. */
  syncFolder(path: string): Promise<void>;
  /** Files below a folder, sorted by path; undefined when there is no such folder. */
  list(folder: string): Promise<readonly FileEntry[] | undefined>;
  /**
   * Writes beside `path` (to .new), syncs, renames over it, syncs the folder (made when missing, for its owner only): all
   * of it or nothing, and for good once the promise resolves. One call at a time in a folder: see locked.
   */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  /** Runs the action while nobody else, in this process or another, holds the lock of this file. */
  locked<T>(lockPath: string, action: () => Promise<T>): Promise<T>;
  /**
   * Calls back soon after a file below the folder changed, with its path relative to the folder, or with undefined
   * when any file may have; may call for nothing, and more than once.
   */
  watch(folder: string, changed: (path: string | undefined) => void): Disposable;
}

export interface ReadOptions {
  /** A larger file is not read: the promise rejects, and says how large it is. */
  readonly mostBytes?: number;
}

export function tooLarge(bytes: number, mostBytes: number): Error {
  return new Error(`has ${bytes} bytes; more than ${mostBytes} are not read`);
}

export interface DiskFile {
  append(bytes: Uint8Array): Promise<void>;
  /** What was appended is for good (fdatasync). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileEntry {
  /** Relative to the folder. */
  readonly path: string;
  /** Differs when the file was written or replaced. */
  readonly stamp: string;
}

/** As Node reads UTF-8: a byte order mark stays. */
export const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
