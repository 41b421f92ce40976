// Reads single attributes out of interned sets: what policies and the decision ask.
import {
  AttributeRange,
  ATTR_AS_PATH,
  ATTR_OTC,
  carriesCommunity,
  type CommunityPattern,
  countAs,
  findAttribute,
  PathElements,
  readU32,
  startsWithAs,
} from '../../message/index.ts';
import type { AttributeQuestions } from '../../policy/attribute-match.ts';
import { NO_LINKS } from '../../policy/link-pattern.ts';
import type { AttributeStore } from './attribute-store.ts';
import type { NextHops } from './next-hops.ts';

export class AttributeReader implements AttributeQuestions {
  readonly #store: AttributeStore;
  readonly #nextHops: NextHops;
  readonly linkNames = (links: number): readonly string[] => this.#nextHops.linkNames(links);
  readonly #range = new AttributeRange();
  readonly #path = new PathElements();

  constructor(store: AttributeStore, nextHops: NextHops) {
    this.#store = store;
    this.#nextHops = nextHops;
  }

  linksOf(id: number): number {
    const hop = this.#store.nextHop[id]!;
    return hop < 0 ? NO_LINKS : this.#nextHops.links[hop]!;
  }

  generationOf(id: number): number {
    return this.#store.generation[id]!;
  }

  metricOf(id: number): number {
    return this.#store.metricOf(id);
  }

  carriesCommunity(id: number, pattern: CommunityPattern): boolean {
    const start = this.#store.start(id);
    return carriesCommunity(this.#store.blob(id), start, start + this.#store.length[id]!, pattern);
  }

  path(id: number): PathElements {
    const path = this.#path;
    const isThere = this.#find(id, ATTR_AS_PATH);
    path.read(this.#store.blob(id), isThere ? this.#range.start : 0, isThere ? this.#range.end : 0);
    return path;
  }

  nextHop(id: number): Uint8Array | undefined {
    const hop = this.#store.nextHop[id]!;
    return hop < 0 ? undefined : this.#nextHops.wire(hop);
  }

  pathStartsWith(id: number, asNumbers: readonly number[]): boolean {
    const start = this.#store.start(id);
    return startsWithAs(this.#store.blob(id), start, start + this.#store.length[id]!, asNumbers);
  }

  /** How often an AS stands in the path; for peers with a `localAs` of their own. */
  countAs(id: number, asNumber: number): number {
    const start = this.#store.start(id);
    return countAs(this.#store.blob(id), start, start + this.#store.length[id]!, asNumber);
  }

  /** RFC 9234; -1 without OTC. */
  otc(id: number): number {
    if (!this.#find(id, ATTR_OTC)) return -1;
    return readU32(this.#store.blob(id), this.#range.start);
  }

  samePath(a: number, b: number): boolean {
    if (!this.#find(a, ATTR_AS_PATH)) return !this.#find(b, ATTR_AS_PATH);
    const blobA = this.#store.blob(a);
    const from = this.#range.start;
    const length = this.#range.end - from;
    if (!this.#find(b, ATTR_AS_PATH) || this.#range.end - this.#range.start !== length) return false;
    const blobB = this.#store.blob(b);
    for (let i = 0; i < length; i++) if (blobA[from + i] !== blobB[this.#range.start + i]) return false;
    return true;
  }

  #find(id: number, type: number): boolean {
    const start = this.#store.start(id);
    return findAttribute(this.#store.blob(id), start, start + this.#store.length[id]!, type, this.#range);
  }
}
