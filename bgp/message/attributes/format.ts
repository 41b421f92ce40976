// Attributes as people read them: plain objects for status, CLI and log. Not for hot paths.

import { ATTR_MP_REACH } from '../constants.ts';
import { AttributeList, listAttributes } from './attribute-list.ts';
import { hex } from '../octets.ts';
import { attributeName, ATTRIBUTE_TABLE, printNextHop } from './table.ts';

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
    const from = list.valueStart[type]!;
    const to = list.valueEnd[type]!;
    texts.push({ type, name: attributeName(type), value: valueText(bytes, type, from, to) });
  }
  return texts;
}

function valueText(
  bytes: Uint8Array,
  type: number,
  start: number,
  end: number,
): string | number | readonly string[] {
  if (type === ATTR_MP_REACH && end - start > 4 && start + 4 + bytes[start + 3]! <= end) {
    return `next hop ${printNextHop(bytes, start + 4, bytes[start + 3]!)}`;
  }
  return ATTRIBUTE_TABLE[type]?.print(bytes, start, end) ?? `0x${hex(bytes, start, end)}`;
}
