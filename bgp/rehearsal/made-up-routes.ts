// UPDATEs for the rehearsal, as varied as a full table's: an engine compiles only for what it has seen, so every
// usual branch is in here. Paths short, long, with AS_SETs and two-octet lengths; few and many communities;
// attributes that only pass through; addresses of the whole range; blocks that repeat; one to sixty prefixes each.
import { SeededRandom } from '#world';
import type { FamilyIndex } from '#ip';
import {
  AS_SEQUENCE,
  AS_SET,
  ATTR_AGGREGATOR,
  ATTR_AS_PATH,
  ATTR_ATOMIC_AGGREGATE,
  ATTR_CLUSTER_LIST,
  ATTR_COMMUNITIES,
  ATTR_EXT_COMMUNITIES,
  ATTR_LARGE_COMMUNITIES,
  ATTR_LOCAL_PREF,
  ATTR_MED,
  ATTR_NEXT_HOP,
  ATTR_ORIGIN,
  ATTR_ORIGINATOR_ID,
  beginAnnounce,
  beginMpReach,
  beginMpUnreach,
  beginWithdraw,
  endAnnounce,
  endMpReach,
  endMpUnreach,
  endWithdraw,
  FLAG_EXTENDED_LENGTH,
  FLAG_OPTIONAL,
  FLAG_TRANSITIVE,
  writeEndOfRib,
  writeIpv4,
  writeIpv6,
} from '../message/index.ts';

/** Prefixes of one family. */
export const PREFIXES = 12_000;
/** Of every eighth IPv4 prefix; the others are /24. */
const LENGTHS = [22, 20, 16, 32, 19, 8, 21, 12, 23, 17, 25];
const LONGEST_UPDATE = 4096;
/** Room that a message keeps for its last prefix. */
const MARGIN = 20;
/** Optional transitive and known to nobody: it passes through. */
const UNKNOWN_ATTRIBUTE = 230;
const OPTIONAL_TRANSITIVE = FLAG_OPTIONAL | FLAG_TRANSITIVE;

export interface Speech {
  /** Other paths for the same prefixes; a whole number above 0. */
  readonly flavour: number;
  /** iBGP: LOCAL_PREF is there. */
  readonly internal: boolean;
  /** First AS of every path, unless internal. */
  readonly asNumber: number;
}

/** Room for the UPDATEs of one family. */
export const SCRIPT_BYTES = 2 * 1024 * 1024;

/** UPDATEs back to back that announce every prefix of a family; returns their length in `out`. */
export function announcements(out: Uint8Array, speech: Speech, family: FamilyIndex): number {
  const dice = new SeededRandom(speech.flavour);
  const attributes = new AttributeWriter();
  const nextHop = Uint8Array.from({ length: 16 }, (_, i) => [0x20, 1, 0xd, 0xb8][i] ?? speech.flavour);
  let at = 0;
  for (let prefix = 0; prefix < PREFIXES; ) {
    if (dice.below(8) > 0) writeAttributes(attributes, speech, dice, family);
    const { bytes, length } = attributes;
    const last = Math.min(PREFIXES, prefix + (dice.below(16) === 0 ? 60 : 1 + dice.below(6)));
    const start = at;
    if (family === 0) {
      at = beginAnnounce(out, start, bytes, 0, length);
      for (; prefix < last; prefix++) at = writePrefix4(out, at, prefix);
      at = endAnnounce(out, start, at);
    } else {
      at = beginMpReach(out, start, family, nextHop, 0, nextHop.length);
      for (; prefix < last; prefix++) at = writePrefix6(out, at, prefix);
      at = endMpReach(out, start, at, bytes, 0, length);
    }
  }
  return writeEndOfRib(out, at, family);
}

/** UPDATEs back to back that withdraw the prefixes from `first` on: single ones at first, then as many as fit. */
export function withdrawals(out: Uint8Array, family: FamilyIndex, first: number): number {
  let at = 0;
  for (let prefix = first; prefix < PREFIXES; ) {
    const isSingle = prefix < first + 500;
    const start = at;
    at = family === 0 ? beginWithdraw(out, start) : beginMpUnreach(out, start, family);
    do {
      at = family === 0 ? writePrefix4(out, at, prefix) : writePrefix6(out, at, prefix);
      prefix++;
    } while (!isSingle && prefix < PREFIXES && at - start < LONGEST_UPDATE - MARGIN);
    at = family === 0 ? endWithdraw(out, start, at) : endMpUnreach(out, start, at);
  }
  return at;
}

/** 1.0.0.0/24 and on, every second one in the upper half of the address space; some shorter and longer. */
function writePrefix4(out: Uint8Array, at: number, prefix: number): number {
  const length = prefix % 8 === 0 ? LENGTHS[(prefix >> 3) % LENGTHS.length]! : 24;
  const address = (prefix % 2 === 0 ? 0x01000000 : 0xc1000000) + (prefix << 8) + (length === 32 ? 1 : 0);
  return writeIpv4(out, at, (address & (-1 << (32 - length))) >>> 0, length);
}

function writePrefix6(out: Uint8Array, at: number, prefix: number): number {
  return prefix % 7 === 0
    ? writeIpv6(out, at, 0x20010db8, (prefix << 17) >>> 0, 0, 0, 47)
    : writeIpv6(out, at, 0x2a0d0000 + (prefix & 1), (prefix << 16) >>> 0, 0xf0000000, 1, 128);
}

/** In the order of their types, as nearly everybody sends them. */
function writeAttributes(to: AttributeWriter, speech: Speech, dice: SeededRandom, family: FamilyIndex): void {
  to.length = 0;
  to.begin(FLAG_TRANSITIVE, ATTR_ORIGIN, 1);
  to.put8(dice.below(13) === 0 ? 2 : dice.below(29) === 0 ? 1 : 0);
  writePath(to, speech, dice);
  if (family === 0) {
    to.begin(FLAG_TRANSITIVE, ATTR_NEXT_HOP, 4);
    to.put32(dice.below(2) === 0 ? 0x0a000002 + speech.flavour : 0xc6336400 + dice.below(200) + 1);
  }
  if (dice.below(4) === 0) {
    to.begin(FLAG_OPTIONAL, ATTR_MED, 4);
    to.put32(dice.below(9) === 0 ? 0xfffffffe : dice.below(2000));
  }
  if (speech.internal) {
    to.begin(FLAG_TRANSITIVE, ATTR_LOCAL_PREF, 4);
    to.put32(100 + dice.below(3));
  }
  if (dice.below(19) === 0) to.begin(FLAG_TRANSITIVE, ATTR_ATOMIC_AGGREGATE, 0);
  if (dice.below(11) === 0) {
    to.begin(OPTIONAL_TRANSITIVE, ATTR_AGGREGATOR, 8);
    to.put32(dice.below(2) === 0 ? 64_512 : 4_200_000_001);
    to.put32(0xc0000201);
  }
  if (dice.below(3) === 0) {
    const count = dice.below(9) === 0 ? 70 : 1 + dice.below(8);
    to.begin(OPTIONAL_TRANSITIVE, ATTR_COMMUNITIES, count * 4);
    for (let i = 0; i < count; i++) to.put32(((1000 + dice.below(64_000)) * 65_536 + i) >>> 0);
  }
  if (speech.internal && dice.below(4) > 0) {
    to.begin(FLAG_OPTIONAL, ATTR_ORIGINATOR_ID, 4);
    to.put32(0xc0000200 + dice.below(250));
    to.begin(FLAG_OPTIONAL, ATTR_CLUSTER_LIST, 4);
    to.put32(0xc0000300);
  }
  if (dice.below(14) === 0) {
    to.begin(OPTIONAL_TRANSITIVE, ATTR_EXT_COMMUNITIES, 16);
    // A route target, and one that does not cross AS borders.
    for (const kind of [0x00020000, 0x40040000]) {
      to.put32(kind + dice.below(60_000));
      to.put32(dice.below(1000));
    }
  }
  if (dice.below(17) === 0) {
    to.begin(OPTIONAL_TRANSITIVE, ATTR_LARGE_COMMUNITIES, 12);
    for (let i = 0; i < 3; i++) to.put32(dice.below(0x7fffffff) * 2);
  }
  if (dice.below(23) === 0) {
    to.begin(OPTIONAL_TRANSITIVE, UNKNOWN_ATTRIBUTE, 4);
    to.put32(dice.below(1000));
  }
}

function writePath(to: AttributeWriter, speech: Speech, dice: SeededRandom): void {
  // A route of the own AS, or one that is treated as withdrawn (RFC 7607), is rare but there.
  if (speech.internal && dice.below(101) === 0) {
    to.begin(FLAG_TRANSITIVE, ATTR_AS_PATH, 0);
    return;
  }
  const sequence = dice.below(97) === 0 ? 70 : 2 + dice.below(6);
  const set = dice.below(37) === 0 ? 3 : 0;
  const isLong = dice.below(5) === 0 ? FLAG_EXTENDED_LENGTH : 0;
  to.begin(FLAG_TRANSITIVE | isLong, ATTR_AS_PATH, 2 + sequence * 4 + (set === 0 ? 0 : 2 + set * 4));
  to.put8(AS_SEQUENCE);
  to.put8(sequence);
  to.put32(speech.internal ? 3000 + dice.below(60_000) : speech.asNumber);
  for (let i = 1; i < sequence; i++) {
    const isRare = dice.below(40) === 0;
    to.put32(
      isRare ? (dice.below(40) === 0 ? 0 : 4_200_000_000 + dice.below(1000)) : 3000 + dice.below(390_000),
    );
  }
  if (set === 0) return;
  to.put8(AS_SET);
  to.put8(set);
  for (let i = 0; i < set; i++) to.put32(3000 + dice.below(60_000));
}

class AttributeWriter {
  readonly bytes = new Uint8Array(LONGEST_UPDATE);
  length = 0;

  begin(flags: number, type: number, valueLength: number): void {
    const isExtended = (flags & FLAG_EXTENDED_LENGTH) !== 0 || valueLength > 255;
    this.put8(isExtended ? flags | FLAG_EXTENDED_LENGTH : flags);
    this.put8(type);
    if (isExtended) this.put8(valueLength >>> 8);
    this.put8(valueLength);
  }

  put8(value: number): void {
    this.bytes[this.length++] = value;
  }

  put32(value: number): void {
    for (const shift of [24, 16, 8, 0]) this.put8(value >>> shift);
  }
}
