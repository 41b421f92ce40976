// Judges a block of path attributes by RFC 7606 and makes its canonical form: a loop over the rows of the table.
// Runs once per distinct block of bytes: the caller keeps the result under (bytes, verdictKey(ctx)).
//
// Canonical: types ascend; each type once (the first); four octets an AS, with AS4_PATH and AS4_AGGREGATOR merged
// in; no MP_REACH_NLRI, MP_UNREACH_NLRI and NEXT_HOP (its value is in the verdict); nothing that was discarded;
// no duplicate large communities; extended length only above 255 octets; no flag bits that mean nothing.

import {
  ACTION_DISCARD_ATTRIBUTE,
  ACTION_TREAT_AS_WITHDRAW,
  FLAG_OPTIONAL,
  FLAG_PARTIAL,
  FLAG_TRANSITIVE,
} from '../constants.ts';
import type { SessionCodecContext } from '../context.ts';
import { reconcileAggregators } from './kinds/aggregator.ts';
import { listAttributes } from './attribute-list.ts';
import { append, IncomingBlock, NOT_WANTED, OPTIONAL_TRANSITIVE, WELL_FORMED } from './row.ts';
import { ATTRIBUTE_TABLE, MANDATORY_ROWS } from './table.ts';
import {
  type AttributeVerdict,
  clearVerdict,
  MISSING_WELL_KNOWN,
  noteError,
  PRESENT_UNKNOWN,
} from './verdict.ts';

const MALFORMED_LIST = 1;
const UNRECOGNIZED_WELL_KNOWN = 2;
const WRONG_FLAGS = 4;

/** Scratch of one call. */
const block = new IncomingBlock();

/**
 * Fills `out` from the attributes at buf[start, end): the `blob` of an UpdateScan, or any block of attributes.
 * With ACTION_TREAT_AS_WITHDRAW only the error fields of `out` mean something. NEXT_HOP is not mandatory here:
 * that depends on the message (judgeUpdate).
 */
export function validateAttributes(
  buf: Uint8Array,
  start: number,
  end: number,
  ctx: SessionCodecContext,
  out: AttributeVerdict,
): void {
  const { list, dropped } = block;
  clearVerdict(out);
  block.buf = buf;
  block.ctx = ctx;
  block.out = out;
  const overrun = listAttributes(list, buf, start, end);
  if (overrun >= 0) {
    noteError(out, ACTION_TREAT_AS_WITHDRAW, MALFORMED_LIST, 0, overrun, end);
    return;
  }
  const internal = !ctx.external || ctx.confederation;
  for (let i = 0; i < list.count; i++) {
    const type = list.types[i]!;
    dropped[type] = check(type, internal) ? 0 : 1;
  }
  for (let i = 0; i < MANDATORY_ROWS.length; i++) {
    const type = MANDATORY_ROWS[i]!.type;
    if (list.valueStart[type] === -1) {
      noteError(out, ACTION_TREAT_AS_WITHDRAW, MISSING_WELL_KNOWN, type, start, start);
    }
  }
  if (out.action === ACTION_TREAT_AS_WITHDRAW) return;
  if (!ctx.fourByteAs) reconcileAggregators(block);
  for (let i = 0; i < list.count; i++) {
    const type = list.types[i]!;
    if (dropped[type] === 0) accept(type, out);
  }
}

/** False when the attribute is to be left out. Notes what is wrong. */
function check(type: number, internal: boolean): boolean {
  const { list, out } = block;
  const row = ATTRIBUTE_TABLE[type];
  const flags = list.flags[type]!;
  const header = list.header[type]!;
  const valueEnd = list.valueEnd[type]!;
  if (row === undefined) {
    if ((flags & FLAG_OPTIONAL) === 0) {
      noteError(out, ACTION_TREAT_AS_WITHDRAW, UNRECOGNIZED_WELL_KNOWN, type, header, valueEnd);
      return false;
    }
    return (flags & FLAG_TRANSITIVE) !== 0;
  }
  if (row.internalOnly && !internal) {
    noteError(out, ACTION_DISCARD_ATTRIBUTE, MALFORMED_LIST, type, header, valueEnd);
    return false;
  }
  const partialWellKnown = (flags & FLAG_PARTIAL) !== 0 && (row.flags & FLAG_OPTIONAL) === 0;
  if ((flags & OPTIONAL_TRANSITIVE) !== row.flags || partialWellKnown) {
    noteError(out, row.onWrongFlags, WRONG_FLAGS, type, header, valueEnd);
    return false;
  }
  const subcode = row.check(block.buf, list.valueStart[type]!, valueEnd, block.ctx);
  if (subcode === WELL_FORMED) return true;
  if (subcode !== NOT_WANTED) noteError(out, row.onError, subcode, type, header, valueEnd);
  return false;
}

function accept(type: number, out: AttributeVerdict): void {
  const { list } = block;
  const start = list.valueStart[type]!;
  const end = list.valueEnd[type]!;
  const row = ATTRIBUTE_TABLE[type];
  if (row === undefined) {
    out.present |= PRESENT_UNKNOWN;
    append(block, type, start, end, list.flags[type]! & (OPTIONAL_TRANSITIVE | FLAG_PARTIAL));
    return;
  }
  out.present |= row.present;
  const partial = row.flags === OPTIONAL_TRANSITIVE ? list.flags[type]! & FLAG_PARTIAL : 0;
  row.accept(block, type, start, end, row.flags | partial);
}
