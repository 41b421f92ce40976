// One row of the table of path attributes: what is known about a type, and the functions that carry it from the wire
// to the canonical block and out again. The attribute files make rows with `row`; what they leave out is done as for
// an attribute that is only carried. No function keeps anything between two blocks.

import { formatIpv4 } from '#ip';
import {
  ACTION_TREAT_AS_WITHDRAW,
  FLAG_OPTIONAL,
  FLAG_TRANSITIVE,
  MAX_EXTENDED_MESSAGE_LENGTH,
} from '../constants.ts';
import { SessionCodecContext } from '../context.ts';
import { copyOctets, hex, readU32, writeU32 } from '../big-endian.ts';
import { AttributeList, writeAttribute, writeAttributeHeader } from './attribute-list.ts';
import { type ExportPlan, exportPlan } from './export-plan.ts';
import { AttributeVerdict } from './verdict.ts';

export const WELL_KNOWN = FLAG_TRANSITIVE;
export const OPTIONAL = FLAG_OPTIONAL;
export const OPTIONAL_TRANSITIVE = FLAG_OPTIONAL | FLAG_TRANSITIVE;

/** Answers of a check: well-formed, or the subcode of the UPDATE error (RFC 4271 section 6.3). */
export const WELL_FORMED = 0;
export const BAD_LENGTH = 5;
export const BAD_ORIGIN = 6;
export const BAD_NEXT_HOP = 8;
export const BAD_OPTIONAL = 9;
export const BAD_AS_PATH = 11;
/** Not wrong, but not for this session or this place: left out without a word. */
export const NOT_WANTED = -1;

/** A block on its way in. One object is reused for all blocks. */
export class IncomingBlock {
  buf: Uint8Array = new Uint8Array(0);
  ctx: SessionCodecContext = new SessionCodecContext();
  readonly list: AttributeList = new AttributeList();
  /** By type: 1 for what stands in the list but is left out. */
  readonly dropped: Uint8Array = new Uint8Array(256);
  out: AttributeVerdict = new AttributeVerdict();
  /** Room for a value that is made anew: a two-octet path of a full extended message, widened. */
  readonly scratch: Uint8Array = new Uint8Array(4 * 65536);

  has(type: number): boolean {
    return this.list.valueStart[type] !== -1 && this.dropped[type] === 0;
  }

  /** Upper bound of what all attributes take in canonical form, AS_PATH unwidened. */
  length(): number {
    const { types, count, valueEnd, header } = this.list;
    let length = 8;
    for (let i = 0; i < count; i++) {
      const type = types[i]!;
      if (this.dropped[type] === 0) length += valueEnd[type]! - header[type]!;
    }
    return length;
  }
}

/** A block on its way out. One object is reused for all blocks. */
export class OutgoingBlock {
  src: Uint8Array = new Uint8Array(0);
  readonly list: AttributeList = new AttributeList();
  plan: ExportPlan = exportPlan({});
  out: Uint8Array = new Uint8Array(0);
  limit = 0;
  /** Room for a value that is made anew. */
  readonly value: Uint8Array = new Uint8Array(MAX_EXTENDED_MESSAGE_LENGTH + 1);
}

/** Judges a value: WELL_FORMED, NOT_WANTED or a subcode. */
type Check = (buf: Uint8Array, start: number, end: number, ctx: SessionCodecContext) => number;
/** Appends the canonical form of the value at [start, end) to the verdict's bytes, and fills its columns. */
type Accept = (block: IncomingBlock, type: number, start: number, end: number, flags: number) => void;
/**
 * Writes the attribute as it leaves, or nothing, to out[to...]; the offset behind it, -1 when it does not fit.
 * `start` is -1 when the block has no such attribute but `adds` said yes.
 */
type Rewrite = (block: OutgoingBlock, type: number, start: number, end: number, to: number) => number;
type Print = (buf: Uint8Array, start: number, end: number) => string | number | readonly string[];

export interface AttributeRow {
  readonly type: number;
  readonly name: string;
  /** Optional and transitive bits that it must have. */
  readonly flags: number;
  /** No route without it (NEXT_HOP depends on the message: judgeUpdate). */
  readonly isMandatory: boolean;
  /** From eBGP it is discarded, right or wrong. */
  readonly internalOnly: boolean;
  readonly check: Check;
  /** ACTION_* when the check fails (RFC 7606 section 7, or the attribute's own RFC). */
  readonly onError: number;
  /** ACTION_* when the flags are wrong (RFC 7606 section 3 (c)). */
  readonly onWrongFlags: number;
  readonly accept: Accept;
  /** True when the plan may put it into a block that has none; its rewrite decides. */
  readonly adds: ((plan: ExportPlan) => boolean) | undefined;
  /** To a peer of our AS or confederation, and for an import policy. */
  readonly toIbgp: Rewrite;
  readonly toEbgp: Rewrite;
  readonly print: Print;
  /** Its bit in `AttributeVerdict.present`, 0 for none. */
  readonly present: number;
}

type RowInput = Pick<AttributeRow, 'type' | 'name' | 'flags' | 'check' | 'onError' | 'print'> &
  Partial<AttributeRow>;

/** All rows have one shape: the loops over them stay monomorphic. */
export function row(input: RowInput): AttributeRow {
  return {
    type: input.type,
    name: input.name,
    flags: input.flags,
    isMandatory: input.isMandatory ?? false,
    internalOnly: input.internalOnly ?? false,
    check: input.check,
    onError: input.onError,
    onWrongFlags: input.onWrongFlags ?? ACTION_TREAT_AS_WITHDRAW,
    accept: input.accept ?? append,
    adds: input.adds,
    toIbgp: input.toIbgp ?? keep,
    toEbgp: input.toEbgp ?? keep,
    print: input.print,
    present: input.present ?? 0,
  };
}

export function fourOctets(_buf: Uint8Array, start: number, end: number): number {
  return end - start === 4 ? WELL_FORMED : BAD_LENGTH;
}

/** One or more elements of this size. */
export function multipleOf(size: number, start: number, end: number): number {
  return end > start && (end - start) % size === 0 ? WELL_FORMED : BAD_LENGTH;
}

/** Accepts the value as it came. */
export function append(block: IncomingBlock, type: number, start: number, end: number, flags: number): void {
  appendValue(block.out, type, flags, block.buf, start, end);
}

export function appendValue(
  out: AttributeVerdict,
  type: number,
  flags: number,
  src: Uint8Array,
  start: number,
  end: number,
): void {
  const value = writeAttributeHeader(out.bytes, out.length, flags, type, end - start);
  out.length = copyOctets(src, start, end, out.bytes, value);
}

/** Sends the attribute as it is. */
export function keep(block: OutgoingBlock, type: number, start: number, end: number, to: number): number {
  return writeAttribute(block.out, to, block.limit, block.list.flags[type]!, type, block.src, start, end);
}

/** Does not send it. */
export function strip(
  _block: OutgoingBlock,
  _type: number,
  _start: number,
  _end: number,
  to: number,
): number {
  return to;
}

/** Sends value[0, length) of the block's scratch instead. */
export function writeValue(
  block: OutgoingBlock,
  type: number,
  flags: number,
  length: number,
  to: number,
): number {
  return writeAttribute(block.out, to, block.limit, flags, type, block.value, 0, length);
}

export function writeNumber(
  block: OutgoingBlock,
  type: number,
  flags: number,
  number: number,
  to: number,
): number {
  if (to + 7 > block.limit) return -1;
  const out = block.out;
  out[to] = flags;
  out[to + 1] = type;
  out[to + 2] = 4;
  return writeU32(out, to + 3, number);
}

/** Copies a value of the source, if there is one, to the scratch; returns the offset behind it. */
export function copyToValue(block: OutgoingBlock, start: number, end: number, at: number): number {
  return start === -1 ? at : copyOctets(block.src, start, end, block.value, at);
}

export function printIpv4(buf: Uint8Array, start: number): string {
  return formatIpv4(readU32(buf, start));
}

export function printHex(buf: Uint8Array, start: number, end: number): string {
  return `0x${hex(buf, start, end)}`;
}
