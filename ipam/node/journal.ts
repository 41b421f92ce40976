// The journal of allocations: records are appended and synced before anybody is told, replayed at start, and rewritten
// when too many are of the past. Appends that wait for the disk share one sync. After any failed write the file's end is
// unknown: it is rewritten from memory before the next record.
import type { Disk, DiskFile } from '#world';
import { decodeRecord, encodeRecord, type JournalRecord, RECORD_BYTES } from './journal-record.ts';

export interface Replay {
  readonly records: readonly JournalRecord[];
  /** What was wrong with the file, for the log; undefined when nothing was. */
  readonly damage?: string;
  /** Why it could not be read at all: what it says is not known, and nothing is written over it. */
  readonly unreadable?: string;
}

export interface JournalOptions {
  /** Absolute path of the file; its folder exists. */
  readonly path: string;
  /** What the file would have to say if it were written anew: replayed, it gives the state in memory. */
  readonly snapshot: () => readonly JournalRecord[];
  /** Never rewritten for its size below so many records. */
  readonly rewriteAt: number;
  /** Called when `problem` is another one. */
  readonly changed: (problem: string | undefined) => void;
}

/** Rewritten when it holds this many times the records that a snapshot has (and more than rewriteAt). */
const REWRITE_FACTOR = 4;

interface Waiting {
  readonly records: readonly JournalRecord[];
  /** Called before anything else is written when the records may not be on disk. */
  readonly undo: (() => void) | undefined;
  readonly done: (error: Error | undefined) => void;
}

export class Journal {
  readonly #disk: Disk;
  readonly #options: JournalOptions;
  #file: DiskFile | undefined;
  #recordsInFile = 0;
  /** Records of a snapshot when the file was last rewritten. */
  #recordsNeeded = 0;
  /** Bounded by the callers: one entry a running ADD, DEL or claim. */
  #waiting: Waiting[] = [];
  #writer: Promise<void> | undefined;
  #isClosed = false;
  #unreadable: string | undefined;
  #problem: string | undefined;

  constructor(disk: Disk, options: JournalOptions) {
    this.#disk = disk;
    this.#options = options;
  }

  /** Why nothing can be written now, as the newest try found; undefined when it could. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Reads the file. Call once, before the first append. */
  async replay(): Promise<Replay> {
    const { path } = this.#options;
    let bytes: Uint8Array | undefined;
    try {
      bytes = await this.#disk.read(path);
    } catch (error) {
      this.#unreadable = `journal ${path}: cannot be read: ${reasonOf(error)}; restart the agent when it can`;
      this.#setProblem(this.#unreadable);
      return { records: [], unreadable: this.#unreadable };
    }
    if (bytes === undefined || bytes.length === 0) return { records: [] };
    const replay = readJournal(bytes);
    // A damaged file is not appended to: the first record goes into a new one.
    if (replay.damage === undefined) {
      try {
        this.#file = await this.#disk.open(path, 'append');
        this.#recordsInFile = replay.records.length;
      } catch (error) {
        this.#fail(error);
      }
    }
    return replay;
  }

  /**
   * Resolves when the records are on disk, with the error when they may not be. The caller's state must hold them
   * already; undo takes them out of it again. No records: resolves when everything of before is on disk.
   */
  append(records: readonly JournalRecord[], undo?: () => void): Promise<Error | undefined> {
    if (this.#isClosed) return Promise.resolve(new Error(`journal ${this.#options.path}: closed`));
    if (this.#unreadable !== undefined) {
      undo?.();
      return Promise.resolve(new Error(this.#unreadable));
    }
    return new Promise((done) => {
      this.#waiting.push({ records, undo, done });
      this.#writer ??= this.#write();
    });
  }

  /** Writes the whole state anew: temporary file, sync, rename, sync of the folder. */
  async #rewrite(): Promise<void> {
    const { path } = this.#options;
    await this.#file?.close().catch(() => undefined);
    this.#file = undefined;
    const records = this.#options.snapshot();
    const temporary = `${path}.new`;
    const file = await this.#disk.open(temporary, 'truncate');
    try {
      await file.append(encodeAll(records));
      await file.sync();
      await this.#disk.rename(temporary, path);
      await this.#disk.syncFolder(path.slice(0, path.lastIndexOf('/')));
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    this.#file = file;
    this.#recordsInFile = records.length;
    this.#recordsNeeded = records.length;
  }

  async #write(): Promise<void> {
    // The first record of a turn waits for the others of the same turn.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const error = await this.#writeBatch(batch);
      if (error !== undefined) for (const { undo } of batch) undo?.();
      for (const { done } of batch) done(error);
    }
    this.#writer = undefined;
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<Error | undefined> {
    try {
      const isFull =
        this.#recordsInFile > Math.max(this.#options.rewriteAt, REWRITE_FACTOR * this.#recordsNeeded);
      if (this.#file === undefined || isFull) {
        // The snapshot is of a state that holds the batch already.
        await this.#rewrite();
        this.#setProblem(undefined);
        return undefined;
      }
      if (batch.every((waiting) => waiting.records.length === 0)) return undefined;
      const bytes = encodeAll(batch.flatMap((waiting) => waiting.records));
      await this.#file.append(bytes);
      await this.#file.sync();
      this.#recordsInFile += bytes.length / RECORD_BYTES;
      return undefined;
    } catch (cause) {
      await this.#file?.close().catch(() => undefined);
      this.#file = undefined;
      return this.#fail(cause);
    }
  }

  #fail(cause: unknown): Error {
    const error = new Error(`journal ${this.#options.path}: cannot be written: ${reasonOf(cause)}`, {
      cause,
    });
    this.#setProblem(error.message);
    return error;
  }

  #setProblem(problem: string | undefined): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.changed(problem);
  }

  /** Waits for what was appended, then closes. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writer;
    await this.#file?.close();
    this.#file = undefined;
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Every whole record in order. What a crash can leave behind the last synced one is cut off and reported. */
export function readJournal(bytes: Uint8Array): Replay {
  const records: JournalRecord[] = [];
  const bad: number[] = [];
  for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
    const record = decodeRecord(bytes, at);
    if (record === undefined) bad.push(at);
    else records.push(record);
  }
  if (bad.length === 0) return { records };
  // A file of whole records without a readable one is no torn write: it began with a snapshot, renamed into place.
  const isTail =
    (records.length > 0 || bytes.length < RECORD_BYTES) && bad[0]! >= records.length * RECORD_BYTES;
  const where = `${bad.length} of ${records.length + bad.length} records unreadable, the first at byte ${bad[0]}`;
  return {
    records,
    damage: isTail
      ? `torn at its end (${where}): a write that was under way when the machine stopped; nobody was told of it`
      : `damaged (${where}): what these records said is lost; links of running pods are looked at instead`,
  };
}

function encodeAll(records: readonly JournalRecord[]): Uint8Array {
  const bytes = new Uint8Array(records.length * RECORD_BYTES);
  records.forEach((record, i) => {
    encodeRecord(record, bytes, i * RECORD_BYTES);
  });
  return bytes;
}
