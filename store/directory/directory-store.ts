// The store over a folder of YAML and JSON files. Changes that the disk tells of are read soon after; what agents write
// goes through ObjectFiles and comes back the same way. FileCache knows the files, selectObjects what is in force, and
// KeptObjects what was in force before a restart.
import {
  identityText,
  placed,
  type Labels,
  type Problem,
  type Refused,
  type Resource,
  type Resources,
} from '#api';
import type { Clock, Disk, Timer } from '#world';
import { DOUBT_MS, FileCache, type ParseAside } from './file-cache.ts';
import { KeptObjects } from '../kept-objects.ts';
import { nothingSelected, selectObjects } from '../last-good.ts';
import { ObjectFiles } from './object-files.ts';
import {
  type CreateResult,
  type DeleteResult,
  type ObjectKey,
  type Store,
  type StoredKind,
  type StoredObject,
  type StoredMap,
  type UpdateResult,
  withFinalizers,
  hasLabels,
  withStatusOf,
} from '../store.ts';
import { StorePlaceError } from '../store-place.ts';

/** An editor writes a file in several steps, an `rsync` many files: one look after all of it. */
const SETTLE_MS = 20;
/** For changes that no notification tells of (a network file system). */
const RESCAN_MS = 30_000;
/** While the folder is away: nothing tells of its return. */
const FOLDER_AWAY_MS = 1_000;
/** What came into force is on disk after this: a burst of changes is one write. */
const KEEP_MS = 200;

export interface DirectoryStoreIo {
  readonly clock: Clock;
  readonly disk: Disk;
  /** A folder of this node alone for the last good versions; undefined: they are forgotten at the end. */
  readonly keepIn?: string;
  /** Undefined: large files are parsed here. */
  readonly parseAside?: ParseAside;
}

class DirectoryStore implements Store {
  readonly #folder: string;
  readonly #io: DirectoryStoreIo;
  readonly #objects: ObjectFiles;
  readonly #cache: FileCache;
  readonly #kept: KeptObjects | undefined;
  readonly #listeners = new Set<() => void>();
  #selected = nothingSelected;
  #isFirstLook = true;
  /** What could not be read, as last told to listeners. */
  #unreadable: readonly Problem[] = [];
  /** To be looked at: some files, or all. */
  #wanted = new Set<string>();
  #isAllWanted = true;
  #watch: Disposable | undefined;
  #timer: Timer | undefined;
  #rescan: Timer | undefined;
  #reading: Promise<void> | undefined;
  #keepTimer: Timer | undefined;
  #isClosed = false;

  constructor(folder: string, io: DirectoryStoreIo) {
    this.#folder = folder;
    this.#io = io;
    this.#objects = new ObjectFiles(folder, io.disk);
    this.#cache = new FileCache(folder, io.disk, io.clock, io.parseAside);
    this.#kept = io.keepIn === undefined ? undefined : new KeptObjects(io.keepIn, folder, io.disk);
  }

  async start(): Promise<void> {
    if (this.#kept) this.#selected = await this.#kept.load();
    this.#startWatch();
    await this.#look();
    if (!this.#cache.hasFolder) throw new StorePlaceError(`store dir:${this.#folder}: no such folder`);
    this.#planRescan();
  }

  snapshot(): Resources {
    return this.#selected.resources;
  }

  refused(): Refused {
    return this.#selected.refused;
  }

  problems(): readonly Problem[] {
    return [...this.#unreadable, ...this.#selected.problems, ...(this.#kept?.problems() ?? [])];
  }

  locate(problem: Problem): Problem {
    const origin = this.#selected.origins.get(problem.object);
    if (origin === undefined) return problem;
    const documents = this.#cache.documents(origin.path);
    return placed(
      problem,
      documents.find(({ identity }) => identity && identityText(identity) === problem.object),
    );
  }

  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  get<K extends StoredKind>(key: ObjectKey<K>): Promise<StoredMap[K] | undefined> {
    return this.#objects.get(key);
  }

  async list<K extends StoredKind>(kind: K, labels?: Labels): Promise<readonly StoredMap[K][]> {
    return (await this.#objects.list(kind)).filter((object) => hasLabels(object, labels));
  }

  create<T extends StoredObject>(object: T): Promise<CreateResult<T>> {
    return this.#objects.create(object);
  }

  update<T extends StoredObject>(object: T): Promise<UpdateResult<T>> {
    return this.#objects.update(object, (stored) => withStatusOf(object, stored));
  }

  updateStatus<T extends Resource>(object: T): Promise<UpdateResult<T>> {
    return this.#objects.update(object, (stored) => withStatusOf(stored, object));
  }

  updateFinalizers<T extends Resource>(object: T, finalizers: readonly string[]): Promise<UpdateResult<T>> {
    return this.#objects.update(object, (stored) => withFinalizers(stored, finalizers));
  }

  delete<K extends StoredKind>(
    key: ObjectKey<K>,
    resourceVersion: string,
  ): Promise<DeleteResult<StoredMap[K]>> {
    return this.#objects.delete(key, resourceVersion);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#watch?.[Symbol.dispose]();
    this.#timer?.cancel();
    this.#rescan?.cancel();
    this.#listeners.clear();
    await this.#reading;
    if (this.#keepTimer) await this.#keep();
  }

  #startWatch(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = this.#io.disk.watch(this.#folder, (path) => {
      if (path === undefined) this.#isAllWanted = true;
      else this.#wanted.add(path);
      this.#lookIn(SETTLE_MS);
    });
  }

  #lookIn(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer ??= this.#io.clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      void this.#look();
    });
  }

  #planRescan(): void {
    if (this.#isClosed) return;
    const delayMs = this.#cache.hasFolder ? RESCAN_MS : FOLDER_AWAY_MS;
    this.#rescan = this.#io.clock.setTimer(delayMs, () => {
      this.#isAllWanted = true;
      void this.#look().then(() => this.#planRescan());
    });
  }

  /** One reading at a time; what changes meanwhile is seen by one more. */
  #look(): Promise<void> {
    this.#reading ??= this.#readWhileWanted().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readWhileWanted(): Promise<void> {
    while ((this.#isAllWanted || this.#wanted.size > 0) && !this.#isClosed) {
      const paths = this.#isAllWanted ? 'all' : this.#wanted;
      this.#isAllWanted = false;
      this.#wanted = new Set();
      const wasAway = !this.#cache.hasFolder;
      const { isChanged, doubtful } = await this.#cache.look(paths);
      this.#tell(isChanged);
      // Away and back: another folder now, which the old watch knows nothing of.
      if (wasAway && this.#cache.hasFolder && !this.#isClosed) {
        this.#startWatch();
        this.#isAllWanted = true;
      }
      if (this.#leavesFolder(wasAway)) this.#followAbsence();
      if (doubtful.length > 0) {
        // At all files: what a lost object has moved to may not have been told of yet.
        this.#isAllWanted = true;
        this.#lookIn(DOUBT_MS);
        return;
      }
    }
  }

  #leavesFolder(wasAway: boolean): boolean {
    return !wasAway && !this.#cache.hasFolder && this.#rescan !== undefined;
  }

  #followAbsence(): void {
    this.#rescan?.cancel();
    this.#planRescan();
  }

  #tell(isChanged: boolean): void {
    // Also the first look that finds nothing: what was kept may be gone.
    if (isChanged || this.#isFirstLook) this.#select();
    const unreadable = this.#cache.unreadable();
    const isWorthTelling = isChanged || unreadable.length > 0 || this.#unreadable.length > 0;
    this.#unreadable = unreadable;
    if (isWorthTelling) for (const listener of this.#listeners) listener();
  }

  #select(): void {
    this.#isFirstLook = false;
    // Without the folder nothing is known of its objects: what was kept stays.
    if (!this.#cache.hasFolder && this.#cache.files().length === 0) return;
    this.#selected = selectObjects(this.#cache.files(), this.#selected);
    const problems = this.#selected.problems.map((problem) => this.locate(problem));
    this.#selected = { ...this.#selected, problems };
    if (this.#kept) this.#keepTimer ??= this.#io.clock.setTimer(KEEP_MS, () => void this.#keep());
  }

  /** A failure is told like any other problem of the store, and the next change tries again. */
  async #keep(): Promise<void> {
    this.#keepTimer?.cancel();
    this.#keepTimer = undefined;
    const before = this.#kept?.problems()[0]?.message;
    await this.#kept?.keep(this.#selected);
    if (this.#kept?.problems()[0]?.message !== before) for (const listener of this.#listeners) listener();
  }
}

/** A Store over the documents below `folder`. */
export function openDirectoryStore(folder: string, io: DirectoryStoreIo): Store {
  return new DirectoryStore(folder, io);
}
