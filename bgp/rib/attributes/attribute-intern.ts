// From an UPDATE's attribute block to the id of an interned set: judged by the codec, completed with what this
// speaker adds (loop flags, defaults), stored once. Also sets changed by policy, and those of own routes.
import { needsZone, parseAddressWords } from '#ip';
import {
  ACTION_OK,
  ACTION_TREAT_AS_WITHDRAW,
  AttributeVerdict,
  buildAttributes,
  clusterListContains,
  countAs,
  decodeNextHop,
  type LargeCommunity,
  MAX_EXTENDED_MESSAGE_LENGTH,
  NextHop,
  parseCommunity,
  parseLargeCommunity,
  rewriteAttributes,
  SessionCodecContext,
  validateAttributes,
} from '../../message/index.ts';
import type { PolicySet } from '../../policy/policy.ts';
import { planOf } from './policy-plan.ts';
import { AttributeBlock } from './attribute-block.ts';
import { AttributeFacts, type AttributeStore, LOOP_CLUSTER, LOOP_ORIGINATOR } from './attribute-store.ts';
import type { NextHops } from './next-hops.ts';
import { AS_IT_CAME, HOP_GIVEN, HOP_SELF } from './variants.ts';

/** LOCAL_PREF of routes that come without (RFC 4271 section 5.1.5 leaves it to policy; everybody uses 100). */
export const DEFAULT_LOCAL_PREF = 100;

/** Who this speaker is, for loop detection. */
export interface OwnIdentity {
  readonly asNumber: number;
  /** Unsigned 32-bit. */
  readonly routerId: number;
  readonly clusterId: number;
}

/** Where a neighbour's session goes to: its address as a next hop. */
export interface NeighbourHop {
  readonly address: string;
  readonly device: string | undefined;
}

export class AttributeIntern {
  readonly store: AttributeStore;
  readonly verdict = new AttributeVerdict();
  #identity: OwnIdentity;
  readonly #nextHops: NextHops;
  readonly #facts = new AttributeFacts();
  readonly #hop = new NextHop();
  readonly #scratch = new Uint8Array(MAX_EXTENDED_MESSAGE_LENGTH + 1);
  readonly #seed: number;
  readonly #internal = new SessionCodecContext();
  /** The block that recall() looked for last: its next hop (-1: not looked for) and hash. */
  readonly #raw = new AttributeBlock();
  #rawHop = -1;
  #rawHash = 0;
  readonly #canonical = new AttributeBlock();

  /** @param seed secret */
  constructor(store: AttributeStore, nextHops: NextHops, identity: OwnIdentity, seed: number) {
    this.#seed = seed;
    this.store = store;
    this.#nextHops = nextHops;
    this.#identity = identity;
    this.#internal.external = false;
  }

  get identity(): OwnIdentity {
    return this.#identity;
  }

  /** Our AS number or ids changed: what is a loop is found anew in all sets (some 0.2 µs each; rare). */
  set identity(identity: OwnIdentity) {
    this.#identity = identity;
    const { store } = this;
    for (let id = 0; id < store.end; id++) {
      if (!store.has(id)) continue;
      const blob = store.blob(id);
      const start = store.start(id);
      const end = start + store.length[id]!;
      store.ownAsCount[id] = Math.min(countAs(blob, start, end, identity.asNumber), 0xff);
      store.loops[id] =
        (store.originator[id] === identity.routerId ? LOOP_ORIGINATOR : 0) |
        (clusterListContains(blob, start, end, identity.clusterId) ? LOOP_CLUSTER : 0);
    }
  }

  /**
   * The set of a block that came before, byte for byte, over a session of the same kind: a hash and a comparison
   * instead of judging it again. Only for blocks as nearly everybody sends them, with NEXT_HOP third.
   * One reference is taken; -1 when it must be judged.
   */
  recall(blob: Uint8Array, start: number, end: number, key: number): number {
    this.#rawHop = -1;
    const raw = this.#raw;
    if (!raw.readUpdate(blob, start, end)) return -1;
    const hop = this.#nextHops.find4(raw.nextHop);
    if (hop < 0) return -1;
    const { store } = this;
    const hash = store.hashOf(raw, hop, AS_IT_CAME);
    const id = store.find(raw, hop, AS_IT_CAME, hash);
    if (id < 0) {
      this.#rawHop = hop;
      this.#rawHash = hash;
      return -1;
    }
    if ((store.cleanKeys[id]! & (1 << key)) === 0) return -1;
    store.references[id] = store.references[id]! + 1;
    return id;
  }

  /** Judges a block into `verdict`; returns its action. */
  judge(blob: Uint8Array, start: number, end: number, context: SessionCodecContext): number {
    context.seed = this.#seed;
    validateAttributes(blob, start, end, context, this.verdict);
    return this.verdict.action;
  }

  /** The set of the block judged last, with its NEXT_HOP attribute. One reference is taken. */
  classic(key: number): number {
    const hop = this.#nextHops.intern4(this.verdict.nextHop | 0);
    const { verdict } = this;
    const isRaw =
      verdict.action === ACTION_OK &&
      verdict.length === this.#raw.length &&
      this.#raw.equals(verdict.bytes, 0);
    if (!isRaw) return this.#intern(hop, AS_IT_CAME);
    // recall() looked for these bytes in vain: no need to look again. From now on they can be recalled.
    const id =
      hop === this.#rawHop ? this.#add(hop, AS_IT_CAME, this.#rawHash) : this.#intern(hop, AS_IT_CAME);
    this.store.cleanKeys[id] = this.store.cleanKeys[id]! | (1 << key);
    return id;
  }

  /** Same with a next hop from MP_REACH_NLRI; -1 when that cannot be one (treat as withdraw). */
  multiprotocol(buf: Uint8Array, start: number, length: number, device: string | undefined): number {
    const hop = this.#hop;
    if (!decodeNextHop(buf, start, length, hop)) return -1;
    if (hop.family === 0) return this.#intern(this.#nextHops.intern4(hop.word0 | 0), AS_IT_CAME);
    const global = hop.hasGlobal ? [hop.word0 | 0, hop.word1 | 0, hop.word2 | 0, hop.word3 | 0] : undefined;
    const link = hop.hasLinkLocal
      ? [hop.linkLocal0 | 0, hop.linkLocal1 | 0, hop.linkLocal2 | 0, hop.linkLocal3 | 0]
      : undefined;
    return this.#intern(this.#nextHops.intern6(global, link, device), AS_IT_CAME);
  }

  /** The set of a route that starts here. One reference is taken. @throws Error when it is too large */
  originated(route: {
    readonly communities?: readonly string[];
    readonly largeCommunities?: readonly string[];
    readonly med?: number;
    readonly localPref?: number;
    /** ORIGIN of what is inside; of an aggregate. */
    readonly aggregated?: number;
    /** Next-hop id, with a reference that passes on to the set, or -1 for self. */
    readonly nextHop: number;
  }): number {
    const parsed = parseCommunities([...(route.communities ?? []), ...(route.largeCommunities ?? [])]);
    const end = buildAttributes(
      {
        ...parsed,
        ...(route.med === undefined ? {} : { med: route.med }),
        ...(route.localPref === undefined ? {} : { localPref: route.localPref }),
        ...(route.aggregated === undefined ? {} : { origin: route.aggregated, aggregator: this.identity }),
      },
      this.#scratch,
      0,
    );
    if (end < 0) throw new Error('the attributes do not fit into a message: fewer communities, please');
    this.judge(this.#scratch, 0, end, this.#internal);
    return this.#intern(route.nextHop, AS_IT_CAME);
  }

  /**
   * A set with a policy's changes. One reference is taken; -1 when it would not fit into a message, or the next hop can
   * be none there.
   * @param otc RFC 9234 value to add when absent, -1 for none
   * @param isExport remembers what was set on purpose: MED, and the next hop
   * @param from whose route it is, on import: for the next hop 'peer'
   */
  changed(
    id: number,
    sets: readonly PolicySet[],
    otc: number,
    isExport: boolean,
    from?: NeighbourHop,
  ): number {
    const plan = planOf(sets, otc);
    const store = this.store;
    const start = store.start(id);
    const limit = this.#scratch.length;
    const end = rewriteAttributes(
      store.blob(id),
      start,
      start + store.length[id]!,
      plan,
      this.#scratch,
      0,
      limit,
    );
    if (end < 0) return -1;
    if (this.judge(this.#scratch, 0, end, this.#internal) === ACTION_TREAT_AS_WITHDRAW) return -1;
    const given = sets.findLast((set) => set.nextHop !== undefined)?.nextHop;
    // What is imported through us is a loop, and what is sent through whom it is sent to as well.
    if (given === (isExport ? 'peer' : 'self')) return -1;
    const to =
      given === 'peer' ? from : given === 'self' || given === undefined ? undefined : { address: given };
    if (given === 'peer' && to === undefined) return -1;
    const hop = to === undefined ? store.nextHop[id]! : this.#hopAt(to);
    if (hop >= 0 && to === undefined) this.#nextHops.hold(hop);
    return this.#intern(hop, this.#variantOf(id, sets, isExport, given));
  }

  /** With a reference. Neighbours are told neither metric nor weight: what differs in them alone is one set to them. */
  #variantOf(id: number, sets: readonly PolicySet[], isExport: boolean, nextHop: string | undefined): number {
    const { store } = this;
    const last = <K extends 'metric' | 'weight'>(name: K): number | undefined =>
      sets.findLast((set) => set[name] !== undefined)?.[name];
    return store.variants.take({
      isMedSet: store.isMedSet(id) || (isExport && sets.some(({ med }) => med !== undefined)),
      metric: isExport ? 0 : (last('metric') ?? store.metricOf(id)),
      weight: isExport ? 0 : (last('weight') ?? store.weightOf(id)),
      nextHop:
        !isExport || nextHop === undefined
          ? store.variants.nextHop[store.variant[id]!]!
          : nextHop === 'self'
            ? HOP_SELF
            : HOP_GIVEN,
    });
  }

  /** LLGR_STALE for routes of a neighbour that did not come back in time (RFC 9494 section 4.2). As changed(). */
  longLived(id: number): number {
    return this.changed(id, [{ addCommunities: ['llgr-stale'] }], -1, false);
  }

  /** With a reference. */
  #hopAt({ address, device }: { readonly address: string; readonly device?: string | undefined }): number {
    const { family, words } = parseAddressWords(address)!;
    if (family === 0) return this.#nextHops.intern4(words[0]!);
    return needsZone(address)
      ? this.#nextHops.intern6(undefined, words, device)
      : this.#nextHops.intern6(words, undefined, undefined);
  }

  /** Takes over the references to both. */
  #intern(hop: number, variant: number): number {
    const { store, verdict } = this;
    this.#canonical.readCanonical(verdict.bytes, verdict.length);
    const hash = store.hashOf(this.#canonical, hop, variant);
    const known = store.find(this.#canonical, hop, variant, hash);
    if (known >= 0) {
      if (hop >= 0) this.#nextHops.release(hop);
      store.variants.release(variant);
      store.references[known] = store.references[known]! + 1;
      return known;
    }
    return this.#add(hop, variant, hash);
  }

  #add(hop: number, variant: number, hash: number): number {
    const { store, verdict } = this;
    const facts = this.#facts;
    facts.localPref = verdict.hasLocalPref ? verdict.localPref : DEFAULT_LOCAL_PREF;
    facts.med = verdict.hasMed ? verdict.med : 0;
    facts.pathLength = Math.min(verdict.pathLength, 0xffff);
    facts.origin = verdict.origin;
    facts.neighborAs = verdict.neighbourAs;
    facts.originator = verdict.hasOriginatorId ? verdict.originatorId : 0;
    facts.clusterLength = Math.min(verdict.clusterListLength, 0xff);
    facts.flags = verdict.flags;
    facts.present = verdict.present;
    facts.linkBandwidth = verdict.linkBandwidth;
    facts.variant = variant;
    this.#findLoops();
    const id = store.add(verdict.bytes, verdict.length, hop, hash, facts);
    store.references[id] = 1;
    return id;
  }

  #findLoops(): void {
    const { verdict } = this;
    const identity = this.#identity;
    const facts = this.#facts;
    facts.ownAsCount =
      verdict.asPathStart === verdict.asPathEnd
        ? 0
        : Math.min(countAs(verdict.bytes, 0, verdict.length, identity.asNumber), 0xff);
    let loops = 0;
    if (verdict.hasOriginatorId && verdict.originatorId === identity.routerId) loops |= LOOP_ORIGINATOR;
    if (
      verdict.clusterListLength > 0 &&
      clusterListContains(verdict.bytes, 0, verdict.length, identity.clusterId)
    ) {
      loops |= LOOP_CLUSTER;
    }
    facts.loops = loops;
  }
}

/** Standard and large communities of a list of texts, apart. @throws Error naming the text that is neither */
function parseCommunities(texts: readonly string[]): {
  readonly communities: number[];
  readonly largeCommunities: LargeCommunity[];
} {
  const communities: number[] = [];
  const largeCommunities: LargeCommunity[] = [];
  for (const text of texts) {
    const standard = parseCommunity(text);
    const large = standard === undefined ? parseLargeCommunity(text) : undefined;
    if (standard !== undefined) communities.push(standard);
    else if (large !== undefined) largeCommunities.push(large);
    else throw new Error(`'${text}' is not a community (AS:N, AS:N:N, or a well-known name)`);
  }
  return { communities, largeCommunities };
}
