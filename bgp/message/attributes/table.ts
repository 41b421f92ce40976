// The table of path attributes: one row a type. What a row says and does stands in the attribute's own file; the
// loops over the rows are validate.ts (in), rewrite.ts (out) and formatAttributes (text, not for hot paths).

import { AGGREGATOR_ROWS } from './kinds/aggregator.ts';
import { PATH_ROWS } from './kinds/as-path.ts';
import { AttributeList, listAttributes } from './attribute-list.ts';
import { COMMUNITY_ROWS } from './kinds/communities.ts';
import { EXT_COMMUNITY_ROWS } from './kinds/ext-communities.ts';
import { PREFERENCE_ROWS } from './kinds/preferences.ts';
import { REACHABILITY_ROWS } from './kinds/reachability.ts';
import { type AttributeRow, printHex } from './row.ts';
import { CARRIED_ROWS } from './kinds/tlv.ts';

/** Types ascend. */
const ROWS: readonly AttributeRow[] = [
  ...PREFERENCE_ROWS,
  ...PATH_ROWS,
  ...REACHABILITY_ROWS,
  ...AGGREGATOR_ROWS,
  ...COMMUNITY_ROWS,
  ...EXT_COMMUNITY_ROWS,
  ...CARRIED_ROWS,
].sort((a, b) => a.type - b.type);

/** By type; undefined for types that podroute does not know. */
export const ATTRIBUTE_TABLE: readonly (AttributeRow | undefined)[] = Array.from({ length: 256 }, (_, type) =>
  ROWS.find((entry) => entry.type === type),
);

/** Those that a block must have. */
export const MANDATORY_ROWS: readonly AttributeRow[] = ROWS.filter((entry) => entry.isMandatory);
/** Those that an export plan may add to a block. */
export const ADDED_ROWS: readonly AttributeRow[] = ROWS.filter((entry) => entry.adds !== undefined);

/** Name of a type in messages, `attribute 99` for an unknown one. */
export function attributeName(type: number): string {
  return ATTRIBUTE_TABLE[type]?.name ?? `attribute ${type}`;
}

export interface AttributeText {
  readonly type: number;
  /** 'as_path', 'large_communities' …, 'attribute 99' for a type that podroute does not know. */
  readonly name: string;
  /** '65001 65002 {1,2}', ['65000:1', 'no-export'], 100, '0x0102' … */
  readonly value: string | number | readonly string[];
}

/** Scratch of one call. */
const list = new AttributeList();

/** Text of the canonical attributes at bytes[start, end), types ascending. Anything that does not parse ends the list. */
export function formatAttributes(bytes: Uint8Array, start: number, end: number): AttributeText[] {
  listAttributes(list, bytes, start, end);
  const texts: AttributeText[] = [];
  for (const type of list.types.subarray(0, list.count)) {
    const print = ATTRIBUTE_TABLE[type]?.print ?? printHex;
    const value = print(bytes, list.valueStart[type]!, list.valueEnd[type]!);
    texts.push({ type, name: attributeName(type), value });
  }
  return texts;
}
