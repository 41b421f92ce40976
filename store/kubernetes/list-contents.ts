// What one list of the API server holds, as documents: only what podroute reads of them, and nothing is called a change
// that changes none of it (a Node's heartbeat, a status, managed fields).
import { type Kind, parseDocument, type TextDocument } from '#api';
import type { FileContent } from '../last-good.ts';

export interface ListIdentity {
  /** As people call it: 'ippools.podroute.io'. */
  readonly name: string;
  readonly kind: Kind;
  readonly apiVersion: string;
}

export interface Raw {
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly name: string;
    readonly namespace?: string;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

interface Entry {
  readonly document: TextDocument;
  readonly says: string;
}

/** What agents write is compared and swapped by its version, so that a new version is a change by itself. */
const WRITTEN_BY_AGENTS: ReadonlySet<Kind> = new Set<Kind>(['IPAMBlock', 'IPClaim', 'BGPNodeStatus']);
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export class ListContents {
  readonly #list: ListIdentity;
  readonly #entries = new Map<string, Entry>();
  #content: FileContent | undefined;
  #isKnown = false;

  constructor(list: ListIdentity) {
    this.#list = list;
  }

  /** It was heard whole once. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** @returns whether anything that podroute reads is another now */
  replace(objects: readonly unknown[]): boolean {
    let isChanged = !this.#isKnown;
    this.#isKnown = true;
    const names = new Set(objects.map((object) => keyOfRaw(object as Raw)));
    for (const name of this.#entries.keys()) {
      if (names.has(name)) continue;
      this.#entries.delete(name);
      isChanged = true;
    }
    for (const object of objects) isChanged = this.put(object) || isChanged;
    if (isChanged) this.#content = undefined;
    return isChanged;
  }

  /** What put() reads of an object. A large cluster's Nodes are ten times as much, and more. */
  part(object: unknown): unknown {
    const { kind } = this.#list;
    // The one of its list; its key is told by its namespace, which readPart leaves out.
    return kind === 'Secret' ? object : readPart(kind, object as Raw);
  }

  put(object: unknown): boolean {
    const { kind, apiVersion, name: file } = this.#list;
    const value = { apiVersion, kind, ...readPart(kind, object as Raw) };
    const says = this.#saysOf(value);
    const key = keyOfRaw(object as Raw);
    if (this.#entries.get(key)?.says === says) return false;
    const { ignored: _, ...read } = parseDocument(value);
    this.#entries.set(key, { says, document: { ...read, file, lineOf: () => undefined } });
    this.#content = undefined;
    return true;
  }

  remove(object: unknown): boolean {
    const isRemoved = this.#entries.delete(keyOfRaw(object as Raw));
    if (isRemoved) this.#content = undefined;
    return isRemoved;
  }

  get kind(): Kind {
    return this.#list.kind;
  }

  get name(): string {
    return this.#list.name;
  }

  /** Sorted by name. A list that was never heard may hold any object. */
  content(): FileContent {
    if (!this.#isKnown) return { path: this.name, documents: [], isUnreadable: true, kind: this.kind };
    this.#content ??= {
      path: this.name,
      documents: [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { document }]) => document),
    };
    return this.#content;
  }

  #saysOf(value: { readonly metadata: Readonly<Record<string, unknown>> }): string {
    if (WRITTEN_BY_AGENTS.has(this.#list.kind)) return JSON.stringify(value);
    const { resourceVersion: _, generation: _generation, ...metadata } = value.metadata;
    return JSON.stringify({ ...value, metadata });
  }
}

/** Of one list. */
export const keyOfRaw = ({ metadata: { name, namespace } }: Raw): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

interface ReadPart {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** Of an object of the API server what podroute reads. */
export function readPart(kind: Kind, raw: Raw): ReadPart {
  const { managedFields: _, ...rest } = raw.metadata;
  const metadata = { ...rest, ...annotationsOf(raw) };
  switch (kind) {
    case 'Node':
      return { metadata, ...nodePart(raw) };
    // Of podroute's own namespace, which references need not name.
    case 'Secret': {
      const { data } = raw as { readonly data?: unknown };
      return { metadata: { ...metadata, namespace: undefined }, ...(data !== undefined && { data }) };
    }
    // Followed for its status, and only by the controller.
    case 'BGPNodeStatus':
      return { metadata, spec: raw.spec, ...(raw.status !== undefined && { status: raw.status }) };
    case 'BGPConfiguration':
    case 'BGPFilter':
    case 'BFDProfile':
    case 'BGPPeer':
    case 'IPAMBlock':
    case 'IPClaim':
    case 'IPPool':
    case 'IPReservation':
      return { metadata, ...(raw.spec !== undefined && { spec: raw.spec }) };
  }
}

function annotationsOf({ metadata }: Raw): { readonly annotations?: unknown } {
  const { annotations } = metadata;
  if (typeof annotations !== 'object' || annotations === null) return {};
  return {
    annotations: Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== LAST_APPLIED)),
  };
}

function nodePart({ spec, status }: Raw) {
  const { podCIDR, podCIDRs, unschedulable, taints } = (spec ?? {}) as Readonly<Record<string, unknown>>;
  const { addresses } = (status ?? {}) as Readonly<Record<string, unknown>>;
  return { spec: { podCIDR, podCIDRs, unschedulable, taints }, status: { addresses } };
}
