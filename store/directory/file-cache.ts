// The documents of all files below a folder, as they were last read. A look reads the files that are named, or all
// whose stamp differs. Bound: files of up to 4 MiB, kept as text and parsed; large ones by another thread.
//
// A file that loses objects may just be half written (an editor empties it first, or moves it away), and a peer that
// goes for an instant is a session reset. Such a loss is believed when a second look finds the same text; the files of
// agents are replaced as a whole and need no second look.
import {
  identityText,
  inReadingOrder,
  isDocumentFile,
  isOwnFile,
  MOST_FILE_BYTES,
  type Problem,
  parseTextInSteps,
  type TextDocument,
  unreadableFile,
} from '#api';
import { type Clock, type Disk, textOf } from '#world';
import type { FileContent } from '../last-good.ts';

export interface Look {
  /** Any text is new or gone. */
  readonly isChanged: boolean;
  /** Files that lost objects and are to be looked at once more; nothing was taken over. */
  readonly doubtful: readonly string[];
}

interface CachedFile {
  readonly text: string;
  readonly documents: readonly TextDocument[];
  /** Undefined: read without asking for it. */
  readonly stamp: string | undefined;
}

interface Doubt {
  readonly text: string | undefined;
  /** Looks that found another text than the one before. */
  readonly looks: number;
  /** When this text was seen first. */
  readonly sinceMs: number;
}

/** For so long a file that lost objects has to stay as it is. With the time to settle well below the 200 ms for any change. */
export const DOUBT_MS = 60;

/** A file that loses objects at every look, each time others, is taken as it is then. */
const MOST_LOOKS = 5;

/** BGP and the CNI wait no longer than this for the parsing of files (and one document more). */
const TURN_MS = 8;

/** Parsed in one piece it takes 20 ms or so; longer ones go to whoever parses beside this thread. */
const LARGE_FILE = 16 * 1024;

/** Parses a file's text in another thread. Rejects when that takes more than it may. */
export type ParseAside = (text: string, file: string) => Promise<readonly TextDocument[]>;

export class FileCache {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #parseAside: ParseAside | undefined;
  readonly #files = new Map<string, CachedFile>();
  readonly #doubts = new Map<string, Doubt>();
  readonly #unreadable = new Map<string, Problem>();
  #hasFolder = true;

  constructor(folder: string, disk: Disk, clock: Clock, parseAside?: ParseAside) {
    this.#folder = folder;
    this.#disk = disk;
    this.#clock = clock;
    this.#parseAside = parseAside;
  }

  get hasFolder(): boolean {
    return this.#hasFolder;
  }

  /** In reading order. */
  files(): FileContent[] {
    const unread = [...this.#unreadable.keys()].filter((path) => path !== '' && !this.#files.has(path));
    return inReadingOrder([...this.#files.keys(), ...unread]).map((path) => {
      const file = this.#files.get(path);
      return file ? { path, documents: file.documents } : { path, documents: [], isUnreadable: true };
    });
  }

  documents(path: string): readonly TextDocument[] {
    return this.#files.get(path)?.documents ?? [];
  }

  /** The folder and files that could not be read; what they held before stays. */
  unreadable(): Problem[] {
    return [...this.#unreadable.values()];
  }

  async look(paths: Iterable<string> | 'all'): Promise<Look> {
    const texts = paths === 'all' ? await this.#readAll() : await this.#read(paths);
    const next = new Map<string, CachedFile | undefined>();
    const doubtful: string[] = [];
    const rest = this.#restBetweenTurns();
    for (const [path, { text, stamp }] of texts) {
      const before = this.#files.get(path);
      if (text === before?.text) {
        this.#doubts.delete(path);
        if (before && stamp !== undefined) this.#files.set(path, { ...before, stamp });
        continue;
      }
      const documents = text === undefined ? [] : await this.#parse(text, path, rest);
      if (before && this.#isDoubtful(path, before.documents, text, documents)) doubtful.push(path);
      next.set(path, text === undefined ? undefined : { text, documents, stamp });
    }
    if (doubtful.length > 0) return { isChanged: false, doubtful: [...next.keys()] };
    this.#doubts.clear();
    for (const [path, file] of next) {
      if (file) this.#files.set(path, file);
      else this.#files.delete(path);
    }
    return { isChanged: next.size > 0, doubtful };
  }

  async #parse(
    text: string,
    path: string,
    rest: () => Promise<void> | undefined,
  ): Promise<readonly TextDocument[]> {
    if (this.#parseAside && text.length > LARGE_FILE) {
      return this.#parseAside(text, path).catch((error: Error) => [unreadableFile(path, error.message)]);
    }
    const documents: TextDocument[] = [];
    for (const some of parseTextInSteps(text, path)) {
      documents.push(...some);
      const pause = rest();
      if (pause !== undefined) await pause;
    }
    return documents;
  }

  /** To be called often: resolves at once, or after the others' turn when this one has had its time. */
  #restBetweenTurns(): () => Promise<void> | undefined {
    let endsAt = this.#clock.now() + TURN_MS;
    return () => {
      if (this.#clock.now() < endsAt) return undefined;
      return new Promise((resume) => {
        this.#clock.setTimer(0, () => {
          endsAt = this.#clock.now() + TURN_MS;
          resume();
        });
      });
    };
  }

  #isDoubtful(
    path: string,
    before: readonly TextDocument[],
    text: string | undefined,
    now: readonly TextDocument[],
  ): boolean {
    if (isOwnFile(path) || !losesObjects(before, now)) return false;
    const doubt = this.#doubts.get(path);
    const nowMs = this.#clock.now();
    // A look may come at once after the first, since something else changed: that says nothing.
    const isSame = doubt?.text === text && doubt !== undefined;
    if (isSame && nowMs - doubt.sinceMs >= DOUBT_MS) return false;
    if (!isSame && doubt !== undefined && doubt.looks >= MOST_LOOKS) return false;
    if (!isSame) this.#doubts.set(path, { text, looks: (doubt?.looks ?? 0) + 1, sinceMs: nowMs });
    return true;
  }

  /** Files that are new, gone, or have another stamp than when they were read. */
  async #readAll(): Promise<Map<string, Read>> {
    const entries = await this.#list();
    // Without the folder everything stays in force: it was moved, not emptied.
    if (entries === undefined) return new Map();
    const wanted = entries.filter(({ path }) => isDocumentFile(path));
    const present = new Set(wanted.map(({ path }) => path));
    for (const path of this.#unreadable.keys()) if (!present.has(path)) this.#unreadable.delete(path);
    const texts = await this.#read(
      wanted
        .filter(({ path, stamp }) => this.#files.get(path)?.stamp !== stamp || this.#unreadable.has(path))
        .map(({ path }) => path),
      new Map(wanted.map(({ path, stamp }) => [path, stamp])),
    );
    for (const path of this.#files.keys()) {
      if (!present.has(path)) texts.set(path, { text: undefined, stamp: undefined });
    }
    return texts;
  }

  async #list() {
    try {
      const entries = await this.#disk.list(this.#folder);
      this.#hasFolder = entries !== undefined;
      if (entries === undefined) throw new Error('no such folder');
      this.#unreadable.delete('');
      return entries;
    } catch (error) {
      this.#unreadable.set('', {
        file: this.#folder,
        object: 'folder',
        field: '',
        message: (error as Error).message,
      });
      return undefined;
    }
  }

  async #read(paths: Iterable<string>, stamps?: ReadonlyMap<string, string>): Promise<Map<string, Read>> {
    const texts = new Map<string, Read>();
    for (const path of paths) {
      if (!isDocumentFile(path)) continue;
      try {
        const text = textOf(await this.#disk.read(`${this.#folder}/${path}`, READING));
        texts.set(path, { text, stamp: stamps?.get(path) });
        this.#unreadable.delete(path);
      } catch (error) {
        this.#unreadable.set(path, {
          file: path,
          object: 'file',
          field: '',
          message: (error as Error).message,
        });
      }
    }
    return texts;
  }
}

const READING = { mostBytes: MOST_FILE_BYTES };

interface Read {
  /** Undefined: no such file. */
  readonly text: string | undefined;
  readonly stamp: string | undefined;
}

/** Whether an object has no document any more. Wrong documents lose nothing: the last good version stays. */
function losesObjects(before: readonly TextDocument[], now: readonly TextDocument[]): boolean {
  if (now.some(({ identity, problems }) => identity === undefined && problems.length > 0)) return false;
  const names = new Set(now.map(nameOf));
  return before.some((document) => document.identity !== undefined && !names.has(nameOf(document)));
}

const nameOf = ({ identity }: TextDocument): string => (identity ? identityText(identity) : '');
