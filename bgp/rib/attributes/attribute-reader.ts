// Reads single attributes out of interned sets: what policies ask, what the operator is shown.
import {
  AttributeRange,
  ATTR_AS_PATH,
  ATTR_CLUSTER_LIST,
  ATTR_COMMUNITIES,
  ATTR_LARGE_COMMUNITIES,
  ATTR_OTC,
  countAs,
  findAttribute,
  formatAsPath,
  formatCommunities,
  formatIpv4,
  formatLargeCommunities,
  hasCommunity,
  hasLargeCommunity,
  type LargeCommunity,
  startsWithAs,
} from '../../message/index.ts';
import type { AttributeQuestions } from '../../policy/compile.ts';
import type { AttributeStore } from './attribute-store.ts';

export class AttributeReader implements AttributeQuestions {
  readonly #store: AttributeStore;
  readonly #range = new AttributeRange();

  constructor(store: AttributeStore) {
    this.#store = store;
  }

  hasCommunity(id: number, value: number): boolean {
    const start = this.#store.start(id);
    return hasCommunity(this.#store.blob(id), start, start + this.#store.length[id]!, value);
  }

  hasLargeCommunity(id: number, community: LargeCommunity): boolean {
    const start = this.#store.start(id);
    const end = start + this.#store.length[id]!;
    return hasLargeCommunity(this.#store.blob(id), start, end, community[0], community[1], community[2]);
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
    const blob = this.#store.blob(id);
    const at = this.#range.start;
    return ((blob[at]! << 24) | (blob[at + 1]! << 16) | (blob[at + 2]! << 8) | blob[at + 3]!) >>> 0;
  }

  samePath(a: number, b: number): boolean {
    if (!this.#find(a, ATTR_AS_PATH)) return this.asPathText(b) === '';
    const blobA = this.#store.blob(a);
    const from = this.#range.start;
    const length = this.#range.end - from;
    if (!this.#find(b, ATTR_AS_PATH) || this.#range.end - this.#range.start !== length) return false;
    const blobB = this.#store.blob(b);
    for (let i = 0; i < length; i++) if (blobA[from + i] !== blobB[this.#range.start + i]) return false;
    return true;
  }

  asPathText(id: number): string {
    if (!this.#find(id, ATTR_AS_PATH)) return '';
    return formatAsPath(this.#store.blob(id), this.#range.start, this.#range.end);
  }

  communityTexts(id: number): string[] {
    if (!this.#find(id, ATTR_COMMUNITIES)) return [];
    return formatCommunities(this.#store.blob(id), this.#range.start, this.#range.end);
  }

  largeCommunityTexts(id: number): string[] {
    if (!this.#find(id, ATTR_LARGE_COMMUNITIES)) return [];
    return formatLargeCommunities(this.#store.blob(id), this.#range.start, this.#range.end);
  }

  clusterListTexts(id: number): string[] {
    const out: string[] = [];
    if (!this.#find(id, ATTR_CLUSTER_LIST)) return out;
    const blob = this.#store.blob(id);
    for (let at = this.#range.start; at < this.#range.end; at += 4) {
      out.push(
        formatIpv4(((blob[at]! << 24) | (blob[at + 1]! << 16) | (blob[at + 2]! << 8) | blob[at + 3]!) >>> 0),
      );
    }
    return out;
  }

  #find(id: number, type: number): boolean {
    const start = this.#store.start(id);
    return findAttribute(this.#store.blob(id), start, start + this.#store.length[id]!, type, this.#range);
  }
}
