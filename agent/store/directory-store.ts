// The store over a folder of YAML and JSON files. Reading is level-triggered: after any change below the folder all
// files are looked at again, those with new text are parsed, and the objects in force are selected anew. What agents
// write goes through ObjectFiles and comes back the same way. Bound: files of up to 4 MiB; what they hold is kept
// parsed.
import { type Kind, type KindMap, type Problem, parseText, type Resources, type TextDocument } from '#api';
import type { Clock } from '#bgp';
import type { StoreDisk } from './disk.ts';
import { type FileContent, nothingSelected, selectObjects } from './last-good.ts';
import { ObjectFiles, OWN_FOLDER } from './object-files.ts';
import type { Store } from './store.ts';

/** An editor writes a file in several steps, an `rsync` many files: one look after all of it. */
const SETTLE_MS = 20;
/** For changes that no notification tells of (a network file system). */
const RESCAN_MS = 10_000;

interface CachedFile {
  readonly text: string;
  readonly documents: readonly TextDocument[];
}

export interface DirectoryStoreIo {
  readonly clock: Clock;
  readonly disk: StoreDisk;
}

class DirectoryStore implements Store {
  readonly #folder: string;
  readonly #io: DirectoryStoreIo;
  readonly #objects: ObjectFiles;
  readonly #listeners = new Set<() => void>();
  readonly #cache = new Map<string, CachedFile>();
  #selected = nothingSelected;
  /** Files that could not be read. */
  #unreadable: readonly Problem[] = [];
  #watch: Disposable | undefined;
  #timer: { cancel(): void } | undefined;
  #rescan: { cancel(): void } | undefined;
  #reading: Promise<void> | undefined;
  #isWanted = false;
  #isClosed = false;

  constructor(folder: string, io: DirectoryStoreIo) {
    this.#folder = folder;
    this.#io = io;
    this.#objects = new ObjectFiles(folder, io.disk);
  }

  async start(): Promise<void> {
    this.#watch = this.#io.disk.watch(this.#folder, () => this.#lookSoon());
    await this.#look();
    const [problem] = this.#unreadable;
    if (problem?.file === this.#folder) throw new Error(`store dir:${this.#folder}: ${problem.message}`);
    this.#planRescan();
  }

  snapshot(): Resources {
    return this.#selected.resources;
  }

  problems(): readonly Problem[] {
    return [...this.#unreadable, ...this.#selected.problems];
  }

  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  get<K extends Kind>(kind: K, name: string): Promise<KindMap[K] | undefined> {
    return this.#objects.get(kind, name);
  }

  list<K extends Kind>(kind: K): Promise<readonly KindMap[K][]> {
    return this.#objects.list(kind);
  }

  create<K extends Kind>(object: KindMap[K]): Promise<KindMap[K] | 'exists'> {
    return this.#objects.create(object);
  }

  update<K extends Kind>(object: KindMap[K]): Promise<KindMap[K] | 'conflict' | 'notFound'> {
    return this.#objects.update(object);
  }

  delete(kind: Kind, name: string, resourceVersion: string): Promise<'deleted' | 'conflict' | 'notFound'> {
    return this.#objects.delete(kind, name, resourceVersion);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#watch?.[Symbol.dispose]();
    this.#timer?.cancel();
    this.#rescan?.cancel();
    this.#listeners.clear();
    await this.#reading;
  }

  #lookSoon(): void {
    if (this.#isClosed) return;
    this.#timer ??= this.#io.clock.setTimer(SETTLE_MS, () => {
      this.#timer = undefined;
      void this.#look();
    });
  }

  #planRescan(): void {
    this.#rescan = this.#io.clock.setTimer(RESCAN_MS, () => {
      void this.#look().then(() => {
        if (!this.#isClosed) this.#planRescan();
      });
    });
  }

  /** One reading at a time; what changes meanwhile is seen by one more. */
  #look(): Promise<void> {
    this.#isWanted = true;
    this.#reading ??= this.#readWhileWanted().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readWhileWanted(): Promise<void> {
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false;
      await this.#read();
    }
  }

  async #read(): Promise<void> {
    const unreadable: Problem[] = [];
    const paths = await this.#paths(unreadable);
    // Without the folder everything stays in force: it was moved, not emptied.
    const isChanged = paths !== undefined && (await this.#readFiles(paths, unreadable));
    const isWorthTelling = isChanged || unreadable.length > 0 || this.#unreadable.length > 0;
    this.#unreadable = unreadable;
    if (isWorthTelling) for (const listener of this.#listeners) listener();
  }

  /** True when any text is new or gone. */
  async #readFiles(paths: readonly string[], unreadable: Problem[]): Promise<boolean> {
    const files: FileContent[] = [];
    let isChanged = false;
    for (const path of paths) {
      const cached = this.#cache.get(path);
      let text: string | undefined;
      try {
        text = await this.#io.disk.readText(`${this.#folder}/${path}`);
      } catch (error) {
        unreadable.push({ file: path, object: 'file', field: '', message: (error as Error).message });
        text = cached?.text; // what it held stays in force
      }
      if (text === undefined) continue;
      const current = cached?.text === text ? cached : { text, documents: parseText(text, path) };
      isChanged ||= current !== cached;
      this.#cache.set(path, current);
      files.push({ path, documents: current.documents });
    }
    const present = new Set(files.map((file) => file.path));
    for (const path of this.#cache.keys()) {
      if (present.has(path)) continue;
      this.#cache.delete(path);
      isChanged = true;
    }
    if (isChanged) this.#selected = selectObjects(files, this.#selected);
    return isChanged;
  }

  /** Sorted, with the agents' own files last: what an operator wrote comes first. Undefined without the folder. */
  async #paths(unreadable: Problem[]): Promise<string[] | undefined> {
    try {
      const paths = await this.#io.disk.list(this.#folder);
      if (paths === undefined) throw new Error('no such folder');
      const documents = paths.filter((path) => /\.(ya?ml|json)$/.test(path));
      const isOwn = (path: string) => path.startsWith(`${OWN_FOLDER}/`);
      const visible = documents.filter((path) => isOwn(path) || !/(^|\/)\./.test(path));
      return [...visible.filter((path) => !isOwn(path)), ...visible.filter(isOwn)];
    } catch (error) {
      unreadable.push({ file: this.#folder, object: 'folder', field: '', message: (error as Error).message });
      return undefined;
    }
  }
}

/** A Store over the documents below `folder`. */
export function openDirectoryStore(folder: string, io: DirectoryStoreIo): Store {
  return new DirectoryStore(folder, io);
}
