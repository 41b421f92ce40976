// A disk in memory that can lose power: after crash() every call rejects, and recover() gives the disk that the next
// start finds. Of what was not synced any part may have survived: bytes up to any cut, directory changes up to any one.
import type { Disk, DiskFile } from '../types.ts';

interface FileNode {
  synced: Uint8Array;
  /** Everything written, synced or not. */
  bytes: Uint8Array;
}

export class MemoryDisk implements Disk {
  #entries = new Map<string, FileNode>();
  #durableEntries = new Map<string, FileNode>();
  /** Each is the directory after one more change that no syncFolder followed yet. */
  #unsyncedEntries: Map<string, FileNode>[] = [];
  #stepsLeft = Number.POSITIVE_INFINITY;
  #hasCrashed = false;
  /** Set to make every write fail, as a full disk does. */
  failure: string | undefined;
  /** Calls so far. */
  steps = 0;

  /** Loses power at the n-th call from now: that call does part of its work and rejects. */
  crashAfter(steps: number): void {
    this.#stepsLeft = steps;
  }
  crash(): void {
    this.#hasCrashed = true;
  }
  get hasCrashed(): boolean {
    return this.#hasCrashed;
  }

  /** What a later start finds; chance: uniform in [0,1). */
  recover(chance: () => number): MemoryDisk {
    const next = new MemoryDisk();
    const kept = Math.floor(chance() * (this.#unsyncedEntries.length + 1));
    const entries = kept === 0 ? this.#durableEntries : this.#unsyncedEntries[kept - 1]!;
    for (const [path, node] of entries) {
      const isPrefix = node.bytes.length >= node.synced.length;
      const cut = isPrefix
        ? node.synced.length + Math.floor(chance() * (node.bytes.length - node.synced.length + 1))
        : node.synced.length;
      const bytes = isPrefix ? node.bytes.slice(0, cut) : node.synced.slice();
      next.#entries.set(path, { bytes, synced: bytes });
    }
    next.#durableEntries = new Map(next.#entries);
    return next;
  }

  /** The bytes as a reader sees them now. */
  contents(path: string): Uint8Array | undefined {
    return this.#entries.get(path)?.bytes;
  }
  put(path: string, bytes: Uint8Array): void {
    const node = { bytes, synced: bytes };
    this.#entries.set(path, node);
    this.#durableEntries.set(path, node);
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    await this.#step();
    return this.#entries.get(path)?.bytes.slice();
  }

  async open(path: string, mode: 'append' | 'truncate'): Promise<DiskFile> {
    await this.#step();
    let node = this.#entries.get(path);
    if (node === undefined || mode === 'truncate') {
      node = { bytes: new Uint8Array(), synced: new Uint8Array() };
      this.#change((entries) => entries.set(path, node!));
    }
    const file = node;
    return {
      append: async (bytes) => {
        const half = bytes.subarray(0, bytes.length >> 1);
        if (this.failure !== undefined) {
          file.bytes = concat(file.bytes, half);
          throw new Error(this.failure);
        }
        await this.#step(() => {
          file.bytes = concat(file.bytes, half);
        });
        file.bytes = concat(file.bytes, bytes);
      },
      sync: async () => {
        await this.#step();
        file.synced = file.bytes.slice();
      },
      close: async () => {
        await this.#step();
      },
    };
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step();
    const node = this.#entries.get(from);
    if (node === undefined) throw new Error(`ENOENT: no such file, rename '${from}'`);
    this.#change((entries) => {
      entries.delete(from);
      entries.set(to, node);
    });
  }

  async makeFolder(): Promise<void> {
    await this.#step();
  }

  async syncFolder(): Promise<void> {
    await this.#step();
    this.#durableEntries = new Map(this.#entries);
    this.#unsyncedEntries = [];
  }

  #change(change: (entries: Map<string, FileNode>) => void): void {
    change(this.#entries);
    this.#unsyncedEntries.push(new Map(this.#entries));
  }

  async #step(partly?: () => void): Promise<void> {
    await Promise.resolve();
    this.steps++;
    if (this.#hasCrashed) throw new Error('disk: the machine is off');
    if (this.#stepsLeft-- > 0) return;
    partly?.();
    this.#hasCrashed = true;
    throw new Error('disk: the machine lost power');
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
