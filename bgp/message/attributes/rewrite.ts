// Makes the outgoing block of attributes from a canonical one (validate.ts), as an export plan says: a loop over the
// rows of the table. Runs once per (attribute set, update group). The result ascends by type and holds no
// MP_REACH_NLRI.

import { FLAG_PARTIAL } from '../constants.ts';
import { insertType, listAttributes, writeAttribute } from './attribute-list.ts';
import { type ExportPlan, RELATION_EBGP, RELATION_SAME } from './export-plan.ts';
import { OutgoingBlock } from './row.ts';
import { ADDED_ROWS, ATTRIBUTE_TABLE } from './table.ts';

/** Scratch of one call. */
const block = new OutgoingBlock();

/**
 * Writes the attributes of src[start, end) for the peers of `plan` to out[at, limit).
 * @returns the offset behind them, or -1 when they do not fit (RFC 4271 section 9.2: do not advertise the route)
 */
export function rewriteAttributes(
  src: Uint8Array,
  start: number,
  end: number,
  plan: ExportPlan,
  out: Uint8Array,
  at: number,
  limit: number,
): number {
  const { list } = block;
  block.src = src;
  block.plan = plan;
  block.out = out;
  block.limit = limit;
  if (listAttributes(list, src, start, end) >= 0) return -1;
  for (let i = 0; i < ADDED_ROWS.length; i++) {
    const row = ADDED_ROWS[i]!;
    if (list.valueStart[row.type] === -1 && row.adds!(plan)) insertType(list, row.type);
  }
  const external = plan.relation === RELATION_EBGP;
  let to = at;
  for (let i = 0; i < list.count; i++) {
    const type = list.types[i]!;
    const from = list.valueStart[type]!;
    const next = list.valueEnd[type]!;
    const row = ATTRIBUTE_TABLE[type];
    if (row === undefined) to = passOn(type, from, next, to);
    else if (external) to = row.toEbgp(block, type, from, next, to);
    else to = row.toIbgp(block, type, from, next, to);
    if (to < 0) return -1;
  }
  return to;
}

/** An attribute that podroute does not understand is passed on with Partial set (RFC 4271 section 5). */
function passOn(type: number, start: number, end: number, to: number): number {
  const { list, plan, src, out, limit } = block;
  const flags = list.flags[type]! | (plan.relation === RELATION_SAME ? 0 : FLAG_PARTIAL);
  return writeAttribute(out, to, limit, flags, type, src, start, end);
}
