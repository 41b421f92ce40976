// AS_PATH and AS4_PATH. On its way in a path of an old speaker is widened and merged with AS4_PATH; on its way out
// confederation segments and private AS numbers are removed, own numbers prepended, and it is narrowed to two octets
// for old speakers, with AS4_PATH beside it. That is worked out in one scratch array, from the middle to the front.

import {
  ACTION_DISCARD_ATTRIBUTE,
  ACTION_TREAT_AS_WITHDRAW,
  AS_CONFED_SEQUENCE,
  AS_SEQUENCE,
  AS_SET,
  AS_TRANS,
  ATTR_AS4_PATH,
  ATTR_AS_PATH,
  MAX_EXTENDED_MESSAGE_LENGTH,
} from '../../constants.ts';
import { readU32, writeU32 } from '../../big-endian.ts';
import {
  firstAs,
  formatAsPath,
  isAs4PathValid,
  isAsPathValid,
  mergePaths,
  neighbourAs,
  pathLength,
  widenPath,
} from './as-segments.ts';
import { AttributeRange, findAttribute, writeAttribute } from '../attribute-list.ts';
import { type ExportPlan, RELATION_CONFEDERATION, RELATION_EBGP } from '../export-plan.ts';
import {
  appendValue,
  type AttributeRow,
  BAD_AS_PATH,
  type IncomingBlock,
  OPTIONAL_TRANSITIVE,
  type OutgoingBlock,
  row,
  WELL_FORMED,
  WELL_KNOWN,
  writeValue,
} from '../row.ts';
import { noteError, PRESENT_AS_PATH } from '../verdict.ts';

const AS_PATH = row({
  type: ATTR_AS_PATH,
  name: 'as_path',
  flags: WELL_KNOWN,
  isMandatory: true,
  check: (buf, start, end, ctx) =>
    isAsPathValid(buf, start, end, ctx.fourByteAs ? 4 : 2, ctx) ? WELL_FORMED : BAD_AS_PATH,
  onError: ACTION_TREAT_AS_WITHDRAW,
  accept: acceptPath,
  adds: () => true,
  toIbgp: sendPath,
  toEbgp: sendPath,
  print: formatAsPath,
  present: PRESENT_AS_PATH,
});

const AS4_PATH = row({
  type: ATTR_AS4_PATH,
  name: 'as4_path',
  flags: OPTIONAL_TRANSITIVE,
  // a speaker of four-octet AS numbers must not send it (RFC 6793 section 4.1)
  check: (buf, start, end, ctx) =>
    !ctx.fourByteAs && isAs4PathValid(buf, start, end) ? WELL_FORMED : BAD_AS_PATH,
  onError: ACTION_DISCARD_ATTRIBUTE,
  onWrongFlags: ACTION_DISCARD_ATTRIBUTE,
  accept() {}, // it is in AS_PATH
  adds: (plan) => !plan.fourByteAs,
  toIbgp: sendAs4Path,
  toEbgp: sendAs4Path,
  print: formatAsPath,
});

export const PATH_ROWS: readonly AttributeRow[] = [AS_PATH, AS4_PATH];

function acceptPath(block: IncomingBlock, type: number, start: number, end: number): void {
  const { buf, list, out, scratch } = block;
  let path = buf;
  let from = start;
  let to = end;
  if (!block.ctx.fourByteAs) {
    path = scratch;
    from = 0;
    to = block.has(ATTR_AS4_PATH)
      ? mergePaths(
          buf,
          start,
          end,
          list.valueStart[ATTR_AS4_PATH]!,
          list.valueEnd[ATTR_AS4_PATH]!,
          scratch,
          0,
        )
      : widenPath(buf, start, end, scratch, 0);
    // could not be passed on to anybody: one block must fit into one message
    if (block.length() - (end - start) + to > MAX_EXTENDED_MESSAGE_LENGTH) {
      noteError(out, ACTION_TREAT_AS_WITHDRAW, BAD_AS_PATH, type, list.header[type]!, end);
      to = 0;
    }
  }
  appendValue(out, type, WELL_KNOWN, path, from, to);
  out.asPathEnd = out.length;
  out.asPathStart = out.length - (to - from);
  out.pathLength = pathLength(path, from, to, 4);
  out.neighbourAs = neighbourAs(path, from, to);
  out.firstAs = firstAs(path, from, to);
}

function sendPath(block: OutgoingBlock, type: number, start: number, end: number, to: number): number {
  const { plan } = block;
  if (!preparePath(block.src, start, end, plan)) return -1;
  if (!plan.fourByteAs) return writeValue(block, type, WELL_KNOWN, narrowPath(path, block.value, 0), to);
  return writeAttribute(block.out, to, block.limit, WELL_KNOWN, type, path.bytes, path.start, path.end);
}

function sendAs4Path(block: OutgoingBlock, type: number, _start: number, _end: number, to: number): number {
  if (block.plan.fourByteAs || !needsAs4(path)) return to;
  return writeValue(block, type, OPTIONAL_TRANSITIVE, writeAs4Path(path, block.value, 0), to);
}

function preparePath(src: Uint8Array, start: number, end: number, plan: ExportPlan): boolean {
  loadPath(path, src, start, start < 0 ? start : end, plan);
  const type = plan.relation === RELATION_CONFEDERATION ? AS_CONFED_SEQUENCE : AS_SEQUENCE;
  for (let i = plan.prepend.length - 1; i >= 0; i--) {
    if (!prependAs(path, plan.prepend[i]!, type)) return false;
  }
  return path.end - path.start <= 65535;
}

/** Room before the path for what is prepended: 680 AS numbers even if each needs a segment of its own. */
const FRONT = 4096;
const MAX_PATH = 65535;

/** A path with four octets an AS at bytes[start, end). Reused for all paths. */
class PathBuffer {
  readonly bytes: Uint8Array = new Uint8Array(FRONT + MAX_PATH + 1);
  start = FRONT;
  end = FRONT;
}

/** The path as it leaves: sendPath makes it, and sendAs4Path, whose type comes later in every block, reads it. */
const path = new PathBuffer();

/** Takes the path at src[start, end): towards eBGP without confederation segments; other AS numbers as the plan says. */
function loadPath(path: PathBuffer, src: Uint8Array, start: number, end: number, plan: ExportPlan): void {
  const out = path.bytes;
  const stripConfederation = plan.relation === RELATION_EBGP;
  let to = FRONT;
  for (let at = start; at < end; ) {
    const type = src[at]!;
    const next = at + 2 + src[at + 1]! * 4;
    if (!stripConfederation || type < AS_CONFED_SEQUENCE) {
      const head = to;
      to += 2;
      for (let as = at + 2; as < next; as += 4) {
        const number = sentAs(readU32(src, as), plan);
        if (number >= 0) to = writeU32(out, to, number);
      }
      out[head] = type;
      out[head + 1] = (to - head) >> 2;
      if (to === head + 2) to = head;
    }
    at = next;
  }
  path.start = FRONT;
  path.end = to;
}

/** What goes out for an AS number of the path; -1: nothing. */
function sentAs(as: number, plan: ExportPlan): number {
  if (as === plan.overriddenAs) return plan.substituteAs;
  if (!plan.removePrivateAs || !isPrivateAs(as)) return as;
  return plan.replacesPrivateAs ? plan.substituteAs : -1;
}

/** Puts one AS before the path: into its first segment, or a new one when that is full or of another type. */
function prependAs(path: PathBuffer, as: number, type: number): boolean {
  const bytes = path.bytes;
  const head = path.start;
  const count = path.end > head && bytes[head] === type ? bytes[head + 1]! : 255;
  if (count < 255) {
    if (head < 4) return false;
    path.start = head - 4;
    bytes[head - 4] = type;
    bytes[head - 3] = count + 1;
    writeU32(bytes, head - 2, as);
  } else {
    if (head < 6) return false;
    path.start = head - 6;
    bytes[head - 6] = type;
    bytes[head - 5] = 1;
    writeU32(bytes, head - 4, as);
  }
  return true;
}

/** True when an AS number outside confederation segments does not fit into two octets: AS4_PATH is needed. */
function needsAs4(path: PathBuffer): boolean {
  for (let at = path.start; at < path.end; ) {
    const next = at + 2 + path.bytes[at + 1]! * 4;
    if (path.bytes[at]! < AS_CONFED_SEQUENCE) {
      for (let as = at + 2; as < next; as += 4) {
        if (path.bytes[as] !== 0 || path.bytes[as + 1] !== 0) return true;
      }
    }
    at = next;
  }
  return false;
}

/** Writes the path with two octets an AS (RFC 6793 section 4.2.2); returns the offset behind it. */
function narrowPath(path: PathBuffer, out: Uint8Array, to: number): number {
  const bytes = path.bytes;
  let write = to;
  for (let at = path.start; at < path.end; ) {
    const next = at + 2 + bytes[at + 1]! * 4;
    out[write++] = bytes[at]!;
    out[write++] = bytes[at + 1]!;
    for (let as = at + 2; as < next; as += 4) {
      const number = readU32(bytes, as);
      const fitting = number > 65535 ? AS_TRANS : number;
      out[write++] = fitting >>> 8;
      out[write++] = fitting;
    }
    at = next;
  }
  return write;
}

/** Writes the value of AS4_PATH: the path without confederation segments (RFC 6793 section 3). */
function writeAs4Path(path: PathBuffer, out: Uint8Array, to: number): number {
  const bytes = path.bytes;
  let write = to;
  for (let at = path.start; at < path.end; ) {
    const next = at + 2 + bytes[at + 1]! * 4;
    if (bytes[at] === AS_SEQUENCE || bytes[at] === AS_SET) {
      for (let i = at; i < next; i++) out[write++] = bytes[i]!;
    }
    at = next;
  }
  return write;
}

/** RFC 6996: 64512-65534 and 4200000000-4294967294. */
function isPrivateAs(as: number): boolean {
  return (as >= 64512 && as <= 65534) || (as >= 4200000000 && as <= 4294967294);
}

const range = new AttributeRange();

/** How often an AS stands in AS_PATH, sets and confederation segments included (loop check). */
export function countAs(bytes: Uint8Array, start: number, end: number, as: number): number {
  if (!findAttribute(bytes, start, end, ATTR_AS_PATH, range)) return 0;
  let count = 0;
  let at = range.start;
  while (at < range.end) {
    const next = at + 2 + bytes[at + 1]! * 4;
    for (let number = at + 2; number < next; number += 4) {
      if (readU32(bytes, number) === as) count++;
    }
    at = next;
  }
  return count;
}

/** True when AS_PATH begins with these AS numbers, the leftmost first, whatever its segments. */
export function startsWithAs(
  bytes: Uint8Array,
  start: number,
  end: number,
  wanted: readonly number[],
): boolean {
  if (wanted.length === 0) return true;
  if (!findAttribute(bytes, start, end, ATTR_AS_PATH, range)) return false;
  let i = 0;
  let at = range.start;
  while (at < range.end) {
    const next = at + 2 + bytes[at + 1]! * 4;
    for (let number = at + 2; number < next; number += 4) {
      if (readU32(bytes, number) !== wanted[i]!) return false;
      i++;
      if (i === wanted.length) return true;
    }
    at = next;
  }
  return false;
}
