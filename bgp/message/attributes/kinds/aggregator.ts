// AGGREGATOR (RFC 4271 section 5.1.7) and AS4_AGGREGATOR (RFC 6793): one attribute for the rest of podroute, always
// with four octets of AS.
//
//   AS number (4, or 2 for an old speaker) | router ID (4)        AS 0 is malformed (RFC 7607)

import {
  ACTION_DISCARD_ATTRIBUTE,
  AS_TRANS,
  ATTR_AGGREGATOR,
  ATTR_AS4_AGGREGATOR,
  ATTR_AS4_PATH,
} from '../../constants.ts';
import type { SessionCodecContext } from '../../context.ts';
import { copyOctets, readU16, readU32, writeU16, writeU32 } from '../../big-endian.ts';
import { writeAttribute } from '../attribute-list.ts';
import {
  append,
  appendValue,
  type AttributeRow,
  BAD_LENGTH,
  BAD_OPTIONAL,
  type IncomingBlock,
  keep,
  OPTIONAL_TRANSITIVE,
  type OutgoingBlock,
  printIpv4,
  row,
  WELL_FORMED,
  writeValue,
} from '../row.ts';
import { PRESENT_AGGREGATOR } from '../verdict.ts';

const AGGREGATOR = row({
  type: ATTR_AGGREGATOR,
  name: 'aggregator',
  flags: OPTIONAL_TRANSITIVE,
  check: checkAggregator,
  onError: ACTION_DISCARD_ATTRIBUTE,
  accept: acceptAggregator,
  toIbgp: sendAggregator,
  toEbgp: sendAggregator,
  print: printAggregator,
  present: PRESENT_AGGREGATOR,
});

const AS4_AGGREGATOR = row({
  type: ATTR_AS4_AGGREGATOR,
  name: 'as4_aggregator',
  flags: OPTIONAL_TRANSITIVE,
  check: checkAs4Aggregator,
  onError: ACTION_DISCARD_ATTRIBUTE,
  onWrongFlags: ACTION_DISCARD_ATTRIBUTE,
  accept() {}, // it is in AGGREGATOR
  adds: (plan) => !plan.fourByteAs,
  toIbgp: sendAs4Aggregator,
  toEbgp: sendAs4Aggregator,
  print: printAggregator,
});

export const AGGREGATOR_ROWS: readonly AttributeRow[] = [AGGREGATOR, AS4_AGGREGATOR];

function checkAggregator(buf: Uint8Array, start: number, end: number, ctx: SessionCodecContext): number {
  if (end - start !== (ctx.fourByteAs ? 8 : 6)) return BAD_LENGTH;
  return (ctx.fourByteAs ? readU32(buf, start) : readU16(buf, start)) === 0 ? BAD_OPTIONAL : WELL_FORMED;
}

/** A speaker of four-octet AS numbers must not send it (RFC 6793 section 4.1). */
function checkAs4Aggregator(buf: Uint8Array, start: number, end: number, ctx: SessionCodecContext): number {
  if (end - start !== 8) return BAD_LENGTH;
  return ctx.fourByteAs || readU32(buf, start) === 0 ? BAD_OPTIONAL : WELL_FORMED;
}

/**
 * Of an old speaker's block, before it is accepted (RFC 6793 section 4.2.3): an AGGREGATOR whose AS is not AS_TRANS
 * was made by an old speaker after the AS4_* attributes: then these are out of date. AS4_AGGREGATOR alone means
 * nothing.
 */
export function reconcileAggregators(block: IncomingBlock): void {
  const { buf, list, dropped } = block;
  if (!block.has(ATTR_AS4_AGGREGATOR)) return;
  if (!block.has(ATTR_AGGREGATOR)) {
    dropped[ATTR_AS4_AGGREGATOR] = 1;
  } else if (readU16(buf, list.valueStart[ATTR_AGGREGATOR]!) !== AS_TRANS) {
    dropped[ATTR_AS4_AGGREGATOR] = 1;
    dropped[ATTR_AS4_PATH] = 1;
  }
}

function acceptAggregator(
  block: IncomingBlock,
  type: number,
  start: number,
  end: number,
  flags: number,
): void {
  const { buf, list, out, scratch } = block;
  if (block.ctx.fourByteAs) {
    append(block, type, start, end, flags);
  } else if (block.has(ATTR_AS4_AGGREGATOR)) {
    const as4 = list.valueStart[ATTR_AS4_AGGREGATOR]!;
    appendValue(out, type, flags, buf, as4, as4 + 8);
  } else {
    const length = copyOctets(buf, start + 2, end, scratch, writeU32(scratch, 0, readU16(buf, start)));
    appendValue(out, type, flags, scratch, 0, length);
  }
}

/** For an old speaker AS_TRANS stands for an AS that does not fit (RFC 6793 section 4.2.2). */
function sendAggregator(block: OutgoingBlock, type: number, start: number, end: number, to: number): number {
  if (block.plan.fourByteAs) return keep(block, type, start, end, to);
  const { src, value } = block;
  const as = readU32(src, start);
  const length = writeU32(value, writeU16(value, 0, as > 65535 ? AS_TRANS : as), readU32(src, start + 4));
  return writeValue(block, type, block.list.flags[type]!, length, to);
}

function sendAs4Aggregator(
  block: OutgoingBlock,
  type: number,
  _start: number,
  _end: number,
  to: number,
): number {
  const { src, out, limit } = block;
  const start = block.list.valueStart[ATTR_AGGREGATOR]!;
  if (block.plan.fourByteAs || start === -1 || readU32(src, start) <= 65535) return to;
  return writeAttribute(out, to, limit, OPTIONAL_TRANSITIVE, type, src, start, start + 8);
}

function printAggregator(buf: Uint8Array, start: number): string {
  return `${readU32(buf, start)} ${printIpv4(buf, start + 4)}`;
}
