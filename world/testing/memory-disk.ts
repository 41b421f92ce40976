// A disk in memory that can lose power: after crash() every call rejects, and recover() gives the disk that the next
// start finds. Of what was not synced any part may have survived: of each file bytes up to any cut, of each folder its
// changes up to any one. Folders need not be made.
import { type Disk, type DiskFile, type FileEntry, type ReadOptions, tooLarge } from '../disk.ts';
import type { Random } from '../random.ts';

interface FileNode {
  /** How many of its bytes are for good. */
  synced: number;
  bytes: Uint8Array;
  stamp: number;
}

type Entries = Map<string, FileNode>;

interface FolderChange {
  readonly folder: string;
  readonly apply: (entries: Entries) => void;
}

export class MemoryDisk implements Disk {
  /** As everybody sees it now. */
  readonly #entries: Entries = new Map();
  readonly #durableEntries: Entries = new Map();
  /** In order; each goes with the next sync of its folder. */
  #unsynced: FolderChange[] = [];
  readonly #folders = new Set<string>();
  readonly #watches = new Set<{ folder: string; changed: (path: string | undefined) => void }>();
  readonly #locks = new Map<string, Promise<unknown>>();
  #stepsLeft = Number.POSITIVE_INFINITY;
  #hasCrashed = false;
  #writes = 0;
  /** Set to make every write fail, as a full disk does. */
  failure: string | undefined;
  /** Reading these paths throws the given words. */
  readonly damaged = new Map<string, string>();
  /** Calls so far. */
  steps = 0;

  /** Loses power at the n-th call from now: that call does part of its work and rejects. */
  crashAfter(steps: number): void {
    this.#stepsLeft = steps;
  }
  crash(): void {
    this.#hasCrashed = true;
    this.#watches.clear();
  }
  get hasCrashed(): boolean {
    return this.#hasCrashed;
  }

  /** What a later start finds. */
  recover(random: Random): MemoryDisk {
    const next = new MemoryDisk();
    const entries = new Map(this.#durableEntries);
    for (const [, changes] of Map.groupBy(this.#unsynced, (change) => change.folder)) {
      const kept = Math.floor(random.next() * (changes.length + 1));
      for (const { apply } of changes.slice(0, kept)) apply(entries);
    }
    for (const [path, { bytes, synced, stamp }] of entries) {
      const cut = synced + Math.floor(random.next() * (bytes.length - synced + 1));
      const node = { bytes: bytes.slice(0, cut), synced: cut, stamp };
      next.#entries.set(path, node);
      next.#durableEntries.set(path, node);
    }
    for (const folder of this.#folders) next.#folders.add(folder);
    next.#writes = this.#writes;
    return next;
  }

  /** The bytes as a reader sees them now. */
  contents(path: string): Uint8Array | undefined {
    return this.#entries.get(path)?.bytes;
  }
  /** A file that was there before, for good. */
  put(path: string, bytes: Uint8Array): void {
    const node = { bytes, synced: bytes.length, stamp: ++this.#writes };
    this.#entries.set(path, node);
    this.#durableEntries.set(path, node);
    this.#tell(path);
  }

  async read(
    path: string,
    { mostBytes = Number.POSITIVE_INFINITY }: ReadOptions = {},
  ): Promise<Uint8Array | undefined> {
    await this.#step();
    const damage = this.damaged.get(path);
    if (damage !== undefined) throw new Error(damage);
    const bytes = this.#entries.get(path)?.bytes;
    if (bytes && bytes.length > mostBytes) throw tooLarge(bytes.length, mostBytes);
    return bytes?.slice();
  }

  async open(path: string, mode: 'append' | 'truncate'): Promise<DiskFile> {
    await this.#step();
    let node = this.#entries.get(path);
    if (node === undefined || mode === 'truncate') {
      const made = { bytes: new Uint8Array(), synced: 0, stamp: ++this.#writes };
      this.#change(folderOf(path), (entries) => entries.set(path, made));
      this.#tell(path);
      node = made;
    }
    const file = node;
    const write = (bytes: Uint8Array): void => {
      file.bytes = concat(file.bytes, bytes);
      file.stamp = ++this.#writes;
      this.#tell(path);
    };
    return {
      append: async (bytes) => {
        const half = bytes.subarray(0, bytes.length >> 1);
        if (this.failure !== undefined) {
          write(half);
          throw new Error(this.failure);
        }
        await this.#step(() => write(half));
        write(bytes);
      },
      sync: async () => {
        await this.#step();
        file.synced = file.bytes.length;
      },
      close: () => this.#step(),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step();
    const node = this.#entries.get(from);
    if (node === undefined) throw new Error(`ENOENT: no such file, rename '${from}'`);
    this.#change(folderOf(to), (entries) => {
      entries.delete(from);
      entries.set(to, node);
    });
    this.#tell(from);
    this.#tell(to);
  }

  async remove(path: string): Promise<boolean> {
    await this.#step();
    if (!this.#entries.has(path)) return false;
    this.#change(folderOf(path), (entries) => entries.delete(path));
    this.#tell(path);
    return true;
  }

  async makeFolder(path: string): Promise<void> {
    await this.#step();
    this.#folders.add(path);
  }

  async syncFolder(path: string): Promise<void> {
    await this.#step();
    for (const change of this.#unsynced) if (change.folder === path) change.apply(this.#durableEntries);
    this.#unsynced = this.#unsynced.filter((change) => change.folder !== path);
  }

  async list(folder: string): Promise<readonly FileEntry[] | undefined> {
    await this.#step();
    const inside = [...this.#entries].filter(([path]) => path.startsWith(`${folder}/`));
    if (inside.length === 0 && !this.#folders.has(folder)) return undefined;
    return inside
      .map(([path, { stamp }]) => ({ path: path.slice(folder.length + 1), stamp: String(stamp) }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async replace(path: string, bytes: Uint8Array): Promise<void> {
    const folder = folderOf(path);
    await this.makeFolder(folder);
    const file = await this.open(`${folder}/.new`, 'truncate');
    await file.append(bytes);
    await file.sync();
    await file.close();
    await this.rename(`${folder}/.new`, path);
    await this.syncFolder(folder);
  }

  async locked<T>(lockPath: string, action: () => Promise<T>): Promise<T> {
    await this.#step();
    const result = (this.#locks.get(lockPath) ?? Promise.resolve()).then(action);
    this.#locks.set(
      lockPath,
      result.catch(() => undefined),
    );
    return result;
  }

  watch(folder: string, changed: (path: string | undefined) => void): Disposable {
    const watch = { folder, changed };
    this.#watches.add(watch);
    return { [Symbol.dispose]: () => void this.#watches.delete(watch) };
  }

  #tell(path: string): void {
    for (const { folder, changed } of this.#watches) {
      if (path.startsWith(`${folder}/`)) changed(path.slice(folder.length + 1));
    }
  }

  #change(folder: string, apply: (entries: Entries) => void): void {
    apply(this.#entries);
    this.#unsynced.push({ folder, apply });
  }

  async #step(partly?: () => void): Promise<void> {
    await Promise.resolve();
    this.steps++;
    if (this.#hasCrashed) throw new Error('disk: the machine is off');
    if (this.#stepsLeft-- > 0) return;
    partly?.();
    this.crash();
    throw new Error('disk: the machine lost power');
  }
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
