// The receive path (RFC 4271 §9): one UPDATE's bytes become paths in the tables. Numbers only; nothing is
// allocated per prefix. What a rule forbids is kept with a flag, so that it can be shown and looked at again.
import type { FamilyIndex } from '#ip';
import {
  ACTION_OK,
  ACTION_RESET,
  ACTION_TREAT_AS_WITHDRAW,
  type AttributeVerdict,
  isMartianIpv4,
  isMartianIpv6,
  isOnlyIncomplete,
  judgeUpdate,
  nextIpv4,
  nextIpv6,
  NlriCursor,
  type NotificationError,
  PRESENT_OTC,
  scanUpdate,
  startNlri,
  updateNotification,
  UpdateScan,
} from '../../message/index.ts';
import type { MemoryLimit } from '../../session/index.ts';
import type { AdjRibIn } from './adj-rib-in.ts';
import type { AttributeIntern } from '../attributes/attribute-intern.ts';
import type { NextHops } from '../attributes/next-hops.ts';
import { LOCAL_SLOT } from '../table/peer-slots.ts';
import { type Eligibility, flagsOf } from './eligibility.ts';
import { type MalformedAction, malformedReason } from './malformed.ts';
import { MOST_NEXT_HOPS, mostRoutes } from './memory-limits.ts';
import { type LastBlock, type RibPeer, SAID_NEAR, SAID_NOTHING, SAID_OVER } from './rib-peer.ts';
import type { RibTable } from '../table/rib-table.ts';

/** A block longer than this is not remembered for comparison with the next one. */
const LONGEST_REMEMBERED = 4096;

/** 'family': one that was not agreed (RFC 4760 section 7); 'prefix': one that no unicast table may hold (RFC 7606 section 5.3). */
export type IgnoredRoutes = 'family' | 'prefix';

/** What the importer tells its owner; everything else it does by itself. */
export interface ImportEvents {
  /**
   * An UPDATE was malformed; `peer.malformed` has it already.
   * @param reset the NOTIFICATION that must end the session now; undefined when it goes on
   */
  malformed(
    peer: RibPeer,
    action: MalformedAction,
    reason: string,
    reset: NotificationError | undefined,
  ): void;
  endOfRib(peer: RibPeer, family: FamilyIndex): void;
  /** Part of an UPDATE is not for us, and no error; called at most once a message for each reason. */
  ignored(peer: RibPeer, why: IgnoredRoutes): void;
  /** The peer's received paths of that family passed its limit, or the warning mark; said once where the session goes on. */
  limit(peer: RibPeer, family: FamilyIndex, isOver: boolean): void;
  /** What it makes us keep passed a limit: its session must end. */
  memory(peer: RibPeer, limit: MemoryLimit): void;
}

export class Importer {
  readonly #intern: AttributeIntern;
  readonly #eligibility: Eligibility;
  readonly #tables: readonly [RibTable, RibTable];
  readonly #paths: AdjRibIn;
  readonly #events: ImportEvents;
  readonly #nextHops: NextHops;
  readonly #scan = new UpdateScan();
  readonly #cursor = new NlriCursor();
  /** In the message being read. */
  #martians = 0;

  constructor(
    intern: AttributeIntern,
    eligibility: Eligibility,
    tables: readonly [RibTable, RibTable],
    paths: AdjRibIn,
    nextHops: NextHops,
    events: ImportEvents,
  ) {
    this.#nextHops = nextHops;
    this.#intern = intern;
    this.#eligibility = eligibility;
    this.#tables = tables;
    this.#paths = paths;
    this.#events = events;
  }

  /** One UPDATE at buf[start, end), header included. */
  receive(peer: RibPeer, buf: Uint8Array, start: number, end: number): void {
    const scan = this.#scan;
    if (scanUpdate(buf, start, end, peer.context, scan) === ACTION_RESET) {
      this.#malformed(peer, ACTION_RESET, undefined, buf, start, end);
      return;
    }
    if (scan.endOfRib >= 0) {
      peer.endOfRibReceived[scan.endOfRib] = true;
      this.#events.endOfRib(peer, scan.endOfRib as FamilyIndex);
      return;
    }
    if (scan.ignored !== 0) this.#events.ignored(peer, 'family');
    let classic = -1;
    let multiprotocol = -1;
    if (scan.blobStart < scan.blobEnd || scan.hasReachable) {
      const hasMp = scan.mpReachFamily >= 0;
      const last = peer.last[hasMp ? 1 : 0];
      if (!isSameBlock(last, scan, buf)) this.#judge(peer, last, buf);
      const action = judgeUpdate(scan, last.action, last.hasNextHop, last.isOnlyIncomplete);
      if (action !== ACTION_OK) {
        // The block may be one that was judged before, of which only the action is remembered.
        this.#intern.judge(scan.blob, scan.blobStart, scan.blobEnd, peer.context);
        this.#malformed(peer, action, this.#intern.verdict, buf, start, end);
        if (action === ACTION_RESET) return;
      }
      if (action !== ACTION_TREAT_AS_WITHDRAW) {
        if (hasMp) multiprotocol = last.attribute;
        else classic = last.attribute;
      }
    }
    const table4 = this.#tables[0];
    if (scan.withdrawnCount > 0) this.#withdraw4(peer, table4, buf, scan.withdrawnStart, scan.withdrawnEnd);
    if (scan.mpUnreachCount > 0) {
      this.#withdraw(peer, scan.mpUnreachFamily, buf, scan.mpUnreachStart, scan.mpUnreachEnd);
    }
    if (scan.mpReachCount > 0) {
      const { mpReachFamily: family, mpReachStart: from, mpReachEnd: to } = scan;
      if (multiprotocol < 0) this.#withdraw(peer, family, buf, from, to);
      else if (family === 0) this.#announce4(peer, table4, buf, from, to, multiprotocol);
      else this.#announce6(peer, this.#tables[1], buf, from, to, multiprotocol);
    }
    if (scan.nlriCount > 0) {
      // Both kinds of NLRI in one message (nobody sends that): the classic ones need a set with the other next hop.
      if (multiprotocol >= 0) {
        this.#judge(peer, peer.last[0], buf, true);
        classic = peer.last[0].attribute;
      }
      if (classic >= 0) this.#announce4(peer, table4, buf, scan.nlriStart, scan.nlriEnd, classic);
      else this.#withdraw4(peer, table4, buf, scan.nlriStart, scan.nlriEnd);
      this.#checkLimit(peer, 0);
    }
    if (scan.mpReachCount > 0) this.#checkLimit(peer, scan.mpReachFamily as FamilyIndex);
    if (this.#martians > 0) {
      this.#martians = 0;
      this.#events.ignored(peer, 'prefix');
    }
  }

  /** Forgets a peer's last blocks (its session ended, or what it agreed changed). */
  forgetBlocks(peer: RibPeer): void {
    for (const last of peer.last) {
      if (last.attribute >= 0) this.#intern.store.release(last.attribute);
      last.attribute = -1;
      last.length = -1;
    }
  }

  #malformed(
    peer: RibPeer,
    action: number,
    verdict: AttributeVerdict | undefined,
    buf: Uint8Array,
    start: number,
    end: number,
  ): void {
    const reason = malformedReason(this.#scan, verdict);
    const name = peer.malformed.note(action, reason, buf, start, end);
    const reset = action === ACTION_RESET ? updateNotification(buf, this.#scan) : undefined;
    this.#events.malformed(peer, name, reason, reset);
  }

  /** Judges and interns the scanned block into `last`. */
  #judge(peer: RibPeer, last: LastBlock, buf: Uint8Array, asClassic = false): void {
    const scan = this.#scan;
    const intern = this.#intern;
    const before = last.attribute;
    const isMp = scan.mpReachFamily >= 0 && !asClassic;
    last.attribute = isMp ? -1 : intern.recall(scan.blob, scan.blobStart, scan.blobEnd, peer.verdictKey);
    if (last.attribute >= 0) {
      last.action = ACTION_OK;
      last.hasNextHop = true;
      last.isOnlyIncomplete = false;
      last.attribute = this.#complete(peer, last.attribute);
    } else {
      last.action = intern.judge(scan.blob, scan.blobStart, scan.blobEnd, peer.context);
      last.hasNextHop = intern.verdict.hasNextHop;
      last.isOnlyIncomplete = isOnlyIncomplete(intern.verdict);
      if (last.action !== ACTION_TREAT_AS_WITHDRAW) this.#store(peer, last, buf, isMp);
    }
    if (before >= 0) intern.store.release(before);
    remember(last, scan, buf, isMp);
  }

  /** Interns the block that was just judged. */
  #store(peer: RibPeer, last: LastBlock, buf: Uint8Array, isMp: boolean): void {
    const intern = this.#intern;
    this.#nextHops.payer = peer.slot;
    if (isMp) {
      const { nextHopStart, nextHopLength } = this.#scan;
      last.attribute = intern.multiprotocol(buf, nextHopStart, nextHopLength, peer.device);
      if (last.attribute < 0) last.action = ACTION_TREAT_AS_WITHDRAW;
    } else if (last.hasNextHop) {
      last.attribute = intern.classic(peer.verdictKey);
    }
    this.#nextHops.payer = LOCAL_SLOT;
    if (last.attribute >= 0) last.attribute = this.#complete(peer, last.attribute);
  }

  /** What standards make of a set on arrival: OTC (RFC 9234 section 5). Passes the reference on. */
  #complete(peer: RibPeer, attribute: number): number {
    const store = this.#intern.store;
    let id = attribute;
    if (!peer.context.external) return id;
    const { role } = peer;
    if ((role === 'customer' || role === 'peer' || role === 'rs-client') && id >= 0) {
      if ((store.present[id]! & PRESENT_OTC) === 0) {
        const marked = this.#intern.changed(id, [], peer.remoteAs, false);
        store.release(id);
        id = marked;
      }
    }
    return id;
  }

  #announce4(peer: RibPeer, table: RibTable, buf: Uint8Array, start: number, end: number, set: number): void {
    const cursor = this.#cursor;
    const eligibility = flagsOf(this.#eligibility.of(peer, set));
    if (peer.context.addPathIpv4) table.keepReceivedIds();
    startNlri(cursor, buf, start, end, peer.context.addPathIpv4);
    while (nextIpv4(cursor)) {
      if (isMartianIpv4(cursor.address, cursor.length)) {
        this.#martians++;
        continue;
      }
      const prefix = table.prefixes.findOrAdd4(cursor.address | 0, cursor.length);
      table.fitPrefixColumns();
      this.#paths.announce(peer, table, prefix, cursor.pathId, set, eligibility);
    }
  }

  #announce6(peer: RibPeer, table: RibTable, buf: Uint8Array, start: number, end: number, set: number): void {
    const cursor = this.#cursor;
    const eligibility = flagsOf(this.#eligibility.of(peer, set));
    if (peer.context.addPathIpv6) table.keepReceivedIds();
    startNlri(cursor, buf, start, end, peer.context.addPathIpv6);
    while (nextIpv6(cursor)) {
      const { word0, word1, word2, word3, length } = cursor;
      if (isMartianIpv6(word0, word1, word2, word3, length)) {
        this.#martians++;
        continue;
      }
      const prefix = table.prefixes.findOrAdd6(word0 | 0, word1 | 0, word2 | 0, word3 | 0, length);
      table.fitPrefixColumns();
      this.#paths.announce(peer, table, prefix, cursor.pathId, set, eligibility);
    }
  }

  #withdraw(peer: RibPeer, family: number, buf: Uint8Array, start: number, end: number): void {
    if (family === 0) this.#withdraw4(peer, this.#tables[0], buf, start, end);
    else this.#withdraw6(peer, this.#tables[1], buf, start, end);
  }

  #withdraw4(peer: RibPeer, table: RibTable, buf: Uint8Array, start: number, end: number): void {
    const cursor = this.#cursor;
    startNlri(cursor, buf, start, end, peer.context.addPathIpv4);
    while (nextIpv4(cursor)) {
      const prefix = table.prefixes.find4(cursor.address | 0, cursor.length);
      if (prefix >= 0) this.#paths.withdraw(peer, table, prefix, cursor.pathId);
    }
  }

  #withdraw6(peer: RibPeer, table: RibTable, buf: Uint8Array, start: number, end: number): void {
    const cursor = this.#cursor;
    startNlri(cursor, buf, start, end, peer.context.addPathIpv6);
    while (nextIpv6(cursor)) {
      const { word0, word1, word2, word3, length } = cursor;
      const prefix = table.prefixes.find6(word0 | 0, word1 | 0, word2 | 0, word3 | 0, length);
      if (prefix >= 0) this.#paths.withdraw(peer, table, prefix, cursor.pathId);
    }
  }

  /** After a change of its limit. May end the session. */
  checkLimits(peer: RibPeer): void {
    peer.warned.fill(SAID_NOTHING);
    for (const family of [0, 1] as const) if (peer.session !== undefined) this.#checkLimit(peer, family);
  }

  #checkLimit(peer: RibPeer, family: FamilyIndex): void {
    const octets = peer.attributeOctets;
    const hops = this.#nextHops.chargedTo(peer.slot);
    if (octets > peer.octetsLimit) {
      const limit = peer.octetsLimit;
      this.#events.memory(peer, { kind: 'memory limit', what: 'attribute octets', count: octets, limit });
      return;
    }
    if (hops > MOST_NEXT_HOPS) {
      const limit = MOST_NEXT_HOPS;
      this.#events.memory(peer, { kind: 'memory limit', what: 'next hops', count: hops, limit });
      return;
    }
    const { limit, warnPercent } = peer.config.maxPrefixes;
    const received = peer.receivedIn(family);
    if (received * 100 <= limit * warnPercent) return;
    const most = mostRoutes(peer.config);
    if (received > most && most > limit) {
      this.#events.memory(peer, { kind: 'memory limit', what: 'routes', count: received, limit: most });
      return;
    }
    const reached = received > limit ? SAID_OVER : SAID_NEAR;
    if (reached <= peer.warned[family]!) return;
    peer.warned[family] = reached;
    this.#events.limit(peer, family, reached === SAID_OVER);
  }
}

function isSameBlock(last: LastBlock, scan: UpdateScan, buf: Uint8Array): boolean {
  const { blob, blobStart } = scan;
  const length = scan.blobEnd - blobStart;
  if (last.length !== length) return false;
  const bytes = last.bytes;
  for (let i = 0; i < length; i++) if (bytes[i] !== blob[blobStart + i]) return false;
  if (scan.mpReachFamily < 0) return true;
  if (last.hopLength !== scan.nextHopLength) return false;
  for (let i = 0; i < last.hopLength; i++) if (last.hop[i] !== buf[scan.nextHopStart + i]) return false;
  return true;
}

function remember(last: LastBlock, scan: UpdateScan, buf: Uint8Array, isMp: boolean): void {
  const { blob, blobStart, nextHopStart } = scan;
  const length = scan.blobEnd - blobStart;
  last.length = -1;
  if (length > LONGEST_REMEMBERED) return;
  if (length > last.bytes.length) last.bytes = new Uint8Array(LONGEST_REMEMBERED);
  const bytes = last.bytes;
  for (let i = 0; i < length; i++) bytes[i] = blob[blobStart + i]!;
  last.length = length;
  last.hopLength = isMp ? scan.nextHopLength : 0;
  for (let i = 0; i < last.hopLength; i++) last.hop[i] = buf[nextHopStart + i]!;
}
