// The last good version of each object that an operator wrote, on this node's own disk, so that a restart knows what
// was in force. One file of JSON lines, replaced as a whole and readable by its owner only: it has Secrets in it.
// Bound: MOST_BYTES; what goes beyond is left out, Nodes first. Objects that agents write are not kept: their files are
// replaced as a whole, and their owner has its own journal.
import {
  collections,
  emptyResources,
  type FormerPool,
  identityOf,
  keyOf,
  type Kind,
  objectName,
  parseDocument,
  type Problem,
  type Resource,
} from '#api';
import { type Disk, textOf } from '#world';
import { nothingSelected, type Origin, type Selected } from './last-good.ts';

/** In this order, so that the most telling are never those left out. */
const KINDS: readonly Kind[] = [
  'BGPConfiguration',
  'BGPPeer',
  'BGPFilter',
  'BFDProfile',
  'IPPool',
  'IPReservation',
  'IPClaim',
  'Secret',
  'Node',
];
const FORMAT = 'podroute last good objects, 1';
const MOST_BYTES = 16 * 1024 * 1024;

interface Head {
  readonly format: string;
  /** The store's folder: what was in force of another one says nothing. */
  readonly store: string;
  readonly refusedObjects: readonly string[];
  readonly refusedFiles: readonly string[];
  /** Absent: none. */
  readonly refusedKinds?: readonly Kind[];
  /** Absent: none. */
  readonly formerPools?: readonly FormerPool[];
}

interface Line {
  readonly file: string;
  readonly written: unknown;
}

export class KeptObjects {
  readonly #path: string;
  readonly #store: string;
  readonly #disk: Disk;
  /** Documents as text: the store hands out the same until their file changes. */
  readonly #lines = new WeakMap<object, string>();
  #text: string | undefined;
  #problem: Problem | undefined;

  /** @param folder of this file alone @param store the folder that the objects are read from */
  constructor(folder: string, store: string, disk: Disk) {
    this.#path = `${folder}/objects.jsonl`;
    this.#store = store;
    this.#disk = disk;
  }

  problems(): readonly Problem[] {
    return this.#problem === undefined ? [] : [this.#problem];
  }

  /** What was in force when the last run ended. A damaged file counts as none, which is a problem until the next keep. */
  async load(): Promise<Selected> {
    try {
      const text = textOf(await this.#disk.read(this.#path));
      return text === undefined ? nothingSelected : this.#read(text);
    } catch (error) {
      this.#problem = this.#trouble(`cannot be read: ${(error as Error).message}`);
      return nothingSelected;
    }
  }

  #read(text: string): Selected {
    const [first = '', ...lines] = text.trimEnd().split('\n');
    const head = JSON.parse(first) as Head;
    if (head.format !== FORMAT || head.store !== this.#store) return nothingSelected;
    const resources = emptyResources();
    const origins = new Map<string, Origin>();
    for (const line of lines) {
      const { file, written } = JSON.parse(line) as Line;
      // Read again, as any document: another version of podroute may have written it.
      const { resource } = parseDocument(written);
      if (resource === undefined) continue;
      origins.set(objectName(resource), { path: file, written });
      (resources[collections[resource.kind]] as Map<string, Resource>).set(
        keyOf(identityOf(resource.kind, resource.metadata)),
        resource,
      );
    }
    this.#text = text;
    const refused = {
      objects: new Set(head.refusedObjects),
      files: new Set(head.refusedFiles),
      kinds: new Set(head.refusedKinds),
      ...(head.formerPools && { formerPools: head.formerPools }),
    };
    return { resources, problems: [], origins, refused };
  }

  /** Resolves when it is on disk, or problems() says why it is not. */
  async keep(selected: Selected): Promise<void> {
    const { text, left } = this.#write(selected);
    try {
      if (text !== this.#text) await this.#disk.replace(this.#path, Buffer.from(text));
      this.#text = text;
      this.#problem =
        left === 0
          ? undefined
          : this.#trouble(`has no room for ${left} objects: it keeps ${MOST_BYTES} bytes`);
    } catch (error) {
      this.#problem = this.#trouble(`cannot be written: ${(error as Error).message}`);
    }
  }

  #write({ resources, origins, refused }: Selected): { text: string; left: number } {
    const head: Head = {
      format: FORMAT,
      store: this.#store,
      refusedObjects: [...refused.objects],
      refusedFiles: [...refused.files],
      ...(refused.kinds.size > 0 && { refusedKinds: [...refused.kinds] }),
      ...(refused.formerPools && { formerPools: refused.formerPools }),
    };
    const lines = [JSON.stringify(head)];
    let bytes = 0;
    let left = 0;
    for (const kind of KINDS) {
      for (const object of (resources[collections[kind]] as ReadonlyMap<string, Resource>).values()) {
        const { path, written } = origins.get(objectName(object))!;
        const line = `{"file":${JSON.stringify(path)},"written":${this.#line(written as object)}}`;
        bytes += Buffer.byteLength(line) + 1;
        if (bytes > MOST_BYTES) left++;
        else lines.push(line);
      }
    }
    return { text: `${lines.join('\n')}\n`, left };
  }

  #line(written: object): string {
    let line = this.#lines.get(written);
    if (line === undefined) this.#lines.set(written, (line = JSON.stringify(written)));
    return line;
  }

  #trouble(message: string): Problem {
    const object = `file ${this.#path}`;
    const after = 'after a restart, objects whose documents are wrong then are not in force at all';
    return { object, field: '', message: `${message}; ${after}`, severity: 'warning' };
  }
}
