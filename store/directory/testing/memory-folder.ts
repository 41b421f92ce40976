// A StoreDisk in memory, for tests and simulations. What is written is on it for good.
import type { StoreDisk } from '../store-disk.ts';

export class MemoryDisk implements StoreDisk {
  readonly #files = new Map<string, { text: string; stamp: string }>();
  readonly #watches = new Set<{ folder: string; changed: (path: string | undefined) => void }>();
  readonly #locks = new Map<string, Promise<unknown>>();
  /** Reading these paths throws the given words. */
  readonly damaged = new Map<string, string>();
  #writes = 0;

  async list(folder: string) {
    const inside = [...this.#files].filter(([path]) => path.startsWith(`${folder}/`));
    if (inside.length === 0) return undefined;
    return inside
      .map(([path, { stamp }]) => ({ path: path.slice(folder.length + 1), stamp }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async readText(path: string) {
    const damage = this.damaged.get(path);
    if (damage !== undefined) throw new Error(damage);
    return this.#files.get(path)?.text;
  }

  async replace(path: string, text: string) {
    this.#files.set(path, { text, stamp: String(++this.#writes) });
    this.#tell(path);
  }

  async remove(path: string) {
    const isGone = this.#files.delete(path);
    if (isGone) this.#tell(path);
    return isGone;
  }

  async locked<T>(lockPath: string, action: () => Promise<T>): Promise<T> {
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
}
