// NEXT_HOP (RFC 4271 section 5.1.3), MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760). The two MP attributes belong to
// the message: `scanUpdate` reads them and update-encode.ts writes them, so that no canonical block has one.

import { formatOctets, isUnicastIpv4 } from '#ip';
import {
  ACTION_OK,
  ACTION_TREAT_AS_WITHDRAW,
  ATTR_MP_REACH,
  ATTR_MP_UNREACH,
  ATTR_NEXT_HOP,
} from '../../constants.ts';
import { readU32 } from '../../big-endian.ts';
import {
  type AttributeRow,
  BAD_LENGTH,
  BAD_NEXT_HOP,
  NOT_WANTED,
  OPTIONAL,
  type OutgoingBlock,
  printHex,
  printIpv4,
  row,
  strip,
  WELL_FORMED,
  WELL_KNOWN,
  writeNumber,
} from '../row.ts';
import { PRESENT_NEXT_HOP } from '../verdict.ts';

const NEXT_HOP = row({
  type: ATTR_NEXT_HOP,
  name: 'next_hop',
  flags: WELL_KNOWN,
  check: (buf, start, end) =>
    end - start !== 4 ? BAD_LENGTH : isUnicastIpv4(readU32(buf, start)) ? WELL_FORMED : BAD_NEXT_HOP,
  onError: ACTION_TREAT_AS_WITHDRAW,
  accept(block, _type, start) {
    block.out.hasNextHop = true;
    block.out.nextHop = readU32(block.buf, start);
  },
  adds: (plan) => plan.nextHop >= 0,
  toIbgp: writeNextHop,
  toEbgp: writeNextHop,
  print: printIpv4,
  present: PRESENT_NEXT_HOP,
});

/** Its flags have been judged by `scanUpdate`, whatever they are. */
const ofTheMessage = {
  flags: OPTIONAL,
  check: () => NOT_WANTED,
  onError: ACTION_OK,
  onWrongFlags: ACTION_OK,
  toIbgp: strip,
  toEbgp: strip,
};

const MP_REACH = row({
  ...ofTheMessage,
  type: ATTR_MP_REACH,
  name: 'mp_reach',
  print: (buf, start, end) =>
    end - start > 4 && start + 4 + buf[start + 3]! <= end
      ? `next hop ${printNextHop(buf, start + 4, buf[start + 3]!)}`
      : printHex(buf, start, end),
});

const MP_UNREACH = row({
  ...ofTheMessage,
  type: ATTR_MP_UNREACH,
  name: 'mp_unreach',
  print: printHex,
});

export const REACHABILITY_ROWS: readonly AttributeRow[] = [NEXT_HOP, MP_REACH, MP_UNREACH];

/** Without one in the plan the next hop goes out in MP_REACH_NLRI. */
function writeNextHop(block: OutgoingBlock, type: number, _start: number, _end: number, to: number): number {
  const { nextHop } = block.plan;
  return nextHop < 0 ? to : writeNumber(block, type, WELL_KNOWN, nextHop, to);
}

/** Text of the next hop of 4, 16 or 32 octets in MP_REACH_NLRI. */
export function printNextHop(buf: Uint8Array, start: number, length: number): string {
  if (length === 4) return printIpv4(buf, start);
  if (length === 16) return formatOctets(buf, start, 16);
  if (length === 32) return `${formatOctets(buf, start, 16)} ${formatOctets(buf, start + 16, 16)}`;
  return printHex(buf, start, start + length);
}
