// May a path be used at all, by the rules of the protocol that look at no prefix (RX-2, RX-7, RX-8)? Asked on arrival, and
// again when what it depends on has changed. import.ts keeps what is refused with a flag; show/ has the words.
import { PRESENT_OTC } from '../../message/index.ts';
import { isSingleHop } from '../../session/index.ts';
import type { AttributeIntern } from '../attributes/attribute-intern.ts';
import type { AttributeReader } from '../attributes/attribute-reader.ts';
import type { NextHops } from '../attributes/next-hops.ts';
import { KIND_EBGP, KIND_IBGP, type PeerSlots } from '../table/peer-slots.ts';
import { INELIGIBLE, OWN_AS_LOOP, UNFIT_HOP } from '../table/rib-table.ts';
import type { RibPeer } from './rib-peer.ts';

// Which rule forbids a path: codes of Eligibility.of().
export const ELIGIBLE = 0;
/** RFC 4271 section 9.1.2: our own AS is in AS_PATH more often than allowed. */
export const OWN_AS = 1;
/** RFC 4456 section 8: ORIGINATOR_ID or CLUSTER_LIST is ours. */
export const REFLECTED_BACK = 2;
/** RFC 4271 section 5.1.3. */
export const OWN_NEXT_HOP = 3;
/** RFC 4271 section 6.3. */
export const FOREIGN_FIRST_AS = 4;
/** RFC 9234 section 5: what was sent "down" or sideways must not come back up. */
export const LEAK_FROM_CUSTOMER = 5;
export const LEAK_OF_ANOTHER_AS = 6;
/** RFC 4271 section 6.3: from a neighbour one hop away, a third router that is on no link of ours. */
export const OFF_LINK_NEXT_HOP = 7;

/** A path's flags for a code: INELIGIBLE, OWN_AS_LOOP, UNFIT_HOP or 0. */
export function flagsOf(code: number): number {
  if (code === ELIGIBLE) return 0;
  if (code === OWN_AS) return OWN_AS_LOOP;
  return code === OWN_NEXT_HOP || code === OFF_LINK_NEXT_HOP ? UNFIT_HOP : INELIGIBLE;
}

/** What of a neighbour rules ask. */
export type JudgedPeer = Pick<RibPeer, 'slot' | 'config' | 'localAs' | 'remoteAs' | 'role'>;

export class Eligibility {
  readonly #intern: AttributeIntern;
  readonly #reader: AttributeReader;
  readonly #peers: PeerSlots;
  readonly #nextHops: NextHops;

  constructor(intern: AttributeIntern, reader: AttributeReader, peers: PeerSlots, nextHops: NextHops) {
    this.#intern = intern;
    this.#reader = reader;
    this.#peers = peers;
    this.#nextHops = nextHops;
  }

  /** The rule that forbids a set from a peer, or ELIGIBLE. */
  of(peer: JudgedPeer, attribute: number): number {
    if (this.ownAsCount(peer, attribute) > peer.config.allowedLocalAs) return OWN_AS;
    const { store } = this.#intern;
    const kind = this.#peers.kind[peer.slot]!;
    if (kind === KIND_IBGP && store.loops[attribute] !== 0) return REFLECTED_BACK;
    const hop = store.nextHop[attribute]!;
    if (hop >= 0 && this.#nextHops.isOwn[hop] === 1) return OWN_NEXT_HOP;
    if (kind === KIND_EBGP && hop >= 0 && this.#nextHops.isOffLink[hop] === 1) {
      if (isSingleHop(peer.config) && !this.#nextHops.isOfPeer(hop, peer.slot)) return OFF_LINK_NEXT_HOP;
    }
    if (kind === KIND_EBGP && peer.config.enforceFirstAs && store.neighborAs[attribute] !== peer.remoteAs)
      return FOREIGN_FIRST_AS;
    const { role } = peer;
    if (role === undefined || (store.present[attribute]! & PRESENT_OTC) === 0) return ELIGIBLE;
    if (role === 'provider' || role === 'rs') return LEAK_FROM_CUSTOMER;
    if (role === 'peer' && this.#reader.otc(attribute) !== peer.remoteAs) return LEAK_OF_ANOTHER_AS;
    return ELIGIBLE;
  }

  /** How often an AS of ours, towards this peer or the speaker's, is in AS_PATH. */
  ownAsCount(peer: JudgedPeer, attribute: number): number {
    const own = this.#intern.store.ownAsCount[attribute]!;
    const { localAs } = peer;
    if (localAs === this.#intern.identity.asNumber) return own;
    return own + this.#reader.countAs(attribute, localAs);
  }
}
