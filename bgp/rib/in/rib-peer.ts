// One neighbour as the RIB knows it: its slot, policies, counters, and the attribute sets it sent last.
import { type Family, type FamilyIndex, needsZone, parseAddressWords, withZone } from '#ip';
import type { Clock } from '#world';
import type { PeerConfig, Role } from '../../config.ts';
import { FAMILY_BIT_IPV4, FAMILY_BIT_IPV6, SessionCodecContext, verdictKey } from '../../message/index.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
import type { PolicyCache } from '../../policy/policy-cache.ts';
import type { PolicyDelta } from '../../policy/policy-delta.ts';
import { isSingleHop, type Session } from '../../session/index.ts';
import { type AfterImport, NOTHING_AFTER_IMPORT, type PathOwner, STALE_COUNTS } from './path-owner.ts';
import { MalformedUpdates } from './malformed.ts';
import { attributeOctetsLimit } from './memory-limits.ts';
import { OwnClaims } from './own-claims.ts';
import type { RibTable } from '../table/rib-table.ts';
import { KIND_EBGP, KIND_IBGP, type PeerSlots } from '../table/peer-slots.ts';

// What was said of a prefix limit.
export const SAID_NOTHING = 0;
export const SAID_NEAR = 1;
export const SAID_OVER = 2;

/** The last attribute block of a peer, so that a run of UPDATEs with one block costs a comparison each. */
export class LastBlock {
  bytes = new Uint8Array(256);
  length = -1;
  /** Next hop of MP_REACH_NLRI, for comparison. */
  readonly hop = new Uint8Array(32);
  hopLength = 0;
  action = 0;
  hasNextHop = false;
  isOnlyIncomplete = false;
  /** With a reference; -1 when the block was no good. */
  attribute = -1;
}

export class RibPeer implements PathOwner {
  readonly slot: number;
  config: PeerConfig;
  readonly #policies: PolicyCache;
  importPolicy: CompiledPolicy;
  afterImport: AfterImport = NOTHING_AFTER_IMPORT;
  exportPolicy: CompiledPolicy;
  /** Undefined while no session is established; paths may be kept over that (retention.ts). */
  session: Session | undefined;
  readonly context = new SessionCodecContext();
  /** Kind of session: blocks are judged alike under the same key. */
  verdictKey = 0;
  /** Link of the session, for link-local next hops. */
  device: string | undefined;
  remoteAs = 0;
  /** Own AS towards this peer, when it is not the speaker's. */
  localAs = 0;
  /** Ours towards it (RFC 9234), of its newest session. */
  role: Role | undefined;
  /** Its session's address and link, also while it is away; as NextHops.setOwner() was told. */
  goesTo: { readonly address: string; readonly device: string | undefined } | undefined;
  readonly received = [0, 0, 0, 0];
  readonly filtered = [0, 0, 0, 0];
  readonly overLimit = [0, 0, 0, 0];
  readonly ineligible = [0, 0, 0, 0];
  readonly ownAsLoops = [0, 0, 0, 0];
  readonly unfitHops = [0, 0, 0, 0];
  readonly octets = new Float64Array(4);
  octetsLimit: number;
  places: number;
  readonly ownClaims = new OwnClaims();
  /** Addresses of ours that its session uses, as NextHops.replaceOwnAddresses() was told. */
  ownAddresses: readonly string[] = [];
  /** By family: SAID_*. */
  readonly warned = [SAID_NOTHING, SAID_NOTHING];
  /** Prefixes it made dirty since the last turn of the work loop. */
  marked = 0;
  /** It said something since the last turn. */
  isHeard = false;
  isPaused = false;
  /** Classic and multiprotocol blocks apart. */
  readonly last = [new LastBlock(), new LastBlock()] as const;
  readonly malformed: MalformedUpdates;
  /** Bits by family: 1 End-of-RIB received. */
  readonly endOfRibReceived = [false, false];
  readonly endOfRibSent = [false, false];

  /** @param malformed of the same neighbour, when it comes back as somebody else */
  constructor(
    slot: number,
    config: PeerConfig,
    policies: PolicyCache,
    clock: Clock,
    malformed = new MalformedUpdates(clock),
  ) {
    this.#policies = policies;
    this.slot = slot;
    this.malformed = malformed;
    this.config = config;
    this.octetsLimit = attributeOctetsLimit(config);
    this.places = placesOf(config);
    this.importPolicy = policies.get(config.import);
    this.exportPolicy = policies.get(config.export);
  }

  get id(): string {
    return this.config.id;
  }

  /** Its routes depend on the interfaces of next hops. */
  get asksLinks(): boolean {
    return this.importPolicy.asksLinks || this.exportPolicy.asksLinks;
  }

  /** Takes a new configuration over and says what of it touches routes. */
  configure(config: PeerConfig): {
    readonly isImportChanged: boolean;
    /** Of a change of the import policy alone: the routes that it concerns. Undefined: all. */
    readonly importDelta: PolicyDelta | undefined;
    readonly isClientChanged: boolean;
    readonly isLimitChanged: boolean;
  } {
    const old = this.config;
    const before = this.importPolicy;
    this.importPolicy = this.#policies.get(config.import);
    this.exportPolicy = this.#policies.get(config.export);
    this.config = config;
    this.octetsLimit = attributeOctetsLimit(config);
    this.places = placesOf(config);
    this.#putLocalAsBefore();
    const isPolicyChanged = this.importPolicy.fingerprint !== before.fingerprint;
    const isRuleChanged =
      config.allowedLocalAs !== old.allowedLocalAs ||
      config.localAsRules?.prependIn !== old.localAsRules?.prependIn ||
      config.enforceFirstAs !== old.enforceFirstAs ||
      isSingleHop(config) !== isSingleHop(old);
    return {
      isImportChanged: isPolicyChanged || isRuleChanged,
      importDelta:
        isPolicyChanged && !isRuleChanged ? this.#policies.delta(before, this.importPolicy) : undefined,
      isClientChanged: config.routeReflectorClient !== old.routeReflectorClient,
      isLimitChanged:
        config.maxPrefixes.limit !== old.maxPrefixes.limit ||
        config.maxPrefixes.action !== old.maxPrefixes.action ||
        config.maxPrefixes.warnPercent !== old.maxPrefixes.warnPercent,
    };
  }

  #putLocalAsBefore(): void {
    this.afterImport = afterImportOf(this.config, this.context.external, this.afterImport);
  }

  /** Ids of prefixes of ours that it announces. */
  claimsIn(table: RibTable, slots: PeerSlots): number[] {
    return this.ownClaims.prefixes(table, this.slot, slots.epoch[this.slot * 2 + table.family]!);
  }

  /** Paths that a family's prefix limit counts. */
  receivedIn(family: FamilyIndex): number {
    return this.received[family]! + this.received[family + STALE_COUNTS]!;
  }

  /** Octets of attributes of all its paths. */
  get attributeOctets(): number {
    const { octets } = this;
    return octets[0]! + octets[1]! + octets[2]! + octets[3]!;
  }

  get #counts(): readonly (number[] | Float64Array)[] {
    const { received, filtered, overLimit, ineligible, ownAsLoops, unfitHops, octets } = this;
    return [received, filtered, overLimit, ineligible, ownAsLoops, unfitHops, octets];
  }

  /** Its paths of a family are gone. */
  forgetCounts(family: FamilyIndex): void {
    this.ageCounts(family);
    this.forgetStale(family);
    this.ownClaims.forget(family);
  }

  /** What was current is stale: it is about to be sent anew. */
  ageCounts(family: FamilyIndex): void {
    for (const counts of this.#counts) {
      counts[family + STALE_COUNTS]! += counts[family]!;
      counts[family] = 0;
    }
  }

  /** What is stale is gone. */
  forgetStale(family: FamilyIndex): void {
    for (const counts of this.#counts) counts[family + STALE_COUNTS] = 0;
  }

  /** Is it who it was, as far as others are told (RFC 4456: ORIGINATOR_ID)? Before attach(). */
  isSameSpeaker(session: Session, slots: PeerSlots): boolean {
    const { peerType, remoteRouterId } = session.negotiated;
    return (
      slots.kind[this.slot] === (peerType === 'ebgp' ? KIND_EBGP : KIND_IBGP) &&
      slots.routerId[this.slot] === routerIdOf(remoteRouterId)
    );
  }

  /** Takes over what the session agreed; the slot's columns too. */
  attach(session: Session, slots: PeerSlots): void {
    const n = session.negotiated;
    this.session = session;
    this.device = n.device;
    this.remoteAs = n.remoteAs;
    this.localAs = n.localAs;
    this.role = n.role;
    const c = this.context;
    c.fourByteAs = n.fourByteAs;
    c.external = n.peerType === 'ebgp';
    this.#putLocalAsBefore();
    c.addPathIpv4 = n.addPathReceive.ipv4;
    c.addPathIpv6 = n.addPathReceive.ipv6;
    c.extendedNextHop = n.extendedNextHop;
    c.families = familyBits(n.families);
    c.rejectAsSets = session.config.rejectAsSets ?? false;
    this.verdictKey = verdictKey(c);
    slots.kind[this.slot] = c.external ? KIND_EBGP : KIND_IBGP;
    slots.client[this.slot] = this.config.routeReflectorClient ? 1 : 0;
    slots.routerId[this.slot] = routerIdOf(n.remoteRouterId);
    const address = parseAddressWords(n.remoteAddress);
    slots.address.fill(0, this.slot * 4, this.slot * 4 + 4);
    if (address !== undefined) slots.address.set(address.words, this.slot * 4);
    this.warned.fill(SAID_NOTHING);
    this.endOfRibReceived.fill(false);
    this.endOfRibSent.fill(false);
  }
}

/** Paths of a family that its prefix limit lets in. */
export function placesOf({ maxPrefixes: { limit, action } }: PeerConfig): number {
  return action === 'drop' ? limit : Number.POSITIVE_INFINITY;
}

/**
 * RFC 7705 section 3.1: our AS of the session goes before all else that policy prepends, and is no loop, as that is
 * looked for in what came.
 * @param before of the same neighbour; the same object for the same: what was made with it is remembered
 */
export function afterImportOf(config: PeerConfig, isExternal: boolean, before: AfterImport): AfterImport {
  const { localAs, localAsRules } = config;
  const wanted = isExternal && localAsRules?.prependIn === true ? localAs : undefined;
  if (before.usual?.prependAs?.[0] === wanted) return before;
  if (wanted === undefined) return NOTHING_AFTER_IMPORT;
  const prependAs = [wanted];
  return { usual: { prependAs }, shutDown: { ...NOTHING_AFTER_IMPORT.shutDown, prependAs } };
}

/** Our addresses that a session uses, or tells as next hops; a link-local one with its link. */
export function ownAddresses(session: Session, config: PeerConfig): string[] {
  const { localAddress, device, sharedLink } = session.negotiated;
  const own = [withZone(localAddress, needsZone(localAddress) ? device : undefined)];
  for (const { ipv4, ipv6 } of [sharedLink ?? {}, config.nextHopSelf] as PeerConfig['nextHopSelf'][]) {
    if (ipv4 !== undefined) own.push(ipv4);
    if (ipv6 !== undefined) own.push(ipv6);
  }
  return own;
}

function routerIdOf(text: string): number {
  return (parseAddressWords(text)?.words[0] ?? 0) >>> 0;
}

function familyBits(families: readonly Family[]): number {
  return (
    (families.includes('ipv4') ? FAMILY_BIT_IPV4 : 0) | (families.includes('ipv6') ? FAMILY_BIT_IPV6 : 0)
  );
}
